/* SPDX-License-Identifier: Apache-2.0 */
/* Which engine runs the network, with which of its own options. */
#ifndef JM_MEASURE_CHOOSE_ENGINE_H
#define JM_MEASURE_CHOOSE_ENGINE_H

#include "engines/settings.h"

/*
 * The engine of that name (NULL: the first that can be used here and knows all
 * the options), probed in a process of its own. `texts` [n_texts] are its own
 * options, "NAME=VALUE", which the settings borrow; *ret_info is what its
 * probe says. JM_EUSAGE: no such engine
 * or option; else what kept the engine (the first of them) from being used.
 */
int jm_engine_choose(const char *name, const char *const *texts, size_t n_texts,
	const struct jm_engine_ops **ret_ops, struct jm_engine_settings *ret_settings,
	struct jm_engine_info *ret_info, struct jm_error *reterr);

#endif
