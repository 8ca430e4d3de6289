/* SPDX-License-Identifier: Apache-2.0 */
/* The search for the likeliest response on a part of the conversions. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attribute/fit.h"
#include "base/error.h"
#include "base/progress.h"
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

/* One walk from a start to the next optimum; it knows of no other. */
struct descent {
	struct jm_response start;
	int steps; /* 0: not wanted */
	struct jm_candidate found;
	int result; /* JM_ENUMERIC: there is no solution on the way */
};

static void descend(
	const struct jm_fit *fit, const struct jm_problem *whole, struct descent *descent)
{
	struct jm_response_prior prior = fit->prior;
	struct jm_problem problem = *whole; /* columns of its own are set in it */
	struct jm_belief belief = fit->belief;
	struct jm_response from = descent->start;
	struct jm_alignment alignment;
	int result;

	descent->found = (struct jm_candidate){.evidence = -HUGE_VAL};
	if (prior.window_sd_s < KNOWN * prior.window_s) {
		prior.window_sd_s = 0;
		from.window_s = prior.window_s;
	}
	result = jm_alignment_init(&alignment, &problem, &belief, &prior, &from);
	alignment.done = DONE_SHARE;
	if (result >= 0)
		result = jm_alignment_refine(&alignment, descent->steps, ITERATIONS);
	if (result >= 0) {
		descent->found.response = alignment.response;
		descent->found.evidence = alignment.posterior.log_evidence;
		result = judge(&alignment, &descent->found);
	}
	jm_alignment_release(&alignment);
	descent->result = result;
}

/* *best is replaced by what was found when that is likelier; 1: clearly so. */
static int take(const struct descent *descent, struct jm_candidate *best)
{
	double rise = descent->found.evidence - best->evidence;

	if (descent->result < 0)
		return descent->result == JM_ENUMERIC ? 0 : descent->result;
	if (rise > 0)
		*best = descent->found;
	return rise > RISE_MIN;
}

int jm_fit_descend(struct jm_fit *fit, const struct jm_problem *problem,
	const struct jm_response *start, int steps, struct jm_candidate *best)
{
	struct descent descent = {.start = *start, .steps = steps};

	descend(fit, problem, &descent);
	return take(&descent, best);
}

/* ---- Several at once --------------------------------------------------------------------- */

struct descents {
	const struct jm_fit *fit;
	struct jm_problem problem;
	struct descent list[JM_DESCENTS_MAX];
	size_t n;
	const char *what; /* is being searched */
};

static void tell_done(void *context, size_t done)
{
	const struct descents *descents = context;

	if (descents->fit->is_long)
		jm_tell(descents->fit->input->progress, descents->what, (double)done,
			(double)descents->n, "places");
}

static void descend_one(void *context, size_t i)
{
	struct descents *descents = context;

	if (descents->list[i].steps)
		descend(descents->fit, &descents->problem, &descents->list[i]);
}

static void descend_all(struct descents *descents)
{
	tell_done(descents, 0);
	jm_pool_run(descents->fit->pool, descents->n, descend_one, tell_done, descents);
}

static struct descents *descents_new(const struct jm_fit *fit, const struct jm_problem *problem)
{
	struct descents *descents = calloc(1, sizeof(*descents));

	if (descents) {
		descents->fit = fit;
		descents->problem = *problem;
		descents->problem.pool = NULL; /* each of them is on a thread of it */
	}
	return descents;
}

/* After its first steps this start is not left far behind. */
static int has_hope(
	const struct descents *descents, const struct jm_candidate *own, double best)
{
	return own->evidence >= best - HOPELESS * (double)descents->problem.moments.n;
}

/*
 * Second steps of those that have hope beside what the first steps have found; that
 * may be some that turn out to have none, once others have gone on.
 */
