/* SPDX-License-Identifier: Apache-2.0 */
/* Supplies of any order, cycles without pauses, and what is known of them before. */
#include "unit.h"

#include "fit_checks.h"

enum { LAYERS = 8, CYCLES = 4000 };

static void make(struct board *board, uint64_t seed, double tau_s, double shape)
{
	board_init(board, seed, LAYERS, CYCLES);
	board->tau_s = tau_s;
	board->shape = shape;
	board_make(board);
}

/* The supply as it is, and layers as they are. */
static void expect_supply(uint64_t seed, double tau_s, double shape, struct tally *tally)
{
	struct jm_fit_result result;
	struct board board;

	make(&board, seed, tau_s, shape);
	fit(&board, &result);
	expect_close(result.response.tau_ms, tau_s * 1e3, 0.02 + 0.02 * tau_s * 1e3);
	expect_close(result.response.shape, shape, 0.02 + 0.05 * shape);
	expect_close(result.response.delay_ms, 0.45, 0.02);
	assert_int_equal(result.response.taps, 1);
	assert_int_equal(result.n_resolved, LAYERS);
	expect_close(result.diagnostics.inflation, 1, 0.15);
	tally_add(tally, &board, &result);
	jm_fit_result_release(&result);
	board_release(&board);
}

static void test_overshoot(void **state)
{
	struct tally tally = {0};

	(void)state;
	expect_supply(3, 0.25e-3, 1.2, &tally);
	expect_supply(4, 0.15e-3, 2.5, &tally);
	expect_tally(&tally, 0.015);
}

static void test_two_time_constants(void **state)
{
	struct tally tally = {0};

	(void)state;
	expect_supply(4, 0.8e-3, 0.2, &tally);
	expect_tally(&tally, 0.04);
}

/* A first order stays one. */
static void test_first_order(void **state)
{
	struct tally tally = {0};

	(void)state;
	expect_supply(6, 0.8e-3, 0, &tally);
	expect_tally(&tally, 0.03);
}

static void test_no_filter(void **state)
{
	struct tally tally = {0};

	(void)state;
	for (uint64_t seed = 1; seed <= 2; seed++) {
		struct jm_fit_result result;
		struct board board;

		board_init(&board, seed, 12, CYCLES);
		board.tau_s = 0;
		board_make(&board);
		fit(&board, &result);
		expect_close(result.response.tau_ms, 0, 0.02);
		expect_close(result.response.delay_ms + result.response.tau_ms, 0.45, 5e-3);
		assert_int_equal(result.n_resolved, 12);
		tally_add(&tally, &board, &result);
		jm_fit_result_release(&result);
		board_release(&board);
	}
	expect_tally(&tally, 0.01);
}

/* Cycle after cycle without a pause, so that nothing marks their begins. */
static void test_back_to_back(void **state)
{
	struct tally tally = {0};

	(void)state;
	for (uint64_t seed = 3; seed <= 4; seed++) {
		struct jm_fit_result result;
		struct board board;

		board_init(&board, seed, LAYERS, CYCLES);
		board.gap_s = 0;
		if (seed == 4) {
			board.tau_s = 0.25e-3;
			board.shape = 1.2;
		}
		board_make(&board);
		fit(&board, &result);
		assert_true(isnan(result.between.power_w));
		assert_true(result.between.energy_mj == 0);
		assert_int_equal(result.n_resolved, LAYERS);
		tally_add(&tally, &board, &result);
		jm_fit_result_release(&result);
		board_release(&board);
	}
	expect_tally(&tally, 0.03);
}

/* ---- Properties --------------------------------------------------------------------- */

