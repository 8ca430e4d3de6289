/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/plugins.h"
#include "cli/sensor_list.h"
#include "formats/csv.h"
#include "report/text.h"
#include "sensors/registry.h"

struct values {
	struct jm_text_list plugins;
	const char *sensor;
	const char *format;
	int watch;
	double interval_s; /* 0: not given */
};

static const struct jm_option options[] = {
	{"sensor", JM_OPTION_TEXT, offsetof(struct values, sensor), "SENSOR",
		"only this one: ina3221, ina3221:1-0040, nvml:0,\nreplay:FILE, sim", 0, 0,
		NULL},
	{"watch", JM_OPTION_FLAG, offsetof(struct values, watch), NULL,
		"read again and again until Ctrl-C", 0, 0, NULL},
	{"interval", JM_OPTION_REAL, offsetof(struct values, interval_s), "SECONDS",
		"time between readings of --watch (default 1)", 0.01, 3600, NULL},
	{"format", JM_OPTION_CHOICE, offsetof(struct values, format), "FORMAT",
		"table (default), csv, or json: an array of the\nsensors, a line for each "
		"reading",
		0, 0, jm_format_choices},
	JM_CLI_PLUGIN_OPTION(struct values),
	{NULL, JM_OPTION_FLAG, 0, NULL, NULL, 0, 0, NULL},
};

static int run(int argc, char **argv);

const struct jm_command jm_command_sensors = {
	.name = "sensors",
	.summary = "power sensors of this machine, with live readings",
	.usage = "[OPTIONS]",
	.text = "Lists every rail of every power sensor found, with what it reads now, how "
		"often\n"
		"it has a new value (round) and over what time it averages (window). Chips "
		"that only\n"
		"together see the whole board are one sensor; --sensor shows them singly.",
	.examples = "  joulemap sensors\n"
		    "  joulemap sensors --watch --interval 0.5\n"
		    "  joulemap sensors --sensor sim",
	.options = options,
	.run = run,
};

#define SENSORS_MAX 16

/* A sensor that is open for reading. */
struct source {
	const struct jm_sensor_ops *ops;
	struct jm_sensor_info info;
	struct jm_sensor_options options;
	void *state;
};

struct sources {
	struct source list[SENSORS_MAX];
	size_t n;
};

static int open_source(struct sources *sources, const struct jm_sensor_ops *ops,
	const struct jm_sensor_info *info, const struct jm_sensor_options *sensor_options,
	struct jm_error *reterr)
{
	struct source *source = &sources->list[sources->n];
	int result;

	source->ops = ops;
	source->info = *info;
	source->options = *sensor_options;
	source->state = calloc(1, ops->state_size);
	if (!source->state)
		return jm_fail_memory(reterr, "a sensor");
	sources->n++;
	result = ops->open(source->state, &source->info, &source->options, reterr);
	return result;
}

static void close_sources(struct sources *sources)
{
	for (size_t i = 0; i < sources->n; i++) {
		sources->list[i].ops->close(sources->list[i].state);
		free(sources->list[i].state);
	}
	sources->n = 0;
}

/* Every real sensor of the machine. */
static int open_all(struct sources *sources, struct jm_sensor_options *sensor_options,
	struct jm_error *reterr)
{
	size_t n;
	const struct jm_sensor_ops *const *all = jm_sensors(&n);
	struct jm_sensor_info infos[SENSORS_MAX];
	const struct jm_sensor_ops *best;
	int result;

	/* Fails with the right words when there is none at all. */
	result = jm_sensor_select(NULL, sensor_options, &best, &infos[0], reterr);
	for (size_t i = 0; i < n && result == 0; i++) {
		int found = all[i]->complete ? 0
					     : jm_cli_list_sensors(all[i], sensor_options,
						       infos, SENSORS_MAX - sources->n, NULL);

		for (int j = 0; j < found && result == 0; j++)
			result =
				open_source(sources, all[i], &infos[j], sensor_options, reterr);
	}
	return result;
}

