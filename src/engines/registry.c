/* SPDX-License-Identifier: Apache-2.0 */
#include "engines/registry.h"

#include <string.h>

#include "engines/onnxruntime/onnxruntime.h"

static const struct jm_engine_ops *const engines[] = {
	&jm_engine_onnxruntime,
};

const struct jm_engine_ops *const *jm_engines(size_t *ret_n)
{
	*ret_n = sizeof(engines) / sizeof(engines[0]);
	return engines;
}

const struct jm_engine_ops *jm_engine_find(const char *name)
{
	for (size_t i = 0; i < sizeof(engines) / sizeof(engines[0]); i++)
		if (strcmp(engines[i]->name, name) == 0)
			return engines[i];
	return NULL;
}