static void test_properties(void **state)
{
	struct jm_fit_result before, after;
	struct board board;
	struct jm_rail *rail;

	(void)state;
	board_init(&board, 11, 6, 2000);
	board.tau_s = 0.25e-3;
	board.shape = 1.2;
	board_make(&board);
	rail = &board.log.rails[0];
	fit(&board, &before);
	expect_close(before.response.shape, 1.2, 0.1);

	/* Both logs days later. */
	for (size_t i = 0; i < rail->n_readings; i++) {
		rail->readings[i].before_ns += INT64_C(345600000000000);
		rail->readings[i].after_ns += INT64_C(345600000000000);
	}
	for (size_t k = 0; k < board.n_layers; k++)
		for (size_t j = 0; j < board.n_cycles; j++)
			board.timeline.layers[k].executions[j].stamp_ns +=
				INT64_C(345600000000000);
	fit(&board, &after);
	for (size_t k = 0; k < board.n_layers; k++)
		assert_true(before.layers[k].power_w == after.layers[k].power_w);
	jm_fit_result_release(&after);

	for (size_t i = 0; i < rail->n_readings; i++)
		rail->readings[i].value[0] *= 5;
	fit(&board, &after);
	expect_same(&before, &after, 5, 0.05);
	jm_fit_result_release(&after);

	/* One layer instead of two neighbours. */
	for (size_t i = 0; i < rail->n_readings; i++)
		rail->readings[i].value[0] /= 5;
	for (size_t j = 0; j < board.n_cycles; j++)
		board.timeline.layers[4].executions[j].duration_ms +=
			board.timeline.layers[3].executions[j].duration_ms;
	board.timeline.layers[3].n_executions = 0;
	fit(&board, &after);
	expect_close(after.layers[4].energy_mj,
		before.layers[3].energy_mj + before.layers[4].energy_mj,
		0.03 * after.layers[4].energy_mj);
	jm_fit_result_release(&after);
	jm_fit_result_release(&before);
	board_release(&board);
}

/* ---- A calibration ------------------------------------------------------------------ */

/* Right and narrower than the data: less is unknown, and layers hardly change. */
static void test_calibration(void **state)
{
	struct jm_fit_result before, after;
	struct jm_fit_input input;
	struct board board;

	(void)state;
	make(&board, 3, 0.3e-3, 0);
	fit(&board, &before);
	board_input(&board, &input);
	input.prior.delay_ms = 0.45;
	input.prior.delay_sd_ms = 5e-4;
	input.prior.tau_ms = 0.3;
	input.prior.tau_sd_ms = 5e-4;
	input.prior.window_sd_ms = 5e-4;
	fit_input(&input, &after);
	assert_true(before.response.delay_sd_ms > 8e-4);
	assert_true(after.response.delay_sd_ms < 6e-4);
	assert_true(after.response.tau_sd_ms < 0.7 * before.response.tau_sd_ms);
	assert_true(after.response.window_sd_ms < 6e-4);
	expect_close(after.response.delay_ms, 0.45, 1e-3);
	expect_same(&before, &after, 1, 1);
	for (size_t k = 0; k < LAYERS; k++) {
		expect_close(after.layers[k].power_w, board.power_w[k],
			5 * after.layers[k].power_sd_w);
		assert_true(after.layers[k].power_sd_w < 1.1 * before.layers[k].power_sd_w);
	}
	jm_fit_result_release(&before);
	jm_fit_result_release(&after);
	board_release(&board);
}

/* Wrong by little, but wide: the data decide. */
static void test_wide_calibration(void **state)
{
	struct jm_fit_result before, after;
	struct jm_fit_input input;
	struct board board;

	(void)state;
	board_init(&board, 4, LAYERS, 2000);
	board_make(&board);
	fit(&board, &before);
	board_input(&board, &input);
	input.prior.delay_ms = 0.5;
	input.prior.delay_sd_ms = 0.1;
	input.prior.tau_ms = 0.25;
	input.prior.tau_sd_ms = 0.1;
	fit_input(&input, &after);
	expect_close(after.response.delay_ms, before.response.delay_ms,
		0.2 * before.response.delay_sd_ms);
	expect_same(&before, &after, 1, 0.2);
	jm_fit_result_release(&before);
	jm_fit_result_release(&after);
	board_release(&board);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_overshoot),
		cmocka_unit_test(test_two_time_constants),
		cmocka_unit_test(test_first_order),
		cmocka_unit_test(test_no_filter),
		cmocka_unit_test(test_back_to_back),
		cmocka_unit_test(test_properties),
		cmocka_unit_test(test_calibration),
		cmocka_unit_test(test_wide_calibration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
