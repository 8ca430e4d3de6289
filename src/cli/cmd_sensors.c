/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "base/known.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/plugins.h"
#include "cli/sensor_list.h"
#include "formats/csv.h"
#include "report/text.h"
#include "sensors/registry.h"
#include "sensors/set.h"

struct values {
	struct jm_text_list plugins;
	const char *sensor;
	const char *format;
	int watch;
	double interval_s; /* 0: not given */
};

static const struct jm_option options[] = {
	{"sensor", JM_OPTION_TEXT, offsetof(struct values, sensor), "SENSOR",
		"only this one: ina3221, ina3221:1-0040, nvml:0,\nreplay:FILE, sim; or "
		"several, as in ina3221+nvml:0",
		0, 0, NULL},
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

/* How long the first reading of a sensor may be waited for that tells by a descriptor. */
#define FIRST_MS 1000

/* The sensors, open, and what each rail read last. */
struct sources {
	struct jm_sensor_set set;
	struct jm_reading *latest; /* [set.n_rails], owned */
	int passes;
};

/* Every real sensor of the machine. */
static int choose_all(struct jm_sensor_set *set, const struct jm_sensor_options *sensor_options,
	struct jm_error *reterr)
{
	size_t n;
	const struct jm_sensor_ops *const *all = jm_sensors(&n);
	struct jm_sensor_set best;
	int result;

	/* Fails with the right words when there is none at all. */
	jm_sensor_set_init(&best);
	result = jm_sensor_set_select(&best, NULL, sensor_options, reterr);
	jm_sensor_set_release(&best);
	for (size_t i = 0; i < n && result == 0; i++) {
		struct jm_sensor_infos infos = {0};

		jm_cli_list_sensors(&infos, all[i], sensor_options, NULL);
		for (size_t j = 0; j < infos.n && result == 0; j++)
			result = jm_sensor_set_add(
				set, all[i], &infos.list[j], sensor_options, reterr);
		jm_sensor_infos_release(&infos);
	}
	return result;
}

static int open_sources(
	struct sources *sources, const struct values *values, struct jm_error *reterr)
{
	struct jm_sensor_options sensor_options;
	int result;

	jm_sensor_options_init(&sensor_options, 1);
	result = values->sensor ? jm_sensor_set_select(&sources->set, values->sensor,
					  &sensor_options, reterr)
				: choose_all(&sources->set, &sensor_options, reterr);
	if (result == 0)
		result = jm_sensor_set_open(&sources->set, 0.0, reterr);
	if (result < 0)
		return result;
	sources->latest = calloc(sources->set.n_rails + 1, sizeof(*sources->latest));
	return sources->latest ? 0 : jm_fail_memory(reterr, "the readings");
}

static int keep_latest(void *context, size_t rail, const struct jm_reading *reading)
{
	struct sources *sources = context;

	sources->latest[rail] = *reading;
	return 0;
}

/* 1: it has something to read, as far as it tells. */
static int is_ready(const struct sources *sources, const struct jm_sensor_member *member)
{
	struct pollfd watched = {.fd = member->descriptor, .events = POLLIN};

	return member->descriptor < 0 || poll(&watched, 1, sources->passes ? 0 : FIRST_MS) > 0;
}

/* Reads a sensor: the latest of each rail, NaN at the last one's time where there is none. */
static int read_member(
	struct sources *sources, struct jm_sensor_member *member, struct jm_error *reterr)
{
	const struct jm_reading_sink sink = {keep_latest, sources};

	for (size_t i = 0; i < member->info.n_rails; i++) {
		struct jm_reading *latest = &sources->latest[member->first_rail + i];

		latest->value[0] = latest->value[1] = (double)NAN;
	}
	return is_ready(sources, member) ? jm_sensor_set_read(member, &sink, reterr) : 0;
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

/* Why there is no value now, where that is known. */
static void print_reason(const struct jm_rail_info *rail, uint64_t impossible)
{
	if (!impossible)
		return;
	fputs("  beyond its limit", stdout);
	if (rail->range > 0)
		printf(" of %.4g %s",
			rail->range * (rail->quantity == JM_QUANTITY_MV_MA ? 1e-3 : 1e-6),
			rail->quantity == JM_QUANTITY_MV_MA ? "A" : "W");
}

static void print_rail(const struct jm_sensor_info *info, const struct jm_rail_info *rail,
	const struct jm_reading *reading, uint64_t impossible)
{
	double power_w = watts(rail, reading);

	fputs("  ", stdout);
	jm_text_print_padded(stdout, rail->name, 20);
	if (isnan(power_w))
		printf(" %10s", "-");
	else
		printf(" %8.3f W", power_w);
	if (isnan(power_w))
		print_reason(rail, impossible);
	if (rail->quantity == JM_QUANTITY_MV_MA && !isnan(power_w))
		printf("  %8.3f V %8.3f A", volts(rail, reading), amperes(rail, reading));
	if (rail->parent >= 0) {
		fputs("  part of ", stdout);
		jm_text_print(stdout, info->rails[rail->parent].name);
	}
	putchar('\n');
}

static int is_simulated(const struct jm_sensor_info *info)
{
	return (info->flags & JM_SENSOR_SIMULATED) != 0;
}

static void print_table(
	const struct jm_sensor_member *member, const struct jm_reading *readings)
{
	const struct jm_sensor_info *info = &member->info;

	fputs(is_simulated(info) ? "SIMULATED " : "", stdout);
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
		print_rail(info, &info->rails[i], &readings[i], member->impossible[i]);
}

/* What a sensor does not tell is 0 in its info. */
static void print_known(double value)
{
	putchar(',');
	if (value > 0)
		printf("%g", value);
}

static void print_csv(const struct jm_sensor_info *info, const struct jm_reading *readings)
{
	for (size_t i = 0; i < info->n_rails; i++) {
		double power_w = watts(&info->rails[i], &readings[i]);

		printf("%lld,", (long long)readings[i].after_ns);
		jm_csv_print(stdout, info->id);
		putchar(',');
		jm_csv_print(stdout, info->rails[i].name);
		putchar(',');
		if (!isnan(power_w))
			printf("%.6f", power_w);
		print_known(info->round_ms);
		print_known(info->window_ms);
		printf(",%s\n", is_simulated(info) ? "yes" : "no");
	}
}

static json_t *known_json(double value)
{
	return jm_json_number(jm_known(value));
}

/* NULL when out of memory. */
static json_t *sensor_json(const struct jm_sensor_info *info, const struct jm_reading *readings)
{
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
		is_simulated(info), "round_ms", known_json(info->round_ms), "window_ms",
		known_json(info->window_ms), "provenance", jm_json_text(info->provenance),
		"rails", rails);
}

/* Reads and prints one sensor; as JSON it goes into `list` instead. */
static int print_member(struct sources *sources, struct jm_sensor_member *member,
	const char *format, json_t *list, struct jm_error *reterr)
{
	const struct jm_reading *readings = &sources->latest[member->first_rail];
	int result = read_member(sources, member, reterr);

	if (result < 0)
		return result;
	if (strcmp(format, "csv") == 0)
		print_csv(&member->info, readings);
	else if (strcmp(format, "json") != 0)
		print_table(member, readings);
	else if (json_array_append_new(list, sensor_json(&member->info, readings)) != 0)
		return jm_fail_memory(reterr, "the list of sensors");
	return 0;
}

static int print_sources(
	struct sources *sources, const struct values *values, struct jm_error *reterr)
{
	json_t *list = json_array();
	int result = 0;

	for (size_t i = 0; i < sources->set.n_members && result == 0; i++)
		result = print_member(
			sources, &sources->set.members[i], values->format, list, reterr);
	sources->passes++;
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
	struct sources sources = {.passes = 0};
	int result;

	jm_sensor_set_init(&sources.set);
	result = open_sources(&sources, values, reterr);
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
	jm_sensor_set_release(&sources.set);
	free(sources.latest);
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
