/* SPDX-License-Identifier: Apache-2.0 */
/* The search for the likeliest response on a part of the conversions. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attribute/fit.h"
#include "base/error.h"
#include "base/statistics.h"

enum { ITERATIONS = 4, FIRST_STEPS = 2, START_STEPS = 6, EXPLORE_STEPS = 4, ROUNDS_MAX = 3 };

/* 1 / normal quantile of 3/4: from median deviation to standard deviation. */
#define MAD_TO_SD 1.482602218505602
/* Rise of the log evidence that is more than the last steps towards an optimum. */
#define RISE_MIN 0.5
/* Near enough to an optimum to compare it with others. */
#define DONE_SHARE 0.4
/* A window known to this share stays: far from the optimum it would hide misfit. */
#define KNOWN 0.05
/* A start this far below the best after its first steps is given up, per conversion. */
#define HOPELESS 0.25

/* Residuals of neighbours; parts of the run are joined, which matters little. */
static double correlate(const double *residual, size_t n)
{
	double cross = 0, square = 0;

	for (size_t i = 1; i < n; i++) {
		cross += residual[i] * residual[i - 1];
		square += residual[i] * residual[i];
	}
	return square > 0 ? cross / square : 0;
}

static int judge(const struct jm_alignment *alignment, struct jm_candidate *candidate)
{
	size_t n = alignment->problem->moments.n;
	double *residual = malloc((n + 1) * sizeof(*residual)), middle;
	int result = residual ? jm_alignment_residuals(alignment, residual) : JM_ENOMEM;

	candidate->noise_w2 = HUGE_VAL;
	candidate->together = 0;
	if (result >= 0 && n) {
		candidate->together = correlate(residual, n);
		for (size_t i = 0; i < n; i++)
			residual[i] = fabs(residual[i]);
		middle = jm_median_upper(residual, n);
		candidate->noise_w2 = MAD_TO_SD * MAD_TO_SD * middle * middle;
	}
	free(residual);
	return result;
}

int jm_fit_descend(struct jm_fit *fit, struct jm_problem *problem,
	const struct jm_response *start, int steps, struct jm_candidate *best)
{
	struct jm_response_prior prior = fit->prior;
	struct jm_response from = *start;
	struct jm_alignment alignment;
	int result;

	if (prior.window_sd_s < KNOWN * prior.window_s) {
		prior.window_sd_s = 0;
		from.window_s = prior.window_s;
	}
	result = jm_alignment_init(&alignment, problem, &fit->belief, &prior, &from);

	alignment.done = DONE_SHARE;
	if (result >= 0)
		result = jm_alignment_refine(&alignment, steps, ITERATIONS);
	if (result >= 0) {
		double rise = alignment.posterior.log_evidence - best->evidence;

		if (rise > 0) {
			best->response = alignment.response;
			best->evidence = alignment.posterior.log_evidence;
			result = judge(&alignment, best);
		}
		if (result >= 0)
			result = rise > RISE_MIN;
	}
	jm_alignment_release(&alignment);
	return result == JM_ENUMERIC ? 0 : result;
}

int jm_fit_try_start(struct jm_fit *fit, struct jm_problem *problem,
	const struct jm_response *start, struct jm_candidate *best)
{
	struct jm_candidate own = {.evidence = -HUGE_VAL};
	int result = jm_fit_descend(fit, problem, start, FIRST_STEPS, &own);

	if (result < 0 || !own.response.n_taps /* no solution there */
		|| own.evidence < best->evidence - HOPELESS * (double)problem->moments.n)
		return result;
	return jm_fit_descend(fit, problem, &own.response, START_STEPS - FIRST_STEPS, best);
}

int jm_fit_explore(struct jm_fit *fit, struct jm_problem *problem, struct jm_candidate *best)
{
	static const struct {
		double delay_s, tau_factor; /* of what the filter delays: moved with it */
	} around[] = {{40e-6, 1}, {-40e-6, 1}, {90e-6, 1}, {-90e-6, 1}, {160e-6, 1},
		{-160e-6, 1}, {0, 0.25}, {0, 2}, {60e-6, 0.4}, {-60e-6, 0.4}};
	int better = fit->prior.delay_sd_s > 0 && best->response.n_taps;

	for (int round = 0; round < ROUNDS_MAX && better; round++) {
		struct jm_response centre = best->response;
		double pace = jm_response_pace(&centre);

		better = 0;
		for (size_t i = 0; i < sizeof(around) / sizeof(around[0]); i++) {
			struct jm_response start = centre;
			int result;

			if (around[i].tau_factor != 1 && fit->prior.tau_sd_s == 0)
				continue;
			start.tau_s = centre.tau_s * around[i].tau_factor;
			start.delay_s += pace * around[i].delay_s + centre.tau_s - start.tau_s;
			result = jm_fit_descend(fit, problem, &start, EXPLORE_STEPS, best);
			if (result < 0)
				return result;
			better |= result;
		}
	}
	return 0;
}
