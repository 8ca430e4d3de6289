/* SPDX-License-Identifier: Apache-2.0 */
/* Supplies of second order, old readings and low-passes against brute force. */
#include "unit.h"

#include "attribute/response.h"
#include "fit_checks.h"

enum {
	LAYERS = 5,
	COLUMNS = LAYERS + JM_N_GAP_COLUMNS,
	STRIDE = COLUMNS + 3,
	MOMENTS = 260 /* more than one chunk of rows */
};

static const double shapes[] = {0, 0.1, 0.2499999, 0.25, 0.2500001, 1.2, 6};
enum { SHAPES = sizeof(shapes) / sizeof(shapes[0]) };

static struct jm_response response_of(double tau_s, double shape)
{
	struct jm_response response = jm_response_simple(0.4e-3, 1.1e-3, tau_s);

	response.shape = shape;
	return response;
}

/* ---- Modes ------------------------------------------------------------------------- */

static void test_modes_sum(void **state)
{
	(void)state;
	for (size_t s = 0; s < SHAPES; s++) {
		struct jm_response response = response_of(0.7e-3, shapes[s]);
		struct jm_mode modes[JM_MODES_MAX];
		size_t n = jm_response_modes(&response, modes);
		double complex weight = 0, tau_s = 0;

		assert_true(n == 1 || n == 2);
		for (size_t m = 0; m < n; m++) {
			weight += modes[m].weight;
			tau_s += modes[m].weight * modes[m].tau_s;
			assert_true(cabs(modes[m].rate * modes[m].tau_s - 1) < 1e-12);
			assert_int_equal(modes[m].real, cimag(modes[m].tau_s) == 0);
			assert_true(creal(modes[m].rate) > 0);
		}
		expect_close(creal(weight), 1, 1e-9);
		expect_close(creal(tau_s), 0.7e-3, 1e-9);
	}
}

static void test_no_modes(void **state)
{
	struct jm_response response = response_of(0, 1.2);
	struct jm_mode modes[JM_MODES_MAX];

	(void)state;
	assert_int_equal(jm_response_modes(&response, modes), 0);
	assert_true(jm_response_memory_s(&response) == 0);
	response = response_of(0.7e-3, 1e-9); /* the second time constant is none */
	assert_int_equal(jm_response_modes(&response, modes), 1);
	expect_close(creal(modes[0].tau_s), 0.7e-3, 1e-9);
}

/* What is left of a step of 1 after t. */
static double rest_of_step(const struct jm_mode *modes, size_t n, double t)
{
	double sum = 0;

	for (size_t m = 0; m < n; m++)
		sum += creal(modes[m].weight * cexp(-t * modes[m].rate));
	return sum;
}

static void test_step(void **state)
{
	(void)state;
	for (size_t s = 0; s < SHAPES; s++) {
		struct board board = {.tau_s = 0.7e-3, .shape = shapes[s]};
		struct board_sweep sweep = {.load = 1};
		struct jm_response response = response_of(0.7e-3, shapes[s]);
		struct jm_mode modes[JM_MODES_MAX];
		size_t n = jm_response_modes(&response, modes);
		double memory_s = jm_response_memory_s(&response), most = 0;

		for (int i = 0; i < 400; i++) {
			expect_close(1 - rest_of_step(modes, n, sweep.at), sweep.z, 2e-6);
			most = fmax(most, sweep.z);
			board_pass(&board, &sweep, 0.05e-3);
		}
		assert_int_equal(most > 1 + 1e-6, shapes[s] > 0.26); /* it overshoots */
		board_pass(&board, &sweep, memory_s);
		expect_close(sweep.z, 1, 3e-5);
	}
}

/* ---- Rows and predictions ---------------------------------------------------------- */

/* Segments as a board, on which one column draws 1 W. */
struct probe {
	struct board board;
	struct board_sweep begin, end;
};

static void probe_init(struct probe *probe, const struct jm_segments *segments,
	const double *power_w, double tau_s, double shape)
{
	probe->board = (struct board){.tau_s = tau_s, .shape = shape, .n_changes = segments->n};
	probe->board.change_s = malloc(segments->n * sizeof(double));
	probe->board.load_w = malloc(segments->n * sizeof(double));
	for (size_t i = 0; i < segments->n; i++) {
		probe->board.change_s[i] = segments->time_s[i];
		probe->board.load_w[i] = power_w[segments->column[i]];
	}
	probe->begin = (struct board_sweep){.next = 1,
		.at = segments->time_s[1] - 1,
		.load = probe->board.load_w[0],
		.z = probe->board.load_w[0]};
	probe->end = probe->begin;
}

