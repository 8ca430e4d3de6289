/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plug-ins: sensors and engines from outside. What is public of it is
 * jm_plugin_load() of joulemap.h; a plug-in itself is as plugin.h says.
 */
#ifndef JM_PLUGIN_LOADER_H
#define JM_PLUGIN_LOADER_H

#include "joulemap/plugin.h"
#include "run/run.h"

struct jm_loaded_plugin {
	char *path; /* real path */
	const struct jm_plugin *plugin;
};

/* All that are loaded, in order: [*ret_n], valid until the next one is. */
const struct jm_loaded_plugin *jm_plugins(size_t *ret_n);

/* Puts them into the description of a run. JM_ENOMEM. */
int jm_plugins_describe(struct jm_run *run, struct jm_error *reterr);

#endif
