/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "cli/commands.h"
#include "sensors/registry.h"

struct values {
	const char *sensor;
	const char *format;
	int watch;
	double interval_s;
};

static const struct jm_option options[] = {
	{"sensor", JM_OPTION_TEXT, offsetof(struct values, sensor), "SENSOR",
		"only this one: ina3221, ina3221:1-0040,\nreplay:FILE, sim", 0, 0, NULL},
	{"watch", JM_OPTION_FLAG, offsetof(struct values, watch), NULL,
		"read again and again until Ctrl-C", 0, 0, NULL},
	{"interval", JM_OPTION_REAL, offsetof(struct values, interval_s), "SECONDS",
		"time between readings of --watch (default 1)", 0.01, 3600, NULL},
	{"format", JM_OPTION_CHOICE, offsetof(struct values, format), "FORMAT",
		"table (default), json or csv", 0, 0, jm_format_choices},
	{NULL, JM_OPTION_FLAG, 0, NULL, NULL, 0, 0, NULL},
};

static int run(int argc, char **argv);

const struct jm_command jm_command_sensors = {
	.name = "sensors",
	.summary = "power sensors of this machine, with live readings",
	.usage = "[OPTIONS]",
	.text = "Lists every rail of every power sensor found, with what it reads now, how often\n"
		"it has a new value (round) and over what time it averages (window).",
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
					     : all[i]->probe(sensor_options, infos,
						       SENSORS_MAX - sources->n, NULL);

		for (int j = 0; j < found && result == 0; j++)
			result = open_source(sources, all[i], &infos[j], sensor_options, reterr);
	}
	return result;
}

static int open_sources(struct sources *sources, const struct values *values,
	struct jm_error *reterr)
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

static json_t *real_or_null(double value)
{
	return isnan(value) ? json_null() : json_real(value);
}

static double volts(const struct jm_rail_info *rail, const struct jm_reading *reading)
{
	return rail->quantity == JM_QUANTITY_MV_MA ? reading->value[0] * 1e-3 : (double)NAN;
}

static double amperes(const struct jm_rail_info *rail, const struct jm_reading *reading)
{
	return rail->quantity == JM_QUANTITY_MV_MA ? reading->value[1] * 1e-3 : (double)NAN;
}

static void print_table(const struct source *source, const struct jm_reading *readings)
{
	printf("%s%s, round %s", source->info.simulated ? "SIMULATED " : "", source->info.id,
		source->info.round_ms > 0 ? "" : "unknown");
	if (source->info.round_ms > 0)
		printf("%.2f ms", source->info.round_ms);
	if (source->info.window_ms > 0)
		printf(", window %.2f ms", source->info.window_ms);
	printf("%s%s\n", source->info.provenance[0] ? ", " : "", source->info.provenance);
	for (size_t i = 0; i < source->info.n_rails; i++) {
		const struct jm_rail_info *rail = &source->info.rails[i];
		double power_w = jm_reading_power_uw(&readings[i], rail->quantity) * 1e-6;

		if (isnan(power_w))
			printf("  %-20s %10s", rail->name, "-");
		else
			printf("  %-20s %8.3f W", rail->name, power_w);
		if (rail->quantity == JM_QUANTITY_MV_MA && !isnan(power_w))
			printf("  %8.3f V %8.3f A", volts(rail, &readings[i]),
				amperes(rail, &readings[i]));
		if (rail->parent >= 0)
			printf("  part of %s", source->info.rails[rail->parent].name);
		putchar('\n');
	}
}

static void print_csv(const struct source *source, const struct jm_reading *readings)
{
	for (size_t i = 0; i < source->info.n_rails; i++) {
		const struct jm_rail_info *rail = &source->info.rails[i];
		double power_w = jm_reading_power_uw(&readings[i], rail->quantity) * 1e-6;

		printf("%lld,%s,%s,", (long long)readings[i].after_ns, source->info.id, rail->name);
		if (!isnan(power_w))
			printf("%.6f", power_w);
		printf(",%g,%g,%s\n", source->info.round_ms, source->info.window_ms,
			source->info.simulated ? "yes" : "no");
	}
}

static void print_json(const struct source *source, const struct jm_reading *readings)
{
	json_t *rails = json_array();
	json_t *root;

	for (size_t i = 0; rails && i < source->info.n_rails; i++) {
		const struct jm_rail_info *rail = &source->info.rails[i];

		json_array_append_new(rails,
			json_pack("{s:s, s:o, s:o, s:o, s:i}", "name", rail->name, "power_w",
				real_or_null(jm_reading_power_uw(&readings[i], rail->quantity) * 1e-6),
				"voltage_v", real_or_null(volts(rail, &readings[i])), "current_a",
				real_or_null(amperes(rail, &readings[i])), "parent", rail->parent));
	}
	root = json_pack("{s:s, s:s, s:b, s:f, s:f, s:s, s:o}", "sensor", source->info.id, "path",
		source->info.path, "simulated", source->info.simulated, "round_ms",
		source->info.round_ms, "window_ms", source->info.window_ms, "provenance",
		source->info.provenance, "rails", rails);
	if (!root)
		return;
	json_dumpf(root, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9));
	putchar('\n');
	json_decref(root);
}

static int print_sources(const struct sources *sources, const struct values *values,
	struct jm_error *reterr)
{
	for (size_t i = 0; i < sources->n; i++) {
		const struct source *source = &sources->list[i];
		struct jm_reading readings[JM_SENSOR_RAILS_MAX];
		int result = source->ops->read(source->state, readings, reterr);

		if (result < 0)
			return result;
		if (strcmp(values->format, "json") == 0)
			print_json(source, readings);
		else if (strcmp(values->format, "csv") == 0)
			print_csv(source, readings);
		else
			print_table(source, readings);
	}
	return jm_finish_stdout(reterr);
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
		jm_clock_sleep_until(jm_clock_monotonic_ns(NULL)
			+ (int64_t)(values->interval_s * (double)JM_NS_PER_S));
		if (!ended)
			result = print_sources(&sources, values, reterr);
	}
	close_sources(&sources);
	return result;
}

static int run(int argc, char **argv)
{
	struct values values = {.format = "table", .interval_s = 1};
	struct jm_arguments arguments;
	struct jm_error error;

	if (jm_options_parse(&jm_command_sensors, argc, argv, &values, &arguments, &error) < 0)
		return jm_report_error(&error);
	if (arguments.help)
		return 0;
	return show(&values, &error) < 0 ? jm_report_error(&error) : 0;
}
