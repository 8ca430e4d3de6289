/* SPDX-License-Identifier: Apache-2.0 */
/* Properties that any attribution must have, whatever the board. */
#include "unit.h"

#include "fit_checks.h"

enum { LAYERS = 8, CYCLES = 6000 };

static void make(struct board *board, uint64_t seed)
{
	board_init(board, seed, LAYERS, CYCLES);
	board_make(board);
}

static void test_recovers_truth(void **state)
{
	size_t inside = 0, n = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 4; seed++) {
		struct jm_fit_result result;
		struct board board;

		make(&board, seed);
		fit(&board, &result);
		expect_close(result.response.delay_ms, 0.45, 0.02);
		expect_close(result.response.tau_ms, 0.3, 0.03);
		expect_close(result.response.round_ms, 6.6002, 1e-4);
		expect_close(
			result.closure.difference_mj / result.closure.measured_mj, 0, 0.01);
		expect_close(result.between.power_w, 4.5, 0.05);
		expect_close(result.idle.power_w, 4.2, 0.05);
		for (size_t k = 0; k < LAYERS; k++, n++) {
			const struct jm_fit_layer *layer = &result.layers[k];

			assert_int_equal(layer->resolved, JM_RESOLVED_YES);
			expect_close(layer->power_w, board.power_w[k], 6 * layer->power_sd_w);
			inside += board.power_w[k] >= layer->power_lo_w &&
				  board.power_w[k] <= layer->power_hi_w;
		}
		jm_fit_result_release(&result);
		board_release(&board);
	}
	assert_true(inside >= n * 8 / 10);
}

static void shift_logs(struct board *board, int64_t ns)
{
	for (size_t i = 0; i < board->log.rails[0].n_readings; i++) {
		board->log.rails[0].readings[i].before_ns += ns;
		board->log.rails[0].readings[i].after_ns += ns;
	}
	for (size_t k = 0; k < board->timeline.n_layers; k++)
		for (size_t j = 0; j < board->timeline.layers[k].n_executions; j++)
			board->timeline.layers[k].executions[j].stamp_ns += ns;
}

static void test_shift_changes_nothing(void **state)
{
	struct jm_fit_result before, after;
	struct board board;

	(void)state;
	make(&board, 11);
	fit(&board, &before);
	shift_logs(&board, INT64_C(86400000000000) * 400 + 7000);
	fit(&board, &after);
	for (size_t k = 0; k < LAYERS; k++) {
		assert_true(before.layers[k].power_w == after.layers[k].power_w);
		assert_true(before.layers[k].power_sd_w == after.layers[k].power_sd_w);
	}
	jm_fit_result_release(&before);
	jm_fit_result_release(&after);
	board_release(&board);
}

static void test_zone_is_found(void **state)
{
	struct jm_fit_result before, after;
	struct board board;

	(void)state;
	make(&board, 12);
	fit(&board, &before);
	for (size_t i = 0; i < board.log.rails[0].n_readings; i++) {
		board.log.rails[0].readings[i].before_ns += INT64_C(7200000000000);
		board.log.rails[0].readings[i].after_ns += INT64_C(7200000000000);
	}
	fit(&board, &after);
	assert_int_equal(after.diagnostics.clock_shift_s, -7200);
	for (size_t k = 0; k < LAYERS; k++)
		assert_true(before.layers[k].power_w == after.layers[k].power_w);
	jm_fit_result_release(&before);
	jm_fit_result_release(&after);
	board_release(&board);
}

static void test_scaling_power(void **state)
{
	struct jm_fit_result before, after;
	struct board board;

	(void)state;
	make(&board, 13);
	fit(&board, &before);
	for (size_t i = 0; i < board.log.rails[0].n_readings; i++)
		board.log.rails[0].readings[i].value[0] *= 3;
	fit(&board, &after);
	for (size_t k = 0; k < LAYERS; k++) {
		expect_close(after.layers[k].power_w, 3 * before.layers[k].power_w, 1e-3);
		expect_close(after.layers[k].power_sd_w, 3 * before.layers[k].power_sd_w, 1e-3);
	}
	jm_fit_result_release(&before);
	jm_fit_result_release(&after);
	board_release(&board);
}

