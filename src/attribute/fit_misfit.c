/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a first-order supply does not describe. First a second order, which
 * holds two time constants as well as an overshoot; then any shape on a grid
 * of taps. Either is taken when the evidence rises by more than chance would
 * let it.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attribute/fit.h"
#include "attribute/subset.h"
#include "base/error.h"

enum {
	TAPS_BEFORE = 5,
	TAPS_AFTER = 15,
	STEPS = 6,
	FIRST_STEPS = 2,
	TRY_CONVERSIONS = 10000,
	ORDER_CONVERSIONS = 2000
};

/* Spread of the shape before the data, and the rise that is worth one. */
#define SHAPE_SD 1.0
#define ORDER_WORTH 4.0
/* Residuals by phase that leave nothing to a richer response. */
#define EXCESS_MIN 1.3
/* A first order that tries to be none. */
#define TAU_SHORT_S 60e-6
/* On a part of the data the rise may be this much below 0. */
#define ORDER_HOPE (-3.0)

/* Grid of taps, in units of window and time constant together. */
#define TAP_STEP 0.11
/* Rise of the log evidence that is worth a richer response: more than what delay
 * and time constant, which the taps take over as they were found, cost there. */
#define WORTH 28.0
/* Where the search for the taps' spread begins. */
#define TAP_SPREAD2 1e-3

static struct jm_response with_taps(const struct jm_response *simple)
{
	struct jm_response response = *simple;
	double step = TAP_STEP * (simple->window_s + simple->tau_s);

	response.n_taps = TAPS_BEFORE + 1 + TAPS_AFTER;
	for (size_t m = 0; m < response.n_taps; m++) {
		response.offset_s[m] = ((double)m - TAPS_BEFORE) * step;
		response.tap[m] = m == TAPS_BEFORE;
	}
	return response;
}

/* Evidence that taps add on a part of the data. */
static int try_taps(
	const struct jm_fit *fit, const struct jm_response *response, double *ret_gain)
{
	struct jm_subset subset;
	struct jm_belief belief = fit->belief;
	struct jm_alignment simple = {0}, rich = {0};
	int result =
		jm_subset_init(&subset, &fit->problem, TRY_CONVERSIONS, response->low_pass > 0);

	*ret_gain = 0;
	if (result >= 0)
		result = jm_alignment_init(&simple, &subset.problem, &belief, &fit->prior,
			&fit->alignment.response);
	if (result >= 0)
		result = jm_alignment_refine(&simple, 2, 8);
	if (result >= 0)
		result = jm_alignment_init(
			&rich, &subset.problem, &belief, &fit->prior, response);
	if (result >= 0) {
		memcpy(rich.power_w, simple.power_w,
			(fit->segments.n_loads + JM_N_GAP_COLUMNS) * sizeof(double));
		rich.posterior.hyper = simple.posterior.hyper;
		rich.posterior.hyper.extra2 = TAP_SPREAD2;
		result = jm_alignment_refine(&rich, 1, 8);
	}
	if (result >= 0)
		*ret_gain = rich.posterior.log_evidence - simple.posterior.log_evidence;
	jm_alignment_release(&simple);
	jm_alignment_release(&rich);
	jm_subset_release(&subset);
	return result == JM_ENUMERIC ? 0 : result;
}

/* Takes the taps into the fit. */
static int adopt(struct jm_fit *fit, const struct jm_response *response)
{
	struct jm_alignment rich;
	int result =
		jm_alignment_init(&rich, &fit->problem, &fit->belief, &fit->prior, response);

	if (result >= 0) {
		memcpy(rich.power_w, fit->alignment.power_w,
			(fit->segments.n_loads + JM_N_GAP_COLUMNS) * sizeof(double));
		rich.posterior.hyper = fit->alignment.posterior.hyper;
		rich.posterior.hyper.extra2 = TAP_SPREAD2;
		result = jm_alignment_refine(&rich, STEPS, 6);
	}
	if (result >= 0) {
		struct jm_alignment simple = fit->alignment;

		fit->alignment = rich;
		rich = simple;
	}
	jm_alignment_release(&rich);
	return result;
}

