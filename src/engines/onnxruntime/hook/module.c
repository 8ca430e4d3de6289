/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What ONNX Runtime loads as an execution provider library. It only forwards:
 * the engine loads the same file first and sets the target, so that all real
 * code lives in one place.
 */
#include "engines/onnxruntime/hook/module.h"

/* Set by the engine, which is the only user of this module in a process. */
__attribute__((visibility("default"))) struct jm_ort_module joulemap_ort_module;

__attribute__((visibility("default"))) jm_ort_create_factories_fn CreateEpFactories;
__attribute__((visibility("default"))) jm_ort_release_factory_fn ReleaseEpFactory;

struct OrtStatus *CreateEpFactories(const char *name, const void *base, const void *logger,
	struct jm_ort_ep_factory **ret_factories, size_t max, size_t *ret_n)
{
	*ret_n = 0;
	if (!joulemap_ort_module.create)
		return NULL;
	return joulemap_ort_module.create(name, base, logger, ret_factories, max, ret_n);
}

struct OrtStatus *ReleaseEpFactory(struct jm_ort_ep_factory *factory)
{
	return joulemap_ort_module.release ? joulemap_ort_module.release(factory) : NULL;
}