/* Constant power more moves every row by that, and nothing above idle. */
static void test_constant_power(void **state)
{
	struct jm_fit_result before, after;
	struct board board;

	(void)state;
	make(&board, 14);
	fit(&board, &before);
	for (size_t i = 0; i < board.log.rails[0].n_readings; i++)
		board.log.rails[0].readings[i].value[0] += 2e6;
	fit(&board, &after);
	expect_close(after.idle.power_w, before.idle.power_w + 2, 5e-3);
	for (size_t k = 0; k < LAYERS; k++)
		expect_close(after.layers[k].dynamic_power_w, before.layers[k].dynamic_power_w,
			0.2 * before.layers[k].power_sd_w + 5e-3);
	jm_fit_result_release(&before);
	jm_fit_result_release(&after);
	board_release(&board);
}

/* Layers b and a of the timeline change places; their executions do not. */
static void swap_layers(struct jm_timeline *timeline, size_t a, size_t b)
{
	struct jm_layer layer = timeline->layers[a];

	timeline->layers[a] = timeline->layers[b];
	timeline->layers[b] = layer;
}

static void test_order_is_irrelevant(void **state)
{
	struct jm_fit_result before, after;
	struct board board;

	(void)state;
	make(&board, 15);
	fit(&board, &before);
	swap_layers(&board.timeline, 1, 6);
	fit(&board, &after);
	for (size_t k = 0; k < LAYERS; k++) {
		size_t at = k == 1 ? 6 : k == 6 ? 1 : k;

		expect_close(after.layers[at].power_w, before.layers[k].power_w,
			0.1 * before.layers[k].power_sd_w);
	}
	jm_fit_result_release(&before);
	jm_fit_result_release(&after);
	board_release(&board);
}

/* One layer instead of two neighbours draws what both drew. */
static void test_merging_layers(void **state)
{
	struct jm_fit_result before, after;
	struct board board;
	struct jm_layer *a, *b;

	(void)state;
	make(&board, 16);
	fit(&board, &before);
	a = &board.timeline.layers[3];
	b = &board.timeline.layers[4];
	for (size_t j = 0; j < a->n_executions; j++) {
		b->executions[j].duration_ms += a->executions[j].duration_ms;
	}
	a->n_executions = 0;
	fit(&board, &after);
	assert_true(isnan(after.layers[3].power_w));
	expect_close(after.layers[4].energy_mj,
		before.layers[3].energy_mj + before.layers[4].energy_mj,
		0.03 * after.layers[4].energy_mj);
	jm_fit_result_release(&before);
	jm_fit_result_release(&after);
	board_release(&board);
}

static void test_more_cycles_are_better(void **state)
{
	struct jm_fit_result few, many;
	struct board board;

	(void)state;
	board_init(&board, 17, LAYERS, CYCLES / 4);
	board_make(&board);
	fit(&board, &few);
	board_release(&board);
	make(&board, 17);
	fit(&board, &many);
	for (size_t k = 0; k < LAYERS; k++)
		assert_true(many.layers[k].power_sd_w < 1.1 * few.layers[k].power_sd_w);
	jm_fit_result_release(&few);
	jm_fit_result_release(&many);
	board_release(&board);
}

