/* SPDX-License-Identifier: Apache-2.0 */
/* Sensors that average, count energy, round, or are locked to the cycle but for pauses. */
#include "unit.h"

#include "fit_checks.h"

enum { LAYERS = 8 };

/* Pauses of up to a round undo that. */
static void test_pauses(void **state)
{
	struct tally tally = {0};

	(void)state;
	for (uint64_t seed = 1; seed <= 2; seed++) {
		struct jm_fit_result result;
		struct board board;

		board_init(&board, seed, LAYERS, 2500);
		board_lock(&board);
		board.pause_s = board.round_s;
		board_make(&board);
		fit(&board, &result);
		assert_int_equal(result.n_resolved, LAYERS);
		assert_true(result.diagnostics.phase_fill > 0.9);
		tally_add(&tally, &board, &result);
		jm_fit_result_release(&result);
		board_release(&board);
	}
	expect_tally(&tally, 0.02);
}

/* The chip's own low-pass over 16 conversions, told or not. */
static void average(uint64_t seed, unsigned told, struct tally *tally)
{
	struct jm_fit_result result;
	struct jm_fit_input input;
	struct board board;

	board_init(&board, seed, LAYERS, 5000);
	board.samples = 16;
	board_make(&board);
	board_input(&board, &input);
	input.prior.samples = told;
	fit_input(&input, &result);
	expect_close(result.response.delay_ms, 0.45, 0.03);
	assert_true(result.n_resolved >= LAYERS - 2);
	tally_add(tally, &board, &result);
	jm_fit_result_release(&result);
	board_release(&board);
}

/* What is told is taken for true: a wrong number leaves a model that fails. */
static void test_wrong_average(void **state)
{
	struct jm_fit_result result;
	struct jm_fit_input input;
	struct board board;

	(void)state;
	board_init(&board, 2, LAYERS, 1500);
	board_make(&board);
	board_input(&board, &input);
	input.prior.samples = 64;
	fit_input(&input, &result);
	assert_int_equal(result.n_resolved, 0);
	/* Which of several wrong optima is found is a matter of rounding; all fit badly. */
	assert_true(result.cause == JM_CAUSE_MISFIT || result.diagnostics.inflation > 3);
	jm_fit_result_release(&result);
	board_release(&board);
}

static void test_averages(void **state)
{
	struct tally told = {0}, found = {0};

	(void)state;
	average(2, 0, &found);
	expect_tally(&found, 0.03);
	average(2, 16, &told);
	/* Looking for it comes to the same as knowing it. */
	expect_close(sqrt(found.square), sqrt(told.square), 1e-3);
}

/* An energy counter whose updates come at their moments or late by up to 60 us. */
static void count(uint64_t seed, double update_jitter_s, struct tally *tally)
{
	struct jm_fit_result result;
	struct board board;

	board_init(&board, seed, LAYERS, 3000);
	board.counter_j = 61e-6;
	board.round_s = 1.0003e-3;
	board.poll_s = 0.3e-3;
	board.delay_s = 0.1e-3;
	board.update_jitter_s = update_jitter_s;
	board_make(&board);
	fit(&board, &result);
	expect_close(result.response.delay_ms, 0.1, 0.02);
	expect_close(result.response.tau_ms, 0.3, 0.02);
	expect_close(result.closure.difference_mj / result.closure.measured_mj, 0, 0.003);
	assert_int_equal(result.n_resolved, LAYERS);
	tally_add(tally, &board, &result);
	jm_fit_result_release(&result);
	board_release(&board);
}

static void test_counter(void **state)
{
	struct tally steady = {0}, late = {0};

	(void)state;
	count(3, 0, &steady);
	expect_tally(&steady, 0.01);
	count(2, 60e-6, &late);
	count(8, 60e-6, &late);
	expect_tally(&late, 0.04);
}

/* Steps that no noise hides are no noise themselves: intervals become wider. */
static void test_rounding(void **state)
{
	struct jm_fit_result hidden, bare;
	struct tally tally = {0};
	struct board board;

	(void)state;
	board_init(&board, 3, LAYERS, 3000);
	board.noise_w = 0.03;
	board_make(&board);
	fit(&board, &hidden);
	expect_close(hidden.diagnostics.inflation, 1, 0.1);
	board_release(&board);

	board_init(&board, 3, LAYERS, 3000);
	board.noise_w = 0;
	board_make(&board);
	fit(&board, &bare);
	expect_close(bare.diagnostics.quantum_w, 0.04, 1e-4);
	assert_true(bare.diagnostics.inflation > 1.5);
	tally_add(&tally, &board, &bare);
	expect_tally(&tally, 0.02);
	jm_fit_result_release(&hidden);
	jm_fit_result_release(&bare);
	board_release(&board);
}

/* Negative values are data: a rail that reads 9 W too little gives the same above idle. */
static void test_offset(void **state)
{
	struct jm_fit_result as_is, lower;
	struct jm_rail *rail;
	struct board board;

	(void)state;
	board_init(&board, 5, LAYERS, 3000);
	board_make(&board);
	fit(&board, &as_is);
	rail = &board.log.rails[0];
	for (size_t i = 0; i < rail->n_readings; i++)
		rail->readings[i].value[0] -= 9e6;
	fit(&board, &lower);
	assert_int_equal(as_is.n_resolved, LAYERS);
	assert_int_equal(lower.n_resolved, LAYERS);
	assert_int_equal(lower.cause, as_is.cause);
	for (size_t k = 0; k < LAYERS; k++) {
		const struct jm_fit_layer *a = &as_is.layers[k], *b = &lower.layers[k];

		expect_close(b->power_w, a->power_w - 9, 0.02);
		expect_close(b->dynamic_power_w, a->dynamic_power_w, 0.02);
		expect_close(
			b->power_hi_w - b->power_lo_w, a->power_hi_w - a->power_lo_w, 0.02);
		expect_close(b->energy_mj, a->energy_mj - 9 * a->runtime_ms, 0.02);
		assert_true(isnan(b->energy_share) && a->energy_share > 0);
	}
	expect_close(lower.between.power_w, as_is.between.power_w - 9, 0.02);
	expect_close(lower.idle.power_w, as_is.idle.power_w - 9, 0.02);
	expect_close(lower.closure.measured_mj,
		as_is.closure.measured_mj - 9 * as_is.closure.cycle_ms, 0.02);
	jm_fit_result_release(&as_is);
	jm_fit_result_release(&lower);
	board_release(&board);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pauses),
		cmocka_unit_test(test_averages),
		cmocka_unit_test(test_wrong_average),
		cmocka_unit_test(test_counter),
		cmocka_unit_test(test_rounding),
		cmocka_unit_test(test_offset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
