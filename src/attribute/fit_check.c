/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is left in the residuals. Their means by position in the cycle must be
 * noise: what is not was missed by the model, and misleads layers there. The
 * intervals grow by the root of that excess. Neighbours must not go together.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attribute/fit.h"
#include "base/error.h"

enum { PHASES = 64, LAGS_MAX = 256 };

/* Inflation when the excess is worth it: chance stays below. */
#define EXCESS_MIN 1.4
/* More would say no more: such a fit is not believed (JM_FIT_INFLATION_MAX). */
#define WIDENED_MAX 10.0
#define TOGETHER_MIN 1.15

#define TWO_PI 6.283185307179586
#define ROUNDING_WEIGHT 2.4

struct phase {
	double sum, weight;
};

/* Weighted means of residuals by the phase at which windows end. */
static void collect(const struct jm_fit *fit, struct phase phases[PHASES])
{
	const struct jm_segments *segments = &fit->segments;
	const struct jm_problem *problem = &fit->problem;
	double cycle_s = (segments->end_s - segments->begin_s) / (double)segments->n_cycles;
	double begin_s = segments->begin_s;
	size_t at = 0;

	for (size_t i = 0; i < problem->moments.n; i++) {
		double end = problem->moments.time_s[i] - fit->alignment.response.delay_s, x;
		double weight = problem->weight ? problem->weight[i] : 1;

		if (end < segments->begin_s || end > segments->end_s)
			continue;
		while (at + 1 < segments->n && segments->time_s[at + 1] <= end) {
			at++;
			if (segments->cycle[at] != segments->cycle[at - 1])
				begin_s = segments->time_s[at];
		}
		x = fmin(fmax((end - begin_s) / cycle_s, 0), 0.999) * PHASES;
		phases[(size_t)x].sum += weight * fit->residual[i];
		phases[(size_t)x].weight += weight;
	}
}

double jm_fit_phase_excess(const struct jm_fit *fit)
{
	struct phase phases[PHASES] = {{0, 0}};
	double chi2 = 0, used = 0;

	collect(fit, phases);
	for (size_t i = 0; i < PHASES; i++) {
		if (phases[i].weight < 8)
			continue;
		chi2 += phases[i].sum * phases[i].sum / phases[i].weight;
		used++;
	}
	return used > 8 ? chi2 / used / fit->alignment.posterior.hyper.noise_w2 : 1;
}

static double autocorrelation(const struct jm_fit *fit, size_t lag)
{
	const struct jm_problem *problem = &fit->problem;
	double cross = 0, square = 0;

	for (size_t i = lag; i < problem->moments.n; i++) {
		double a = fit->residual[i], b = fit->residual[i - lag];
		double weight =
			problem->weight ? problem->weight[i] * problem->weight[i - lag] : 1;

		cross += weight * a * b;
		square += weight * 0.5 * (a * a + b * b);
	}
	return square > 0 ? cross / square : 0;
}

/* Variance of the mean of many residuals over that of independent ones. */
static double togetherness(const struct jm_fit *fit)
{
	double low_pass = fit->alignment.response.low_pass, sum = 1;
	double next = fmin(fit->autocorrelation, 0.99);
	size_t lags = low_pass > 0 ? (size_t)(2 / low_pass) : 1;

	lags = lags < LAGS_MAX ? lags : LAGS_MAX;
	for (size_t lag = 1; lag <= lags && lag < fit->problem.moments.n; lag++)
		sum += 2 * autocorrelation(fit, lag);
	return fmax(sum, (1 + next) / (1 - next)); /* the latter if each passes on its share */
}

/*
 * Rounding is noise of its own only where other noise, of at least a third of a
 * step, hides it: without, the same load is rounded the same way each time.
 * What of the rounding repeats, as a share of its variance, is exp(-(2 pi
 * noise)^2), noise in steps (Widrow, Kollar, Quantization Noise, 2008); its
 * weight is from simulated boards.
 */
static double repeated_rounding(const struct jm_fit *fit)
{
	double step = fit->conversions.quantum_w, other;

	if (!(step > 0))
		return 1;
	other = fit->alignment.posterior.hyper.noise_w2 / (step * step) - 1.0 / 12;
	return sqrt(1 + ROUNDING_WEIGHT * exp(-TWO_PI * TWO_PI * fmax(other, 0)));
}

int jm_fit_check(struct jm_fit *fit, struct jm_error *reterr)
{
	double excess, together;

	if (jm_alignment_residuals(&fit->alignment, fit->residual) < 0)
		return jm_fail_memory(reterr, "the residuals");
	excess = jm_fit_phase_excess(fit);
	fit->autocorrelation = autocorrelation(fit, 1);
	together = togetherness(fit);
	if (excess > EXCESS_MIN)
		fit->inflation = fmin(sqrt(excess), WIDENED_MAX);
	fit->inflation *= repeated_rounding(fit);
	/* Noise of neighbours that goes together counts as fewer conversions. */
	if (together > TOGETHER_MIN)
		fit->inflation *= sqrt(together);
	return 0;
}