/* Without any jitter the sensor sees the same few phases again and again. */
static void test_locked_cycle(void **state)
{
	struct jm_fit_result result;
	struct board board;
	double busy = 0;

	(void)state;
	board_init(&board, 18, LAYERS, CYCLES);
	board.layer_jitter = board.gap_jitter = 0;
	for (size_t k = 0; k < LAYERS; k++)
		busy += board.duration_s[k];
	board.gap_s = board.round_s - busy;
	board_make(&board);
	fit(&board, &result);
	assert_int_equal(result.n_resolved, 0);
	assert_int_equal(result.cause, JM_CAUSE_LOCKED_CYCLE);
	assert_non_null(strstr(result.advice, "random"));
	jm_fit_result_release(&result);
	board_release(&board);
}

static void test_one_layer(void **state)
{
	struct jm_fit_result result;
	struct board board;

	(void)state;
	board_init(&board, 19, 1, CYCLES);
	board_make(&board);
	fit(&board, &result);
	expect_close(result.layers[0].power_w, board.power_w[0], 0.1);
	jm_fit_result_release(&result);
	board_release(&board);
}

static void expect_failure(const struct board *board, const char *part)
{
	struct jm_fit_result result;
	struct jm_error error = {0};

	assert_int_equal(board_fit(board, &result, &error), JM_EINVAL);
	if (!strstr(error.message, part))
		print_message("'%s' lacks '%s'\n", error.message, part);
	assert_non_null(strstr(error.message, part));
	assert_null(result.layers);
}

static void test_bad_input(void **state)
{
	struct board board;
	size_t n;

	(void)state;
	make(&board, 20);
	n = board.log.rails[0].n_readings;
	board.log.rails[0].n_readings = 0;
	expect_failure(&board, "no readings");
	board.log.rails[0].n_readings = 400;
	expect_failure(&board, "run more cycles");
	board.log.rails[0].n_readings = n;
	for (size_t i = 0; i < n; i++)
		board.log.rails[0].readings[i].value[0] = 5e6;
	expect_failure(&board, "always reads 5 W");
	shift_logs(&board, 1);
	for (size_t i = 0; i < n; i++)
		board.log.rails[0].readings[i].after_ns += INT64_C(1000000000) * 1000;
	expect_failure(&board, "begins");
	for (size_t k = 0; k < LAYERS; k++)
		board.timeline.layers[k].n_executions = 0;
	expect_failure(&board, "no executions");
	board_release(&board);
}

/* Layers that take no time have no power; the others keep theirs. */
static void test_zero_durations(void **state)
{
	struct jm_fit_result result;
	struct board board;

	(void)state;
	make(&board, 21);
	for (size_t j = 0; j < board.timeline.layers[2].n_executions; j++)
		board.timeline.layers[2].executions[j].duration_ms = 0;
	fit(&board, &result);
	assert_true(isnan(result.layers[2].power_w));
	assert_int_equal(result.layers[2].resolved, JM_RESOLVED_NO);
	assert_true(isfinite(result.layers[5].power_w));
	jm_fit_result_release(&result);
	board_release(&board);
}

static void test_no_gaps(void **state)
{
	struct jm_fit_result result;
	struct board board;

	(void)state;
	board_init(&board, 22, LAYERS, CYCLES);
	board.gap_s = 0;
	board_make(&board);
	fit(&board, &result);
	for (size_t k = 0; k < LAYERS; k++)
		expect_close(result.layers[k].power_w, board.power_w[k],
			6 * result.layers[k].power_sd_w);
	jm_fit_result_release(&result);
	board_release(&board);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recovers_truth),
		cmocka_unit_test(test_shift_changes_nothing),
		cmocka_unit_test(test_zone_is_found),
		cmocka_unit_test(test_scaling_power),
		cmocka_unit_test(test_constant_power),
		cmocka_unit_test(test_order_is_irrelevant),
		cmocka_unit_test(test_merging_layers),
		cmocka_unit_test(test_more_cycles_are_better),
		cmocka_unit_test(test_locked_cycle),
		cmocka_unit_test(test_one_layer),
		cmocka_unit_test(test_bad_input),
		cmocka_unit_test(test_zero_durations),
		cmocka_unit_test(test_no_gaps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
