/* SPDX-License-Identifier: Apache-2.0 */
/* The graph of layers from what executed and what the model says about it. */
#ifndef JM_ENGINES_ONNXRUNTIME_LAYERS_H
#define JM_ENGINES_ONNXRUNTIME_LAYERS_H

#include "engines/onnxruntime/capture.h"
#include "engines/onnxruntime/step.h"

/*
 * One layer per step, in their order, with unique names. The capture may be
 * empty: then layers have the runtime's names and shapes, and no attributes.
 * Inputs and outputs of the network are copied. ret_graph is released on error.
 */
int jm_ort_layers_build(struct jm_graph *ret_graph, const struct jm_ort_steps *steps,
	const struct jm_ort_capture *capture, struct jm_error *reterr);

#endif
