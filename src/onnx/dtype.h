/* SPDX-License-Identifier: Apache-2.0 */
/* Element types of tensors: names, sizes, random content. */
#ifndef JM_ONNX_DTYPE_H
#define JM_ONNX_DTYPE_H

#include <stddef.h>
#include <stdint.h>

struct jm_dtype {
	int code;               /* of ONNX and of the runtime alike */
	const char *name;       /* "float32" */
	const char *event_name; /* "float", as in the runtime's profiles */
	size_t size;            /* bytes of an element; 0: no fixed size */
	int is_float;
};

/* Static storage; NULL: unknown. Names may be ours, ONNX's or "fp16", "half" ... */
const struct jm_dtype *jm_dtype_of_code(int code);
const struct jm_dtype *jm_dtype_of_name(const char *name);

/* 1: an integer that is wide enough to be used as an index. */
int jm_dtype_is_index(const struct jm_dtype *dtype);

/*
 * Fills data[n] with values that any network can take, random where they can be:
 * floats uniform in [-1, 1), 8-bit integers over their range, bools 0 or 1; wider
 * integers are 0, because as indices they may have no other value. *seed moves on.
 */
void jm_dtype_fill(const struct jm_dtype *dtype, void *data, size_t n, uint64_t *seed);

#endif