static int open_sources(
	struct sources *sources, const struct values *values, struct jm_error *reterr)
{
	struct jm_sensor_options sensor_options;
	const struct jm_sensor_ops *ops;
	struct jm_sensor_info info;
	int result;

	jm_sensor_options_init(&sensor_options, 1);
	if (!values->sensor)
		return open_all(sources, &sensor_options, reterr);
	result = jm_sensor_select(values->sensor, &sensor_options, &ops, &info, reterr);
	if (result < 0)
		return result;
	return open_source(sources, ops, &info, &sensor_options, reterr);
}

static double volts(const struct jm_rail_info *rail, const struct jm_reading *reading)
{
	return rail->quantity == JM_QUANTITY_MV_MA ? reading->value[0] * 1e-3 : (double)NAN;
}

static double amperes(const struct jm_rail_info *rail, const struct jm_reading *reading)
{
	return rail->quantity == JM_QUANTITY_MV_MA ? reading->value[1] * 1e-3 : (double)NAN;
}

static double watts(const struct jm_rail_info *rail, const struct jm_reading *reading)
{
	return jm_reading_power_uw(reading, rail->quantity) * 1e-6;
}

static void print_rail(const struct source *source, const struct jm_rail_info *rail,
	const struct jm_reading *reading)
{
	double power_w = watts(rail, reading);

	fputs("  ", stdout);
	jm_text_print_padded(stdout, rail->name, 20);
	if (isnan(power_w))
		printf(" %10s", "-");
	else
		printf(" %8.3f W", power_w);
	if (rail->quantity == JM_QUANTITY_MV_MA && !isnan(power_w))
		printf("  %8.3f V %8.3f A", volts(rail, reading), amperes(rail, reading));
	if (rail->parent >= 0) {
		fputs("  part of ", stdout);
		jm_text_print(stdout, source->info.rails[rail->parent].name);
	}
	putchar('\n');
}

static void print_table(const struct source *source, const struct jm_reading *readings)
{
	const struct jm_sensor_info *info = &source->info;

	fputs(info->simulated ? "SIMULATED " : "", stdout);
	jm_text_print(stdout, info->id);
	if (info->round_ms > 0)
		printf(", round %.2f ms", info->round_ms);
	else
		printf(", round unknown");
	if (info->window_ms > 0)
		printf(", window %.2f ms", info->window_ms);
	fputs(info->provenance[0] ? ", " : "", stdout);
	jm_text_print(stdout, info->provenance);
	putchar('\n');
	for (size_t i = 0; i < info->n_rails; i++)
		print_rail(source, &info->rails[i], &readings[i]);
}

/* What a sensor does not tell is 0 in its info. */
static void print_known(double value)
{
	putchar(',');
	if (value > 0)
		printf("%g", value);
}

static int print_csv(
	const struct source *source, const struct jm_reading *readings, struct jm_error *reterr)
{
	const struct jm_sensor_info *info = &source->info;
	int result = 0;

	for (size_t i = 0; i < info->n_rails && result == 0; i++) {
		double power_w = watts(&info->rails[i], &readings[i]);

		printf("%lld,", (long long)readings[i].after_ns);
		result = jm_csv_print(stdout, info->id, reterr);
		putchar(',');
		if (result == 0)
			result = jm_csv_print(stdout, info->rails[i].name, reterr);
		putchar(',');
		if (!isnan(power_w))
			printf("%.6f", power_w);
		print_known(info->round_ms);
		print_known(info->window_ms);
		printf(",%s\n", info->simulated ? "yes" : "no");
	}
	return result;
}

static json_t *known_json(double value)
{
	return jm_json_number(value > 0 ? value : (double)NAN);
}

