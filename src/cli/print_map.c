/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/print_map.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cli/output.h"
#include "data/total.h"
#include "formats/layer_energy_file.h"
#include "report/fit_table.h"
#include "report/rail_table.h"

/* The fit that is shown; NULL: all rails. */
static const struct jm_fit_of_rail *shown(
	const struct jm_map_result *result, const struct jm_map_config *config)
{
	const char *rail = config->rail ? config->rail : JM_TOTAL_NAME;

	return strcmp(rail, JM_RAIL_ALL) == 0 ? NULL : jm_rail_fits_find(&result->rails, rail);
}

static int print_rails(const struct jm_map_result *result, const struct jm_table_header *header,
	const char *format, struct jm_error *reterr)
{
	const struct jm_timeline *timeline = &result->recording->timeline;
	struct jm_layer_energy_rail *rails = jm_rail_fits_table(&result->rails);
	size_t n = result->rails.n;
	int code = 0;

	if (!rails)
		return jm_fail_memory(reterr, "the table by rail");
	if (strcmp(format, "csv") == 0)
		jm_layer_energy_by_rail_print(stdout, timeline, rails, n);
	else if (strcmp(format, "json") == 0)
		code = jm_rail_table_print_json(stdout, timeline, rails, n, header, reterr);
	else
		jm_rail_table_print(stdout, timeline, rails, n, header);
	free(rails);
	return code;
}

static int print_fit(const struct jm_map_result *result, const struct jm_fit_result *fit,
	const struct jm_table_header *header, const char *format, struct jm_error *reterr)
{
	const struct jm_timeline *timeline = &result->recording->timeline;

	if (strcmp(format, "csv") == 0)
		jm_layer_energy_print(stdout, timeline, fit);
	else if (strcmp(format, "json") == 0)
		return jm_fit_table_print_json(stdout, timeline, fit, header, reterr);
	else
		jm_fit_table_print(stdout, timeline, fit, header);
	return 0;
}

/* Something to go by, at least: a layer, or a group of layers. */
static int check_resolved(const struct jm_map_result *result,
	const struct jm_map_config *config, struct jm_error *reterr)
{
	const struct jm_fit_of_rail *of_rail = result->fitted ? shown(result, config) : NULL;
	const struct jm_fit_result *fit;

	if (!result->fitted)
		return 0;
	fit = of_rail ? &of_rail->result : &result->rails.fits[0].result;
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
	const struct jm_fit_of_rail *fit = result->fitted ? shown(result, config) : NULL;
	char sensor[2 * JM_NAME_MAX];
	struct jm_table_header header;
	int code = 0;

	get_header(result, config->rules, &header);
	if (fit && fit != &result->rails.fits[0]) {
		snprintf(sensor, sizeof(sensor), "%s %s", fit->sensor, fit->rail);
		header.sensor = sensor;
	}
	if (fit)
		code = print_fit(result, &fit->result, &header, format, reterr);
	else if (result->fitted)
		code = print_rails(result, &header, format, reterr);
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
	if (code == 0 && result.by_rail_csv[0])
		jm_cli_note("%swrote %s", result.recording->simulated ? "SIMULATED: " : "",
			result.by_rail_csv);
	if (code == 0)
		code = check_resolved(&result, config, reterr);
	jm_map_release(&result);
	return code;
}
