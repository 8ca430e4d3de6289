/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/plugins.h"

int jm_cli_load_plugins(const struct jm_text_list *plugins, struct jm_error *reterr)
{
	int result = 0;

	for (size_t i = 0; i < plugins->n && result == 0; i++)
		result = jm_plugin_load(plugins->texts[i], reterr);
	return result;
}
