/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of the fit against brute force, and layer_energy.csv there and back. */
#include "unit.h"

#include <unistd.h>

#include "attribute/conversions.h"
#include "attribute/dense.h"
#include "attribute/response.h"
#include "attribute/ticks.h"
#include "fit_board.h"
#include "formats/layer_energy_file.h"

/* ---- Linear algebra ------------------------------------------------------------ */

static void test_inverse(void **state)
{
	enum { N = 23 };
	double a[N * N], factor[N * N], inverse[N * N], b[N], x[N];
	struct board board = {.seed = 5};

	(void)state;
	for (size_t i = 0; i < N; i++) {
		b[i] = x[i] = board_normal(&board);
		for (size_t j = 0; j <= i; j++)
			a[i * N + j] = a[j * N + i] = board_normal(&board) + (i == j) * 12;
	}
	memcpy(factor, a, sizeof(a));
	assert_int_equal(jm_cholesky(factor, N), 0);
	jm_cholesky_solve(factor, N, x);
	for (size_t i = 0; i < N; i++)
		assert_true(fabs(jm_dot(a + i * N, x, N) - b[i]) < 1e-10);
	jm_cholesky_invert(factor, N, inverse);
	for (size_t i = 0; i < N; i++)
		for (size_t j = 0; j < N; j++)
			assert_true(
				fabs(jm_dot(a + i * N, inverse + j * N, N) - (i == j)) < 1e-10);
	memset(a, 0, sizeof(a));
	assert_int_equal(jm_cholesky(a, N), -1);
}

/* ---- The response ------------------------------------------------------------------ */

/* Rows from the closed form of one span: G(x) = x - tau (1 - exp(-x / tau)). */
static double g(double x, double tau)
{
	return x > 0 ? x - tau * (1 - exp(-x / tau)) : 0;
}

static double brute_force(const struct jm_segments *segments, uint32_t column, double begin,
	double end, double tau)
{
	double sum = 0;

	for (size_t i = 0; i < segments->n; i++) {
		double from = segments->time_s[i], to = segments->time_s[i + 1];

		if (segments->column[i] == column)
			sum += g(end - from, tau) - g(begin - from, tau) - g(end - to, tau) +
			       g(begin - to, tau);
	}
	return sum / (end - begin);
}

/* Time in gaps of two layers of 10 us whose stamps are so many ns off whole us. */
static double gaps_of(int64_t off_ns)
{
	struct jm_timeline timeline;
	struct jm_segments segments;
	double gaps_s;

	jm_timeline_init(&timeline);
	timeline.stamp = JM_STAMP_END;
	for (size_t i = 0; i < 2; i++)
		assert_true(jm_timeline_add_layer(&timeline, i ? "b" : "a", "Conv", NULL) >= 0);
	for (int64_t cycle = 0; cycle < 20; cycle++)
		for (int64_t i = 0; i < 2; i++)
			assert_int_equal(
				jm_timeline_append(&timeline, (size_t)i,
					(struct jm_execution){
						cycle * 1000000 + (i + 1) * 11000 + off_ns,
						0.01},
					NULL),
				0);
	assert_int_equal(jm_segments_init(&segments, &timeline, 0, NULL), 0);
	gaps_s = segments.total_s[2 + JM_COLUMN_GAP];
	jm_segments_release(&segments);
	jm_timeline_release(&timeline);
	return gaps_s;
}

/* Of stamps that are exact a short gap is one: what a marker takes belongs to no layer. */
static void test_short_gaps(void **state)
{
	(void)state;
	assert_true(fabs(gaps_of(0)) < 1e-12);
	assert_true(fabs(gaps_of(7) - 20 * 1e-6) < 1e-9);
}