/* NULL when out of memory. */
static json_t *source_json(const struct source *source, const struct jm_reading *readings)
{
	const struct jm_sensor_info *info = &source->info;
	json_t *rails = json_array();

	for (size_t i = 0; rails && i < info->n_rails; i++) {
		const struct jm_rail_info *rail = &info->rails[i];

		json_array_append_new(rails,
			json_pack("{s:o, s:o, s:o, s:o, s:i}", "name", jm_json_text(rail->name),
				"power_w", jm_json_number(watts(rail, &readings[i])),
				"voltage_v", jm_json_number(volts(rail, &readings[i])),
				"current_a", jm_json_number(amperes(rail, &readings[i])),
				"parent", rail->parent));
	}
	return json_pack("{s:o, s:o, s:b, s:o, s:o, s:o, s:o}", "sensor",
		jm_json_text(info->id), "path", jm_json_text(info->path), "simulated",
		info->simulated, "round_ms", known_json(info->round_ms), "window_ms",
		known_json(info->window_ms), "provenance", jm_json_text(info->provenance),
		"rails", rails);
}

/* Prints one sensor; as JSON it goes into `list` instead. */
static int print_source(
	const struct source *source, const char *format, json_t *list, struct jm_error *reterr)
{
	struct jm_reading readings[JM_SENSOR_RAILS_MAX];
	int result = source->ops->read(source->state, readings, reterr);

	if (result < 0)
		return result;
	if (strcmp(format, "csv") == 0)
		return print_csv(source, readings, reterr);
	if (strcmp(format, "json") != 0)
		print_table(source, readings);
	else if (json_array_append_new(list, source_json(source, readings)) != 0)
		return jm_fail_memory(reterr, "the list of sensors");
	return 0;
}

static int print_sources(
	const struct sources *sources, const struct values *values, struct jm_error *reterr)
{
	json_t *list = json_array();
	int result = 0;

	for (size_t i = 0; i < sources->n && result == 0; i++)
		result = print_source(&sources->list[i], values->format, list, reterr);
	if (result == 0 && strcmp(values->format, "json") == 0) {
		json_dumpf(list, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9));
		putchar('\n');
	}
	json_decref(list);
	return result < 0 ? result : jm_finish_stdout(reterr);
}

static volatile sig_atomic_t ended; /* set by the signal handler only */

static void end(int signal_number)
{
	(void)signal_number;
	ended = 1;
}

static int show(const struct values *values, struct jm_error *reterr)
{
	struct sources sources = {.n = 0};
	int result = open_sources(&sources, values, reterr);

	if (result == 0 && strcmp(values->format, "csv") == 0)
		puts("monotonic_ns,sensor,rail,power_w,round_ms,window_ms,simulated");
	if (result == 0)
		result = print_sources(&sources, values, reterr);
	if (values->watch) {
		signal(SIGINT, end);
		signal(SIGTERM, end);
	}
	while (result == 0 && values->watch && !ended) {
		jm_clock_sleep_until(
			jm_clock_monotonic_ns(NULL) +
			(int64_t)((values->interval_s > 0 ? values->interval_s : 1) *
				  (double)JM_NS_PER_S));
		if (!ended)
			result = print_sources(&sources, values, reterr);
	}
	close_sources(&sources);
	return result;
}

static int run(int argc, char **argv)
{
	struct values values = {.format = "table"};
	struct jm_arguments arguments;
	struct jm_error error;

	if (jm_options_parse(&jm_command_sensors, argc, argv, &values, &arguments, &error) < 0)
		return jm_report_error(&error);
	if (arguments.help)
		return 0;
	if (jm_cli_load_plugins(&values.plugins, &error) < 0)
		return jm_report_error(&error);
	if (values.interval_s > 0 && !values.watch) {
		jm_fail(&error, JM_EUSAGE, "--interval needs --watch");
		return jm_report_error(&error);
	}
	return show(&values, &error) < 0 ? jm_report_error(&error) : 0;
}
