/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "attribute/fit.h"
#include "attribute/regimes.h"
#include "base/error.h"
#include "base/array.h"

#define NS_PER_S INT64_C(1000000000)
/* Conversions this far from the run still tell about idle power. */
#define MARGIN_S 1.0
#define ZONE_S 900 /* time zones differ by whole quarters of an hour */
#define ZONES_MAX (26 * 4)
#define KNOT_S 3.0
/* Fewer conversions than this tell nothing. */
#define CONVERSIONS_MIN 16
#define KNOTS_MAX 72
/* A window taken from a table, and one that is only a guess. */
#define WINDOW_KNOWN_SD 0.01
#define WINDOW_GUESS_SD 0.3
#define TAU_MEAN_S 0.3e-3
#define TAU_SD_S 3e-3
/* A driver that stamps may state samples of what was filtered before, as shares
 * of a round: windows from none to all of it, a time constant as long. */
#define STAMPED_WINDOW 0.25
#define STAMPED_TAU 0.5
/* Of what the search for the rhythm leaves of the clocks' difference. */
#define SKEW_SD 2e-7
#define SKEW_POLLS 0.03 /* ticks at the ends of the log are off by this share of a poll */

/* Known times of 0 are not known; others are at least this, and no time is longer. */
#define KNOWN_MIN_MS 1e-6
#define KNOWN_MAX_MS 1e9
/* Differences of these fit into 64 bits; they reach to the year 2096. */
#define STAMP_MAX_NS INT64_C(4000000000000000000)
/* Less than this is no power, whatever the unit. */
#define POWER_MIN_W 1e-30
/* A rail reads below 0 when more than this share of its conversions do. */
#define BELOW_SHARE 0.01

/* ---- What is claimed to be known ----------------------------------------------- */

static int is_known_time(double ms)
{
	return ms == 0 || (ms >= KNOWN_MIN_MS && ms <= KNOWN_MAX_MS);
}

static int is_moment(double ms)
{
	return fabs(ms) <= KNOWN_MAX_MS;
}

static int check_known(const struct jm_fit_input *input, struct jm_error *reterr)
{
	const struct jm_fit_prior *prior = &input->prior;
	const struct jm_fit_given *given = &input->given;
	const char *wrong = NULL;

	if (!is_known_time(prior->round_ms) || given->round_ms == 0 ||
		!(isnan(given->round_ms) || is_known_time(given->round_ms)))
		wrong = "round";
	if (!is_known_time(prior->window_ms) || !is_known_time(prior->window_sd_ms) ||
		given->window_ms == 0 ||
		!(isnan(given->window_ms) || is_known_time(given->window_ms)))
		wrong = "window";
	if (!is_known_time(prior->tau_sd_ms) ||
		!(prior->tau_ms >= 0 && is_moment(prior->tau_ms)) ||
		!(isnan(given->tau_ms) || (given->tau_ms >= 0 && is_moment(given->tau_ms))))
		wrong = "time constant";
	if (!is_known_time(prior->delay_sd_ms) || !is_moment(prior->delay_ms) ||
		!is_moment(prior->delay_min_ms) || !is_moment(prior->delay_max_ms) ||
		!(isnan(given->delay_ms) || is_moment(given->delay_ms)))
		wrong = "delay";
	if (!wrong)
		return 0;
	return jm_fail(reterr, JM_EINVAL,
		"the sensor's %s, or its deviation, is out of range: give 1 ns or more, or do "
		"without",
		wrong);
}

/* ---- Clocks ---------------------------------------------------------------- */

struct extent {
	int64_t begin_ns, end_ns;
};

static int timeline_extent(const struct jm_timeline *timeline, struct extent *ret)
{
	int any = 0;

	*ret = (struct extent){INT64_MAX, INT64_MIN};
	for (size_t i = 0; i < timeline->n_layers; i++) {
		const struct jm_layer *layer = &timeline->layers[i];

		for (size_t j = 0; j < layer->n_executions; j++) {
			int64_t stamp = layer->executions[j].stamp_ns;

			ret->begin_ns = stamp < ret->begin_ns ? stamp : ret->begin_ns;
			ret->end_ns = stamp > ret->end_ns ? stamp : ret->end_ns;
			any = 1;
		}
	}
	return any;
}

static int is_stamp(int64_t ns)
{
	return ns >= -STAMP_MAX_NS && ns <= STAMP_MAX_NS;
}