static void test_rows(void **state)
{
	struct jm_segments segments;
	struct board board;
	double times[40], rows[40 * 16], value[40], power[16];
	struct jm_response response = jm_response_simple(0.4e-3, 1.1e-3, 0.7e-3);
	struct jm_moments moments = {times, NULL, 40};
	struct jm_prediction to = {.value = value};
	void *work;

	(void)state;
	board_init(&board, 3, 5, 60);
	board_make(&board);
	assert_int_equal(
		jm_segments_init(&segments, &board.timeline, BOARD_ORIGIN_NS, NULL), 0);
	for (size_t i = 0; i < 40; i++) /* close together, and far apart */
		times[i] = segments.begin_s + (double)i * 0.5e-3 + (i > 20 ? 40e-3 : 0);
	work = malloc(jm_design_work_size(&segments));
	jm_design_rows(&response, &segments, &moments, 0, 40, rows, 16, work);
	for (size_t k = 0; k < 8; k++)
		power[k] = 1 + (double)k;
	assert_int_equal(jm_predict(&response, &segments, &moments, power, &to), 0);
	for (size_t i = 0; i < 40; i++) {
		double end = times[i] - response.delay_s, all = 0, predicted = 0;

		for (uint32_t k = 0; k < 8; k++) {
			if (k < 7) /* outside lasts too long for the plain formula */
				assert_true(fabs(rows[i * 16 + k] -
						    brute_force(&segments, k,
							    end - response.window_s, end,
							    response.tau_s)) < 1e-5);
			all += rows[i * 16 + k];
			predicted += rows[i * 16 + k] * power[k];
		}
		assert_true(fabs(all - 1) < 1e-5);
		assert_true(fabs(predicted - value[i]) < 1e-4);
	}
	free(work);
	jm_segments_release(&segments);
	board_release(&board);
}

/* ---- The rhythm -------------------------------------------------------------------- */

/* Brackets of a sensor with that period, polled that often. */
static size_t make_brackets(struct board *board, double period, double poll, double pause_share,
	struct jm_bracket *brackets, size_t max)
{
	double at = 0.01, before = 0;
	int64_t tick = -1;
	size_t n = 0;

	while (n < max) {
		int64_t now = (int64_t)floor((at - 0.0031) / period);

		if (now != tick && before > 0)
			brackets[n++] = (struct jm_bracket){before, at};
		tick = now;
		before = at;
		at += poll * (1 + 0.1 * board_uniform(board));
		if (board_uniform(board) < pause_share)
			at += 8e-3 * board_uniform(board);
	}
	return n;
}

static void expect_period(
	double period, double poll, double pause_share, double low, double high)
{
	enum { N = 6000 };
	struct jm_bracket *brackets = malloc(N * sizeof(*brackets));
	struct board board = {.seed = 77};
	struct jm_ticks ticks;

	make_brackets(&board, period, poll, pause_share, brackets, N);
	assert_int_equal(jm_ticks_find(brackets, N, low, high, &ticks), 0);
	if (fabs(ticks.period_s / period - 1) > 2e-6)
		print_message("%.9g is not %.9g\n", ticks.period_s, period);
	assert_true(fabs(ticks.period_s / period - 1) <= 2e-6);
	free(brackets);
}

static void test_period(void **state)
{
	(void)state;
	expect_period(6.6007e-3, 1.33e-3, 0.03, 0.2e-3, 0.25);
	expect_period(6.6007e-3, 1.33e-3, 0.03, 6.5e-3, 6.7e-3);
	expect_period(0.66005e-3, 0.5e-3, 0.03, 0.2e-3, 0.25);
	expect_period(20.002e-3, 3e-3, 0, 0.2e-3, 0.25);
	expect_period(1.00002e-3, 0.25e-3, 0.01, 0.2e-3, 0.25);
	expect_period(105.61e-3, 5e-3, 0, 0.2e-3, 0.25);
}

static void test_no_period(void **state)
{
	struct jm_bracket brackets[3000];
	struct board board = {.seed = 9};
	struct jm_ticks ticks;
	double at = 0;

	(void)state;
	for (size_t i = 0; i < 3000; i++) {
		at += 1e-3 * (1 + 9 * board_uniform(&board));
		brackets[i] = (struct jm_bracket){at, at + 0.5e-3};
	}
	assert_int_equal(jm_ticks_find(brackets, 3000, 0.2e-3, 0.25, &ticks), JM_ENOTFOUND);
}

