/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/print_map.h"

#include <stdio.h>
#include <string.h>

#include "cli/commands.h"

static int print(const struct jm_map_result *result, const struct jm_map_config *config,
	const char *format, struct jm_error *reterr)
{
	struct jm_table_header header;
	int code = 0;

	jm_map_get_header(result, config->rules, &header);
	if (strcmp(format, "csv") == 0)
		jm_table_print_csv(stdout, &result->summary, &header);
	else if (strcmp(format, "json") == 0)
		code = jm_table_print_json(stdout, &result->summary, &header, reterr);
	else
		jm_table_print(stdout, &result->summary, &header);
	return code < 0 ? code : jm_finish_stdout(reterr);
}

int jm_cli_map(const struct jm_map_config *config, const char *format, struct jm_error *reterr)
{
	struct jm_map_result result;
	int code = jm_map_run(config, &result, reterr);

	if (code == 0)
		code = print(&result, config, format, reterr);
	if (code == 0)
		jm_note("%swrote %s (%zu rows)", result.simulated ? "SIMULATED: " : "", result.csv,
			result.rows);
	jm_map_release(&result);
	return code;
}