static int check_stamps(
	const struct jm_rail *rail, const struct extent *run, struct jm_error *reterr)
{
	if (!is_stamp(run->begin_ns) || !is_stamp(run->end_ns))
		return jm_fail(
			reterr, JM_EINVAL, "a time stamp of the timeline is out of range");
	for (size_t i = 0; i < rail->n_readings; i++)
		if (!is_stamp(rail->readings[i].before_ns) ||
			!is_stamp(rail->readings[i].after_ns))
			return jm_fail(reterr, JM_EINVAL,
				"the time of reading %zu of rail '%s' is out of range", i + 1,
				rail->name);
	return 0;
}

static int64_t overlap(const struct extent *a, const struct extent *b, int64_t shift_ns)
{
	int64_t begin =
		a->begin_ns + shift_ns > b->begin_ns ? a->begin_ns + shift_ns : b->begin_ns;
	int64_t end = a->end_ns + shift_ns < b->end_ns ? a->end_ns + shift_ns : b->end_ns;

	return end - begin;
}

/* A shift by whole quarters of an hour that makes the logs overlap, or 0. */
static int64_t zone_shift(const struct extent *log, const struct extent *run)
{
	int64_t best = 0, best_overlap = (run->end_ns - run->begin_ns) / 2;

	for (int64_t k = -ZONES_MAX; k <= ZONES_MAX; k++) {
		int64_t shift = k * ZONE_S * NS_PER_S, common = overlap(log, run, shift);

		/* A whole hour is likelier than a quarter. */
		if (k % 4)
			common -= (run->end_ns - run->begin_ns) / 4;
		if (common > best_overlap) {
			best = shift;
			best_overlap = common;
		}
	}
	return best;
}

static int check_clocks(struct jm_fit *fit, struct jm_error *reterr)
{
	const struct jm_rail *rail = fit->input->rail;
	struct extent log, run;
	int result;

	if (!timeline_extent(fit->input->timeline, &run))
		return jm_fail(reterr, JM_EINVAL,
			"the timeline has no executions; attribution needs when each layer "
			"ran");
	if (!rail->n_readings)
		return jm_fail(reterr, JM_EINVAL, "rail '%s' has no readings", rail->name);
	result = check_stamps(rail, &run, reterr);
	if (result < 0)
		return result;
	log.begin_ns = rail->readings[0].after_ns;
	log.end_ns = rail->readings[rail->n_readings - 1].after_ns;
	fit->origin_ns = run.begin_ns;
	if (overlap(&log, &run, 0) > 0)
		return 0;
	if (!fit->input->keep_clock)
		fit->clock_shift_ns = zone_shift(&log, &run);
	if (fit->clock_shift_ns)
		return 0;
	return jm_fail(reterr, JM_EINVAL,
		"the power log %s %.1f s %s the timeline %s; they are not of one run, or their "
		"clocks differ",
		log.end_ns < run.begin_ns ? "ends" : "begins",
		-(double)overlap(&log, &run, 0) * 1e-9,
		log.end_ns < run.begin_ns ? "before" : "after",
		log.end_ns < run.begin_ns ? "begins" : "ends");
}

/* ---- What is known of the sensor --------------------------------------------- */

/* INA3221: conversion times in us; a round is 2, 4 or 6 of them. */
static double ina3221_window(double round_s)
{
	static const double times_us[] = {1100, 588, 332, 204, 140, 2116, 4156, 8244};
	static const int per_round[] = {6, 2, 4};

	for (size_t c = 0; c < 3; c++)
		for (size_t i = 0; i < sizeof(times_us) / sizeof(times_us[0]); i++)
			if (fabs(round_s / (per_round[c] * times_us[i] * 1e-6) - 1) < 0.012)
				return round_s / per_round[c];
	return 0;
}

static void window_prior(struct jm_fit *fit)
{
	const struct jm_fit_input *input = fit->input;
	struct jm_response_prior *prior = &fit->prior;
	double round_s = fit->conversions.round_s;

	fit->n_windows = 1;
	if (isfinite(input->given.window_ms)) {
		prior->window_s = input->given.window_ms * 1e-3;
		prior->window_sd_s = 0;
	} else if (input->prior.window_ms > 0) {
		prior->window_s = input->prior.window_ms * 1e-3;
		prior->window_sd_s = input->prior.window_sd_ms > 0
					     ? input->prior.window_sd_ms * 1e-3
					     : WINDOW_KNOWN_SD * prior->window_s;
	} else if (input->rail->quantity == JM_QUANTITY_MV_MA && ina3221_window(round_s) > 0) {
		prior->window_s = ina3221_window(round_s);
		prior->window_sd_s = WINDOW_KNOWN_SD * prior->window_s;
	} else if (input->prior.stamped && round_s > 0) {
		prior->window_s = STAMPED_WINDOW * round_s;
		prior->window_sd_s = WINDOW_GUESS_SD * round_s;
		fit->windows_s[1] = round_s / 20;
		fit->windows_s[2] = round_s;
		fit->n_windows = 3;
	} else {
		round_s = round_s > 0 ? round_s : fit->conversions.poll_s;
		prior->window_s = round_s;
		prior->window_sd_s = WINDOW_GUESS_SD * round_s;
		fit->windows_s[1] = round_s / 2;
		fit->windows_s[2] = round_s / 6;
		fit->n_windows = 3;
	}
	fit->windows_s[0] = prior->window_s;
}

