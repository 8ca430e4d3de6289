/* SPDX-License-Identifier: Apache-2.0 */
/* Runs that cannot tell: no false claims, and the cause by its name. Bad logs. */
#include "unit.h"

#include "attribute/stamp_steps.h"
#include "fit_checks.h"

enum { LAYERS = 8 };

/* Drops what was read longer than that before or after the run. */
static void trim(struct board *board, double margin_s)
{
	struct jm_rail *rail = &board->log.rails[0];
	double end_s = board->change_s[board->n_changes - 1];
	size_t n = 0;

	for (size_t i = 0; i < rail->n_readings; i++) {
		double at = (double)(rail->readings[i].after_ns - BOARD_ORIGIN_NS) * 1e-9;

		if (at > 0.5 - margin_s && at < end_s + margin_s)
			rail->readings[n++] = rail->readings[i];
	}
	rail->n_readings = n;
}

/* Intervals of what is not resolved are wide: they still hold the truth. */
static void expect_honest(const struct board *board, const struct jm_fit_result *result)
{
	size_t inside = 0;

	for (size_t k = 0; k < board->n_layers; k++) {
		const struct jm_fit_layer *layer = &result->layers[k];
		double truth = board_mean_power(board, k);

		inside += truth >= layer->power_lo_w && truth <= layer->power_hi_w;
	}
	assert_true(inside * 100 >= board->n_layers * 85);
}

static void expect_no_figures(const struct jm_fit_result *result)
{
	for (size_t k = 0; k < result->n_layers; k++) {
		const struct jm_fit_layer *layer = &result->layers[k];

		assert_true(isnan(layer->power_w) && isnan(layer->power_sd_w));
		assert_true(isnan(layer->power_lo_w) && isnan(layer->power_hi_w));
		assert_true(isnan(layer->dynamic_power_w) && isnan(layer->energy_share));
		assert_true(isnan(layer->energy_mj) && isnan(layer->energy_sd_mj));
		assert_true(isnan(layer->group_energy_mj));
		assert_int_equal(layer->resolved, JM_RESOLVED_NO);
	}
	assert_true(isnan(result->gap.power_w) && isnan(result->between.power_w));
	assert_true(isnan(result->closure.fitted_mj) && isnan(result->closure.difference_mj));
	assert_true(isfinite(result->closure.measured_mj)); /* that needs no model */
}

/* ---- Sensors that see too little ----------------------------------------------------- */

/* Every conversion sees the same part of the cycle. */
static void test_constant(void **state)
{
	struct jm_fit_result result;
	struct board board;

	(void)state;
	board_init(&board, 6, LAYERS, 200);
	board_lock(&board);
	board.noise_w = 0;
	board_make(&board);
	fit(&board, &result);
	assert_int_equal(result.cause, JM_CAUSE_CONSTANT);
	assert_int_equal(result.n_resolved, 0);
	assert_non_null(strstr(result.advice, "random"));
	assert_non_null(strstr(result.advice, "another"));
	assert_true(isnan(result.cycles_needed));
	expect_no_figures(&result);
	jm_fit_result_release(&result);
	board_release(&board);
}

static int64_t cut_to(int64_t time_ns, int64_t step_ns)
{
	return time_ns / step_ns * step_ns;
}

static void cut_layers(struct board *board, int64_t step_ns)
{
	for (size_t k = 0; k < board->timeline.n_layers; k++) {
		struct jm_layer *layer = &board->timeline.layers[k];

		for (size_t i = 0; i < layer->n_executions; i++)
			layer->executions[i].stamp_ns =
				cut_to(layer->executions[i].stamp_ns, step_ns);
	}
}

/* Stamps in whole ms: neither the sensor nor the rate of reading is to blame. */
static void test_coarse_stamps(void **state)
{
	(void)state;
	for (int what = 1; what < 4; what++) {
		struct jm_fit_result result;
		struct jm_rail *rail;
		struct board board;

		board_init(&board, 4, LAYERS, 1500);
		board_make(&board);
		rail = &board.log.rails[0];
		for (size_t i = 0; what & 1 && i < rail->n_readings; i++) {
			struct jm_reading *reading = &rail->readings[i];

			reading->after_ns = cut_to(reading->after_ns, 1000000);
			reading->before_ns = reading->after_ns;
		}
		if (what & 2)
			cut_layers(&board, 1000000);
		fit(&board, &result);
		assert_int_equal(result.cause, JM_CAUSE_STAMPS);
		assert_int_equal(result.n_resolved, 0);
		assert_true(!strstr(result.advice, "the power log's have steps of 1 ms") ==
			    !(what & 1));
		assert_true(!strstr(result.advice, "the layers' have steps of 1 ms") ==
			    !(what & 2));
		expect_no_figures(&result);
		jm_fit_result_release(&result);
		board_release(&board);
	}
}

