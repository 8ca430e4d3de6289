/* SPDX-License-Identifier: Apache-2.0 */
/* What tests of the fit check again and again. unit.h comes first. */
#ifndef JM_TESTS_FIT_CHECKS_H
#define JM_TESTS_FIT_CHECKS_H

#include "fit_board.h"

/* A cycle as long as the sensor's round. */
static inline void board_lock(struct board *board)
{
	double busy_s = 0;

	for (size_t k = 0; k < board->n_layers; k++)
		busy_s += board->duration_s[k];
	board->layer_jitter = board->gap_jitter = 0;
	board->gap_s = board->round_s - busy_s;
}

static inline void fit_input(const struct jm_fit_input *input, struct jm_fit_result *result)
{
	struct jm_error error = {0};
	int code = jm_attribute_fit(input, result, &error);

	if (code < 0)
		print_message("%s\n", error.message);
	assert_int_equal(code, 0);
}

static inline void fit(const struct board *board, struct jm_fit_result *result)
{
	struct jm_fit_input input;

	board_input(board, &input);
	fit_input(&input, result);
}

static inline void expect_close(double a, double b, double tolerance)
{
	if (!(fabs(a - b) <= tolerance))
		print_message("%.9g is not %.9g +- %.3g\n", a, b, tolerance);
	assert_true(fabs(a - b) <= tolerance);
}

/* Intervals of several fits against the truth. */
struct tally {
	size_t layers, inside;
	double square; /* of errors as a share of the power */
};

static inline void tally_add(
	struct tally *tally, const struct board *board, const struct jm_fit_result *result)
{
	for (size_t k = 0; k < board->n_layers; k++) {
		const struct jm_fit_layer *layer = &result->layers[k];
		double truth = board_mean_power(board, k);

		expect_close(layer->power_w, truth, 6 * layer->power_sd_w);
		expect_close(layer->energy_mj, layer->power_w * layer->runtime_ms,
			2e-3 * layer->energy_mj);
		tally->inside += truth >= layer->power_lo_w && truth <= layer->power_hi_w;
		tally->square += pow(layer->power_w / truth - 1, 2);
		tally->layers++;
	}
}

/* 95 % intervals of so few layers; the errors' root mean square as a share. */
static inline void expect_tally(const struct tally *tally, double error_max)
{
	double error = sqrt(tally->square / (double)tally->layers);

	if (tally->inside * 100 < tally->layers * 85 || !(error < error_max))
		print_message("%zu of %zu intervals hold the truth, errors are %.3g %%\n",
			tally->inside, tally->layers, 100 * error);
	assert_true(tally->inside * 100 >= tally->layers * 85);
	assert_true(error < error_max);
}

/* Two fits of layers that should not differ but by a share of their deviations. */
static inline void expect_same(const struct jm_fit_result *a, const struct jm_fit_result *b,
	double factor, double deviations)
{
	assert_int_equal(a->n_layers, b->n_layers);
	for (size_t k = 0; k < a->n_layers; k++)
		expect_close(b->layers[k].power_w, factor * a->layers[k].power_w,
			deviations * factor * a->layers[k].power_sd_w);
}

#endif
