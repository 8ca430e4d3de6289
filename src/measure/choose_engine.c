/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/choose_engine.h"

#include "base/clock.h"
#include "base/error.h"
#include "engines/registry.h"
#include "workload/probe.h"

static int try_engine(const struct jm_engine_ops *ops, const char *const *texts, size_t n_texts,
	struct jm_engine_settings *ret_settings, struct jm_engine_info *ret_info,
	struct jm_error *reterr)
{
	struct jm_engine_options options = {.optimization_level = -1,
		.settings = ret_settings->list,
		.now_ns = jm_clock_monotonic_ns};

	ret_settings->n = 0;
	for (size_t i = 0; i < n_texts; i++) {
		int result = jm_engine_settings_add(ret_settings, ops, texts[i], reterr);

		if (result < 0)
			return result;
	}
	options.n_settings = ret_settings->n;
	return jm_probe_engine(ops, &options, ret_info, reterr);
}

int jm_engine_choose(const char *name, const char *const *texts, size_t n_texts,
	const struct jm_engine_ops **ret_ops, struct jm_engine_settings *ret_settings,
	struct jm_engine_info *ret_info, struct jm_error *reterr)
{
	struct jm_error error, first = {.code = 0};
	size_t n;
	const struct jm_engine_ops *const *all = jm_engines(&n);

	*ret_ops = name ? jm_engine_find(name) : NULL;
	if (name && !*ret_ops)
		return jm_fail(reterr, JM_EUSAGE,
			"there is no engine '%s', see 'joulemap doctor'", name);
	if (name)
		return try_engine(*ret_ops, texts, n_texts, ret_settings, ret_info, reterr);
	for (size_t i = 0; i < n; i++) {
		if (try_engine(all[i], texts, n_texts, ret_settings, ret_info, &error) == 0) {
			*ret_ops = all[i];
			return 0;
		}
		if (!first.code)
			first = error;
		if (error.code == JM_EINTERRUPTED)
			break;
	}
	if (reterr)
		*reterr = first;
	return first.code;
}
