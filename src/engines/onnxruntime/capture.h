/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The network's graph as the runtime shows it to an execution provider: after
 * its first, name-keeping optimisations and before fusing and re-layout.
 */
#ifndef JM_ENGINES_ONNXRUNTIME_CAPTURE_H
#define JM_ENGINES_ONNXRUNTIME_CAPTURE_H

#include "engines/onnxruntime/api.h"
#include "joulemap/engine.h"

struct jm_ort_edge {
	struct jm_tensor tensor;
	int constant; /* a weight */
};

struct jm_ort_node {
	char *name;
	char *op;
	struct jm_ort_edge *inputs, *outputs;
	size_t n_inputs, n_outputs;
	struct jm_window_attributes window;
};

struct jm_ort_capture {
	struct jm_ort_node *nodes; /* [n] */
	size_t n;
	int out_of_memory;
};

/*
 * Takes the graph over, in place of what was there. Graphs inside nodes (loop
 * bodies) are ignored. Failures leave nodes out; they are not fatal.
 */
void jm_ort_capture_take(
	struct jm_ort_capture *capture, const struct jm_ort *ort, const struct OrtGraph *graph);

void jm_ort_capture_release(struct jm_ort_capture *capture);

/* Reads element type and shape; unknown ones are "" and -1. */
void jm_ort_tensor_info_read(
	const struct jm_ort *ort, const struct OrtTypeInfo *type, struct jm_tensor *ret_tensor);

#endif