static void go_on(struct descents *descents, const struct jm_candidate *first, double best)
{
	for (size_t i = 0; i < descents->n; i++) {
		struct descent *descent = &descents->list[i];

		descent->start = first[i].response;
		descent->steps = first[i].response.n_taps && has_hope(descents, &first[i], best)
					 ? START_STEPS - FIRST_STEPS
					 : 0;
		best = fmax(best, first[i].evidence);
	}
	descend_all(descents);
}

/* One start after the other, as if each had waited for those before. */
static int bring_together(
	struct descents *descents, const struct jm_candidate *first, struct jm_candidate *best)
{
	int result = 0;

	for (size_t i = 0; i < descents->n && result >= 0; i++) {
		struct descent *descent = &descents->list[i];

		if (!first[i].response.n_taps || !has_hope(descents, &first[i], best->evidence))
			continue;
		if (!descent->steps) {
			descent->steps = START_STEPS - FIRST_STEPS;
			descend(descents->fit, &descents->problem, descent);
		}
		result = take(descent, best);
	}
	return result < 0 ? result : 0;
}

int jm_fit_try_starts(struct jm_fit *fit, const struct jm_problem *problem,
	const struct jm_response *starts, size_t n, struct jm_candidate *best)
{
	struct descents *descents = descents_new(fit, problem);
	struct jm_candidate *first = calloc(n + 1, sizeof(*first));
	int result = descents && first ? 0 : JM_ENOMEM;

	for (size_t i = 0; i < n && result >= 0; i++)
		descents->list[descents->n++] =
			(struct descent){.start = starts[i], .steps = FIRST_STEPS};
	if (result >= 0)
		descents->what = "fit: delay and filter of the supply";
	if (result >= 0)
		descend_all(descents);
	for (size_t i = 0; i < n && result >= 0; i++) {
		first[i].evidence = -HUGE_VAL;
		result = take(&descents->list[i], &first[i]);
	}
	if (result >= 0) {
		descents->what = "fit: the likely ones of them";
		go_on(descents, first, best->evidence);
		result = bring_together(descents, first, best);
	}
	free(descents);
	free(first);
	return result;
}

/* The places around `centre`. */
static void set_around(struct descents *descents, const struct jm_response *centre)
{
	static const struct {
		double delay_s, tau_factor; /* of what the filter delays: moved with it */
	} around[] = {{40e-6, 1}, {-40e-6, 1}, {90e-6, 1}, {-90e-6, 1}, {160e-6, 1},
		{-160e-6, 1}, {0, 0.25}, {0, 2}, {60e-6, 0.4}, {-60e-6, 0.4}};
	double pace = jm_response_pace(centre);

	descents->n = 0;
	for (size_t i = 0; i < sizeof(around) / sizeof(around[0]); i++) {
		struct jm_response start = *centre;

		if (around[i].tau_factor != 1 && descents->fit->prior.tau_sd_s == 0)
			continue;
		start.tau_s = centre->tau_s * around[i].tau_factor;
		start.delay_s += pace * around[i].delay_s + centre->tau_s - start.tau_s;
		descents->list[descents->n++] =
			(struct descent){.start = start, .steps = EXPLORE_STEPS};
	}
}

int jm_fit_explore(
	struct jm_fit *fit, const struct jm_problem *problem, struct jm_candidate *best)
{
	struct descents *descents = descents_new(fit, problem);
	int better = fit->prior.delay_sd_s > 0 && best->response.n_taps;
	int result = descents ? 0 : JM_ENOMEM;

	for (int round = 0; round < ROUNDS_MAX && better && result >= 0; round++) {
		struct jm_response centre = best->response;

		better = 0;
		descents->what = "fit: around the likeliest";
		set_around(descents, &centre);
		descend_all(descents);
		for (size_t i = 0; i < descents->n && result >= 0; i++) {
			result = take(&descents->list[i], best);
			better |= result > 0;
		}
	}
	free(descents);
	return result < 0 ? result : 0;
}
