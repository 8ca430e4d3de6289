/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/plugins.h"
#include "cli/progress.h"
#include "measure/idle_run.h"
#include "sensors/registry.h"

struct values {
	struct jm_text_list plugins;
	double seconds;
	const char *result_dir;
	const char *sensor;
	const char *format;
	int64_t seed;
};

static const char *const formats[] = {"table", "json", NULL};

static const struct jm_option options[] = {
	{"idle-duration", JM_OPTION_REAL, offsetof(struct values, seconds), "SECONDS",
		"how long to measure (default 60)", 0.1, 86400, NULL},
	{"result-dir", JM_OPTION_TEXT, offsetof(struct values, result_dir), "DIR",
		"folder of the results (default results)", 0, 0, NULL},
	{"sensor", JM_OPTION_TEXT, offsetof(struct values, sensor), "SENSOR",
		"power sensor, see 'joulemap sensors'", 0, 0, NULL},
	{"seed", JM_OPTION_COUNT, offsetof(struct values, seed), "N",
		"of a simulated sensor (default 1); real ones have\nnone", 0,
		9007199254740992.0, NULL},
	{"format", JM_OPTION_CHOICE, offsetof(struct values, format), "FORMAT",
		"table (default) or json", 0, 0, formats},
	JM_CLI_PLUGIN_OPTION(struct values),
	{NULL, JM_OPTION_FLAG, 0, NULL, NULL, 0, 0, NULL},
};

static int run(int argc, char **argv);

const struct jm_command jm_command_idle = {
	.name = "idle",
	.summary = "measure power with nothing running",
	.usage = "[OPTIONS]",
	.text = "Logs power for a while and keeps the mean in DIR/idling_power.json, from "
		"where\n"
		"'measure' and 'map' take it. Let the machine come to rest first, with the "
		"clocks\n"
		"and the fan as they will be while measuring.",
	.examples = "  joulemap idle\n"
		    "  joulemap idle --idle-duration 120 --result-dir results",
	.options = options,
	.run = run,
};

static void print(const struct values *values, const struct jm_idle_power *power, int simulated)
{
	if (strcmp(values->format, "json") == 0) {
		json_t *root = json_pack("{s:f, s:o, s:I, s:I, s:b}", "idle_power_w",
			power->mean_uw * 1e-6, "error_w",
			jm_json_number(power->error_uw * 1e-6), "readings",
			(json_int_t)power->readings, "conversions",
			(json_int_t)power->conversions, "simulated", simulated);

		json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
		putchar('\n');
		json_decref(root);
		return;
	}
	printf("%sidle power %.4f W", simulated ? "SIMULATED " : "", power->mean_uw * 1e-6);
	if (!isnan(power->error_uw))
		printf(" +- %.4f W", power->error_uw * 1e-6);
	printf(", %llu readings of %llu conversions\n", (unsigned long long)power->readings,
		(unsigned long long)power->conversions);
}

static int measure(
	const struct values *values, struct jm_sensor_set *set, struct jm_error *reterr)
{
	struct jm_cli_progress progress;
	struct jm_idle_config config = {.set = set,
		.result_dir = values->result_dir,
		.seconds = values->seconds,
		.progress = &progress.progress};
	struct jm_sensor_options sensor_options;
	struct jm_idle_power power;
	int result;

	jm_sensor_options_init(&sensor_options, (uint64_t)values->seed);
	result = jm_sensor_set_select(set, values->sensor, &sensor_options, reterr);
	if (result < 0)
		return result;
	jm_cli_progress_init(&progress);
	result = jm_idle_run(&config, &power, reterr);
	jm_cli_progress_end(&progress);
	if (result < 0)
		return result;
	print(values, &power, jm_sensor_set_has(set, JM_SENSOR_SIMULATED));
	jm_cli_note("kept in %s/idling_power.json", values->result_dir);
	return jm_finish_stdout(reterr);
}

static int run(int argc, char **argv)
{
	struct values values = {
		.seconds = 60, .result_dir = "results", .format = "table", .seed = 1};
	struct jm_sensor_set set;
	struct jm_arguments arguments;
	struct jm_error error;
	int result;

	if (jm_options_parse(&jm_command_idle, argc, argv, &values, &arguments, &error) < 0)
		return jm_report_error(&error);
	if (arguments.help)
		return 0;
	if (jm_cli_load_plugins(&values.plugins, &error) < 0)
		return jm_report_error(&error);
	jm_sensor_set_init(&set);
	result = measure(&values, &set, &error);
	jm_sensor_set_release(&set);
	return result < 0 ? jm_report_error(&error) : 0;
}
