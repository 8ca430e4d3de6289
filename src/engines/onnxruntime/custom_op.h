/* SPDX-License-Identifier: Apache-2.0 */
/* An operator of our own, as the runtime reads it. */
#ifndef JM_ENGINES_ONNXRUNTIME_CUSTOM_OP_H
#define JM_ENGINES_ONNXRUNTIME_CUSTOM_OP_H

#include "engines/onnxruntime/api.h"

/* The version whose struct ends with get_output_characteristic. */
#define JM_ORT_OP_BASIC 7

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
	jm_ort_slot *later[16];
};

#endif
