/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/error.h"
#include "base/text.h"
#include "plugin/loader.h"

int jm_plugins_describe(struct jm_run *run, struct jm_error *reterr)
{
	size_t n;
	const struct jm_loaded_plugin *plugins = jm_plugins(&n);
	struct jm_run_plugin *described = n ? calloc(n, sizeof(*described)) : NULL;

	if (n && !described)
		return jm_fail_memory(reterr, "the description of the plug-ins");
	for (size_t i = 0; i < n; i++) {
		jm_text_copy(
			described[i].name, sizeof(described[i].name), plugins[i].plugin->name);
		jm_text_copy(described[i].version, sizeof(described[i].version),
			plugins[i].plugin->version);
		jm_text_copy(described[i].path, sizeof(described[i].path), plugins[i].path);
	}
	free(run->plugins);
	run->plugins = described;
	run->n_plugins = n;
	return 0;
}
