/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "calibrate/calibrate.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/plugins.h"
#include "cli/progress.h"
#include "report/text.h"

struct values {
	struct jm_text_list plugins;
	const char *sensor;
	const char *load;
	const char *result_dir;
	const char *format;
	int64_t threads;
	int64_t seed;
	double seconds;
	double rate_hz;
	int show;
	int forget;
};

static const char *const loads[] = {"auto", "cpu", "gpu", NULL};
static const char *const formats[] = {"table", "json", NULL};

static const struct jm_option options[] = {
	{"sensor", JM_OPTION_TEXT, offsetof(struct values, sensor), "SENSOR",
		"power sensor, see 'joulemap sensors'", 0, 0, NULL},
	{"duration", JM_OPTION_REAL, offsetof(struct values, seconds), "SECONDS",
		"how long to load the machine (default 30)", 0.1, 600, NULL},
	{"load", JM_OPTION_CHOICE, offsetof(struct values, load), "LOAD",
		"what draws power: cpu, gpu (NVIDIA) or auto\n(default): gpu for a GPU's own "
		"sensor, else cpu",
		0, 0, loads},
	{"threads", JM_OPTION_COUNT, offsetof(struct values, threads), "N",
		"of the cpu load (default: all processors but one)", 1, 1024, NULL},
	{"rate", JM_OPTION_REAL, offsetof(struct values, rate_hz), "HZ",
		"readings per second (default: what suits the\nsensor)", 0.1, 100000, NULL},
	{"result-dir", JM_OPTION_TEXT, offsetof(struct values, result_dir), "DIR",
		"keep readings and spans in DIR/calibration, as a\nrun that 'joulemap map' "
		"reads "
		"(default: do not)",
		0, 0, NULL},
	{"seed", JM_OPTION_COUNT, offsetof(struct values, seed), "N",
		"of the load's pattern, and of a simulated sensor\n(default 1)", 0,
		9007199254740992.0, NULL},
	{"show", JM_OPTION_FLAG, offsetof(struct values, show), NULL,
		"print what is stored, measure nothing", 0, 0, NULL},
	{"forget", JM_OPTION_FLAG, offsetof(struct values, forget), NULL,
		"remove what is stored (with --sensor: of that one,\nas --show names it)", 0, 0,
		NULL},
	{"format", JM_OPTION_CHOICE, offsetof(struct values, format), "FORMAT",
		"table (default) or json", 0, 0, formats},
	JM_CLI_PLUGIN_OPTION(struct values),
	{NULL, JM_OPTION_FLAG, 0, NULL, NULL, 0, 0, NULL},
};

static int run(int argc, char **argv);

const struct jm_command jm_command_calibrate = {
	.name = "calibrate",
	.summary = "find out how sensor and supply delay and smooth power",
	.usage = "[OPTIONS]",
	.text = "Loads the machine in a square wave whose edges are known, logs power beside "
		"it,\n"
		"and fits the sensor's round and window, its delay, and the time constant of "
		"the\n"
		"board's supply. The result is stored for this board and sensor; later runs "
		"of\n"
		"'measure' start from it. Set clocks and fan first as they will be while\n"
		"measuring, and let nothing else run. Exit status 4 when the load does not "
		"show.",
	.examples = "  joulemap calibrate\n"
		    "  joulemap calibrate --duration 120 --threads 4\n"
		    "  joulemap calibrate --sensor nvml --load gpu\n"
		    "  joulemap calibrate --show\n"
		    "  joulemap calibrate --sensor sim --duration 5   # SIMULATED power",
	.options = options,
	.run = run,
};

/* ---- Output ------------------------------------------------------------------ */

static void print_measured(const char *name, double value, double sd, const char *unit)
{
	if (isnan(value))
		printf("  %-9s not known\n", name);
	else
		printf("  %-9s %.4f +- %.4f %s\n", name, value, sd, unit);
}

