/* SPDX-License-Identifier: Apache-2.0 */
/* Machines that change their pace in mid-run, each layer by its own factor. */
#include "unit.h"

#include "attribute/evidence.h"
#include "attribute/regimes.h"
#include "attribute/response.h"
#include "fit_checks.h"

enum {
	LAYERS = 6,
	PACES = 4000 /* cycles */
};

/* ---- Boundaries -------------------------------------------------------------------- */

struct paces {
	struct jm_timeline timeline;
	double layer_s; /* all of them, in all cycles */
};

/* Cycles of four layers whose durations are 0.1 ms times pace(cycle), with 1 % of jitter. */
static void paces_init(struct paces *paces, double (*pace)(size_t cycle))
{
	struct board board = {.seed = 8};
	double at = 0;

	*paces = (struct paces){.layer_s = 0};
	jm_timeline_init(&paces->timeline);
	paces->timeline.stamp = JM_STAMP_BEGIN;
	for (size_t k = 0; k < 4; k++)
		jm_timeline_add_layer(&paces->timeline, "layer", "conv", NULL);
	for (size_t cycle = 0; cycle < PACES; cycle++, at += 1e-3)
		for (size_t k = 0; k < 4; k++) {
			double d = 1e-4 * pace(cycle) * (1 + 0.01 * board_normal(&board));

			jm_timeline_append(&paces->timeline, k,
				(struct jm_execution){board_ns(at), d * 1e3}, NULL);
			paces->layer_s += d;
			at += d;
		}
}

static double pace_of_three(size_t cycle)
{
	return cycle < 1163 ? 1 : cycle < 2691 ? 1.3 : 1; /* the old pace again: a regime too */
}

static double pace_of_few(size_t cycle)
{
	return cycle >= 1300 && cycle < 1308 ? 2 : 1;
}

static double pace_slower_twice(size_t cycle)
{
	return cycle < 803 ? 1 : cycle < 2471 ? 1.05 : 1.2;
}

static double pace_hardly_slower(size_t cycle)
{
	return cycle < 2300 ? 1 : 1.02;
}

static double pace_always_new(size_t cycle)
{
	return pow(2, (double)(cycle / 500)); /* eight of them */
}

/* The regime of every cycle must be as expected; time must not get lost. */
static void expect_regimes(double (*pace)(size_t cycle), size_t n_regimes, const size_t *first)
{
	struct jm_segments segments;
	double sum = 0, between = 0;
	struct paces paces;
	size_t found = 0;

	paces_init(&paces, pace);
	assert_int_equal(
		jm_segments_init(&segments, &paces.timeline, BOARD_ORIGIN_NS, NULL), 0);
	assert_int_equal(jm_regimes_find(&segments), 0);
	assert_int_equal(segments.n_regimes, n_regimes);
	assert_int_equal(segments.n_loads, 4 * n_regimes);
	for (size_t i = 0; i < segments.n; i++) {
		size_t regime = 0;

		while (regime + 1 < n_regimes && segments.cycle[i] >= first[regime + 1])
			regime++;
		if (segments.column[i] >= segments.n_loads) {
			assert_true(segments.column[i] < segments.n_loads + JM_N_GAP_COLUMNS);
			continue;
		}
		assert_int_equal(segments.column[i] / 4, regime);
		found++;
	}
	assert_int_equal(found, PACES * 4);
	for (size_t k = 0; k < segments.n_loads; k++)
		sum += segments.total_s[k];
	between = segments.total_s[segments.n_loads + JM_COLUMN_BETWEEN];
	expect_close(sum, paces.layer_s, 1e-4 * sum);
	expect_close(sum + between, segments.end_s - segments.begin_s, 1e-6 * sum);
	jm_segments_release(&segments);
	jm_timeline_release(&paces.timeline);
}

static void test_boundaries(void **state)
{
	(void)state;
	expect_regimes(pace_of_three, 3, (const size_t[]){0, 1163, 2691});
	expect_regimes(pace_slower_twice, 3, (const size_t[]){0, 803, 2471});
	expect_regimes(pace_of_few, 1, NULL);
	expect_regimes(pace_hardly_slower, 1, NULL);
}

static void test_at_most_so_many(void **state)
{
	struct jm_segments segments;
	struct paces paces;

	(void)state;
	paces_init(&paces, pace_always_new);
	assert_int_equal(
		jm_segments_init(&segments, &paces.timeline, BOARD_ORIGIN_NS, NULL), 0);
	assert_int_equal(jm_regimes_find(&segments), 0);
	assert_int_equal(segments.n_regimes, JM_REGIMES_MAX);
	jm_segments_release(&segments);
	jm_timeline_release(&paces.timeline);
}

/* ---- Boards ------------------------------------------------------------------------ */

