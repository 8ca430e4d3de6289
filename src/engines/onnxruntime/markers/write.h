/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the optimised model again, in the order of execution and with markers. */
#ifndef JM_ENGINES_ONNXRUNTIME_MARKERS_WRITE_H
#define JM_ENGINES_ONNXRUNTIME_MARKERS_WRITE_H

#include "engines/onnxruntime/markers/plan.h"
#include "onnx/proto.h"

/* Name that markers' nodes and values begin with; no model may use it. */
#define JM_ORT_MARKER_PREFIX "joulemap-marker-"

/*
 * The writer must be zeroed; `failed` tells that there was no memory. Nodes
 * without a name get that of their step.
 */
void jm_ort_marked_write(struct jm_proto_writer *writer, const struct jm_ort_saved *saved,
	const struct jm_ort_plan *plan, const struct jm_ort_steps *steps);

#endif