static void test_conversions_once_each(void **state)
{
	struct jm_conversions conversions;
	struct jm_fit_prior prior = {0};
	struct board board;

	(void)state;
	board_init(&board, 31, 6, 2000);
	board_make(&board);
	assert_int_equal(jm_conversions_init(&conversions, &board.log.rails[0], &prior, 0,
				 BOARD_ORIGIN_NS, NULL),
		0);
	assert_int_equal(conversions.moment, JM_MOMENT_TICK);
	assert_true(fabs(conversions.round_s - board.round_s) < 1e-8);
	for (size_t i = 1; i < conversions.n; i++)
		assert_int_equal(lround((conversions.time_s[i] - conversions.time_s[i - 1]) /
					 conversions.round_s),
			1);
	jm_conversions_release(&conversions);
	board_release(&board);
}

/* A sensor's own stamps are taken as they are, also of values that repeat. */
static void test_conversions_stamped(void **state)
{
	struct jm_reading readings[100];
	struct jm_rail rail = {.name = "GPU",
		.quantity = JM_QUANTITY_UW,
		.readings = readings,
		.n_readings = 100};
	struct jm_fit_prior prior = {.stamped = 1};
	struct jm_conversions conversions;
	size_t n = 0;

	(void)state;
	for (int i = 0; i < 100; i++) {
		/* Every other reading has nothing new. */
		readings[i].after_ns =
			BOARD_ORIGIN_NS + (i / 2) * INT64_C(19900000) + i / 2 % 7;
		readings[i].before_ns = readings[i].after_ns;
		readings[i].value[0] = i % 2 ? (double)NAN : 1e8 + 1e6 * (i / 8);
		readings[i].value[1] = 0;
	}
	assert_int_equal(
		jm_conversions_init(&conversions, &rail, &prior, 0, BOARD_ORIGIN_NS, NULL), 0);
	assert_int_equal(conversions.moment, JM_MOMENT_CHANGE);
	assert_int_equal(conversions.n, 50);
	assert_true(fabs(conversions.round_s - 19.9e-3) < 1e-6);
	for (size_t i = 0; i < 100; i += 2, n++) {
		double at = (double)(readings[i].after_ns - BOARD_ORIGIN_NS) * 1e-9;

		assert_true(fabs(conversions.time_s[n] - at) < 1e-12);
		assert_true(fabs(conversions.power_w[n] - readings[i].value[0] * 1e-6) < 1e-9);
	}
	jm_conversions_release(&conversions);
}

/* ---- The file ----------------------------------------------------------------------- */

struct seen {
	const struct jm_fit_result *result;
	size_t rows;
	double parts_mj, total_mj;
};

static int see(void *context, const struct jm_layer_energy_row *row)
{
	struct seen *seen = context;

	if (row->index >= 0) {
		const struct jm_fit_layer *layer = &seen->result->layers[row->index];

		assert_int_equal(row->index, (long)seen->rows);
		assert_true(fabs(row->layer.power_w - layer->power_w) < 1e-7);
		assert_int_equal(row->layer.resolved, layer->resolved);
		assert_int_equal(row->layer.group, layer->group);
		assert_int_equal(row->layer.executions, layer->executions);
		assert_string_equal(row->type, seen->rows % 2 ? "conv" : "pool");
	}
	if (row->index == -2)
		seen->total_mj = row->layer.energy_mj;
	else
		seen->parts_mj += row->layer.energy_mj;
	seen->rows++;
	return 0;
}

static void test_layer_energy_file(void **state)
{
	char path[] = "layer_energy_test.csv";
	struct jm_fit_result result;
	struct board board;
	struct seen seen = {.result = &result};

	(void)state;
	board_init(&board, 41, 6, 3000);
	board_make(&board);
	assert_int_equal(board_fit(&board, &result, NULL), 0);
	result.layers[2].resolved = JM_RESOLVED_GROUP;
	result.layers[2].group = 3;
	assert_int_equal(jm_layer_energy_write(path, &board.timeline, &result, NULL), 0);
	assert_int_equal(jm_layer_energy_read(path, see, &seen, NULL), 8);
	assert_true(fabs(seen.parts_mj / seen.total_mj - 1) < 0.01);
	unlink(path);
	jm_fit_result_release(&result);
	board_release(&board);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_inverse),
		cmocka_unit_test(test_short_gaps),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_period),
		cmocka_unit_test(test_no_period),
		cmocka_unit_test(test_conversions_once_each),
		cmocka_unit_test(test_conversions_stamped),
		cmocka_unit_test(test_layer_energy_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
