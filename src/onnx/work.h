/* SPDX-License-Identifier: Apache-2.0 */
/* How much a node has to compute, from its type and shapes. */
#ifndef JM_ONNX_WORK_H
#define JM_ONNX_WORK_H

#include "joulemap/engine.h"

/*
 * Multiply-accumulates of one execution. `inputs` are all of the node's, its
 * weights included. Convolutions (out x kernel x channels of a group), matrix
 * products (rows x columns x inner, batched) and their fused and quantized
 * forms count; element-wise work, pooling and movement are 0. NaN when a shape
 * that matters is unknown, and for operators that contain whole networks or
 * several products (If, Loop, LSTM, Attention ...).
 */
double jm_onnx_macs(const char *op, const struct jm_tensor *const *inputs, size_t n_inputs,
	const struct jm_tensor *const *outputs, size_t n_outputs);

#endif
