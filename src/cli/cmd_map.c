/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/print_map.h"
#include "cli/progress.h"

struct values {
	const char *power_log;
	const char *latency;
	const char *engine_info;
	const char *idle;
	const char *result_dir;
	const char *method;
	const char *rules;
	const char *response;
	const char *rail;
	const char *format;
};

static const char *const methods[] = {"fit", "window", NULL};
static const char *const rule_names[] = {"later", "first", NULL};

static const struct jm_option options[] = {
	{"method", JM_OPTION_CHOICE, offsetof(struct values, method), "METHOD",
		"fit (default): a model of supply and sensor, with\nuncertainties; window: "
		"mean of the "
		"samples that\nlie in a layer",
		0, 0, methods},
	{"given-response", JM_OPTION_TEXT, offsetof(struct values, response), "LIST",
		"fit with this response instead of finding it, in ms:\n"
		"delay=0.45,tau=0.3,window=1.1,round=6.6",
		0, 0, NULL},
	{"window-rules", JM_OPTION_CHOICE, offsetof(struct values, rules), "RULES",
		"which version of the original scripts to follow:\n"
		"later (default) or first, see docs/formats.md",
		0, 0, rule_names},
	{"power-log-path", JM_OPTION_TEXT, offsetof(struct values, power_log), "FILE",
		"power log (default: the newest in the folder)", 0, 0, NULL},
	{"trt-layer-latency-path", JM_OPTION_TEXT, offsetof(struct values, latency), "FILE",
		"trt_layer_latency.json", 0, 0, NULL},
	{"trt-engine-info-path", JM_OPTION_TEXT, offsetof(struct values, engine_info), "FILE",
		"trt_engine_info.json", 0, 0, NULL},
	{"idling-power-log-path", JM_OPTION_TEXT, offsetof(struct values, idle), "FILE",
		"idle power: idling_power.json or the .log", 0, 0, NULL},
	{"result-dir", JM_OPTION_TEXT, offsetof(struct values, result_dir), "DIR",
		"write to DIR/MODEL/ (default: into the run folder)", 0, 0, NULL},
	{"rail", JM_OPTION_TEXT, offsetof(struct values, rail), "NAME",
		"show this rail in place of the total, or all of them:\n"
		"all",
		0, 0, NULL},
	{"format", JM_OPTION_CHOICE, offsetof(struct values, format), "FORMAT",
		"of the table on stdout: table (default), json, csv", 0, 0, jm_format_choices},
	{NULL, JM_OPTION_FLAG, 0, NULL, NULL, 0, 0, NULL},
};

static int run(int argc, char **argv);

const struct jm_command jm_command_map = {
	.name = "map",
	.summary = "power by layer from a run's files",
	.usage = "[OPTIONS] [RUN_FOLDER]",
	.text = "Attributes the power log to the layers, prints a table of the layers, and "
		"writes\n"
		"layer_energy.csv and power_runtime_mapping_layerwise.csv, with one row per "
		"layer\n"
		"and cycle; where readings of several rails were kept, "
		"layer_energy_by_rail.csv\n"
		"too. Works on folders of 'measure' and on those of the scripts that\n"
		"joulemap follows. Where the log is too short for a fit, the window method is\n"
		"used instead. Exit status 4: measured, but no layer is resolved.",
	.examples = "  joulemap map results/mobilenet_v2\n"
		    "  joulemap map results/mobilenet_v2 --method window --format csv\n"
		    "  joulemap map results/mobilenet_v2 --rail all\n"
		    "  joulemap map --power-log-path a.log --trt-layer-latency-path b.json \\\n"
		    "      --trt-engine-info-path c.json --idling-power-log-path d.log "
		    "--result-dir out",
	.options = options,
	.max_positional = 1,
	.run = run,
};

/* "delay=0.45,tau=0.3": any of the four. */
static int parse_response(const char *text, struct jm_fit_given *given, struct jm_error *reterr)
{
	const char *const keys[] = {"delay", "tau", "window", "round"};
	double *const values[] = {
		&given->delay_ms, &given->tau_ms, &given->window_ms, &given->round_ms};

	for (size_t i = 0; i < 4; i++)
		*values[i] = (double)NAN;
	while (*text) {
		size_t key = strcspn(text, "="), i = 0, length = 0;
		const char *value = text + key + (text[key] == '=');

		while (i < 4 && (strlen(keys[i]) != key || strncmp(keys[i], text, key) != 0))
			i++;
		if (i < 4)
			length = jm_text_scan_double(value, strlen(value), values[i]);
		if (!length || (value[length] && value[length] != ','))
			return jm_fail(reterr, JM_EUSAGE,
				"--given-response '%.60s' is not a list of delay, tau, window "
				"and "
				"round in ms, as in 'delay=0.45,tau=0.3'",
				text);
		text = value + length + (value[length] == ',');
	}
	return 0;
}

static int map(const struct values *values, const char *folder, struct jm_error *reterr)
{
	struct jm_cli_progress progress;
	struct jm_map_config config = {.paths = {.folder = folder,
					       .power_log = values->power_log,
					       .latency = values->latency,
					       .engine_info = values->engine_info,
					       .idle = values->idle},
		.result_dir = values->result_dir,
		.method = values->method && strcmp(values->method, "window") == 0
				  ? JM_MAP_WINDOW
				  : JM_MAP_FIT,
		.method_chosen = values->method != NULL,
		.rules = strcmp(values->rules, "first") == 0 ? JM_WINDOW_FIRST
							     : JM_WINDOW_LATER};

	if (!folder && (!values->power_log || !values->latency))
		return jm_fail(reterr, JM_EUSAGE,
			"map needs a run folder, or --power-log-path and "
			"--trt-layer-latency-path");
	if (values->rail && config.method == JM_MAP_WINDOW)
		return jm_fail(reterr, JM_EUSAGE,
			"the window method maps the power log, which is one rail: leave "
			"--rail or --method window away");
	config.rail = values->rail;
	config.given_response = values->response != NULL;
	if (values->response && parse_response(values->response, &config.given, reterr) < 0)
		return JM_EUSAGE;
	jm_cli_progress_init(&progress);
	config.progress = &progress.progress;
	return jm_cli_map(&config, values->format, reterr);
}

static int run(int argc, char **argv)
{
	struct values values = {.rules = "later", .format = "table"};
	struct jm_arguments arguments;
	struct jm_error error;

	if (jm_options_parse(&jm_command_map, argc, argv, &values, &arguments, &error) < 0)
		return jm_report_error(&error);
	if (arguments.help)
		return 0;
	return map(&values, arguments.positional[0], &error) < 0 ? jm_report_error(&error) : 0;
}
