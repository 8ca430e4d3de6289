/* SPDX-License-Identifier: Apache-2.0 */
#include "onnx/work.h"

#include <math.h>
#include <string.h>

#include "data/graph.h"

/* How the inputs of a node enter the count. */
enum work {
	WORK_CONVOLUTION, /* output x (weights / output channels) */
	WORK_TRANSPOSED,  /* input x (weights / input channels) */
	WORK_PRODUCT,     /* output x inner dimension of the left factor */
	WORK_GEMM,        /* output x (left / rows of the output) */
	WORK_UNKNOWN
};

static const struct {
	const char *op;
	enum work work;
	unsigned char left, right; /* inputs that hold the data and the weights */
} table[] = {
	{"Conv", WORK_CONVOLUTION, 0, 1},
	{"FusedConv", WORK_CONVOLUTION, 0, 1},
	{"NhwcFusedConv", WORK_CONVOLUTION, 0, 1},
	{"ConvInteger", WORK_CONVOLUTION, 0, 1},
	{"QLinearConv", WORK_CONVOLUTION, 0, 3},
	{"ConvTranspose", WORK_TRANSPOSED, 0, 1},
	{"MatMul", WORK_PRODUCT, 0, 1},
	{"FusedMatMul", WORK_GEMM, 0, 1},
	{"FusedMatMulActivation", WORK_GEMM, 0, 1},
	{"MatMulInteger", WORK_PRODUCT, 0, 1},
	{"DynamicQuantizeMatMul", WORK_PRODUCT, 0, 1},
	{"MatMulIntegerToFloat", WORK_PRODUCT, 0, 1},
	{"QLinearMatMul", WORK_PRODUCT, 0, 3},
	{"MatMulNBits", WORK_PRODUCT, 0, 1},
	{"Gemm", WORK_GEMM, 0, 1},
	{"FusedGemm", WORK_GEMM, 0, 1},
	{"GemmFloat8", WORK_GEMM, 0, 1},
	{"QGemm", WORK_GEMM, 0, 3},
	{"TransposeMatMul", WORK_GEMM, 0, 1},
	{"If", WORK_UNKNOWN, 0, 0},
	{"Loop", WORK_UNKNOWN, 0, 0},
	{"Scan", WORK_UNKNOWN, 0, 0},
	{"LSTM", WORK_UNKNOWN, 0, 0},
	{"GRU", WORK_UNKNOWN, 0, 0},
	{"RNN", WORK_UNKNOWN, 0, 0},
	{"DynamicQuantizeLSTM", WORK_UNKNOWN, 0, 0},
	{"Einsum", WORK_UNKNOWN, 0, 0},
	{"Attention", WORK_UNKNOWN, 0, 0},
	{"QAttention", WORK_UNKNOWN, 0, 0},
	{"MultiHeadAttention", WORK_UNKNOWN, 0, 0},
	{"GroupQueryAttention", WORK_UNKNOWN, 0, 0},
	{"PackedAttention", WORK_UNKNOWN, 0, 0},
	{"DeformConv", WORK_UNKNOWN, 0, 0},
};

/* Dimension `i` from the front, or -i from the back; NaN when unknown. */
static double dim(const struct jm_tensor *tensor, int i)
{
	size_t at = i < 0 ? tensor->n_dims - (size_t)-i : (size_t)i;

	if (at >= tensor->n_dims || tensor->dims[at] < 0)
		return (double)NAN;
	return (double)tensor->dims[at];
}

static double count(enum work work, const struct jm_tensor *left, const struct jm_tensor *right,
	const struct jm_tensor *out)
{
	double rows;

	switch (work) {
	case WORK_CONVOLUTION:
		return jm_tensor_elements(out) * jm_tensor_elements(right) / dim(right, 0);
	case WORK_TRANSPOSED:
		return jm_tensor_elements(left) * jm_tensor_elements(right) / dim(right, 0);
	case WORK_PRODUCT:
		return jm_tensor_elements(out) * dim(left, -1);
	case WORK_GEMM:
		/* The left factor may be transposed, so its inner dimension is
		 * what remains when the rows of the output are taken out. A
		 * batch of 1 that both sides share cancels. */
		if (out->n_dims < 2)
			return jm_tensor_elements(out) * dim(left, -1);
		rows = jm_tensor_elements(out) / dim(out, -1);
		return jm_tensor_elements(left) / rows * jm_tensor_elements(out);
	default:
		return (double)NAN;
	}
}

double jm_onnx_macs(const char *op, const struct jm_tensor *const *inputs, size_t n_inputs,
	const struct jm_tensor *const *outputs, size_t n_outputs)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (strcmp(table[i].op, op) != 0)
			continue;
		if (table[i].work == WORK_UNKNOWN || n_inputs <= table[i].right || !n_outputs)
			return (double)NAN;
		return count(table[i].work, inputs[table[i].left], inputs[table[i].right],
			outputs[0]);
	}
	return 0;
}
