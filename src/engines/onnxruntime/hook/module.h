/* SPDX-License-Identifier: Apache-2.0 */
/* The seam between joulemap_ort.so and the engine. */
#ifndef JM_ENGINES_ONNXRUNTIME_HOOK_MODULE_H
#define JM_ENGINES_ONNXRUNTIME_HOOK_MODULE_H

#include <stddef.h>

struct OrtStatus;
struct jm_ort_ep_factory;

typedef struct OrtStatus *jm_ort_create_factories_fn(const char *name, const void *base,
	const void *logger, struct jm_ort_ep_factory **ret_factories, size_t max,
	size_t *ret_n);
typedef struct OrtStatus *jm_ort_release_factory_fn(struct jm_ort_ep_factory *factory);

/* The module's symbol "joulemap_ort_module". */
struct jm_ort_module {
	jm_ort_create_factories_fn *create;
	jm_ort_release_factory_fn *release;
};

#endif