/* Mean of the filtered load over [begin, end], both growing from call to call. */
static double probe_mean(struct probe *probe, double begin_s, double end_s)
{
	double begin = board_sweep(&probe->board, &probe->begin, begin_s);

	return (board_sweep(&probe->board, &probe->end, end_s) - begin) / (end_s - begin_s);
}

static void probe_release(struct probe *probe)
{
	free(probe->board.change_s);
	free(probe->board.load_w);
}

struct bench {
	struct board board;
	struct jm_segments segments;
	double times_s[MOMENTS], power_w[COLUMNS];
	struct jm_moments moments;
	double rows[MOMENTS * STRIDE], value[MOMENTS];
};

/* Conversions so close that windows overlap, then far apart, then outside. */
static void bench_init(struct bench *bench)
{
	memset(bench, 0, sizeof(*bench));
	board_init(&bench->board, 3, LAYERS, 300);
	board_make(&bench->board);
	assert_int_equal(jm_segments_init(&bench->segments, &bench->board.timeline,
				 BOARD_ORIGIN_NS, NULL),
		0);
	for (size_t i = 0; i < MOMENTS; i++)
		bench->times_s[i] = bench->segments.begin_s - 0.02 + (double)i * 0.55e-3 +
				    (i > 120 ? 0.15 : 0) +
				    (i > 200 ? 5e-3 * (double)(i - 200) : 0);
	for (size_t k = 0; k < COLUMNS; k++)
		bench->power_w[k] = 3 + 7 * board_uniform(&bench->board);
	bench->moments = (struct jm_moments){.time_s = bench->times_s, .n = MOMENTS};
}

static void bench_release(struct bench *bench)
{
	jm_segments_release(&bench->segments);
	board_release(&bench->board);
}

static void bench_rows(struct bench *bench, const struct jm_response *response)
{
	struct jm_prediction to = {.value = bench->value};
	void *work = malloc(jm_design_work_size(&bench->segments));

	for (size_t first = 0; first < MOMENTS; first += JM_CHUNK_ROWS) {
		size_t n = MOMENTS - first < JM_CHUNK_ROWS ? MOMENTS - first : JM_CHUNK_ROWS;

		jm_design_rows(response, &bench->segments, &bench->moments, first, n,
			bench->rows + first * STRIDE, STRIDE, work);
	}
	free(work);
	assert_int_equal(
		jm_predict(response, &bench->segments, &bench->moments, bench->power_w, &to),
		0);
}

/* Rows sum to 1, and to the prediction with each column's power. */
static void expect_sums(const struct bench *bench)
{
	for (size_t i = 0; i < MOMENTS; i++) {
		double all = 0, sum = 0;

		for (size_t k = 0; k < COLUMNS; k++) {
			all += bench->rows[i * STRIDE + k];
			sum += bench->rows[i * STRIDE + k] * bench->power_w[k];
		}
		expect_close(all, 1, 1e-5);
		expect_close(sum, bench->value[i], 1e-4);
	}
}

static void expect_rows(struct bench *bench, double tau_s, double shape)
{
	struct jm_response response = response_of(tau_s, shape);

	bench_rows(bench, &response);
	expect_sums(bench);
	for (size_t k = 0; k < COLUMNS; k++) {
		double one[COLUMNS] = {0};
		struct probe probe;

		one[k] = 1;
		probe_init(&probe, &bench->segments, one, tau_s, shape);
		for (size_t i = 0; i < MOMENTS; i++) {
			double end = bench->times_s[i] - response.delay_s;

			expect_close(bench->rows[i * STRIDE + k],
				probe_mean(&probe, end - response.window_s, end), 1e-5);
		}
		probe_release(&probe);
	}
}

static void test_rows(void **state)
{
	struct bench bench;

	(void)state;
	bench_init(&bench);
	for (size_t s = 0; s < SHAPES; s++)
		expect_rows(&bench, 0.5e-3, shapes[s]);
	/* So fast that the walkers' scale must be renewed, and forgotten. */
	for (size_t s = 0; s < SHAPES; s += 3)
		expect_rows(&bench, 0.03e-3, shapes[s]);
	bench_release(&bench);
}

/* Conversions with windows of their own, as those of energy counters. */
static void test_widths(void **state)
{
	struct jm_response response = response_of(0.5e-3, 1.2);
	double widths_s[MOMENTS];
	struct probe probe;
	struct bench bench;

	(void)state;
	bench_init(&bench);
	for (size_t i = 0; i < MOMENTS; i++)
		widths_s[i] = i ? bench.times_s[i] - bench.times_s[i - 1] : 1e-3;
	bench.moments.width_s = widths_s;
	bench_rows(&bench, &response);
	expect_sums(&bench);
	probe_init(&probe, &bench.segments, bench.power_w, 0.5e-3, 1.2);
	for (size_t i = 0; i < MOMENTS; i++) {
		double end = bench.times_s[i] - response.delay_s;

		expect_close(bench.value[i], probe_mean(&probe, end - widths_s[i], end), 1e-4);
	}
	probe_release(&probe);
	bench_release(&bench);
}