static void delay_prior(
	const struct jm_fit_input *input, double range_s, struct jm_response_prior *prior)
{
	prior->delay_min_s = -range_s;
	prior->delay_max_s = range_s;
	if (input->prior.delay_min_ms < input->prior.delay_max_ms) {
		prior->delay_min_s = input->prior.delay_min_ms * 1e-3;
		prior->delay_max_s = input->prior.delay_max_ms * 1e-3;
	}
	prior->delay_s = 0.5 * (prior->delay_min_s + prior->delay_max_s);
	prior->delay_sd_s = prior->delay_max_s - prior->delay_min_s;
	if (input->prior.delay_sd_ms > 0) {
		prior->delay_s = input->prior.delay_ms * 1e-3;
		prior->delay_sd_s = input->prior.delay_sd_ms * 1e-3;
	}
	if (isfinite(input->given.delay_ms)) {
		prior->delay_s = input->given.delay_ms * 1e-3;
		prior->delay_sd_s = 0;
		prior->delay_min_s = prior->delay_max_s = prior->delay_s;
	}
}

static void response_prior(struct jm_fit *fit)
{
	const struct jm_fit_input *input = fit->input;
	struct jm_response_prior *prior = &fit->prior;
	double round_s = fit->conversions.round_s, cycle_s, range;

	window_prior(fit);
	cycle_s =
		(fit->segments.end_s - fit->segments.begin_s) / (double)fit->segments.n_cycles;
	round_s = fmax(round_s, fit->conversions.poll_s);
	range = fmax(2 * round_s, fmin(1.2 * cycle_s, 10 * round_s));
	range = fmax(range, 4e-3);
	delay_prior(input, range, prior);
	prior->skew_sd =
		isfinite(input->given.round_ms)
			? 0
			: SKEW_SD + SKEW_POLLS * fit->conversions.poll_s /
					    (fit->segments.end_s - fit->segments.begin_s);
	prior->tap_sd = 1;
	prior->tau_s = TAU_MEAN_S;
	prior->tau_sd_s = TAU_SD_S;
	if (input->prior.stamped && STAMPED_TAU * round_s > TAU_SD_S)
		prior->tau_s = prior->tau_sd_s = STAMPED_TAU * round_s;
	if (input->prior.tau_sd_ms > 0) {
		prior->tau_s = input->prior.tau_ms * 1e-3;
		prior->tau_sd_s = input->prior.tau_sd_ms * 1e-3;
	}
	if (isfinite(input->given.tau_ms)) {
		prior->tau_s = input->given.tau_ms * 1e-3;
		prior->tau_sd_s = 0;
	}
}

/* ---- Types --------------------------------------------------------------------- */

/* Layers of the same type share a mean; rare types share one of their own. */
static int set_types(struct jm_fit *fit)
{
	const struct jm_timeline *timeline = fit->input->timeline;
	const char *names[JM_TYPES_MAX] = {"Unknown"};
	size_t n = 1;

	fit->type = calloc(timeline->n_layers + 1, 1);
	if (!fit->type)
		return JM_ENOMEM;
	for (size_t i = 0; i < timeline->n_layers; i++) {
		const char *type =
			timeline->layers[i].type ? timeline->layers[i].type : names[0];
		size_t t = 0;

		while (t < n && strcmp(names[t], type) != 0)
			t++;
		if (t == n && n < JM_TYPES_MAX)
			names[n++] = type;
		fit->type[i] = (unsigned char)(t < JM_TYPES_MAX ? t : 0);
	}
	fit->belief.type = fit->type;
	fit->belief.n_types = n == 2 ? 1 : n;
	fit->belief.n_layers = timeline->n_layers;
	/* Time between cycles is seen most often; what is outside of the run, always. */
	fit->belief.pivot =
		fit->segments.n_loads +
		(fit->segments.total_s[fit->segments.n_loads + JM_COLUMN_BETWEEN] > 0
				? JM_COLUMN_BETWEEN
				: JM_COLUMN_OUTSIDE);
	return 0;
}

