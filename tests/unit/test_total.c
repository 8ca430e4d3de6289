/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <math.h>
#include <string.h>

#include "data/counter.h"
#include "data/rail_names.h"
#include "data/total.h"

static struct jm_reading at(int64_t ns, double value)
{
	struct jm_reading reading = {ns, ns + 1, {value, 0.0}};

	return reading;
}

static double count(struct jm_counter *counter, int64_t ns, double uj)
{
	struct jm_reading reading = at(ns, uj);
	double uw;

	return jm_counter_put(counter, &reading, &uw) ? uw : -1.0;
}

static void test_counter(void **state)
{
	struct jm_counter counter;

	(void)state;
	jm_counter_init(&counter, 1000.0);
	assert_true(isnan(count(&counter, 0, 900)));
	assert_true(count(&counter, 500000000, 900) == -1.0); /* nothing new */
	assert_true(count(&counter, 600000000, (double)NAN) == -1.0);
	assert_float_equal(count(&counter, 1000000000, 990), 90, 1e-9);
	assert_float_equal(count(&counter, 2000000000, 40), 50, 1e-9); /* a wrap */
	assert_float_equal(count(&counter, 3000000000, 60), 20, 1e-9);
	/* Of unknown range it was started anew, and goes on from there. */
	jm_counter_init(&counter, 0);
	assert_true(isnan(count(&counter, 0, 900)));
	assert_true(isnan(count(&counter, 1000000000, 40)));
	assert_float_equal(count(&counter, 2000000000, 70), 30, 1e-9);
	assert_true(isnan(jm_counter_power(900, 40, 800, 1, 1)));
	assert_true(jm_counter_power(900, 40, 1000, 2, 1) == 70);
	assert_true(isnan(jm_counter_power(900, 40, (double)NAN, 1, 1)));
	assert_true(isnan(jm_counter_power(900, 1000, 0, 0, 1)));
	/* Set to 0 in the middle of its range: no board draws 130 MW. */
	assert_true(isnan(jm_counter_power(131e3, 1, 262e3, 1e-3, 1)));
	assert_float_equal(jm_counter_power(262e3 - 4, 1, 262e3, 1, 1), 5, 1e-9);
}

/* Three rails in passes, one of them inside another: today's sums. */
static void test_passes(void **state)
{
	struct jm_total_rail rails[3] = {{.parent = -1, .quantity = JM_QUANTITY_UW},
		{.parent = 0, .quantity = JM_QUANTITY_UW},
		{.parent = -1, .quantity = JM_QUANTITY_UW, .quantum = {3}}};
	struct jm_reading sum, reading;
	struct jm_total total;

	(void)state;
	rails[0].quantum[0] = 4;
	assert_int_equal(jm_total_init(&total, rails, 3, NULL), 0);
	assert_int_equal(total.n_roots, 2);
	assert_true(jm_total_has(&total, 0) && !jm_total_has(&total, 1));
	for (int pass = 0; pass < 5; pass++) {
		reading = at(pass * 100, 10 + pass);
		assert_int_equal(jm_total_put(&total, 0, &reading, &sum), 0);
		reading = at(pass * 100 + 10, 1000);
		assert_int_equal(jm_total_put(&total, 1, &reading, &sum), 0);
		reading = at(pass * 100 + 20, pass == 3 ? (double)NAN : 20);
		assert_int_equal(jm_total_put(&total, 2, &reading, &sum), 1);
		assert_true(sum.before_ns == pass * 100 && sum.after_ns == pass * 100 + 21);
		assert_true(pass == 3 ? isnan(sum.value[0]) : sum.value[0] == 30 + pass);
	}
	assert_true(total.quantum_uw == 5);
	jm_total_release(&total);
}

/* Rails at different rates, one of them a counter that wraps. */
static void test_rates(void **state)
{
	struct jm_total_rail rails[2] = {
		{.sensor = 0, .parent = -1, .quantity = JM_QUANTITY_UW},
		{.sensor = 1, .parent = -1, .quantity = JM_QUANTITY_UJ, .range = 100}};
	struct jm_reading sum, reading;
	struct jm_total total;
	int sums = 0;

	(void)state;
	assert_int_equal(jm_total_init(&total, rails, 2, NULL), 0);
	for (int i = 0; i <= 40; i++) {
		reading = at(i * INT64_C(100000000), i);
		assert_int_equal(jm_total_put(&total, 0, &reading, &sum), 0);
		if (i % 10)
			continue;
		reading = at(i * INT64_C(100000000), (i / 10 * 30) % 100);
		if (!jm_total_put(&total, 1, &reading, &sum))
			continue;
		assert_float_equal(sum.value[0], 30 + i, 1e-6);
		sums++;
	}
	assert_int_equal(sums, 4);
	jm_total_release(&total);
}

/* A counter that never steps counts nothing, and keeps no other from being summed. */
static void test_still_counter(void **state)
{
	struct jm_total_rail rails[2] = {
		{.sensor = 0, .parent = -1, .quantity = JM_QUANTITY_UJ, .range = 1e6},
		{.sensor = 0, .parent = -1, .quantity = JM_QUANTITY_UJ, .range = 1e6}};
	struct jm_reading sum, reading;
	struct jm_total total;
	int sums = 0;

	(void)state;
	assert_int_equal(jm_total_init(&total, rails, 2, NULL), 0);
	assert_true(jm_total_has_counter(&total));
	for (int i = -20; i <= 40; i++) {
		reading = at(i * INT64_C(100000000), 100 + 7 * i + 140);
		sums += jm_total_put(&total, 0, &reading, &sum);
		reading = at(i * INT64_C(100000000) + 10, 5);
		if (!jm_total_put(&total, 1, &reading, &sum))
			continue;
		sums++;
		assert_float_equal(sum.value[0], 70, 1e-6);
		assert_true(sum.after_ns == reading.after_ns);
	}
	assert_true(sums >= 40);
	jm_total_release(&total);
}

