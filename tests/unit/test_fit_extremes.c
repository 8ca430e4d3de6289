/* SPDX-License-Identifier: Apache-2.0 */
/* The fit at the ends of what can be asked of it. */
#include "unit.h"

#include "attribute/conversions.h"
#include "attribute/fit.h"
#include "attribute/ticks.h"
#include "fit_board.h"

enum { LAYERS = 5, CYCLES = 1200 };

static void make(struct board *board, uint64_t seed)
{
	board_init(board, seed, LAYERS, CYCLES);
	board_make(board);
}

static void input_of(const struct board *board, struct jm_fit_input *input)
{
	jm_fit_input_init(input);
	input->rail = &board->log.rails[0];
	input->timeline = &board->timeline;
	input->prior.round_ms = 6.6;
	input->prior.window_ms = board->window_s * 1e3;
}

static void expect_invalid(const struct jm_fit_input *input, const char *part)
{
	struct jm_fit_result result;
	struct jm_error error = {0};
	int code = jm_attribute_fit(input, &result, &error);

	if (code != JM_EINVAL || !strstr(error.message, part))
		print_message("%d: '%s' lacks '%s'\n", code, error.message, part);
	assert_int_equal(code, JM_EINVAL);
	assert_non_null(strstr(error.message, part));
	jm_fit_result_release(&result);
}

/* What is known of the sensor must be possible. */
static void test_impossible_knowledge(void **state)
{
	const double numbers[] = {-1, 1e-300, 1e300, (double)NAN, HUGE_VAL};
	struct jm_fit_input input;
	struct board board;

	(void)state;
	make(&board, 31);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		input_of(&board, &input);
		input.prior.round_ms = numbers[i];
		expect_invalid(&input, "round");
		input_of(&board, &input);
		input.prior.window_ms = numbers[i];
		expect_invalid(&input, "window");
		input_of(&board, &input);
		input.prior.delay_sd_ms = numbers[i];
		expect_invalid(&input, "delay");
		input_of(&board, &input);
		input.prior.tau_sd_ms = numbers[i];
		expect_invalid(&input, "time constant");
		input_of(&board, &input);
		input.given.window_ms = isnan(numbers[i]) ? 0 : numbers[i];
		expect_invalid(&input, "window");
		input_of(&board, &input);
		input.given.round_ms = isnan(numbers[i]) ? 0 : numbers[i];
		expect_invalid(&input, "round");
	}
	input_of(&board, &input);
	input.given.tau_ms = -0.1;
	expect_invalid(&input, "time constant");
	input_of(&board, &input);
	input.prior.delay_min_ms = -1e300;
	expect_invalid(&input, "delay");
	board_release(&board);
}

/* Times that no difference of can be taken. */
static void test_impossible_times(void **state)
{
	struct jm_reading *reading;
	struct jm_fit_input input;
	struct board board;
	int64_t kept;

	(void)state;
	make(&board, 32);
	input_of(&board, &input);
	kept = board.timeline.layers[1].executions[7].stamp_ns;
	board.timeline.layers[1].executions[7].stamp_ns = INT64_MIN;
	expect_invalid(&input, "out of range");
	board.timeline.layers[1].executions[7].stamp_ns = kept;
	reading = &board.log.rails[0].readings[3];
	reading->after_ns = INT64_MAX;
	expect_invalid(&input, "out of range");
	reading->after_ns = reading->before_ns;
	reading->before_ns = INT64_MIN;
	expect_invalid(&input, "out of range");
	board_release(&board);
}

/* Read as slowly as the longest round that is looked for: there is none then. */
static void test_no_room_for_a_rhythm(void **state)
{
	struct jm_bracket brackets[200];
	struct jm_ticks ticks;

	(void)state;
	for (size_t n = 12; n <= 200; n += 47)
		for (double most = 0.9; most < 1.0001; most += 0.0005) {
			for (size_t i = 0; i < n; i++)
				brackets[i] = (struct jm_bracket){
					0.24 * (double)i, 0.24 * (double)(i + 1)};
			assert_int_equal(
				jm_ticks_find(brackets, n, 0.252, 0.252 * most, &ticks),
				JM_ENOTFOUND);
		}
}

static void fit(const struct board *board, struct jm_fit_result *result)
{
	struct jm_error error = {0};
	int code = board_fit(board, result, &error);

	if (code < 0)
		print_message("%s\n", error.message);
	assert_int_equal(code, 0);
}

/* Values beyond what squares of doubles hold are none, as NaN is none. */
static void test_impossible_values(void **state)
{
	struct jm_fit_result without, with;
	struct board board;

	(void)state;
	make(&board, 33);
	board.log.rails[0].readings[500].value[0] = (double)NAN;
	fit(&board, &without);
	board.log.rails[0].readings[500].value[0] = 1e300;
	fit(&board, &with);
	for (size_t k = 0; k < LAYERS; k++) {
		assert_true(isfinite(with.layers[k].power_w));
		assert_true(with.layers[k].power_w == without.layers[k].power_w);
	}
	jm_fit_result_release(&without);
	jm_fit_result_release(&with);
	board_release(&board);
}

