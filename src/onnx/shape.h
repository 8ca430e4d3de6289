/* SPDX-License-Identifier: Apache-2.0 */
/* Which shape a network with free dimensions is run in. */
#ifndef JM_ONNX_SHAPE_H
#define JM_ONNX_SHAPE_H

#include "onnx/model.h"

/*
 * Value of a free dimension that nobody gave: "H", "W", "height" and "width"
 * are 224, everything else is 1.
 */
int64_t jm_onnx_default_dim(const char *symbol);

/*
 * Fixes the value of every dimension of the inputs: input_shape is that of the
 * first input, a symbol has one value everywhere. JM_EINVAL when the shape does
 * not fit the model.
 */
int jm_onnx_shape_resolve(struct jm_onnx_inputs *inputs,
	const struct jm_engine_options *options, struct jm_error *reterr);

/*
 * Says in words what was chosen for resolved inputs, where other choices make it
 * another network: free dimensions that are 1 now (but for the first one, which is
 * the batch where there are several), and integers that are 0 (onnx/dtype.h). ""
 * when there is nothing to say.
 */
void jm_onnx_choices_describe(const struct jm_onnx_inputs *inputs, char *ret_text, size_t size);

/* Writes "1x3x224x224"; "?" for an unknown dimension, "scalar" for none. */
void jm_onnx_shape_format(const int64_t *dims, size_t n, char *ret_text, size_t size);

#endif