/* Readings of any age up to age_s: the mean over all of them. */
static void test_ages(void **state)
{
	enum { PARTS = 200 };
	struct jm_response response = response_of(0.5e-3, 1.2), own = response;
	double mean[MOMENTS] = {0}, worst = 0;
	struct bench bench;

	(void)state;
	bench_init(&bench);
	for (int part = 0; part < PARTS; part++) {
		own.delay_s = response.delay_s + 2e-3 * (part + 0.5) / PARTS;
		bench_rows(&bench, &own);
		for (size_t i = 0; i < MOMENTS; i++)
			mean[i] += bench.value[i] / PARTS;
	}
	response.age_s = 2e-3;
	bench_rows(&bench, &response);
	expect_sums(&bench);
	for (size_t i = 0; i < MOMENTS; i++)
		worst = fmax(worst, fabs(bench.value[i] - mean[i]));
	expect_close(worst, 0, 0.05);
	bench_release(&bench);
}

/* A low-pass of a sensor from conversion to conversion; some are missing. */
static void test_low_pass(void **state)
{
	struct jm_response response = response_of(0.5e-3, 1.2);
	double plain[MOMENTS], by_delay[MOMENTS], output;
	struct bench bench;

	(void)state;
	bench_init(&bench);
	for (size_t i = 0; i < MOMENTS; i++)
		bench.times_s[i] = (double)(i + i / 50) * 6.6e-3; /* each 50th is */
	bench_rows(&bench, &response);
	memcpy(plain, bench.value, sizeof(plain));
	response.low_pass = 1.0 / 16;
	response.round_s = 6.6e-3;
	assert_int_equal(
		jm_predict(&response, &bench.segments, &bench.moments, bench.power_w,
			&(struct jm_prediction){.value = bench.value, .by_delay = by_delay}),
		0);
	output = plain[0];
	for (size_t i = 0; i < MOMENTS; i++) {
		double kept = i && i % 50 == 0 ? 15.0 / 16 * 15 / 16 : 15.0 / 16;

		output += (1 - kept) * (plain[i] - output);
		expect_close(bench.value[i], output, 1e-9);
	}
	bench_release(&bench);
}

/* Derivatives against differences of predictions. */
static void expect_slope(struct bench *bench, const struct jm_response *low,
	const struct jm_response *high, double step, const double *slope)
{
	double value[MOMENTS];

	bench_rows(bench, low);
	memcpy(value, bench->value, sizeof(value));
	bench_rows(bench, high);
	for (size_t i = 0; i < MOMENTS; i++) {
		double difference = (bench->value[i] - value[i]) / step;

		expect_close(slope[i], difference, 2e-3 * fabs(difference) + 20);
	}
}

static void test_derivatives(void **state)
{
	double by_delay[MOMENTS], by_window[MOMENTS], by_skew[MOMENTS], most = 0;
	struct bench bench;

	(void)state;
	bench_init(&bench);
	for (size_t s = 0; s < SHAPES; s += 2) {
		struct jm_response response = response_of(0.5e-3, shapes[s]), low, high;
		struct jm_prediction to = {.value = bench.value,
			.by_delay = by_delay,
			.by_window = by_window,
			.by_skew = by_skew};

		response.middle_s = 0.3;
		assert_int_equal(jm_predict(&response, &bench.segments, &bench.moments,
					 bench.power_w, &to),
			0);
		low = high = response;
		low.delay_s -= 0.1e-6;
		high.delay_s += 0.1e-6;
		expect_slope(&bench, &low, &high, 0.2e-6, by_delay);
		low = high = response;
		low.window_s -= 0.1e-6;
		high.window_s += 0.1e-6;
		expect_slope(&bench, &low, &high, 0.2e-6, by_window);
		low = high = response;
		low.skew = -1e-7;
		high.skew = 1e-7;
		expect_slope(&bench, &low, &high, 2e-7, by_skew);
		for (size_t i = 0; i < MOMENTS; i++)
			most = fmax(most, fabs(by_delay[i]));
	}
	assert_true(most > 2000); /* W per s: there was something to see */
	bench_release(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_modes_sum),
		cmocka_unit_test(test_no_modes),
		cmocka_unit_test(test_step),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_widths),
		cmocka_unit_test(test_ages),
		cmocka_unit_test(test_low_pass),
		cmocka_unit_test(test_derivatives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