/* Second-order starts that keep the mean delay of the first order. */
static int try_shapes(
	struct jm_fit *fit, const struct jm_problem *problem, struct jm_candidate *best)
{
	static const struct {
		double shape, tau_s; /* 0: that of the first order */
	} starts[] = {{0.15, 0}, {0.6, 0.3e-3}, {1.2, 0.12e-3}, {1.2, 0.3e-3}, {1.2, 0.7e-3},
		{2.5, 0.15e-3}, {2.5, 0.35e-3}};
	const struct jm_response *first = &fit->alignment.response;
	struct jm_response from[JM_DESCENTS_MAX];
	size_t n = sizeof(starts) / sizeof(starts[0]);
	int result;
	double pace = jm_response_pace(first);

	/* An overshoot leaves its trace in what a first order does not explain. */
	if (jm_fit_phase_excess(fit) < EXCESS_MIN && first->tau_s > TAU_SHORT_S)
		n = 1;
	for (size_t i = 0; i < n; i++) {
		from[i] = *first;
		from[i].tau_s = starts[i].tau_s > 0 ? pace * starts[i].tau_s
						    : fmax(first->tau_s, 50e-6);
		from[i].shape = starts[i].shape;
		from[i].delay_s += first->tau_s - from[i].tau_s;
	}
	result = jm_fit_try_starts(fit, problem, from, n, best);
	return n > 1 && result >= 0 ? jm_fit_explore(fit, problem, best) : result;
}

/* Takes a response into the fit when the evidence of all conversions rises. 1: it did. */
static int take_order(struct jm_fit *fit, const struct jm_response *response)
{
	struct jm_alignment other;
	int result =
		jm_alignment_init(&other, &fit->problem, &fit->belief, &fit->prior, response);

	if (result >= 0)
		result = jm_alignment_refine(&other, FIRST_STEPS, 8);
	if (result >= 0 && other.posterior.log_evidence >
				   fit->alignment.posterior.log_evidence + ORDER_HOPE)
		result = jm_alignment_refine(&other, STEPS - FIRST_STEPS, 8);
	if (result >= 0 && other.posterior.log_evidence >
				   fit->alignment.posterior.log_evidence + ORDER_WORTH) {
		struct jm_alignment first = fit->alignment;

		fit->alignment = other;
		other = first;
		result = 1;
	}
	jm_alignment_release(&other);
	return result;
}

/* 1: the supply is of second order. */
static int find_order(struct jm_fit *fit)
{
	struct jm_candidate first = {.evidence = -HUGE_VAL}, best = {.evidence = -HUGE_VAL};
	struct jm_subset subset;
	int result = jm_subset_init(&subset, &fit->problem, ORDER_CONVERSIONS,
		fit->alignment.response.low_pass > 0);

	if (result >= 0)
		result = jm_fit_descend(
			fit, &subset.problem, &fit->alignment.response, 2, &first);
	if (result >= 0)
		result = jm_alignment_residuals(&fit->alignment, fit->residual);
	fit->prior.shape_sd = SHAPE_SD;
	if (result >= 0)
		result = try_shapes(fit, &subset.problem, &best);
	jm_subset_release(&subset);
	if (result >= 0)
		result = best.evidence > first.evidence + ORDER_HOPE
				 ? take_order(fit, &best.response)
				 : 0;
	if (result <= 0)
		fit->prior.shape_sd = 0;
	else
		fit->problem.weight = NULL; /* what did not fit seemed disturbed */
	return result;
}

static int may_be_rich(const struct jm_fit *fit)
{
	return !(fit->alignment.response.age_s > 0) && fit->prior.delay_sd_s > 0 &&
	       fit->prior.tau_sd_s > 0;
}

int jm_fit_order(struct jm_fit *fit, struct jm_error *reterr)
{
	int result = may_be_rich(fit) ? find_order(fit) : 0;

	if (result == JM_ENUMERIC)
		return 0;
	if (result < 0)
		return jm_fail(reterr, (enum jm_code)result, "the response has no solution");
	return result;
}

int jm_fit_enrich(struct jm_fit *fit, struct jm_error *reterr)
{
	struct jm_response response = with_taps(&fit->alignment.response);
	double gain;
	int result;

	/* Behind a low-pass noise is not white enough for so many parameters. */
	if (!may_be_rich(fit) || response.low_pass > 0)
		return 0;
	result = try_taps(fit, &response, &gain);
	if (result >= 0 && gain > WORTH) {
		fit->problem.weight = NULL; /* what did not fit seemed disturbed */
		result = adopt(fit, &response);
		if (result >= 0)
			return 1;
	}
	if (result < 0)
		return jm_fail(reterr, (enum jm_code)result, "the response has no solution");
	return 0;
}
