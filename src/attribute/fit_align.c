/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attribute/coarse.h"
#include "attribute/fit.h"
#include "attribute/subset.h"
#include "base/error.h"

enum {
	COARSE_CONVERSIONS = 600,
	FEW_CONVERSIONS = 2600,   /* to choose among starts */
	MANY_CONVERSIONS = 20000, /* to come close to the end */
	STARTS = 5
};

static int find_starts(struct jm_fit *fit, struct jm_start starts[JM_START_MAX])
{
	static const double tau_s[] = {0.1e-3, 0.7e-3, 2.5e-3};
	double given_tau = fit->prior.tau_s;
	struct jm_coarse_options options = {
		.delay_min_s = fit->prior.delay_min_s,
		.delay_max_s = fit->prior.delay_max_s,
		.tau_s = fit->prior.tau_sd_s > 0 ? tau_s : &given_tau,
		.n_tau = fit->prior.tau_sd_s > 0 ? sizeof(tau_s) / sizeof(tau_s[0]) : 1,
		.window_s = fit->windows_s,
		.n_window = fit->n_windows,
		.conversions = COARSE_CONVERSIONS};

	if (fit->prior.delay_sd_s > 0)
		return jm_coarse_search(&fit->segments, &fit->problem.moments,
			fit->problem.power_w, &options, starts);
	starts[0] = (struct jm_start){fit->prior.delay_s, fit->prior.tau_s, fit->windows_s[0], 0};
	return 1;
}

static struct jm_response response_at(const struct jm_fit *fit, const struct jm_start *start)
{
	struct jm_response response =
		jm_response_simple(start->delay_s, start->window_s, start->tau_s);

	response.middle_s = 0.5 * (fit->segments.begin_s + fit->segments.end_s);

	if (fit->conversions.moment == JM_MOMENT_READING)
		response.age_s = fit->input->prior.round_ms > 0 ? fit->input->prior.round_ms * 1e-3
								: fit->conversions.poll_s;
	return response;
}

/* Refines every start on a part of the data; returns the most likely one. */
static int choose(struct jm_fit *fit, const struct jm_start *starts, size_t n,
	struct jm_response *ret_best)
{
	struct jm_subset subset;
	double best = -HUGE_VAL;
	int result = jm_subset_init(&subset, &fit->problem, FEW_CONVERSIONS);

	for (size_t i = 0; i < n && result >= 0; i++) {
		struct jm_response start = response_at(fit, &starts[i]);
		struct jm_alignment alignment;

		result = jm_alignment_init(
			&alignment, &subset.problem, &fit->belief, &fit->prior, &start);
		if (result >= 0)
			result = jm_alignment_refine(&alignment, 7, 8);
		if (result == JM_EINVAL)
			result = 0;
		else if (result >= 0 && alignment.posterior.log_evidence > best) {
			best = alignment.posterior.log_evidence;
			*ret_best = alignment.response;
		}
		jm_alignment_release(&alignment);
	}
	jm_subset_release(&subset);
	return result;
}

/* On many conversions, before all of a very long run are used. */
static int come_closer(struct jm_fit *fit, struct jm_response *response)
{
	struct jm_subset subset;
	struct jm_alignment alignment = {0};
	int result = jm_subset_init(&subset, &fit->problem, MANY_CONVERSIONS);

	if (result >= 0)
		result = jm_alignment_init(
			&alignment, &subset.problem, &fit->belief, &fit->prior, response);
	if (result >= 0)
		result = jm_alignment_refine(&alignment, 4, 8);
	if (result >= 0)
		*response = alignment.response;
	jm_alignment_release(&alignment);
	jm_subset_release(&subset);
	return result;
}

int jm_fit_align(struct jm_fit *fit, struct jm_error *reterr)
{
	struct jm_start starts[JM_START_MAX];
	struct jm_response best = {0};
	int n = find_starts(fit, starts), result;

	if (n < 0)
		return jm_fail_memory(reterr, "the search for the delay");
	if (n == 0)
		return jm_fail(reterr, JM_EINVAL, "no delay fits the readings to the timeline");
	result = choose(fit, starts, (size_t)n < STARTS ? (size_t)n : STARTS, &best);
	if (result >= 0 && best.n_taps == 0)
		return jm_fail(reterr, JM_EINVAL,
			"the readings have no solution; the run is too short");
	if (result >= 0 && fit->problem.moments.n > 3 * MANY_CONVERSIONS / 2)
		result = come_closer(fit, &best);
	if (result >= 0)
		result = jm_alignment_init(&fit->alignment, &fit->problem, &fit->belief,
			&fit->prior, &best);
	if (result >= 0)
		result = jm_alignment_refine(&fit->alignment, 3, 12);
	if (result == JM_ENOMEM)
		return jm_fail_memory(reterr, "the normal equations");
	if (result < 0)
		return jm_fail(reterr, JM_EINVAL,
			"the readings have no solution; the run is too short");
	return 0;
}
