/* SPDX-License-Identifier: Apache-2.0 */
#include "engines/onnxruntime/values.h"

#include <stdlib.h>
#include <string.h>

#include "engines/onnxruntime/status.h"
#include "onnx/dtype.h"

#define DIMS_MAX 32

/* What a tensor is, apart from its content. */
struct outline {
	int dtype;
	size_t n_dims, n_elements;
	int64_t dims[DIMS_MAX];
};

static int read_outline(
	const struct jm_ort *ort, const struct OrtValue *value, struct outline *ret_outline)
{
	struct OrtTensorTypeAndShapeInfo *info = NULL;
	int ok = jm_ort_ignore(ort, jm_ort_tensor_info_fn(ort)(value, &info));

	memset(ret_outline, 0, sizeof(*ret_outline));
	ok = ok && jm_ort_ignore(ort, jm_ort_element_type_fn(ort)(info, &ret_outline->dtype)) &&
	     jm_ort_ignore(ort, jm_ort_dimensions_count_fn(ort)(info, &ret_outline->n_dims)) &&
	     ret_outline->n_dims <= DIMS_MAX &&
	     jm_ort_ignore(ort,
		     jm_ort_dimensions_fn(ort)(info, ret_outline->dims, ret_outline->n_dims));
	ret_outline->n_elements = 1;
	for (size_t i = 0; ok && i < ret_outline->n_dims; i++)
		ret_outline->n_elements *= (size_t)ret_outline->dims[i];
	if (info)
		jm_ort_release_tensor_info_fn(ort)(info);
	return ok;
}

/* All strings of a tensor in one block behind their offsets; NULL: none to be had. */
static size_t *read_strings(
	const struct jm_ort *ort, const struct OrtValue *value, size_t n, size_t *ret_size)
{
	size_t size = 0, *block;

	if (!jm_ort_ignore(ort, jm_ort_strings_size_fn(ort)(value, &size)))
		return NULL;
	*ret_size = n * sizeof(*block) + size;
	block = calloc(1, *ret_size + 1);
	if (!block ||
		jm_ort_ignore(ort, jm_ort_strings_fn(ort)(value, block + n, size, block, n)))
		return block;
	free(block);
	return NULL;
}

static int are_strings_equal(
	const struct jm_ort *ort, const struct OrtValue *a, const struct OrtValue *b, size_t n)
{
	size_t left_size = 0, right_size = 0;
	size_t *left = read_strings(ort, a, n, &left_size);
	size_t *right = read_strings(ort, b, n, &right_size);
	int equal =
		left && right && left_size == right_size && memcmp(left, right, left_size) == 0;

	free(left);
	free(right);
	return equal;
}

static int are_alike(const struct outline *a, const struct outline *b)
{
	return a->dtype == b->dtype && a->n_dims == b->n_dims &&
	       memcmp(a->dims, b->dims, sizeof(a->dims)) == 0;
}

static int are_tensors_equal(const struct jm_ort *ort, struct OrtValue *a, struct OrtValue *b)
{
	struct outline left, right;
	const struct jm_dtype *dtype;
	void *left_data = NULL, *right_data = NULL;

	if (!read_outline(ort, a, &left) || !read_outline(ort, b, &right) ||
		!are_alike(&left, &right))
		return 0;
	if (left.dtype == JM_ORT_STRING)
		return are_strings_equal(ort, a, b, left.n_elements);
	dtype = jm_dtype_of_code(left.dtype);
	if (!dtype || !dtype->size)
		return 0;
	if (!jm_ort_ignore(ort, jm_ort_tensor_data_fn(ort)(a, &left_data)) ||
		!jm_ort_ignore(ort, jm_ort_tensor_data_fn(ort)(b, &right_data)))
		return 0;
	return !left.n_elements ||
	       memcmp(left_data, right_data, left.n_elements * dtype->size) == 0;
}

/* Elements of sequences, and keys and values of maps, are values of their own. */
static int are_parts_equal(const struct jm_ort *ort, struct OrtValue *a, struct OrtValue *b)
{
	struct OrtAllocator *allocator = NULL;
	size_t n_left = 0, n_right = 0;
	int equal = jm_ort_ignore(ort, jm_ort_default_allocator_fn(ort)(&allocator)) &&
		    jm_ort_ignore(ort, jm_ort_value_count_fn(ort)(a, &n_left)) &&
		    jm_ort_ignore(ort, jm_ort_value_count_fn(ort)(b, &n_right)) &&
		    n_left == n_right;

	for (size_t i = 0; i < n_left && equal; i++) {
		struct OrtValue *left = NULL, *right = NULL;

		equal = jm_ort_ignore(
				ort, jm_ort_value_at_fn(ort)(a, (int)i, allocator, &left)) &&
			jm_ort_ignore(
				ort, jm_ort_value_at_fn(ort)(b, (int)i, allocator, &right)) &&
			jm_ort_values_equal(ort, left, right);
		if (left)
			jm_ort_release_value_fn(ort)(left);
		if (right)
			jm_ort_release_value_fn(ort)(right);
	}
	return equal;
}

/* An optional that holds nothing has no kind either: to ask for it would crash. */
static int is_held(const struct jm_ort *ort, const struct OrtValue *value)
{
	int held = 0;

	return value && jm_ort_ignore(ort, jm_ort_has_value_fn(ort)(value, &held)) && held;
}

int jm_ort_values_equal(const struct jm_ort *ort, struct OrtValue *a, struct OrtValue *b)
{
	int left = 0, right = 0;

	if (!is_held(ort, a) || !is_held(ort, b))
		return is_held(ort, a) == is_held(ort, b);
	if (!jm_ort_ignore(ort, jm_ort_kind_of_value_fn(ort)(a, &left)) ||
		!jm_ort_ignore(ort, jm_ort_kind_of_value_fn(ort)(b, &right)) || left != right)
		return 0;
	if (left == JM_ORT_TENSOR)
		return are_tensors_equal(ort, a, b);
	return (left == JM_ORT_SEQUENCE || left == JM_ORT_MAP) && are_parts_equal(ort, a, b);
}
