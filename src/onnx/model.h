/* SPDX-License-Identifier: Apache-2.0 */
/* The little that has to be read from an ONNX file itself: its inputs. */
#ifndef JM_ONNX_MODEL_H
#define JM_ONNX_MODEL_H

#include "joulemap/engine.h"

#define JM_ONNX_SYMBOL_MAX 64

struct jm_onnx_dim {
	int64_t value;                   /* -1: not fixed */
	char symbol[JM_ONNX_SYMBOL_MAX]; /* "" when fixed or anonymous */
	int chosen;                      /* neither the model nor the user gave the value */
};

struct jm_onnx_input {
	char *name; /* owned */
	int dtype;  /* ONNX code, 0: not a tensor */
	size_t n_dims;
	struct jm_onnx_dim dims[JM_DIMS_MAX];
};

struct jm_onnx_inputs {
	struct jm_onnx_input *inputs; /* [n], without those that are weights */
	size_t n;
};

/*
 * Reads the inputs of the model at `path`, or of the image when `path` is NULL.
 * `name` is for messages. JM_ENOTFOUND, JM_EFORMAT (no ONNX), JM_ETRUNCATED.
 */
int jm_onnx_inputs_read(struct jm_onnx_inputs *ret_inputs, const struct jm_model *model,
	struct jm_error *reterr);

void jm_onnx_inputs_release(struct jm_onnx_inputs *inputs);

#endif