static void make(struct board *board, uint64_t seed, size_t n_cycles, size_t later_from)
{
	board_init(board, seed, LAYERS, n_cycles);
	board->later_from = later_from;
	for (size_t k = 0; k < LAYERS; k++) {
		board->later_time[k] = 1.05 + 0.4 * board_uniform(board);
		board->later_power[k] = 0.6 + 0.35 * board_uniform(board);
	}
}

static void test_columns(void **state)
{
	enum { N = 100, BEFORE = 77 };
	struct jm_response response = jm_response_simple(0.4e-3, 1.1e-3, 0.3e-3);
	double times_s[N], one[N * 32], two[N * 32];
	struct jm_moments moments = {.time_s = times_s, .n = N};
	struct jm_segments segments;
	struct board board;
	void *work;

	(void)state;
	make(&board, 5, 200, BEFORE);
	board_make(&board);
	assert_int_equal(
		jm_segments_init(&segments, &board.timeline, BOARD_ORIGIN_NS, NULL), 0);
	for (size_t i = 0; i < N; i++)
		times_s[i] = segments.begin_s + 4e-3 * (double)i;
	work = malloc(jm_design_work_size(&segments));
	jm_design_rows(&response, &segments, &moments, 0, N, one, 32, work);
	free(work);
	assert_int_equal(jm_regimes_find(&segments), 0);
	assert_int_equal(segments.n_regimes, 2);
	for (size_t k = 0; k < LAYERS; k++) {
		double first_s = 0;

		for (size_t j = 0; j < BEFORE; j++)
			first_s += board.timeline.layers[k].executions[j].duration_ms * 1e-3;
		expect_close(segments.total_s[k], first_s, 5e-5);
		expect_close(segments.total_s[LAYERS + k], board.time_s[k] - first_s, 5e-5);
	}
	work = malloc(jm_design_work_size(&segments));
	jm_design_rows(&response, &segments, &moments, 0, N, two, 32, work);
	free(work);
	for (size_t i = 0; i < N; i++) { /* a layer's columns are parts of what it had */
		for (size_t k = 0; k < LAYERS; k++)
			expect_close(two[i * 32 + k] + two[i * 32 + LAYERS + k],
				one[i * 32 + k], 1e-9);
		for (size_t k = 0; k < JM_N_GAP_COLUMNS; k++)
			expect_close(
				two[i * 32 + 2 * LAYERS + k], one[i * 32 + LAYERS + k], 1e-9);
	}
	jm_segments_release(&segments);
	board_release(&board);
}

/* The mean over all executions, by time, of power that differs before and after. */
static void test_recovers_means(void **state)
{
	struct tally tally = {0};

	(void)state;
	for (uint64_t seed = 1; seed <= 3; seed++) {
		struct jm_fit_result result;
		struct board board;

		make(&board, seed, 4000, 1733);
		if (seed == 3) { /* an overshooting supply on top */
			board.tau_s = 0.25e-3;
			board.shape = 1.2;
		}
		board_make(&board);
		fit(&board, &result);
		assert_int_equal(result.diagnostics.regimes, 2);
		assert_int_equal(result.n_resolved, LAYERS);
		expect_close(result.response.delay_ms, 0.45, 0.02);
		expect_close(
			result.closure.difference_mj / result.closure.measured_mj, 0, 0.01);
		tally_add(&tally, &board, &result);
		jm_fit_result_release(&result);
		board_release(&board);
	}
	expect_tally(&tally, 0.02);
}

/* A regime too short for its layers to be told apart leans on the other. */
static void test_short_regime(void **state)
{
	struct jm_fit_result result;
	struct tally tally = {0};
	struct board board;

	(void)state;
	make(&board, 21, 3000, 2940);
	board_make(&board);
	fit(&board, &result);
	assert_int_equal(result.diagnostics.regimes, 2);
	tally_add(&tally, &board, &result);
	expect_tally(&tally, 0.02);
	jm_fit_result_release(&result);
	board_release(&board);
}

/* ---- The prior that ties regimes ----------------------------------------------------- */

/* Conversions of the board without a sensor's quantum, each 3.3 ms. */
static size_t convert(
	struct board *board, double end_s, double *ret_time_s, double *ret_power_w)
{
	struct board_sweep sweep = {.at = -1, .load = board->load_w[0], .z = board->load_w[0]};
	size_t n = 0;

	for (double at = 0.4; at < end_s; at += 3.3e-3) {
		double begin = board_sweep(board, &sweep, at - board->window_s);

		ret_time_s[n] = at + board->delay_s;
		ret_power_w[n] = (board_sweep(board, &sweep, at) - begin) / board->window_s;
		ret_power_w[n++] += 0.02 * board_normal(board);
	}
	return n;
}

