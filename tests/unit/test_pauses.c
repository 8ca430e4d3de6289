/* SPDX-License-Identifier: Apache-2.0 */
/* Random pauses between cycles: what they are, and what they are for. */
#include "unit.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "workload/pauses.h"

#define BINS 50

static void test_uniform_within_bounds(void **state)
{
	enum { N = 200000 };
	size_t count[BINS] = {0};
	struct jm_pauses pauses;
	double chi2 = 0;

	(void)state;
	jm_pauses_init(&pauses, 1.65, 7);
	assert_int_equal(pauses.max_ns, 1650000);
	for (size_t i = 0; i < N; i++) {
		int64_t pause_ns = jm_pauses_next_ns(&pauses);

		assert_in_range(pause_ns, 0, pauses.max_ns);
		count[pause_ns * BINS / (pauses.max_ns + 1)]++;
	}
	for (size_t i = 0; i < BINS; i++) {
		double off = (double)count[i] - (double)N / BINS;

		chi2 += off * off / ((double)N / BINS);
	}
	assert_true(chi2 < 85); /* 49 degrees of freedom: 0.1 % */
}

static void test_both_ends_are_reached(void **state)
{
	size_t count[4] = {0};
	struct jm_pauses pauses;

	(void)state;
	jm_pauses_init(&pauses, 3e-6, 1);
	for (size_t i = 0; i < 1000; i++)
		count[jm_pauses_next_ns(&pauses)]++;
	for (size_t i = 0; i < 4; i++)
		assert_true(count[i] > 150);
}

static void test_a_seed_makes_the_same_pauses(void **state)
{
	struct jm_pauses first, again, other;
	size_t equal = 0;

	(void)state;
	jm_pauses_init(&first, 2, 42);
	jm_pauses_init(&again, 2, 42);
	jm_pauses_init(&other, 2, 43);
	for (size_t i = 0; i < 1000; i++) {
		int64_t pause_ns = jm_pauses_next_ns(&first);

		assert_int_equal(jm_pauses_next_ns(&again), pause_ns);
		equal += jm_pauses_next_ns(&other) == pause_ns;
	}
	assert_true(equal < 10);
}

static void test_none(void **state)
{
	const double none[] = {0, -1, (double)NAN};

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		struct jm_pauses pauses;

		jm_pauses_init(&pauses, none[i], 1);
		assert_int_equal(pauses.max_ns, 0);
		assert_int_equal(jm_pauses_next_ns(&pauses), 0);
	}
}

static void test_longest_pause(void **state)
{
	const double unknown[] = {0, -1, (double)NAN, (double)INFINITY};

	(void)state;
	/* Long cycles: a share of the round, however long they are. */
	assert_float_equal(jm_pauses_max_ms(6.6, 6.6), 0.825, 1e-12);
	assert_float_equal(jm_pauses_max_ms(6.6, 500), 0.825, 1e-12);
	/* Short ones add up: four in a round need half of what one would. */
	assert_float_equal(jm_pauses_max_ms(8, 2), 0.125, 1e-12);
	assert_float_equal(jm_pauses_max_ms(100, 2), 0.0353553, 1e-6);
	for (double round = 0.1; round < 1e5; round *= 3)
		for (double cycle = 0.01; cycle < 1e5; cycle *= 3) {
			double max_ms = jm_pauses_max_ms(round, cycle);

			assert_true(max_ms > 0 && max_ms <= 0.125 * fmin(round, cycle));
		}
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		assert_float_equal(jm_pauses_max_ms(unknown[i], 4), jm_pauses_max_ms(10, 4), 0);
		assert_float_equal(jm_pauses_max_ms(6.6, unknown[i]), 0.825, 1e-12);
		assert_float_equal(jm_pauses_max_ms(unknown[i], unknown[i]), 1.25, 1e-12);
	}
}

/* ---- Cycles in step with the sensor -------------------------------------------- */

struct phases {
	size_t n, filled; /* conversions in cycles; bins with at least a third of their share */
	double harmonic;  /* |mean of exp(2 pi i phase)| */
	double pause_share; /* of the time of all cycles */
};

/*
 * Runs `cycles` of exactly cycle_ms beside a sensor that converts every
 * round_ms, and looks where in the cycle conversions fall.
 */
static struct phases look(double round_ms, double cycle_ms, double max_ms, size_t cycles)
{
	const double two_pi = 6.283185307179586;
	double begin_ms = 0.3 * round_ms, tick_ms = 0, re = 0, im = 0, paused_ms = 0;
	size_t count[BINS] = {0};
	struct jm_pauses pauses;
	struct phases phases = {0, 0, 0, 0};

	jm_pauses_init(&pauses, max_ms, 1);
	for (size_t i = 0; i < cycles; i++) {
		double pause_ms;

		while (tick_ms < begin_ms)
			tick_ms += round_ms;
		for (; tick_ms < begin_ms + cycle_ms; tick_ms += round_ms) {
			double phase = (tick_ms - begin_ms) / cycle_ms;

			count[(size_t)(phase * BINS)]++;
			re += cos(two_pi * phase);
			im += sin(two_pi * phase);
			phases.n++;
		}
		pause_ms = (double)jm_pauses_next_ns(&pauses) / (double)JM_NS_PER_MS;
		paused_ms += pause_ms;
		begin_ms += cycle_ms + pause_ms;
	}
	for (size_t i = 0; i < BINS; i++)
		phases.filled += (double)count[i] > (double)phases.n / BINS / 3;
	phases.harmonic = hypot(re, im) / (double)phases.n;
	phases.pause_share = paused_ms / (cycle_ms * (double)cycles);
	return phases;
}

static void test_locked_cycles_are_filled(void **state)
{
	/* Cycle over round: in step, and what is close to that. */
	static const double ratios[] = {
		1, 2, 8, 0.5, 1.5, 2.0 / 3, 0.25, 0.1, 0.02, 0.995, 1.01};
	const double round_ms = 6.6;

	(void)state;
	for (size_t i = 0; i < sizeof(ratios) / sizeof(ratios[0]); i++) {
		double cycle_ms = ratios[i] * round_ms;
		double max_ms = jm_pauses_max_ms(round_ms, cycle_ms);
		size_t cycles = ratios[i] < 1 ? (size_t)(20000 / ratios[i]) : 20000;
		struct phases phases = look(round_ms, cycle_ms, max_ms, cycles);

		assert_int_equal(phases.filled, BINS);
		assert_true(phases.harmonic < 0.15);
		assert_true(phases.pause_share < 0.065);
	}
	assert_true(look(100, 2, jm_pauses_max_ms(100, 2), 250000).pause_share < 0.01);
}

/* What the pauses are against: else the test above would show nothing. */
static void test_without_pauses_they_are_not(void **state)
{
	(void)state;
	assert_true(look(6.6, 6.6, 0, 5000).filled <= 2);
	assert_true(look(6.6, 3.3, 0, 10000).filled <= 3);
	assert_true(look(6.6, 9.9, 0, 5000).filled <= 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_uniform_within_bounds),
		cmocka_unit_test(test_both_ends_are_reached),
		cmocka_unit_test(test_a_seed_makes_the_same_pauses),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_longest_pause),
		cmocka_unit_test(test_locked_cycles_are_filled),
		cmocka_unit_test(test_without_pauses_they_are_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