static void print_calibration(const struct jm_calibration *c)
{
	if (c->simulated)
		fputs("SIMULATED: ", stdout);
	fputs("sensor ", stdout);
	jm_text_print(stdout, c->sensor);
	fputs(", rail ", stdout);
	jm_text_print(stdout, c->rail);
	fputs(", on ", stdout);
	jm_text_print(stdout, c->board);
	printf("\n  %-9s ", "load");
	jm_text_print(stdout, c->load);
	printf(": %.4f +- %.4f W, on %zu times\n", c->step_w, c->step_sd_w, c->spans);
	if (isnan(c->round_ms))
		printf("  %-9s not known\n", "round");
	else
		printf("  %-9s %.5f ms, %zu conversions\n", "round", c->round_ms,
			c->conversions);
	print_measured("window", c->window_ms, c->window_sd_ms, "ms");
	print_measured("delay", c->delay_ms, c->delay_sd_ms, "ms");
	print_measured("supply", c->tau_ms, c->tau_sd_ms, "ms, time constant");
	if (c->taps > 1)
		puts("            the supply is of no simple order: delay and time constant do "
		     "not "
		     "describe it");
	else if (c->shape > 0)
		printf("            of second order, shape %.3f\n", c->shape);
	printf("  %-9s ", "made");
	jm_text_print(stdout, c->created);
	fputs(" by joulemap ", stdout);
	jm_text_print(stdout, c->joulemap);
	putchar('\n');
}

static int print_all(const struct values *values, const struct jm_calibration *list, size_t n,
	struct jm_error *reterr)
{
	json_t *array = json_array();

	for (size_t i = 0; i < n; i++) {
		if (strcmp(values->format, "json") == 0)
			json_array_append_new(array, jm_calibration_to_json(&list[i]));
		else
			print_calibration(&list[i]);
	}
	if (strcmp(values->format, "json") == 0) {
		json_dumpf(array, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
		putchar('\n');
	}
	json_decref(array);
	return jm_finish_stdout(reterr);
}

/* ---- Doing --------------------------------------------------------------------- */

static int show(const struct values *values, struct jm_error *reterr)
{
	struct jm_calibration list[64];
	char path[JM_PATH_MAX];
	json_t *file = NULL;
	size_t n = 0;
	int result = jm_calibration_path(path, reterr);

	if (result == 0)
		result = jm_calibration_load(&file, reterr);
	if (result < 0)
		return result;
	for (size_t i = 0; i < jm_calibration_count(file) && n < 64; i++)
		if (jm_calibration_get(file, i, &list[n]) &&
			(!values->sensor || strcmp(values->sensor, list[n].sensor) == 0))
			n++;
	json_decref(file);
	if (!n)
		jm_cli_note("no calibration is stored in '%s'", path);
	return print_all(values, list, n, reterr);
}

static int forget(const struct values *values, struct jm_error *reterr)
{
	int n = jm_calibration_forget(values->sensor, reterr);

	if (n < 0)
		return n;
	jm_cli_note("%d calibration%s removed", n, n == 1 ? "" : "s");
	return 0;
}

static int calibrate(const struct values *values, struct jm_error *reterr)
{
	struct jm_calibrate_result done;
	struct jm_cli_progress progress;
	struct jm_calibrate_config config = {.sensor = values->sensor,
		.load = values->load,
		.threads = (int)values->threads,
		.seconds = values->seconds,
		.rate_hz = values->rate_hz,
		.result_dir = values->result_dir,
		.seed = (uint64_t)values->seed,
		.progress = &progress.progress};
	int result;

	jm_cli_progress_init(&progress);
	result = jm_calibrate_run(&config, &done, reterr);
	jm_cli_progress_end(&progress);
	if (done.run_folder[0])
		jm_cli_note("the run is kept in %s", done.run_folder);
	if (result == 0 && done.interrupted)
		jm_cli_note("ended early, which was enough");
	if (result == 0) {
		jm_cli_note("stored in %s", done.path);
		result = print_all(values, done.rails, done.n_rails, reterr);
	}
	jm_calibrate_result_release(&done);
	return result;
}

static int run(int argc, char **argv)
{
	struct values values = {.load = "auto", .format = "table", .seconds = 30, .seed = 1};
	struct jm_arguments arguments;
	struct jm_error error;
	int result;

	if (jm_options_parse(&jm_command_calibrate, argc, argv, &values, &arguments, &error) <
		0)
		return jm_report_error(&error);
	if (arguments.help)
		return 0;
	if (jm_cli_load_plugins(&values.plugins, &error) < 0)
		return jm_report_error(&error);
	if (values.show && values.forget)
		result = jm_fail(&error, JM_EUSAGE, "--show and --forget exclude each other");
	else if (values.show)
		result = show(&values, &error);
	else if (values.forget)
		result = forget(&values, &error);
	else
		result = calibrate(&values, &error);
	return result < 0 ? jm_report_error(&error) : 0;
}
