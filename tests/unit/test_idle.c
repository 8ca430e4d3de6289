/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <math.h>

#include "base/clock.h"
#include "logger/histogram.h"
#include "measure/idle.h"
#include "sensors.h"
#include "sensors/registry.h"
#include "sensors/sim/sim.h"

static struct jm_sensor_options real_time(const char *root, const char *argument)
{
	struct jm_sensor_options options = {
		.argument = argument,
		.sysfs_root = root,
		.seed = 1,
		.now_ns = jm_clock_monotonic_ns,
	};

	return options;
}

/* The sensor of these options alone, for test_*. */
static void make_set(struct jm_sensor_set *set, const struct jm_sensor_ops *ops,
	const struct jm_sensor_options *options)
{
	struct jm_sensor_info info;
	struct jm_error error;

	jm_sensor_set_init(set);
	assert_true(probe_first(ops, options, &info, &error) > 0);
	assert_int_equal(jm_sensor_set_add(set, ops, &info, options, &error), 0);
	jm_sensor_info_release(&info);
}

static int measure(const struct jm_sensor_ops *ops, const struct jm_sensor_options *options,
	double seconds, struct jm_idle_result *ret_result, struct jm_error *reterr)
{
	struct jm_sensor_set set;
	int result;

	make_set(&set, ops, options);
	result = jm_idle_measure(&set, seconds, NULL, NULL, ret_result, reterr);
	jm_sensor_set_release(&set);
	return result;
}

static int count_progress(void *context, double seconds, double mean_uw)
{
	int *calls = context;

	assert_true(seconds > 0.0 && mean_uw > 0.0);
	return ++*calls == 3; /* the third one ends it */
}

/* The truth lies within a few of the standard errors that are stated. */
static void test_sim(void **state)
{
	struct jm_sensor_options options = real_time("", "round_ms=2,window_ms=1,seed=4");
	struct jm_idle_result result;
	struct jm_sim_board board;

	(void)state;
	assert_int_equal(jm_sim_board_init(&board, options.argument, 0, NULL), 0);
	assert_int_equal(measure(&jm_sensor_sim, &options, 1.0, &result, NULL), 0);
	assert_true(result.readings >= result.conversions && result.conversions > 2);
	assert_int_equal(result.missing, 0);
	assert_true(result.error_uw > 0.0 && result.sd_uw > result.error_uw);
	assert_float_equal(result.mean_uw, board.idle_w * 1e6, 6.0 * result.error_uw);
	assert_true(result.seconds > 0.0 && result.end_ns > result.begin_ns);
}

static void test_interrupted(void **state)
{
	struct jm_sensor_options options = real_time("", NULL);
	struct jm_idle_result result;
	struct jm_sensor_set set;
	struct jm_error error = {0};
	int calls = 0;

	(void)state;
	make_set(&set, &jm_sensor_sim, &options);
	assert_int_equal(jm_idle_measure(&set, 1000.0, count_progress, &calls, &result, &error),
		JM_EINTERRUPTED);
	assert_int_equal(calls, 3);
	assert_int_equal(jm_idle_measure(&set, 0.0, NULL, NULL, &result, &error), JM_EINVAL);
	assert_int_equal(
		jm_idle_measure(&set, (double)NAN, NULL, NULL, &result, &error), JM_EINVAL);
	jm_sensor_set_release(&set);
}

/* A value that never changes is known to its quantum, and is one conversion. */
static void test_constant(void **state)
{
	struct jm_sensor_options options = real_time(TREE("orin-nano-jp6"), NULL);
	struct jm_idle_result result;

	(void)state;
	assert_int_equal(measure(&jm_sensor_ina3221, &options, 0.1, &result, NULL), 0);
	/* VDD_IN alone: the other rails are inside it. */
	assert_true(result.mean_uw == 5032.0 * 840.0);
	assert_int_equal(result.conversions, 1);
	assert_true(isnan(result.sd_uw));
	assert_float_equal(result.error_uw, 5032.0 * 8.0 / sqrt(12.0), 1e-6);
}

