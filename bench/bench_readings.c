/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the readings of a sensor of this machine are like: how far apart its
 * values come, how late, and what a read costs. Arguments: [SENSOR [SECONDS]],
 * the best sensor present and 10 by default. Needs a sensor: not in run.sh.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "sensors/registry.h"
#include "sensors/set.h"

#define READINGS_MAX 1000000

/* One figure of every reading that has it. */
struct figures {
	const char *name;
	double *values; /* [n] */
	size_t n;
};

static struct figures cost_us = {.name = "read, us"};
static struct figures apart_ms = {.name = "new values apart, ms"};
static struct figures late_ms = {.name = "handed out after, ms"};
static struct figures power_w = {.name = "power, W"};

static void add(struct figures *figures, double value)
{
	if (!figures->values)
		figures->values = malloc(READINGS_MAX * sizeof(double));
	if (figures->values && figures->n < READINGS_MAX)
		figures->values[figures->n++] = value;
}

static int compare(const void *a, const void *b)
{
	double first = *(const double *)a, second = *(const double *)b;

	return (first > second) - (first < second);
}

static void print(const struct figures *figures)
{
	const double *values = figures->values;
	size_t n = figures->n;

	printf("%-22s n %6zu", figures->name, n);
	if (n) {
		qsort(figures->values, n, sizeof(double), compare);
		printf("  min %9.3f  p5 %9.3f  p50 %9.3f  p95 %9.3f  p99 %9.3f  max %9.3f",
			values[0], values[n / 20], values[n / 2], values[n * 19 / 20],
			values[n * 99 / 100], values[n - 1]);
	}
	putchar('\n');
}

struct look {
	const struct jm_sensor_info *info;
	struct jm_reading last; /* the last new value */
	int64_t latest_ns;
};

/* The first rail is looked at. */
static int look_at(void *context, size_t rail, const struct jm_reading *reading)
{
	struct look *look = context;
	int stamped = (look->info->flags & JM_SENSOR_STAMPED) != 0;

	if (rail || isnan(reading->value[0]) || isnan(reading->value[1]))
		return 0;
	/* Of a sensor that stamps, a repeated value is a new one too. */
	if (!stamped && look->latest_ns &&
		memcmp(look->last.value, reading->value, sizeof(look->last.value)) == 0)
		return 0;
	add(&power_w, jm_reading_power_uw(reading, look->info->rails[0].quantity) * 1e-6);
	if (look->latest_ns)
		add(&apart_ms, (double)(reading->after_ns - look->latest_ns) * 1e-6);
	if (stamped)
		add(&late_ms, (double)(jm_clock_monotonic_ns(NULL) - reading->after_ns) * 1e-6);
	look->last = *reading;
	look->latest_ns = reading->after_ns;
	return 0;
}

static int read_once(struct jm_sensor_set *set, struct look *look, struct jm_error *reterr)
{
	const struct jm_reading_sink sink = {look_at, look};
	int64_t before_ns = jm_clock_monotonic_ns(NULL);
	int result = jm_sensor_set_read(&set->members[0], &sink, reterr);

	if (result == 0)
		add(&cost_us, (double)(jm_clock_monotonic_ns(NULL) - before_ns) * 1e-3);
	return result;
}

int main(int argc, char **argv)
{
	double seconds = argc > 2 ? strtod(argv[2], NULL) : 10.0;
	struct jm_sensor_options options;
	struct jm_sensor_set set;
	struct jm_error error = {0};
	struct look look = {.latest_ns = 0};
	int64_t begin_ns, now_ns;
	int result;

	jm_sensor_options_init(&options, 1);
	jm_sensor_set_init(&set);
	result = jm_sensor_set_select(&set, argc > 1 ? argv[1] : NULL, &options, &error);
	if (result == 0)
		result = jm_sensor_set_open(&set, 0, &error);
	if (result == 0) {
		look.info = &set.members[0].info;
		printf("%s (%s), rail %s, a read every %.2f ms\n%s\n", look.info->id,
			look.info->path, look.info->rails[0].name, look.info->poll_ms,
			look.info->provenance);
	}
	begin_ns = now_ns = jm_clock_monotonic_ns(NULL);
	for (int64_t next_ns = begin_ns;
		result >= 0 && (double)(now_ns - begin_ns) < seconds * 1e9;
		now_ns = jm_clock_monotonic_ns(NULL)) {
		result = read_once(&set, &look, &error);
		next_ns += (int64_t)(look.info->poll_ms * 1e6);
		jm_clock_sleep_until(next_ns);
	}
	if (result < 0)
		fprintf(stderr, "bench_readings: %s\n", error.message);
	print(&cost_us);
	print(&apart_ms);
	print(&late_ms);
	print(&power_w);
	jm_sensor_set_release(&set);
	return result < 0;
}
