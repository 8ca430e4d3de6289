/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/print_map.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "cli/commands.h"
#include "report/fit_table.h"
#include "trace/layer_energy_file.h"

static int print_fit(const struct jm_map_result *result, const struct jm_table_header *header,
	const char *format, struct jm_error *reterr)
{
	if (strcmp(format, "csv") == 0)
		jm_layer_energy_print(stdout, &result->timeline, &result->fit);
	else if (strcmp(format, "json") == 0)
		return jm_fit_table_print_json(
			stdout, &result->timeline, &result->fit, header, reterr);
	else
		jm_fit_table_print(stdout, &result->timeline, &result->fit, header);
	return 0;
}

/* Something to go by, at least: a layer, or a group of layers. */
static int check_resolved(const struct jm_map_result *result, struct jm_error *reterr)
{
	const struct jm_fit_result *fit = &result->fit;

	if (!result->fitted)
		return 0;
	for (size_t i = 0; i < fit->n_layers; i++)
		if (fit->layers[i].resolved != JM_RESOLVED_NO)
			return 0;
	return jm_fail(reterr, JM_EUNRESOLVED, "no layer is resolved, %s: %s",
		jm_fit_cause_text(fit->cause), fit->advice);
}

static int print(const struct jm_map_result *result, const struct jm_map_config *config,
	const char *format, struct jm_error *reterr)
{
	struct jm_table_header header;
	int code = 0;

	jm_map_get_header(result, config->rules, &header);
	if (result->fitted)
		code = print_fit(result, &header, format, reterr);
	else if (strcmp(format, "csv") == 0)
		code = jm_table_print_csv(stdout, &result->summary, &header, reterr);
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
	if (code == 0 && result.energy_csv[0])
		jm_note("%swrote %s", result.simulated ? "SIMULATED: " : "", result.energy_csv);
	if (code == 0)
		code = check_resolved(&result, reterr);
	jm_map_release(&result);
	return code;
}