/* A counter that steps more often than others: none of its energy is left out. */
static void test_fast_counter(void **state)
{
	struct jm_total_rail rails[2] = {
		{.sensor = 0, .parent = -1, .quantity = JM_QUANTITY_UJ, .range = 1000},
		{.sensor = 1, .parent = -1, .quantity = JM_QUANTITY_UW}};
	struct jm_reading sum, reading;
	struct jm_total total;
	double uj = 0, counted_uj = 0;

	(void)state;
	assert_int_equal(jm_total_init(&total, rails, 2, NULL), 0);
	for (int i = 0; i <= 100; i++) {
		uj += i % 3 ? 10 : 40;
		reading = at(i * INT64_C(100000000), fmod(uj, 1000));
		jm_total_put(&total, 0, &reading, &sum);
		reading = at(i * INT64_C(100000000) + 10, 5);
		if (i % 10 == 0 && jm_total_put(&total, 1, &reading, &sum) && i > 10)
			counted_uj += sum.value[0] - 5; /* a mean over 1 s */
	}
	assert_float_equal(counted_uj, 200.0 * 9, 1e-3); /* 90 steps */
	jm_total_release(&total);
}

/* Of a log that begins before its clock's 0. */
static void test_whole_log(void **state)
{
	struct jm_total_rail rails[2] = {{.parent = -1, .quantity = JM_QUANTITY_UW},
		{.parent = -1, .quantity = JM_QUANTITY_UW}};
	struct jm_power_log log;
	struct jm_total total;
	size_t rail;

	(void)state;
	jm_power_log_init(&log);
	for (size_t r = 0; r < 2; r++) {
		jm_power_log_add_rail(&log, "r", JM_QUANTITY_UW, NULL);
		for (int i = -3; i < 3; i++) {
			struct jm_reading reading = at(i * 100 + 10 * (int)r, 1 + (double)r);

			jm_power_log_append(&log, r, &reading, NULL);
		}
	}
	assert_int_equal(jm_total_init(&total, rails, 2, NULL), 0);
	assert_false(jm_total_has_counter(&total));
	assert_int_equal(jm_total_find(&total, &log, &rail, NULL), 0);
	assert_int_equal(rail, 2);
	assert_string_equal(log.rails[2].name, JM_TOTAL_NAME);
	assert_int_equal(log.rails[2].n_readings, 6);
	for (int i = 0; i < 6; i++) {
		const struct jm_reading *sum = &log.rails[2].readings[i];

		assert_true(sum->value[0] == 3 && sum->after_ns == (i - 3) * 100 + 11);
		assert_true(sum->before_ns == (i - 3) * 100);
	}
	jm_total_release(&total);
	jm_power_log_release(&log);
}

/* A sensor that sees the board contains the others. */
static void test_scopes(void **state)
{
	struct jm_total_rail rails[3] = {
		{.sensor = 0, .scope = JM_SCOPE_GPU, .parent = -1, .quantity = JM_QUANTITY_UW},
		{.sensor = 1,
			.scope = JM_SCOPE_BATTERY,
			.parent = -1,
			.quantity = JM_QUANTITY_UW},
		{.sensor = 2,
			.scope = JM_SCOPE_BOARD,
			.parent = -1,
			.quantity = JM_QUANTITY_UW}};
	struct jm_total total;

	(void)state;
	assert_int_equal(jm_total_init(&total, rails, 3, NULL), 0);
	assert_int_equal(total.n_roots, 1);
	assert_int_equal(jm_total_first(&total), 2);
	jm_total_release(&total);
	assert_int_equal(jm_total_init(&total, rails, 2, NULL), 0);
	assert_int_equal(jm_total_first(&total), 1);
	jm_total_release(&total);
	rails[1].scope = JM_SCOPE_CPU;
	assert_int_equal(jm_total_init(&total, rails, 2, NULL), 0);
	assert_int_equal(total.n_roots, 2);
	jm_total_release(&total);
	assert_int_equal(jm_total_init(&total, rails, 0, NULL), 0);
	assert_int_equal(jm_total_first(&total), 0);
	jm_total_release(&total);
}

static void test_names(void **state)
{
	static const char longest[] =
		"sensor with an id of as many characters as there can be in one";
	struct jm_rail_name names[5] = {{"nvml:0", 0, "GPU", ""}, {"nvml:1", 1, "GPU", ""},
		{"nvml:1", 1, "HBM", ""}, {longest, 2, "a rail", ""},
		{longest, 3, "a rail", ""}};

	(void)state;
	jm_rail_names_set(names, 5);
	assert_string_equal(names[0].name, "nvml:0/GPU");
	assert_string_equal(names[1].name, "nvml:1/GPU");
	assert_string_equal(names[2].name, "HBM");
	assert_int_equal(strlen(names[3].name), JM_NAME_MAX - 1);
	assert_string_equal(names[4].name, "3/a rail");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counter),
		cmocka_unit_test(test_passes),
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_still_counter),
		cmocka_unit_test(test_fast_counter),
		cmocka_unit_test(test_whole_log),
		cmocka_unit_test(test_scopes),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
