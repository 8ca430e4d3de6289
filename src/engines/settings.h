/* SPDX-License-Identifier: Apache-2.0 */
/* An engine's own options: what the user gave, and how an engine asks for it. */
#ifndef JM_ENGINES_SETTINGS_H
#define JM_ENGINES_SETTINGS_H

#include "joulemap/engine.h"

#define JM_ENGINE_SETTINGS_MAX 32

/* Names are the engine's own, values are borrowed from the user's words. */
struct jm_engine_settings {
	struct jm_engine_setting list[JM_ENGINE_SETTINGS_MAX];
	size_t n;
};

/*
 * Adds one, "NAME=VALUE". JM_EUSAGE: no '=', no such option of this engine
 * (the message names the closest), or given before.
 */
int jm_engine_settings_add(struct jm_engine_settings *settings, const struct jm_engine_ops *ops,
	const char *text, struct jm_error *reterr);

/* Value of a setting; NULL: not given. */
const char *jm_engine_setting(const struct jm_engine_options *options, const char *name);

#endif
