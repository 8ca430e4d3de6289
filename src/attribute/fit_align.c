/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attribute/coarse.h"
#include "attribute/fit.h"
#include "attribute/subset.h"
#include "base/error.h"

enum {
	COARSE_PER_COLUMN = 12,
	FEW_CONVERSIONS = 2000,    /* to choose among starts */
	LINKED_CONVERSIONS = 8000, /* the same, behind a low-pass */
	MANY_CONVERSIONS = 20000,  /* to come close to the end */
	STARTS = JM_START_MAX,
	LINKED_STARTS = 6,
	VAGUE_STARTS = 4, /* rows of readings of unknown age are long ones */
	NUMBERS = 7,
	N_TAU = 4
};

/* Where more than this is left unexplained, or goes together from one to the
 * next, conversions may have passed a low-pass. */
#define UNEXPLAINED_MIN 0.05
#define TOGETHER_MIN 0.25
/* Neighbours of a counter whose moments are off go against each other at least so. */
#define AGAINST (-0.2)
#define BLUR_MIN_S 4e-6
#define SD_TO_RANGE 3.4641016151377544 /* of a uniform distribution */
/* Log evidence by which another cycle must be less likely. */
#define ALIKE 4.0
/* A low-pass that is there leaves less noise by this much, as a variance. */
#define LESS_NOISE 0.6

/* The starts of a search in which power_w[] is what the sensor converted. */
static int find_starts(
	struct jm_fit *fit, const double *power_w, struct jm_start starts[JM_START_MAX])
{
	struct jm_response slow = {.round_s = fit->conversions.round_s};
	double pace = jm_response_pace(&slow);
	const double tau_s[] = {
		0.1e-3 * pace, 0.35e-3 * pace, 0.9e-3 * pace, 2.5e-3 * pace, fit->prior.tau_s};
	double given_tau = fit->prior.tau_s;
	struct jm_coarse_options options = {.delay_min_s = fit->prior.delay_min_s,
		.delay_max_s = fit->prior.delay_max_s,
		.tau_s = fit->prior.tau_sd_s > 0 ? tau_s : &given_tau,
		.n_tau = fit->prior.tau_sd_s > 0 ? N_TAU + (fit->prior.tau_s > tau_s[N_TAU - 1])
						 : 1,
		.window_s = fit->windows_s,
		.n_window = fit->n_windows,
		.per_column = COARSE_PER_COLUMN};

	if (fit->prior.delay_sd_s > 0)
		return jm_coarse_search(
			&fit->segments, &fit->problem.moments, power_w, &options, starts);
	starts[0] = (struct jm_start){
		fit->prior.delay_s, fit->prior.tau_s, fit->windows_s[0], 0, 0};
	return 1;
}

static struct jm_response response_at(
	const struct jm_fit *fit, const struct jm_start *start, double low_pass)
{
	struct jm_response response =
		jm_response_simple(start->delay_s, start->window_s, start->tau_s);

	response.low_pass = low_pass;
	response.round_s = fit->conversions.round_s;
	response.middle_s = 0.5 * (fit->segments.begin_s + fit->segments.end_s);

	response.age_s = fit->blur_s;
	if (fit->conversions.moment == JM_MOMENT_READING)
		response.age_s = fit->input->prior.round_ms > 0
					 ? fit->input->prior.round_ms * 1e-3
					 : fit->conversions.poll_s;
	return response;
}

/* Refines every start on a part of the data; keeps the most likely one. */
static int choose(struct jm_fit *fit, const struct jm_start *starts, size_t n, double low_pass,
	struct jm_response *ret_best, double *ret_evidence)
{
	struct jm_candidate best = {.evidence = *ret_evidence};
	struct jm_response from[JM_DESCENTS_MAX];
	struct jm_subset subset;
	int result = jm_subset_init(&subset, &fit->problem,
		low_pass > 0 ? LINKED_CONVERSIONS : FEW_CONVERSIONS, low_pass > 0);

	for (size_t i = 0; i < n; i++)
		from[i] = response_at(fit, &starts[i], low_pass);
	if (result >= 0)
		result = jm_fit_try_starts(fit, &subset.problem, from, n, &best);
	if (result >= 0 && best.evidence > *ret_evidence)
		result = jm_fit_explore(fit, &subset.problem, &best);
	if (best.evidence > *ret_evidence) {
		*ret_evidence = best.evidence;
		fit->start_noise_w2 = best.noise_w2;
		fit->start_together = best.together;
		*ret_best = best.response;
	}
	jm_subset_release(&subset);
	return result < 0 ? result : 0;
}