/* No total rail: the sum of those that no other one contains. */
static void test_sum(void **state)
{
	struct jm_sensor_options options = real_time(TREE("agx-orin-jp6"), NULL);
	struct jm_idle_result result;

	(void)state;
	assert_int_equal(measure(&jm_sensor_ina3221, &options, 0.05, &result, NULL), 0);
	assert_true(result.mean_uw == 19864.0 * 180.0 + 19864.0 * 40.0 + 5000.0 * 540.0);
}

/* ---- A counter, and a sensor without values ------------------------------------------ */

struct counter {
	struct jm_sensor_info info;
	struct jm_rail_info rail;
	int64_t begin_ns;
	int64_t (*now_ns)(void *clock);
	unsigned reads;
};

/* Of a rail in uW. */
#define RANGE_UW 2e7

static void describe(const struct jm_sensor_options *options, struct counter *counter)
{
	snprintf(counter->info.id, sizeof(counter->info.id), "counter");
	counter->info.poll_ms = 1.0;
	counter->info.rails = &counter->rail;
	counter->info.n_rails = 1;
	counter->rail.parent = -1;
	counter->rail.quantity = JM_QUANTITY_UJ;
	counter->rail.range = 1.1e6;
	if (options->argument) {
		counter->rail.quantity = JM_QUANTITY_UW;
		counter->rail.range = RANGE_UW;
	}
}

static int counter_probe(const struct jm_sensor_options *options,
	const struct jm_sensor_found *found, struct jm_error *reterr)
{
	struct counter counter = {.begin_ns = 0};
	int result;

	(void)reterr;
	describe(options, &counter);
	result = found->found(found->context, &counter.info);
	return result < 0 ? result : 1;
}

static int counter_open(void *state, const struct jm_sensor_info *info,
	const struct jm_sensor_options *options, struct jm_error *reterr)
{
	struct counter *counter = state;

	(void)reterr;
	(void)info;
	describe(options, counter);
	counter->now_ns = options->now_ns;
	counter->begin_ns = options->now_ns(NULL);
	return 0;
}

static const struct jm_sensor_info *counter_info(const void *state)
{
	return &((const struct counter *)state)->info;
}

/* 7 W, in steps of 10 ms; wraps every 157 ms. */
static struct jm_reading read_counter(const struct counter *counter)
{
	int64_t now_ns = counter->now_ns(NULL);
	int64_t step_ns = (now_ns - counter->begin_ns) / 10000000 * 10000000;
	struct jm_reading reading = {.before_ns = counter->begin_ns + step_ns};

	reading.after_ns = reading.before_ns;
	reading.value[0] = fmod(7.0e-3 * (double)step_ns + 1e6, 1.1e6);
	return reading;
}

static int counter_read(
	void *state, const struct jm_reading_sink *sink, struct jm_error *reterr)
{
	struct jm_reading reading = read_counter(state);

	(void)reterr;
	return sink->reading(sink->context, 0, &reading);
}

static int empty_read(void *state, const struct jm_reading_sink *sink, struct jm_error *reterr)
{
	struct jm_reading reading = read_counter(state);

	(void)reterr;
	reading.value[0] = (double)NAN;
	return sink->reading(sink->context, 0, &reading);
}

static void counter_close(void *state)
{
	(void)state;
}

static int constant_read(
	void *state, const struct jm_reading_sink *sink, struct jm_error *reterr)
{
	struct jm_reading reading = read_counter(state);

	(void)reterr;
	reading.value[0] = 7.0e6;
	return sink->reading(sink->context, 0, &reading);
}

static struct jm_sensor_ops counter_ops(
	int (*read)(void *, const struct jm_reading_sink *, struct jm_error *))
{
	struct jm_sensor_ops ops = {.abi = JM_SENSOR_ABI,
		.size = sizeof(ops),
		.name = "counter",
		.summary = "counts",
		.state_size = sizeof(struct counter),
		.probe = counter_probe,
		.open = counter_open,
		.info = counter_info,
		.read = read,
		.close = counter_close};

	return ops;
}

