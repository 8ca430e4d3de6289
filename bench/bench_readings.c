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

/* Takes one pass over the rails; the first one is looked at. */
static int look(const struct jm_sensor_ops *ops, void *sensor,
	const struct jm_sensor_info *info, struct jm_error *reterr)
{
	static struct jm_reading last; /* the last new value */
	static int64_t latest_ns;
	struct jm_reading readings[JM_SENSOR_RAILS_MAX];
	int64_t before_ns = jm_clock_monotonic_ns(NULL), after_ns;
	int result = ops->read(sensor, readings, reterr);

	after_ns = jm_clock_monotonic_ns(NULL);
	if (result < 0)
		return result;
	add(&cost_us, (double)(after_ns - before_ns) * 1e-3);
	if (isnan(readings[0].value[0]) || isnan(readings[0].value[1]))
		return 0;
	/* Of a sensor that stamps, a repeated value is a new one too. */
	if (!info->stamped && latest_ns &&
		memcmp(last.value, readings[0].value, sizeof(last.value)) == 0)
		return 0;
	add(&power_w, jm_reading_power_uw(&readings[0], info->rails[0].quantity) * 1e-6);
	if (latest_ns)
		add(&apart_ms, (double)(readings[0].after_ns - latest_ns) * 1e-6);
	if (info->stamped)
		add(&late_ms, (double)(after_ns - readings[0].after_ns) * 1e-6);
	last = readings[0];
	latest_ns = readings[0].after_ns;
	return 1;
}

int main(int argc, char **argv)
{
	double seconds = argc > 2 ? strtod(argv[2], NULL) : 10.0;
	struct jm_sensor_options options;
	const struct jm_sensor_ops *ops;
	struct jm_sensor_info info;
	struct jm_error error = {0};
	void *sensor = NULL;
	int64_t begin_ns, now_ns;
	int result;

	jm_sensor_options_init(&options, 1);
	result = jm_sensor_select(argc > 1 ? argv[1] : NULL, &options, &ops, &info, &error);
	if (result == 0)
		sensor = calloc(1, ops->state_size);
	if (sensor)
		result = ops->open(sensor, &info, &options, &error);
	if (result == 0)
		printf("%s (%s), rail %s, a read every %.2f ms\n%s\n", info.id, info.path,
			info.rails[0].name, info.poll_ms, info.provenance);
	begin_ns = now_ns = jm_clock_monotonic_ns(NULL);
	for (int64_t next_ns = begin_ns;
		result >= 0 && (double)(now_ns - begin_ns) < seconds * 1e9;
		now_ns = jm_clock_monotonic_ns(NULL)) {
		result = look(ops, sensor, &info, &error);
		next_ns += (int64_t)(info.poll_ms * 1e6);
		jm_clock_sleep_until(next_ns);
	}
	if (result < 0)
		fprintf(stderr, "bench_readings: %s\n", error.message);
	print(&cost_us);
	print(&apart_ms);
	print(&late_ms);
	print(&power_w);
	if (sensor)
		ops->close(sensor);
	free(sensor);
	return result < 0;
}