/* Where the readings are below 0, the lowest that are no single ones. */
static int find_base(struct jm_fit *fit)
{
	const struct jm_problem *problem = &fit->problem;
	size_t n = problem->moments.n, below = 0, rank = (size_t)(BELOW_SHARE * (double)n);
	double *sorted;

	for (size_t i = 0; i < n; i++)
		below += problem->power_w[i] < 0;
	if (below <= rank)
		return 0;
	sorted = malloc(n * sizeof(*sorted));
	if (!sorted)
		return -1;
	memcpy(sorted, problem->power_w, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), jm_compare_doubles);
	fit->base_w = sorted[rank];
	free(sorted);
	return 0;
}

/* ---- The problem ------------------------------------------------------------------ */

/* Conversions during the run and shortly before and after it. */
static int set_problem(struct jm_fit *fit, struct jm_error *reterr)
{
	const struct jm_conversions *conversions = &fit->conversions;
	struct jm_problem *problem = &fit->problem;
	size_t from = 0, to = conversions->n, inside = 0;
	double sum = 0;

	while (from < to && conversions->time_s[from] < fit->segments.begin_s - MARGIN_S)
		from++;
	while (to > from && conversions->time_s[to - 1] > fit->segments.end_s + MARGIN_S)
		to--;
	for (size_t i = from; i < to; i++)
		inside += conversions->time_s[i] > fit->segments.begin_s &&
			  conversions->time_s[i] < fit->segments.end_s;
	if (inside < CONVERSIONS_MIN)
		return jm_fail(reterr, JM_EINVAL,
			"only %zu conversions of rail '%s' fall into the run; run more cycles",
			inside, fit->input->rail->name);
	fit->first = from;
	problem->segments = &fit->segments;
	problem->moments.time_s = conversions->time_s + from;
	problem->moments.width_s = conversions->width_s ? conversions->width_s + from : NULL;
	problem->moments.n = to - from;
	problem->power_w = conversions->power_w + from;
	jm_spline_init(&problem->spline, conversions->time_s[from], conversions->time_s[to - 1],
		KNOT_S, KNOTS_MAX);
	for (size_t i = 0; i < problem->moments.n; i++)
		sum += fabs(problem->power_w[i]);
	fit->belief.scale_w = sum / (double)problem->moments.n;
	if (!(fit->belief.scale_w > POWER_MIN_W))
		return jm_fail(reterr, JM_EINVAL,
			"rail '%s' reads no power during the run; it does not see the load: "
			"choose "
			"another rail",
			fit->input->rail->name);
	if (find_base(fit) < 0)
		return jm_fail_memory(reterr, "the conversions");
	fit->belief.noise_min_w =
		fmax(0.2 * conversions->quantum_w, 1e-6 * fit->belief.scale_w);
	fit->weight = malloc(problem->moments.n * sizeof(double));
	fit->residual = malloc(problem->moments.n * sizeof(double));
	fit->scale = malloc(problem->moments.n * sizeof(double));
	if (!fit->weight || !fit->residual || !fit->scale)
		return jm_fail_memory(reterr, "the conversions");
	return 0;
}

int jm_fit_prepare(struct jm_fit *fit, struct jm_error *reterr)
{
	const struct jm_fit_input *input = fit->input;
	double given_round = isfinite(input->given.round_ms) ? input->given.round_ms * 1e-3 : 0;
	int result = check_known(input, reterr);

	if (result >= 0)
		result = check_clocks(fit, reterr);
	if (result < 0)
		return result;
	result = jm_segments_init(&fit->segments, input->timeline, fit->origin_ns, reterr);
	if (result < 0)
		return result;
	if (jm_regimes_find(&fit->segments) < 0)
		return jm_fail_memory(reterr, "the regimes of the run");
	result = jm_conversions_init(&fit->conversions, input->rail, &input->prior, given_round,
		fit->origin_ns - fit->clock_shift_ns, reterr);
	if (result < 0)
		return result;
	result = set_problem(fit, reterr);
	if (result < 0)
		return result;
	if (set_types(fit) < 0)
		return jm_fail_memory(reterr, "the layers' types");
	response_prior(fit);
	return 0;
}
