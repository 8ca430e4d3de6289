/* SPDX-License-Identifier: Apache-2.0 */
#include "engines/registry.h"

#include <string.h>

#include "base/build.h"
#include "base/error.h"
#include "engines/onnxruntime/onnxruntime.h"

/* Grows at the program's start, by what its user brings along (jm_engines_add). */
static const struct jm_engine_ops *engines[JM_ENGINES_MAX] = {
	&jm_engine_onnxruntime,
};
enum { N_OWN = 1 };
static size_t n_engines = N_OWN;

const struct jm_engine_ops *const *jm_engines(size_t *ret_n)
{
	*ret_n = n_engines;
	return engines;
}

const struct jm_engine_ops *jm_engine_find(const char *name)
{
	for (size_t i = 0; i < n_engines; i++)
		if (strcmp(engines[i]->name, name) == 0)
			return engines[i];
	return NULL;
}

static const char *missing_function(const struct jm_engine_ops *ops)
{
	return !ops->probe   ? "probe"
	       : !ops->open  ? "open"
	       : !ops->graph ? "graph"
	       : !ops->run   ? "run"
	       : !ops->close ? "close"
			     : NULL;
}

static int check_options(const struct jm_engine_ops *ops, struct jm_error *reterr)
{
	if (ops->n_options && !ops->options)
		return jm_fail(reterr, JM_EINVAL, "engine '%s' counts options but has none",
			ops->name);
	for (size_t i = 0; i < ops->n_options; i++) {
		const struct jm_engine_option *option = &ops->options[i];

		if (!option->name || !*option->name || strchr(option->name, '=') ||
			!option->argument || !option->help)
			return jm_fail(reterr, JM_EINVAL,
				"option %zu of engine '%s' needs a name without '=', an "
				"argument and help",
				i, ops->name);
		for (size_t j = 0; j < i; j++)
			if (strcmp(option->name, ops->options[j].name) == 0)
				return jm_fail(reterr, JM_EINVAL,
					"engine '%s' has option '%s' twice", ops->name,
					option->name);
	}
	return 0;
}

int jm_engines_add(const struct jm_engine_ops *ops, struct jm_error *reterr)
{
	const char *missing;
	int result =
		jm_build_check("the engine", "engine.h", (struct jm_build){ops->abi, ops->size},
			(struct jm_build){JM_ENGINE_ABI, sizeof(*ops)}, reterr);

	if (result < 0)
		return result;
	if (!ops->name || !*ops->name || !ops->summary)
		return jm_fail(
			reterr, JM_EINVAL, "the engine has no name, or no summary of itself");
	missing = missing_function(ops);
	if (missing)
		return jm_fail(reterr, JM_EINVAL, "engine '%s' lacks the function '%s'",
			ops->name, missing);
	result = check_options(ops, reterr);
	if (result < 0)
		return result;
	if (jm_engine_find(ops->name))
		return jm_fail(reterr, JM_EINVAL, "there is an engine '%s' already", ops->name);
	if (n_engines == JM_ENGINES_MAX)
		return jm_fail(reterr, JM_EINVAL, "there is no room for engine '%s', %d are",
			ops->name, JM_ENGINES_MAX);
	engines[n_engines++] = ops;
	return 0;
}

void jm_engines_keep(size_t n)
{
	if (n >= N_OWN && n < n_engines)
		n_engines = n;
}