/* On many conversions, before all of a very long run are used. */
static int come_closer(struct jm_fit *fit, struct jm_response *response)
{
	struct jm_subset subset;
	struct jm_alignment alignment = {0};
	int result = jm_subset_init(
		&subset, &fit->problem, MANY_CONVERSIONS, response->low_pass > 0);

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

/* Undoes a low-pass: noisy, but good enough for a coarse search. */
static void sharpen(const struct jm_fit *fit, double low_pass, double *ret_power)
{
	const struct jm_moments *moments = &fit->problem.moments;
	struct jm_response response = {
		.low_pass = low_pass, .round_s = fit->conversions.round_s};

	for (size_t i = 0; i < moments->n; i++) {
		double kept = jm_response_kept(&response, moments, i);
		double last = i ? fit->problem.power_w[i - 1] : 0;

		ret_power[i] = (fit->problem.power_w[i] - kept * last) / (1 - kept);
	}
}

/* Share of the conversions' variance that the likeliest start leaves. */
static double unexplained(const struct jm_fit *fit)
{
	const struct jm_problem *problem = &fit->problem;
	double mean = 0, square = 0, n = (double)problem->moments.n;

	for (size_t i = 0; i < problem->moments.n; i++)
		mean += problem->power_w[i] / n;
	for (size_t i = 0; i < problem->moments.n; i++)
		square += (problem->power_w[i] - mean) * (problem->power_w[i] - mean) / n;
	return square > 0 ? fit->start_noise_w2 / square : 0;
}

/* One low-pass, 0: none; *ret_best is replaced when it is likelier. */
static int try_low_pass(
	struct jm_fit *fit, double low_pass, struct jm_response *ret_best, double *ret_evidence)
{
	struct jm_start starts[JM_START_MAX];
	size_t many = low_pass > 0                                   ? LINKED_STARTS
		      : fit->conversions.moment == JM_MOMENT_READING ? VAGUE_STARTS
								     : STARTS;
	int n, result;

	if (low_pass > 0)
		sharpen(fit, low_pass, fit->residual);
	n = find_starts(fit, low_pass > 0 ? fit->residual : fit->problem.power_w, starts);
	if (n < 0)
		return n;
	result = choose(fit, starts, (size_t)n < many ? (size_t)n : many, low_pass, ret_best,
		ret_evidence);
	return result;
}

/* How much neighbours still go together once a low-pass is undone. */
static double rest_of_low_pass(const struct jm_fit *fit, double low_pass)
{
	size_t n = fit->problem.moments.n;
	double cross = 0, square = 0, mean = 0;

	sharpen(fit, low_pass, fit->residual);
	for (size_t i = 1; i < n; i++)
		mean += fit->residual[i] / (double)n;
	for (size_t i = 2; i < n; i++) {
		double own = fit->residual[i] - mean;

		cross += own * (fit->residual[i - 1] - mean);
		square += own * own;
	}
	return square > 0 ? fabs(cross / square) : 0;
}

/* The numbers that leave least come first. */
static void sort_numbers(const struct jm_fit *fit, double *numbers, size_t n)
{
	double rest[NUMBERS];

	for (size_t i = 0; i < n; i++)
		rest[i] = rest_of_low_pass(fit, 1 / numbers[i]);
	for (size_t i = 1; i < n; i++)
		for (size_t j = i; j > 0 && rest[j] < rest[j - 1]; j--) {
			double number = numbers[j], own = rest[j];

			numbers[j] = numbers[j - 1];
			rest[j] = rest[j - 1];
			numbers[j - 1] = number;
			rest[j - 1] = own;
		}
}

/* Numbers of conversions in the low-pass of an INA3221, where it may be on. */
static int search(struct jm_fit *fit, struct jm_response *ret_best)
{
	double numbers[NUMBERS] = {4, 16, 64, 128, 256, 512, 1024};
	double evidence = -HUGE_VAL, known = fit->input->prior.samples;
	int ticks = fit->conversions.moment == JM_MOMENT_TICK && !fit->conversions.width_s;
	int result;

	if (known > 1 && ticks)
		return try_low_pass(fit, 1 / known, ret_best, &evidence);
	result = try_low_pass(fit, 0, ret_best, &evidence);
	if (!ticks || known == 1 ||
		(unexplained(fit) < UNEXPLAINED_MIN && fit->start_together < TOGETHER_MIN))
		return result;
	sort_numbers(fit, numbers, NUMBERS);
	for (size_t i = 0; i < NUMBERS && result >= 0; i++) {
		struct jm_response best = *ret_best;
		double before = fit->start_noise_w2, now = evidence;

		result = try_low_pass(fit, 1 / numbers[i], &best, &now);
		if (now <= evidence || fit->start_noise_w2 > LESS_NOISE * before) {
			fit->start_noise_w2 = before;
			continue;
		}
		evidence = now;
		*ret_best = best;
		if (fit->start_together < TOGETHER_MIN)
			break;
	}
	return result;
}

/*
 * How far off the moments of a counter's updates are, from the noise: a count
 * that is late by t holds t times the power too much, and its neighbour misses
 * it, so that residuals of neighbours go against each other.
 */
static double moments_sd_s(const struct jm_fit *fit)
{
	const struct jm_problem *problem = &fit->problem;
	double width_s = 0, n = (double)problem->moments.n;

	if (!problem->moments.width_s || fit->start_together > AGAINST)
		return 0;
	for (size_t i = 0; i < problem->moments.n; i++)
		width_s += problem->moments.width_s[i] / n;
	return sqrt(fit->start_noise_w2 / 2) * width_s / fit->belief.scale_w;
}

/* The search once more with edges of windows that are only known so well. */
static int search_blurred(struct jm_fit *fit, struct jm_response *best)
{
	struct jm_start start = {best->delay_s, best->tau_s, best->window_s, 0, 0};
	double sd_s = moments_sd_s(fit), evidence = -HUGE_VAL;
	int result;

	if (!(sd_s > BLUR_MIN_S))
		return 0;
	fit->blur_s = SD_TO_RANGE * sd_s;
	start.delay_s -= 0.5 * fit->blur_s; /* all of them are moved to one side */
	result = choose(fit, &start, 1, 0, best, &evidence);
	if (!isfinite(evidence)) /* no better than before */
		fit->blur_s = 0;
	return result;
}

/*
 * Cycles that are all alike, one after the other: the delay may be off by one.
 * Tried on a part of the conversions, where the range of delays allows it.
 */
static int check_cycles(struct jm_fit *fit)
{
	double cycle_s =
		(fit->segments.end_s - fit->segments.begin_s) / (double)fit->segments.n_cycles;
	struct jm_candidate best = {.evidence = -HUGE_VAL};
	struct jm_subset subset;
	int result = jm_subset_init(
		&subset, &fit->problem, FEW_CONVERSIONS, fit->alignment.response.low_pass > 0);

	if (result >= 0)
		result = jm_fit_descend(
			fit, &subset.problem, &fit->alignment.response, 2, &best);
	for (int way = -1; way <= 1 && result >= 0; way += 2) {
		struct jm_response start = fit->alignment.response;
		struct jm_candidate own = {.evidence = -HUGE_VAL};

		start.delay_s += way * cycle_s;
		if (start.delay_s < fit->prior.delay_min_s ||
			start.delay_s > fit->prior.delay_max_s)
			continue;
		result = jm_fit_descend(fit, &subset.problem, &start, 2, &own);
		if (own.evidence > best.evidence - ALIKE)
			fit->ambiguous = 1;
	}
	jm_subset_release(&subset);
	return result;
}

int jm_fit_align(struct jm_fit *fit, struct jm_error *reterr)
{
	struct jm_response best = {0};
	int result = search(fit, &best);

	if (result >= 0 && best.n_taps)
		result = search_blurred(fit, &best);
	if (result >= 0 && best.n_taps == 0)
		return jm_fail(reterr, JM_ENUMERIC,
			"the readings have no solution; the run is too short");
	if (result >= 0 && fit->problem.moments.n > 3 * MANY_CONVERSIONS / 2)
		result = come_closer(fit, &best);
	if (result >= 0)
		result = jm_alignment_init(
			&fit->alignment, &fit->problem, &fit->belief, &fit->prior, &best);
	if (result >= 0)
		result = jm_alignment_refine(&fit->alignment, 3, 12);
	if (result >= 0 && fit->prior.delay_sd_s > 0)
		result = check_cycles(fit);
	if (result == JM_ENOMEM)
		return jm_fail_memory(reterr, "the normal equations");
	if (result < 0)
		return jm_fail(reterr, JM_ENUMERIC,
			"the readings have no solution; the run is too short");
	return 0;
}
