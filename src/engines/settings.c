/* SPDX-License-Identifier: Apache-2.0 */
#include "engines/settings.h"

#include <string.h>

#include "base/error.h"
#include "base/text.h"

static int is_name(const char *name, const char *text, size_t length)
{
	return strlen(name) == length && strncmp(name, text, length) == 0;
}

static int fail_unknown(const struct jm_engine_ops *ops, const char *text, size_t length,
	struct jm_error *reterr)
{
	const char *closest = NULL;
	char name[JM_NAME_MAX];
	size_t least = 4;

	jm_text_copy(name, length + 1 < sizeof(name) ? length + 1 : sizeof(name), text);
	for (size_t i = 0; i < ops->n_options; i++) {
		size_t distance = jm_text_distance(ops->options[i].name, name);

		if (distance < least) {
			least = distance;
			closest = ops->options[i].name;
		}
	}
	if (closest)
		return jm_fail(reterr, JM_EUSAGE,
			"engine '%s' has no option '%s', did you mean '%s'?", ops->name, name,
			closest);
	return jm_fail(reterr, JM_EUSAGE,
		"engine '%s' has no option '%s', see 'joulemap measure --engine-help %s'",
		ops->name, name, ops->name);
}

int jm_engine_settings_add(struct jm_engine_settings *settings, const struct jm_engine_ops *ops,
	const char *text, struct jm_error *reterr)
{
	const struct jm_engine_option *option = NULL;
	const char *equals = strchr(text, '=');
	size_t length = equals ? (size_t)(equals - text) : strlen(text);

	for (size_t i = 0; i < ops->n_options; i++)
		if (is_name(ops->options[i].name, text, length))
			option = &ops->options[i];
	if (!option)
		return fail_unknown(ops, text, length, reterr);
	if (!equals || !equals[1])
		return jm_fail(reterr, JM_EUSAGE,
			"option '%s' of engine '%s' needs a value: %s=%s", option->name,
			ops->name, option->name, option->argument);
	for (size_t i = 0; i < settings->n; i++)
		if (strcmp(settings->list[i].name, option->name) == 0)
			return jm_fail(reterr, JM_EUSAGE,
				"option '%s' of engine '%s' is given twice", option->name,
				ops->name);
	if (settings->n == JM_ENGINE_SETTINGS_MAX)
		return jm_fail(reterr, JM_EUSAGE, "an engine takes at most %d own options",
			JM_ENGINE_SETTINGS_MAX);
	settings->list[settings->n++] = (struct jm_engine_setting){option->name, equals + 1};
	return 0;
}

const char *jm_engine_setting(const struct jm_engine_options *options, const char *name)
{
	for (size_t i = 0; i < options->n_settings; i++)
		if (strcmp(options->settings[i].name, name) == 0)
			return options->settings[i].value;
	return NULL;
}