/* A rail that is dead while the network runs, but not before. */
static void test_no_power_in_the_run(void **state)
{
	struct jm_fit_input input;
	struct jm_rail *rail;
	struct board board;

	(void)state;
	make(&board, 38);
	rail = &board.log.rails[0];
	for (size_t i = 0; i < rail->n_readings; i++) {
		rail->readings[i].value[0] = i < 200 ? (double)(i / 5 % 7) * 1e6 : 0;
		if (i < 200) {
			rail->readings[i].after_ns -= INT64_C(3000000000);
			rail->readings[i].before_ns -= INT64_C(3000000000);
		}
	}
	input_of(&board, &input);
	input.prior.stamped = 1;
	expect_invalid(&input, "no power during the run");
	board_release(&board);
}

/* Nanowatts and gigawatts are found as watts are. */
static void test_any_unit(void **state)
{
	struct jm_fit_result watts, others;
	struct board board;

	(void)state;
	for (double factor = 1e-9; factor < 1e10; factor *= 1e18) {
		struct jm_rail *rail;

		make(&board, 34);
		fit(&board, &watts);
		rail = &board.log.rails[0];
		for (size_t i = 0; i < rail->n_readings; i++)
			rail->readings[i].value[0] *= factor;
		fit(&board, &others);
		assert_true(fabs(others.response.delay_ms - watts.response.delay_ms) < 1e-4);
		assert_true(fabs(others.response.tau_ms - watts.response.tau_ms) < 1e-4);
		for (size_t k = 0; k < LAYERS; k++) {
			const struct jm_fit_layer *a = &watts.layers[k], *b = &others.layers[k];

			assert_int_equal(a->resolved, b->resolved);
			assert_true(fabs(b->power_w / factor / a->power_w - 1) < 1e-4);
			assert_true(fabs(b->power_sd_w / factor / a->power_sd_w - 1) < 1e-3);
		}
		jm_fit_result_release(&watts);
		jm_fit_result_release(&others);
		board_release(&board);
	}
}

/* A read cannot begin before the one before it ended: conversions are in order. */
static void test_reads_that_begin_early(void **state)
{
	struct jm_fit_prior prior = {.round_ms = 0};
	struct jm_conversions conversions;
	struct jm_power_log log;

	(void)state;
	jm_power_log_init(&log);
	jm_power_log_add_rail(&log, "counter", JM_QUANTITY_UJ, NULL);
	for (int64_t i = 0; i < 400; i++) {
		struct jm_reading reading = {
			i * 900000, i * 900000 + 1000, {(double)(i * i % 7 + 40 * i), 0}};

		if (i % 5 == 4)
			reading.before_ns -= INT64_C(50000000);
		assert_int_equal(jm_power_log_append(&log, 0, &reading, NULL), 0);
	}
	assert_int_equal(
		jm_conversions_init(&conversions, &log.rails[0], &prior, 0, 0, NULL), 0);
	assert_true(conversions.n > 300);
	for (size_t i = 1; i < conversions.n; i++)
		assert_true(conversions.time_s[i] > conversions.time_s[i - 1]);
	jm_conversions_release(&conversions);
	jm_power_log_release(&log);
}

/* More cycles do not help layers that never ran. */
static void test_layers_that_never_ran(void **state)
{
	struct jm_fit_result result;
	struct board board;

	(void)state;
	board_init(&board, 36, LAYERS, 6000);
	board_make(&board);
	jm_timeline_add_layer(&board.timeline, "never", "conv", NULL);
	fit(&board, &result);
	assert_int_equal(result.n_resolved, LAYERS);
	assert_int_equal(result.cause, JM_CAUSE_NO_TIMELINE);
	assert_true(isnan(result.cycles_needed));
	assert_non_null(strstr(result.advice, "1 of 6 layers"));
	jm_fit_result_release(&result);
	board_release(&board);
}

/* Small and noisy runs, whose optimum lies beyond what a response may be. */
static void test_response_is_possible(void **state)
{
	static const uint64_t seeds[] = {7, 15, 25, 27, 36, 39, 54};

	(void)state;
	for (size_t i = 0; i < sizeof(seeds) / sizeof(seeds[0]); i++) {
		struct jm_fit_result result;
		struct jm_fit_input input;
		struct board board;

		board_init(&board, seeds[i], 1 + seeds[i] % 4, 40 + seeds[i] * 37 % 200);
		board.noise_w = 0.02 * (double)(seeds[i] % 9 + 1);
		board.tau_s = (double)(seeds[i] % 3) * 0.02e-3;
		board_make(&board);
		for (int which = 0; which < 3; which++) {
			input_of(&board, &input);
			input.prior.window_sd_ms = which == 1 ? 4 : 0;
			if (which == 2) {
				input.prior.delay_min_ms = 0.1;
				input.prior.delay_max_ms = 0.3;
			}
			assert_int_equal(jm_attribute_fit(&input, &result, NULL), 0);
			assert_true(result.response.tau_ms >= 0);
			assert_true(result.response.window_ms > 0);
			if (which == 2)
				assert_true(result.response.delay_ms > 0.0999 &&
					    result.response.delay_ms < 0.3001);
			jm_fit_result_release(&result);
		}
		board_release(&board);
	}
}

