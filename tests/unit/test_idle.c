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
	struct jm_sensor_info info;
	struct jm_sim_board board;

	(void)state;
	assert_int_equal(jm_sim_board_init(&board, options.argument, 0, NULL), 0);
	assert_int_equal(jm_sensor_sim.probe(&options, &info, 1, NULL), 1);
	assert_int_equal(jm_idle_measure(&jm_sensor_sim, &info, &options, 1.0, NULL, NULL,
				 &result, NULL),
		0);
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
	struct jm_sensor_info info;
	struct jm_error error = {0};
	int calls = 0;

	(void)state;
	assert_int_equal(jm_sensor_sim.probe(&options, &info, 1, NULL), 1);
	assert_int_equal(jm_idle_measure(&jm_sensor_sim, &info, &options, 1000.0,
				 count_progress, &calls, &result, &error),
		JM_EINTERRUPTED);
	assert_int_equal(calls, 3);
	assert_int_equal(jm_idle_measure(&jm_sensor_sim, &info, &options, 0.0, NULL, NULL,
				 &result, &error),
		JM_EINVAL);
	assert_int_equal(jm_idle_measure(&jm_sensor_sim, &info, &options, (double)NAN, NULL,
				 NULL, &result, &error),
		JM_EINVAL);
}

/* A value that never changes is known to its quantum, and is one conversion. */
static void test_constant(void **state)
{
	struct jm_sensor_options options = real_time(TREE("orin-nano-jp6"), NULL);
	struct jm_idle_result result;
	struct jm_sensor_info info;

	(void)state;
	assert_int_equal(jm_sensor_ina3221.probe(&options, &info, 1, NULL), 1);
	assert_int_equal(jm_idle_measure(&jm_sensor_ina3221, &info, &options, 0.1, NULL, NULL,
				 &result, NULL),
		0);
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
	struct jm_sensor_info info;

	(void)state;
	assert_int_equal(jm_sensor_ina3221.probe(&options, &info, 1, NULL), 1);
	assert_int_equal(jm_idle_measure(&jm_sensor_ina3221, &info, &options, 0.05, NULL, NULL,
				 &result, NULL),
		0);
	assert_true(result.mean_uw == 19864.0 * 180.0 + 19864.0 * 40.0 + 5000.0 * 540.0);
}

/* ---- A counter, and a sensor without values ------------------------------------------ */

struct counter {
	int64_t begin_ns;
	int64_t (*now_ns)(void *clock);
};

static int counter_open(void *state, struct jm_sensor_info *info,
	const struct jm_sensor_options *options, struct jm_error *reterr)
{
	struct counter *counter = state;

	(void)reterr;
	memset(info, 0, sizeof(*info));
	info->n_rails = 1;
	info->poll_ms = 1.0;
	info->rails[0].parent = -1;
	info->rails[0].quantity = options->argument ? JM_QUANTITY_UW : JM_QUANTITY_UJ;
	counter->now_ns = options->now_ns;
	counter->begin_ns = options->now_ns(NULL);
	return 0;
}

/* 7 W, in steps of 10 ms; with an argument: no value at all. */
static int counter_read(void *state, struct jm_reading *ret_readings, struct jm_error *reterr)
{
	struct counter *counter = state;
	int64_t now_ns = counter->now_ns(NULL);
	int64_t step_ns = (now_ns - counter->begin_ns) / 10000000 * 10000000;

	(void)reterr;
	ret_readings[0].before_ns = counter->begin_ns + step_ns;
	ret_readings[0].after_ns = counter->begin_ns + step_ns;
	ret_readings[0].value[0] = 7.0e-3 * (double)step_ns + 1e6;
	ret_readings[0].value[1] = 0.0;
	return 0;
}

static int empty_read(void *state, struct jm_reading *ret_readings, struct jm_error *reterr)
{
	counter_read(state, ret_readings, reterr);
	ret_readings[0].value[0] = (double)NAN;
	return 0;
}

static void counter_close(void *state)
{
	(void)state;
}

static int constant_read(void *state, struct jm_reading *ret_readings, struct jm_error *reterr)
{
	counter_read(state, ret_readings, reterr);
	ret_readings[0].value[0] = 7.0e6;
	return 0;
}

/* Nothing changes and nobody knows the quantum: no error of 0 is made up. */
static void test_unknown_quantum(void **state)
{
	struct jm_sensor_ops ops = {.state_size = sizeof(struct counter),
		.open = counter_open,
		.read = constant_read,
		.close = counter_close};
	struct jm_sensor_options options = real_time("", "constant");
	struct jm_idle_result result;
	struct jm_sensor_info info;

	(void)state;
	assert_int_equal(
		jm_idle_measure(&ops, &info, &options, 0.05, NULL, NULL, &result, NULL), 0);
	assert_true(result.mean_uw == 7.0e6);
	assert_int_equal(result.conversions, 1);
	assert_true(isnan(result.error_uw));
}

static void test_counter(void **state)
{
	struct jm_sensor_ops ops = {.state_size = sizeof(struct counter),
		.open = counter_open,
		.read = counter_read,
		.close = counter_close};
	struct jm_sensor_options options = real_time("", NULL);
	struct jm_idle_result result;
	struct jm_sensor_info info;
	struct jm_error error;

	(void)state;
	assert_int_equal(
		jm_idle_measure(&ops, &info, &options, 0.2, NULL, NULL, &result, NULL), 0);
	assert_float_equal(result.mean_uw, 7.0e6, 1.0);
	options.argument = "empty";
	ops.read = empty_read;
	assert_int_equal(
		jm_idle_measure(&ops, &info, &options, 0.02, NULL, NULL, &result, &error),
		JM_ESENSOR);
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
		cmocka_unit_test(test_counter),
		cmocka_unit_test(test_histogram),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