/* Solves at the true response; gap_w is what gains do not change. */
static void solve(struct board *board, struct jm_posterior *posterior)
{
	enum { ROOM = 4000 };
	struct jm_response response =
		jm_response_simple(board->delay_s, board->window_s, board->tau_s);
	double *time_s = malloc(2 * ROOM * sizeof(double)), *power_w = time_s + ROOM;
	struct jm_belief belief = {
		.n_types = 1, .n_layers = LAYERS, .noise_min_w = 1e-3, .scale_w = 7};
	struct jm_normal normal = {0};
	struct jm_segments segments;
	struct jm_problem problem = {.segments = &segments, .power_w = power_w};

	assert_int_equal(
		jm_segments_init(&segments, &board->timeline, BOARD_ORIGIN_NS, NULL), 0);
	assert_int_equal(jm_regimes_find(&segments), 0);
	assert_int_equal(segments.n_regimes, 2);
	belief.pivot = segments.n_loads + JM_COLUMN_BETWEEN;
	problem.moments.n = convert(board, segments.end_s + 0.1, time_s, power_w);
	problem.moments.time_s = time_s;
	memset(posterior, 0, sizeof(*posterior));
	assert_int_equal(jm_normal_build(&normal, &problem, &response), 0);
	assert_int_equal(jm_evidence_solve(&normal, &belief, 30, posterior), 0);
	jm_normal_release(&normal);
	jm_segments_release(&segments);
	free(time_s);
}

/* Layers that all change by one factor above the pivot show it, others scatter around it. */
static void test_gain(void **state)
{
	(void)state;
	for (int common = 0; common < 2; common++) {
		struct jm_posterior posterior;
		struct board board;

		board_init(&board, 41, LAYERS, 1500);
		board.later_from = 900;
		for (size_t k = 0; k < LAYERS; k++) {
			double above_w = board.power_w[k] - board.gap_w;
			double factor = common ? 0.6 : k % 2 ? 0.3 : 0.9;

			board.later_time[k] = 1.2;
			board.later_power[k] =
				(board.gap_w + factor * above_w) / board.power_w[k];
		}
		board_make(&board);
		solve(&board, &posterior);
		expect_close(posterior.hyper.gain[0], 1, 0);
		if (common)
			expect_close(posterior.hyper.gain[1], 0.6, 0.03);
		else
			expect_close(posterior.hyper.gain[1], 0.6, 0.3);
		assert_int_equal(sqrt(posterior.hyper.regime_w2[1]) < 0.25, common);
		expect_close(sqrt(posterior.hyper.noise_w2), 0.02, 0.002);
		jm_posterior_release(&posterior);
		board_release(&board);
	}
}

static void test_properties(void **state)
{
	struct jm_fit_result before, after;
	struct board board;
	struct jm_rail *rail;

	(void)state;
	make(&board, 31, 2000, 900);
	board_make(&board);
	rail = &board.log.rails[0];
	fit(&board, &before);
	assert_int_equal(before.diagnostics.regimes, 2);

	for (size_t i = 0; i < rail->n_readings; i++)
		rail->readings[i].value[0] *= 3;
	fit(&board, &after);
	expect_same(&before, &after, 3, 0.05);
	jm_fit_result_release(&after);

	/* Constant power more, in both regimes. */
	for (size_t i = 0; i < rail->n_readings; i++)
		rail->readings[i].value[0] = rail->readings[i].value[0] / 3 + 2e6;
	fit(&board, &after);
	for (size_t k = 0; k < LAYERS; k++)
		expect_close(after.layers[k].power_w, before.layers[k].power_w + 2,
			0.2 * before.layers[k].power_sd_w + 5e-3);
	for (size_t i = 0; i < rail->n_readings; i++)
		rail->readings[i].value[0] -= 2e6;
	jm_fit_result_release(&after);

	/* One layer instead of two neighbours. */
	for (size_t j = 0; j < board.n_cycles; j++)
		board.timeline.layers[3].executions[j].duration_ms +=
			board.timeline.layers[2].executions[j].duration_ms;
	board.timeline.layers[2].n_executions = 0;
	fit(&board, &after);
	assert_int_equal(after.diagnostics.regimes, 2);
	expect_close(after.layers[3].energy_mj,
		before.layers[2].energy_mj + before.layers[3].energy_mj,
		0.03 * after.layers[3].energy_mj);
	jm_fit_result_release(&after);
	jm_fit_result_release(&before);
	board_release(&board);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_boundaries),
		cmocka_unit_test(test_at_most_so_many),
		cmocka_unit_test(test_columns),
		cmocka_unit_test(test_recovers_means),
		cmocka_unit_test(test_short_regime),
		cmocka_unit_test(test_gain),
		cmocka_unit_test(test_properties),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