/* Equations without a solution are said to be that, from whatever start. */
static void test_no_solution(void **state)
{
	struct jm_fit_input input;
	struct jm_fit fit = {.input = &input, .inflation = 1};
	struct jm_error error = {0};
	struct board board;

	(void)state;
	make(&board, 39);
	input_of(&board, &input);
	assert_int_equal(jm_fit_prepare(&fit, NULL), 0);
	fit.belief.scale_w = (double)NAN;
	assert_int_equal(jm_fit_align(&fit, &error), JM_ENUMERIC);
	assert_non_null(strstr(error.message, "no solution"));
	jm_alignment_release(&fit.alignment);
	jm_segments_release(&fit.segments);
	jm_conversions_release(&fit.conversions);
	free(fit.type);
	free(fit.weight);
	free(fit.residual);
	free(fit.scale);
	board_release(&board);
}

/* Long pauses are no lock, although conversions are slow to pass through the cycle. */
static void test_long_pauses(void **state)
{
	struct jm_fit_result result;
	struct board board;

	(void)state;
	board_init(&board, 40, LAYERS, 50);
	board.gap_s = 3;
	board_make(&board);
	fit(&board, &result);
	assert_true(result.n_resolved < LAYERS);
	assert_int_equal(result.cause, JM_CAUSE_FEW_CYCLES);
	jm_fit_result_release(&result);
	board_release(&board);
}

/* Without data nothing is likelier than anything else. */
static double evidence_of_nothing(double spread2, double type2, double regime2, double gain)
{
	enum { TYPES = 3, REGIMES = 2, P = LAYERS * REGIMES + JM_N_GAP_COLUMNS };
	static const unsigned char type[LAYERS] = {0, 1, 2, 1, 0};
	double gram[P * P] = {0}, rhs[P] = {0};
	struct jm_normal normal = {.n_columns = P, .p = P, .gram = gram, .rhs = rhs};
	struct jm_belief belief = {.type = type,
		.n_types = TYPES,
		.n_layers = LAYERS,
		.pivot = LAYERS * REGIMES + JM_COLUMN_BETWEEN,
		.scale_w = 8};
	struct jm_posterior posterior = {.hyper = {.noise_w2 = 1,
						 .type_w2 = type2,
						 .gain = {1, gain},
						 .regime_w2 = {1, regime2}}};
	double result;

	for (size_t t = 0; t < TYPES; t++)
		posterior.hyper.spread_w2[t] = spread2 * (double)(t + 1);
	assert_int_equal(jm_evidence_solve(&normal, &belief, 1, &posterior), 0);
	result = posterior.log_evidence;
	jm_posterior_release(&posterior);
	return result;
}

static void test_evidence_of_nothing(void **state)
{
	double first = evidence_of_nothing(1, 1, 1, 1);

	(void)state;
	assert_true(fabs(evidence_of_nothing(9, 1, 1, 1) - first) < 1e-4);
	assert_true(fabs(evidence_of_nothing(1, 9, 1, 1) - first) < 1e-4);
	assert_true(fabs(evidence_of_nothing(1, 1, 9, 1) - first) < 1e-4);
	assert_true(fabs(evidence_of_nothing(1, 1, 1, 0.6) - first) < 1e-4);
}

/* Equations without a solution are told from values that are out of range. */
static void test_evidence_of_nonsense(void **state)
{
	enum { P = 1 + JM_N_GAP_COLUMNS };
	static const unsigned char type[1] = {0};
	double gram[P * P] = {-1e9}, rhs[P] = {0};
	struct jm_normal normal = {.n_columns = P, .p = P, .gram = gram, .rhs = rhs};
	struct jm_belief belief = {.type = type,
		.n_types = 1,
		.n_layers = 1,
		.pivot = 1 + JM_COLUMN_BETWEEN,
		.scale_w = 8};
	struct jm_posterior posterior = {
		.hyper = {.noise_w2 = 1, .spread_w2 = {1}, .type_w2 = 1, .gain = {1}}};

	(void)state;
	assert_int_equal(jm_evidence_solve(&normal, &belief, 1, &posterior), JM_ENUMERIC);
	jm_posterior_release(&posterior);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_impossible_knowledge),
		cmocka_unit_test(test_impossible_times),
		cmocka_unit_test(test_impossible_values),
		cmocka_unit_test(test_no_power_in_the_run),
		cmocka_unit_test(test_no_room_for_a_rhythm),
		cmocka_unit_test(test_any_unit),
		cmocka_unit_test(test_reads_that_begin_early),
		cmocka_unit_test(test_layers_that_never_ran),
		cmocka_unit_test(test_response_is_possible),
		cmocka_unit_test(test_no_solution),
		cmocka_unit_test(test_long_pauses),
		cmocka_unit_test(test_evidence_of_nothing),
		cmocka_unit_test(test_evidence_of_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
