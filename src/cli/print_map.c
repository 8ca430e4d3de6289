/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/print_map.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "cli/output.h"
#include "formats/layer_energy_file.h"
#include "report/fit_table.h"

static int print_fit(const struct jm_map_result *result, const struct jm_table_header *header,
	const char *format, struct jm_error *reterr)
{
	if (strcmp(format, "csv") == 0)
		jm_layer_energy_print(stdout, &result->recording->timeline, &result->fit);
	else if (strcmp(format, "json") == 0)
		return jm_fit_table_print_json(
			stdout, &result->recording->timeline, &result->fit, header, reterr);
	else
		jm_fit_table_print(stdout, &result->recording->timeline, &result->fit, header);
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

/* What stands above the table; borrows from the result. */
static void get_header(const struct jm_map_result *result, enum jm_window_rules rules,
	struct jm_table_header *ret_header)
{
	const struct jm_recording *recording = result->recording;
	double pause_max_ms = recording->run.schedule.pause_max_ms;

	ret_header->model = recording->model;
	ret_header->engine = recording->engine[0] ? recording->engine : NULL;
	ret_header->sensor = recording->sensor[0] ? recording->sensor : NULL;
	ret_header->method = result->fitted             ? "fit"
			     : rules == JM_WINDOW_FIRST ? "window, rules of the first version"
							: "window, rules of the later version";
	ret_header->simulated = recording->simulated;
	ret_header->pause_max_ms = pause_max_ms > 0 ? pause_max_ms : 0;
}

static int print(const struct jm_map_result *result, const struct jm_map_config *config,
	const char *format, struct jm_error *reterr)
{
	struct jm_table_header header;
	int code = 0;

	get_header(result, config->rules, &header);
	if (result->fitted)
		code = print_fit(result, &header, format, reterr);
	else if (strcmp(format, "csv") == 0)
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
		jm_cli_note("%swrote %s (%zu rows)",
			result.recording->simulated ? "SIMULATED: " : "", result.csv,
			result.rows);
	if (code == 0 && result.energy_csv[0])
		jm_cli_note("%swrote %s", result.recording->simulated ? "SIMULATED: " : "",
			result.energy_csv);
	if (code == 0)
		code = check_resolved(&result, reterr);
	jm_map_release(&result);
	return code;
}