/* Nothing changes and nobody knows the quantum: no error of 0 is made up. */
static void test_unknown_quantum(void **state)
{
	struct jm_sensor_ops ops = counter_ops(constant_read);
	struct jm_sensor_options options = real_time("", "constant");
	struct jm_idle_result result;

	(void)state;
	assert_int_equal(measure(&ops, &options, 0.05, &result, NULL), 0);
	assert_true(result.mean_uw == 7.0e6);
	assert_int_equal(result.conversions, 1);
	assert_true(isnan(result.error_uw));
}

/* Every third value is more than the rail can carry, or cannot be at all. */
static int wild_read(void *state, const struct jm_reading_sink *sink, struct jm_error *reterr)
{
	static const double values_uw[] = {-1e6, -1e6, RANGE_UW, -1e6, -1e6, 4294967295e3};
	struct jm_reading reading = read_counter(state);
	struct counter *counter = state;

	(void)reterr;
	reading.value[0] = values_uw[counter->reads++ % 6];
	return sink->reading(sink->context, 0, &reading);
}

static int impossible_read(
	void *state, const struct jm_reading_sink *sink, struct jm_error *reterr)
{
	struct jm_reading reading = read_counter(state);

	(void)reterr;
	reading.value[0] = 4294967295e3;
	return sink->reading(sink->context, 0, &reading);
}

static void test_wild(void **state)
{
	struct jm_sensor_ops ops = counter_ops(wild_read);
	struct jm_sensor_options options = real_time("", "constant");
	struct jm_idle_result result;
	struct jm_error error = {0};

	(void)state;
	assert_int_equal(measure(&ops, &options, 0.05, &result, NULL), 0);
	assert_true(result.mean_uw == -1e6);
	assert_true(result.impossible > 0 && result.impossible == result.missing);
	assert_true(result.readings <= 2 * result.impossible + 2);
	ops = counter_ops(impossible_read);
	assert_int_equal(measure(&ops, &options, 0.02, &result, &error), JM_ESENSOR);
	assert_non_null(strstr(error.message, "no value that its rails can carry"));
}

static void test_counter(void **state)
{
	struct jm_sensor_ops ops = counter_ops(counter_read);
	struct jm_sensor_options options = real_time("", NULL);
	struct jm_idle_result result;
	struct jm_error error;

	(void)state;
	assert_int_equal(measure(&ops, &options, 0.2, &result, NULL), 0);
	assert_float_equal(result.mean_uw, 7.0e6, 1.0);
	ops = counter_ops(empty_read);
	assert_int_equal(measure(&ops, &options, 0.02, &result, &error), JM_ESENSOR);
}

/* ---- Histogram ------------------------------------------------------------------------- */

static void test_histogram(void **state)
{
	struct jm_histogram *histogram = calloc(1, sizeof(*histogram));
	int64_t values[] = {0, 1, 15, 16, 17, 31, 32, 1000, 123456789, INT64_MAX, -5};

	(void)state;
	assert_true(isnan(jm_histogram_quantile_ns(histogram, 0.5)));
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		double value = values[i] < 0 ? 0.0 : (double)values[i], quantile;

		memset(histogram, 0, sizeof(*histogram));
		jm_histogram_add(histogram, values[i]);
		quantile = jm_histogram_quantile_ns(histogram, 0.5);
		assert_true(quantile >= value * 0.999999 && quantile <= value * 1.07);
	}
	memset(histogram, 0, sizeof(*histogram));
	for (int64_t i = 1; i <= 100000; i++)
		jm_histogram_add(histogram, i * 10);
	for (double q = 0.01; q < 1.0; q += 0.01) {
		double quantile = jm_histogram_quantile_ns(histogram, q);

		assert_true(quantile >= q * 1e6 - 10.0 && quantile <= q * 1e6 * 1.07);
	}
	assert_true(jm_histogram_quantile_ns(histogram, 1.0) == 1e6);
	free(histogram);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sim),
		cmocka_unit_test(test_interrupted),
		cmocka_unit_test(test_constant),
		cmocka_unit_test(test_sum),
		cmocka_unit_test(test_unknown_quantum),
		cmocka_unit_test(test_wild),
		cmocka_unit_test(test_counter),
		cmocka_unit_test(test_histogram),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