/* Whole seconds leave hardly any time. */
static void test_stamps_of_seconds(void **state)
{
	struct jm_fit_input input;
	struct jm_fit_result result;
	struct jm_error error = {0};
	struct board board;

	(void)state;
	board_init(&board, 4, LAYERS, 1500);
	board_make(&board);
	for (size_t i = 0; i < board.log.rails[0].n_readings; i++) {
		struct jm_reading *reading = &board.log.rails[0].readings[i];

		reading->before_ns = reading->after_ns = cut_to(reading->after_ns, 1000000000);
	}
	jm_fit_input_init(&input);
	input.rail = &board.log.rails[0];
	input.timeline = &board.timeline;
	assert_int_equal(jm_attribute_fit(&input, &result, &error), JM_EINVAL);
	assert_non_null(strstr(error.message, "have steps of 1000 ms"));
	board_release(&board);
}

/* Exact times on a grid are no coarse ones. */
static void test_exact_stamps(void **state)
{
	struct jm_execution executions[32];
	struct jm_reading readings[32];
	struct jm_rail rail = {.readings = readings, .n_readings = 32};
	struct jm_layer layer = {.executions = executions, .n_executions = 32};
	struct jm_timeline timeline = {.layers = &layer, .n_layers = 1};

	(void)state;
	for (int i = 0; i < 32; i++) {
		executions[i] = (struct jm_execution){i * INT64_C(3000000), 1.0};
		readings[i].before_ns = readings[i].after_ns = i * INT64_C(20000000);
	}
	assert_true(jm_rail_stamp_step_s(&rail) == 0);
	assert_true(jm_timeline_stamp_step_s(&timeline) == 0);
	for (int i = 0; i < 32; i++) {
		executions[i].duration_ms = 1.5 + 0.01 * i;
		readings[i].after_ns += i % 3 * 20000000;
	}
	assert_true(jm_rail_stamp_step_s(&rail) == 0.02);
	assert_true(jm_timeline_stamp_step_s(&timeline) == 0.003);
}

static void test_slow_poll(void **state)
{
	struct jm_fit_result result;
	struct board board;

	(void)state;
	board_init(&board, 4, LAYERS, 1500);
	board.poll_s = 9e-3;
	board.gap_s = 4e-3;
	board_make(&board);
	fit(&board, &result);
	assert_int_equal(result.response.ticks, 0);
	assert_int_equal(result.cause, JM_CAUSE_SLOW_POLL);
	assert_int_equal(result.n_resolved, 0);
	assert_non_null(strstr(result.advice, "several times"));
	assert_true(isnan(result.cycles_needed));
	expect_no_figures(&result);
	jm_fit_result_release(&result);
	board_release(&board);
}

/* Cycles that are all alike, and readings from amid them: which cycle, nobody can tell. */
static void test_ambiguous(void **state)
{
	(void)state;
	for (int alike = 0; alike < 2; alike++) {
		struct jm_fit_result result;
		struct board board;

		board_init(&board, 7, LAYERS, 1500);
		if (alike)
			board.layer_jitter = board.gap_jitter = 0;
		board_make(&board);
		trim(&board, -0.3);
		fit(&board, &result);
		assert_int_equal(result.response.ambiguous, alike);
		jm_fit_result_release(&result);
		board_release(&board);
	}
}

static void test_few_cycles(void **state)
{
	struct jm_fit_result few, many;
	struct board board;
	char advice[64];

	(void)state;
	board_init(&board, 4, LAYERS, 100);
	board_make(&board);
	trim(&board, 0.03);
	fit(&board, &few);
	assert_int_equal(few.cause, JM_CAUSE_FEW_CYCLES);
	assert_true(few.n_resolved < LAYERS);
	assert_true(few.cycles_needed > 100 && few.cycles_needed < 5000);
	snprintf(advice, sizeof(advice), "run %.2g cycles", few.cycles_needed);
	assert_non_null(strstr(few.advice, advice));
	expect_honest(&board, &few);
	board_release(&board);

	/* So many, and some for good luck, are enough. */
	board_init(&board, 4, LAYERS, (size_t)(1.5 * few.cycles_needed));
	board_make(&board);
	trim(&board, 0.03);
	fit(&board, &many);
	assert_int_equal(many.n_resolved, LAYERS);
	assert_int_equal(many.cause, JM_CAUSE_NONE);
	assert_string_equal(many.advice, "");
	jm_fit_result_release(&few);
	jm_fit_result_release(&many);
	board_release(&board);
}

