/* SPDX-License-Identifier: Apache-2.0 */
/* An operator of our own, as the runtime reads it. */
#ifndef JM_ENGINES_ONNXRUNTIME_CUSTOM_OP_H
#define JM_ENGINES_ONNXRUNTIME_CUSTOM_OP_H

#include "engines/onnxruntime/api.h"

/* How long the struct is that a version tells of: up to and with which slot. */
#define JM_ORT_OP_BASIC 7                    /* get_output_characteristic */
#define JM_ORT_OP_ALIASES JM_ORT_API_MARKERS /* release_aliases */

struct jm_ort_custom_op {
	uint32_t version;
	void *(*create_kernel)(
		const struct jm_ort_custom_op *, const void *api, const void *info);
	const char *(*get_name)(const struct jm_ort_custom_op *);
	const char *(*get_provider)(const struct jm_ort_custom_op *); /* NULL: the CPU */
	int (*get_input_type)(const struct jm_ort_custom_op *, size_t);
	size_t (*get_input_count)(const struct jm_ort_custom_op *);
	int (*get_output_type)(const struct jm_ort_custom_op *, size_t);
	size_t (*get_output_count)(const struct jm_ort_custom_op *);
	void (*compute)(void *kernel, struct OrtKernelContext *);
	void (*destroy_kernel)(void *kernel);
	int (*get_input_characteristic)(const struct jm_ort_custom_op *, size_t);
	int (*get_output_characteristic)(const struct jm_ort_custom_op *, size_t);
	/* From 13 on. */
	int (*get_input_memory)(const struct jm_ort_custom_op *, size_t);
	/* From 14 on; asked only of variadic ends. */
	int (*get_variadic_input_min)(const struct jm_ort_custom_op *);
	int (*get_variadic_input_same)(const struct jm_ort_custom_op *);
	int (*get_variadic_output_min)(const struct jm_ort_custom_op *);
	int (*get_variadic_output_same)(const struct jm_ort_custom_op *);
	/* From 16 on; NULL: without. */
	jm_ort_slot *create_kernel_2, *compute_2;
	/* From 17 on. */
	jm_ort_slot *infer_shape, *get_start_version, *get_end_version;
	/*
	 * From 18 on: outputs that may lie where an input does, and those that do.
	 * Both lists are of the same length, which is returned.
	 */
	size_t (*get_inplace)(int **inputs, int **outputs);
	void (*release_inplace)(int *inputs, int *outputs);
	size_t (*get_aliases)(int **inputs, int **outputs);
	void (*release_aliases)(int *inputs, int *outputs);
	jm_ort_slot *later[8];
};

#endif
