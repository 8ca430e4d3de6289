/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conversions disturbed by other work. Residuals are a mixture of a narrow
 * normal distribution and a wide one; the weight of a conversion is its chance
 * to belong to the narrow one. Undisturbed runs keep weights near 1.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attribute/fit.h"
#include "attribute/timing_noise.h"
#include "base/error.h"
#include "base/statistics.h"

enum { ROUNDS = 3, EM_STEPS = 12, INSIDE_MIN = 16 };

/* The wide distribution is wider than the narrow one by at least this. */
#define WIDER 3.5
/* Below this share of disturbed conversions all of them count in full. */
#define SHARE_MIN 2e-4
/* 1 / normal quantile of 3/4: from median deviation to standard deviation. */
#define MAD_TO_SD 1.482602218505602

struct mixture {
	double narrow_w, wide_w, share;
};

/* scratch has room for [n]. */
static double median_deviation(const double *residual, size_t n, double *scratch)
{
	for (size_t i = 0; i < n; i++)
		scratch[i] = fabs(residual[i]);
	return n ? jm_median_upper(scratch, n) : 0;
}

/* Chance that a residual belongs to the wide distribution. */
static double chance_wide(const struct mixture *mixture, double residual)
{
	double a = residual / mixture->narrow_w, b = residual / mixture->wide_w;
	double odds = mixture->share / (1 - mixture->share) * mixture->narrow_w /
		      mixture->wide_w * exp(fmin(0.5 * (a * a - b * b), 300));

	return odds / (1 + odds);
}

static void fit_mixture(struct mixture *mixture, const double *residual, size_t n)
{
	for (int step = 0; step < EM_STEPS; step++) {
		double wide = 0, wide_square = 0, narrow_square = 0;

		for (size_t i = 0; i < n; i++) {
			double chance = chance_wide(mixture, residual[i]);
			double square = residual[i] * residual[i];

			wide += chance;
			wide_square += chance * square;
			narrow_square += (1 - chance) * square;
		}
		mixture->share = fmin(fmax(wide / (double)n, 1e-6), 0.4);
		mixture->narrow_w = sqrt(narrow_square / fmax((double)n - wide, 1));
		if (wide > 0.5)
			mixture->wide_w = sqrt(wide_square / wide);
		mixture->wide_w = fmax(mixture->wide_w, WIDER * mixture->narrow_w);
		if (!(mixture->narrow_w > 0))
			return;
	}
}

struct range {
	size_t first, n;
};

/*
 * Conversions of the run. Those before and behind it have the same load for long,
 * which rounds to the same value: they would pass for all of the noise.
 */
static struct range find_inside(const struct jm_fit *fit)
{
	const struct jm_moments *moments = &fit->problem.moments;
	double delay_s = fit->alignment.response.delay_s;
	size_t from = 0, to = moments->n;

	while (from < to && moments->time_s[from] - delay_s < fit->segments.begin_s)
		from++;
	while (to > from && moments->time_s[to - 1] - delay_s > fit->segments.end_s)
		to--;
	return to - from < INSIDE_MIN ? (struct range){0, moments->n}
				      : (struct range){from, to - from};
}

/* Residuals in units of what the stamps' jitter makes of the noise. */
static int find_jitter(struct jm_fit *fit, struct range inside)
{
	const struct jm_problem *problem = &fit->problem;
	size_t n = problem->moments.n;
	double *slope = malloc((n + 1) * sizeof(*slope));
	struct jm_prediction to = {.value = fit->scale, .by_delay = slope};

	fit->jitter_s = 0;
	if (!slope || jm_predict(&fit->alignment.response, problem->segments, &problem->moments,
			      fit->alignment.power_w, &to) < 0) {
		free(slope);
		return JM_ENOMEM;
	}
	for (size_t i = 0; i < n; i++)
		fit->scale[i] = 1;
	fit->jitter_s = jm_timing_jitter(fit->residual + inside.first, slope + inside.first,
		inside.n, fit->scale + inside.first);
	free(slope);
	for (size_t i = 0; i < n; i++)
		fit->residual[i] /= fit->scale[i];
	return 0;
}

static void set_weights(struct jm_fit *fit, const struct mixture *mixture)
{
	double ratio = mixture->narrow_w / mixture->wide_w, disturbed = 0;
	size_t n = fit->problem.moments.n;

	for (size_t i = 0; i < n; i++) {
		double chance = chance_wide(mixture, fit->residual[i]);

		fit->weight[i] = ((1 - chance) + chance * ratio * ratio) /
				 (fit->scale[i] * fit->scale[i]);
		disturbed += chance > 0.5;
	}
	fit->robust_share = disturbed / (double)n;
	fit->problem.weight = fit->weight;
}

/* The wide distribution of all conversions, beside a narrow one that is known. 0: none. */
static int widen(const struct jm_fit *fit, struct mixture *mixture)
{
	double wide = 0, square = 0;

	for (size_t i = 0; i < fit->problem.moments.n; i++) {
		double chance = chance_wide(mixture, fit->residual[i]);

		wide += chance;
		square += chance * fit->residual[i] * fit->residual[i];
	}
	if (wide > 0.5)
		mixture->wide_w = fmax(sqrt(square / wide), WIDER * mixture->narrow_w);
	return wide > 0.5;
}

/* One round; 1 when weights are needed. */
static int weigh(struct jm_fit *fit)
{
	struct range inside = find_inside(fit);
	struct mixture mixture;
	double narrow;
	int any_wide;

	if (jm_alignment_residuals(&fit->alignment, fit->residual) < 0)
		return JM_ENOMEM;
	if (find_jitter(fit, inside) < 0)
		return JM_ENOMEM;
	narrow = MAD_TO_SD *
		 median_deviation(fit->residual + inside.first, inside.n, fit->weight);
	if (!(narrow > 0))
		return 0;
	mixture = (struct mixture){narrow, 4 * WIDER * narrow, 0.01};
	fit_mixture(&mixture, fit->residual + inside.first, inside.n);
	any_wide = widen(fit, &mixture);
	if (mixture.share < SHARE_MIN && fit->jitter_s <= 0 && !fit->problem.weight &&
		!any_wide) {
		fit->robust_share = 0;
		return 0;
	}
	set_weights(fit, &mixture);
	fit->alignment.posterior.hyper.noise_w2 = mixture.narrow_w * mixture.narrow_w;
	return 1;
}

int jm_fit_robust(struct jm_fit *fit, struct jm_error *reterr)
{
	int result = 0;

	for (int round = 0; round < ROUNDS && result >= 0; round++) {
		result = weigh(fit);
		if (result == 0)
			return 0;
		if (result > 0)
			result = jm_alignment_refine(&fit->alignment, 1, 8);
	}
	if (result < 0)
		return jm_fail(reterr, (enum jm_code)result,
			"the conversions left without disturbed ones have no solution");
	return 0;
}
