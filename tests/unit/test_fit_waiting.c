/* SPDX-License-Identifier: Apache-2.0 */
/* Spans that hold time in which their layer waits for the host. */
#include "unit.h"

#include "fit_checks.h"

enum { LAYERS = 8, CYCLES = 6000 };

static void make(struct board *board, double wait_s)
{
	board_init(board, 9, LAYERS, CYCLES);
	board->wait_s = wait_s;
	board->launch_s = 20e-6;
	board->stretch = 20;
	board_make(board);
}

/* Layers as they are, whole energy, and a gap that there can be. */
static void expect_all(const struct board *board, const struct jm_fit_result *result)
{
	double square = 0;

	assert_int_equal(result->n_resolved, LAYERS);
	expect_close(result->closure.difference_mj / result->closure.measured_mj, 0, 0.01);
	assert_true(result->closure.beyond_share == 0);
	expect_close(result->gap.power_w, board->gap_w, 1.5);
	for (size_t k = 0; k < LAYERS; k++) {
		const struct jm_fit_layer *layer = &result->layers[k];
		double truth = board_mean_power(board, k);

		expect_close(layer->power_w, truth, 6 * layer->power_sd_w);
		square += pow(layer->power_w / truth - 1, 2) / LAYERS;
		/* A layer's energy is what it draws, not what its span does. */
		assert_true(layer->energy_mj < 1.01 * layer->power_w * layer->runtime_ms);
	}
	expect_close(sqrt(square), 0, 0.02);
}

static void test_waiting(void **state)
{
	double waiting_ms = 120e-3 * (LAYERS - 1);
	struct jm_fit_result whole, half;
	struct board board;

	(void)state;
	make(&board, 120e-6);
	fit(&board, &whole);
	expect_all(&board, &whole);
	expect_close(whole.diagnostics.waiting_ms, waiting_ms, 0.3 * waiting_ms);
	for (size_t k = 0; k < LAYERS; k++)
		board.timeline.layers[k].n_executions /= 2;
	fit(&board, &half);
	expect_all(&board, &half);
	expect_close(half.diagnostics.waiting_ms, waiting_ms, 0.3 * waiting_ms);
	jm_fit_result_release(&whole);
	jm_fit_result_release(&half);
	board_release(&board);
}

static void test_no_waiting(void **state)
{
	struct jm_fit_result result;
	struct board board;

	(void)state;
	make(&board, 0);
	fit(&board, &result);
	expect_all(&board, &result);
	assert_true(result.diagnostics.waiting_ms == 0);
	jm_fit_result_release(&result);
	board_release(&board);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_waiting),
		cmocka_unit_test(test_no_waiting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