/* A window of seven cycles: layers only in groups, whose energy is known. */
static void test_long_window(void **state)
{
	struct jm_fit_result result;
	struct board board;
	size_t grouped = 0;

	(void)state;
	board_init(&board, 4, LAYERS, 5000);
	board.window_s = 20e-3;
	board.round_s = 20.1e-3;
	board.poll_s = 4e-3;
	board_make(&board);
	fit(&board, &result);
	assert_int_equal(result.cause, JM_CAUSE_LONG_WINDOW);
	assert_true(result.n_resolved < LAYERS);
	assert_non_null(strstr(result.advice, "stretch"));
	expect_honest(&board, &result);
	for (size_t k = 0; k < LAYERS; k++) {
		const struct jm_fit_layer *layer = &result.layers[k];
		double truth = 0, sum = 0, square = 0;

		if (layer->resolved != JM_RESOLVED_GROUP) {
			assert_int_equal(layer->group, -1);
			assert_true(isnan(layer->group_energy_mj));
			continue;
		}
		for (size_t j = 0; j < LAYERS; j++) {
			if (result.layers[j].group != layer->group)
				continue;
			truth += board.energy_j[j] * 1e3 / (double)board.n_cycles;
			sum += result.layers[j].energy_mj;
			square += pow(result.layers[j].energy_sd_mj, 2);
		}
		expect_close(layer->group_energy_mj, sum, 1e-9);
		expect_close(sum, truth, 4 * layer->group_energy_sd_mj);
		/* The errors of its layers cancel. */
		assert_true(layer->group_energy_sd_mj < 0.75 * sqrt(square));
		grouped++;
	}
	assert_true(grouped >= 2);
	jm_fit_result_release(&result);
	board_release(&board);
}

/* Other work, more than the layers': the model does not hold, and says so. */
static void test_misfit(void **state)
{
	struct jm_fit_result result;
	struct jm_fit_input input;
	struct board board;
	struct jm_rail *rail;

	(void)state;
	board_init(&board, 5, LAYERS, 700);
	board_make(&board);
	rail = &board.log.rails[0];
	for (size_t i = 0; i < rail->n_readings; i++) /* on and off, for 0.4 s each */
		if (i / 300 % 2)
			rail->readings[i].value[0] += 6e6;
	board_input(&board, &input);
	input.prior.samples = 1;
	fit_input(&input, &result);
	assert_int_equal(result.cause, JM_CAUSE_MISFIT);
	assert_int_equal(result.n_resolved, 0);
	expect_no_figures(&result);
	jm_fit_result_release(&result);
	board_release(&board);
}

/* ---- Timelines ----------------------------------------------------------------------- */

static void test_never_executed(void **state)
{
	struct jm_fit_result before, after;
	struct board board;

	(void)state;
	board_init(&board, 3, LAYERS, 2000);
	board_make(&board);
	fit(&board, &before);
	jm_timeline_add_layer(&board.timeline, "never", "conv", NULL);
	fit(&board, &after);
	assert_int_equal(after.n_layers, LAYERS + 1);
	assert_true(isnan(after.layers[LAYERS].power_w));
	assert_true(isnan(after.layers[LAYERS].energy_mj));
	assert_int_equal(after.layers[LAYERS].executions, 0);
	assert_int_equal(after.layers[LAYERS].resolved, JM_RESOLVED_NO);
	for (size_t k = 0; k < LAYERS; k++) {
		expect_close(after.layers[k].power_w, before.layers[k].power_w,
			0.1 * before.layers[k].power_sd_w);
		expect_close(after.layers[k].power_sd_w, before.layers[k].power_sd_w,
			0.1 * before.layers[k].power_sd_w);
		assert_int_equal(after.layers[k].resolved, JM_RESOLVED_YES);
	}
	assert_true(isfinite(after.closure.difference_mj));
	jm_fit_result_release(&before);
	jm_fit_result_release(&after);
	board_release(&board);
}

/* Layers that last long enough are seen in one execution each. */
static void test_one_execution_each(void **state)
{
	struct jm_fit_result result;
	struct tally tally = {0};
	struct board board;

	(void)state;
	board_init(&board, 3, LAYERS, 1);
	for (size_t k = 0; k < LAYERS; k++)
		board.duration_s[k] = 0.15 + 0.05 * (double)k;
	board_make(&board);
	fit(&board, &result);
	for (size_t k = 0; k < LAYERS; k++) {
		assert_int_equal(result.layers[k].executions, 1);
		assert_true(isnan(result.layers[k].runtime_sd_ms));
		assert_int_equal(result.layers[k].resolved, JM_RESOLVED_YES);
	}
	tally_add(&tally, &board, &result);
	expect_tally(&tally, 0.01);
	jm_fit_result_release(&result);
	board_release(&board);
}

