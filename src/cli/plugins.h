/* SPDX-License-Identifier: Apache-2.0 */
/* The option --plugin of every command that uses sensors or engines. */
#ifndef JM_CLI_PLUGINS_H
#define JM_CLI_PLUGINS_H

#include "cli/options.h"

/* Entry of a command's option table; `values` has a struct jm_text_list plugins. */
#define JM_CLI_PLUGIN_OPTION(values)                                                           \
	{                                                                                      \
		"plugin", JM_OPTION_LIST, offsetof(values, plugins), "FILE.so",                \
			"load sensors and engines from a plug-in, as often\nas needed, see "   \
			"docs/plugins.md",                                                     \
			0, 0, NULL                                                             \
	}

/* Loads them in order, up to the first that cannot be. */
int jm_cli_load_plugins(const struct jm_text_list *plugins, struct jm_error *reterr);

#endif