/* ---- Logs ---------------------------------------------------------------------------- */

/* A log that ends, or begins, in the middle of the run tells about that part. */
static void test_half_a_log(void **state)
{
	struct tally tally = {0};

	(void)state;
	for (int begin = 0; begin < 2; begin++) {
		struct jm_fit_result result;
		struct board board;
		struct jm_rail *rail;
		size_t half;

		board_init(&board, 6, LAYERS, 4000);
		board_make(&board);
		rail = &board.log.rails[0];
		half = rail->n_readings / 2;
		if (begin)
			memmove(rail->readings, rail->readings + half,
				(rail->n_readings - half) * sizeof(*rail->readings));
		rail->n_readings = half;
		fit(&board, &result);
		assert_int_equal(result.n_resolved, LAYERS);
		tally_add(&tally, &board, &result);
		jm_fit_result_release(&result);
		board_release(&board);
	}
	expect_tally(&tally, 0.03);
}

static void shift_log(struct board *board, int64_t ns)
{
	struct jm_rail *rail = &board->log.rails[0];

	for (size_t i = 0; i < rail->n_readings; i++) {
		rail->readings[i].before_ns += ns;
		rail->readings[i].after_ns += ns;
	}
}

/* Begins and ends of both logs, by their stamps. */
static int64_t log_edge_ns(const struct board *board, int end)
{
	const struct jm_rail *rail = &board->log.rails[0];

	return rail->readings[end ? rail->n_readings - 1 : 0].after_ns;
}

static int64_t run_edge_ns(const struct board *board, int end)
{
	const struct jm_layer *layer = &board->timeline.layers[end ? board->n_layers - 1 : 0];

	return layer->executions[end ? layer->n_executions - 1 : 0].stamp_ns;
}

static void expect_message(const struct jm_fit_input *input, const char *part)
{
	struct jm_error error = {0};
	struct jm_fit_result result;

	assert_int_equal(jm_attribute_fit(input, &result, &error), JM_EINVAL);
	if (!strstr(error.message, part))
		print_message("'%s' lacks '%s'\n", error.message, part);
	assert_non_null(strstr(error.message, part));
	assert_null(result.layers);
	jm_fit_result_release(&result);
}

static void test_logs_apart(void **state)
{
	const int64_t twelve = INT64_C(12000000000);
	struct jm_fit_input input;
	struct board board;

	(void)state;
	board_init(&board, 7, LAYERS, 500);
	board_make(&board);
	board_input(&board, &input);
	shift_log(&board, run_edge_ns(&board, 1) + twelve - log_edge_ns(&board, 0));
	expect_message(&input, "begins 12.0 s after the timeline ends");
	shift_log(&board, run_edge_ns(&board, 0) - twelve - log_edge_ns(&board, 1));
	expect_message(&input, "ends 12.0 s before the timeline begins");
	board_release(&board);
}

/* A time zone, be it of whole hours or of quarters, unless clocks are to be kept. */
static void test_zones(void **state)
{
	static const int shifts_s[] = {3600, -9 * 3600, 20700};
	struct jm_fit_result before, after;
	struct jm_fit_input input;
	struct board board;

	(void)state;
	board_init(&board, 8, LAYERS, 1000);
	board_make(&board);
	board_input(&board, &input);
	fit(&board, &before);
	assert_int_equal(before.diagnostics.clock_shift_s, 0);
	for (size_t i = 0; i < 3; i++) {
		int64_t ns = shifts_s[i] * INT64_C(1000000000);

		shift_log(&board, ns);
		input.keep_clock = 0;
		fit_input(&input, &after);
		assert_int_equal(after.diagnostics.clock_shift_s, -shifts_s[i]);
		for (size_t k = 0; k < LAYERS; k++)
			assert_true(after.layers[k].power_w == before.layers[k].power_w);
		jm_fit_result_release(&after);
		input.keep_clock = 1;
		expect_message(&input, "clocks differ");
		shift_log(&board, -ns);
	}
	jm_fit_result_release(&before);
	board_release(&board);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_constant),
		cmocka_unit_test(test_coarse_stamps),
		cmocka_unit_test(test_stamps_of_seconds),
		cmocka_unit_test(test_exact_stamps),
		cmocka_unit_test(test_slow_poll),
		cmocka_unit_test(test_ambiguous),
		cmocka_unit_test(test_few_cycles),
		cmocka_unit_test(test_long_window),
		cmocka_unit_test(test_misfit),
		cmocka_unit_test(test_never_executed),
		cmocka_unit_test(test_one_execution_each),
		cmocka_unit_test(test_half_a_log),
		cmocka_unit_test(test_logs_apart),
		cmocka_unit_test(test_zones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
