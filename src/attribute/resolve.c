/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attribute/resolve.h"
#include "attribute/stamp_steps.h"
#include "base/error.h"

/* Resolved: the posterior is this much narrower than the prior, */
#define NARROWER 0.5
/* or narrow in itself, with a spread of layers that is well known. */
#define NARROW_SHARE 0.02
#define KNOWN_LAYERS 8.0
/* And no wider than this share of the power, whatever the prior. */
#define WIDEST_SHARE 0.3
/* Neighbours whose errors cancel this much are only known together. */
#define CANCEL (-0.4)
enum { PHASES = 48 };
/* Beyond these the model is taken to have failed. */
#define JITTER_MAX 0.06
#define TOGETHER_MAX 0.7
/* As wide as the widest interval of a layer that is resolved; whatever its own error. */
#define CLOSURE_MAX WIDEST_SHARE
#define CHANGES_MIN 0.01
/* A phase is filled when it has this share of its conversions. */
#define PHASE_FILLED 0.2
#define FILL_MIN 0.7
/* A sweep through the cycle that takes this many conversions looks like drift, */
#define STEP_MIN 0.006
/* when it is this much slower than conversions that simply follow each other. */
#define STEP_SHARE 0.5
#define LONG_WINDOW_CYCLES 2.5

static double prior_sd(const struct jm_fit *fit, size_t k)
{
	size_t type = fit->belief.n_types > 1 ? fit->belief.type[k] : 0;

	return sqrt(fit->alignment.posterior.hyper.spread_w2[type]);
}

double jm_fit_known_layers(const struct jm_fit_result *result)
{
	double sum = 0;

	for (size_t k = 0; k < result->n_layers; k++) {
		double share = result->layers[k].power_sd_w / result->layers[k].prior_sd_w;

		if (isfinite(share))
			sum += fmax(0, 1 - share * share);
	}
	return sum;
}

int jm_fit_has_negative(const struct jm_fit_result *result)
{
	for (size_t k = 0; k < result->n_layers; k++)
		if (result->layers[k].energy_mj < 0)
			return 1;
	return result->gap.energy_mj < 0 || result->between.energy_mj < 0;
}

int jm_fit_is_known(const struct jm_fit_layer *layer, double base_w, double known_layers)
{
	double sd = layer->power_sd_w, above_w = layer->power_w - base_w;
	int narrower = sd < NARROWER * layer->prior_sd_w && sd < WIDEST_SHARE * above_w;

	return narrower || (known_layers > KNOWN_LAYERS && sd < NARROW_SHARE * above_w);
}

/* The model does not describe this run: nothing it says can be trusted. The closure is set. */
static int is_misfit(const struct jm_fit *fit, const struct jm_fit_result *result)
{
	const struct jm_response *response = &fit->alignment.response;
	double above_mj = result->closure.measured_mj - fit->base_w * result->closure.cycle_ms;

	if (fit->autocorrelation > TOGETHER_MAX ||
		!(fabs(result->closure.difference_mj) < CLOSURE_MAX * above_mj))
		return 1;
	if (jm_fit_has_coarse_stamps(fit))
		return 1;
	if (fit->conversions.moment == JM_MOMENT_READING && fit->input->prior.blocking)
		return 1; /* how old values are follows from how reads waited: not at random */
	if (fit->conversions.moment == JM_MOMENT_READING) /* its age jitters, not the stamps */
		return fit->robust_share > JM_FIT_DISTURBED_MAX ||
		       fit->inflation > JM_FIT_INFLATION_MAX;
	return fit->robust_share > JM_FIT_DISTURBED_MAX ||
	       fit->inflation > JM_FIT_INFLATION_MAX ||
	       fit->jitter_s > JITTER_MAX * (response->window_s + response->tau_s);
}

static void mark_layers(const struct jm_fit *fit, struct jm_fit_result *result)
{
	int misfit = is_misfit(fit, result);
	double known;

	for (size_t k = 0; k < result->n_layers; k++)
		result->layers[k].prior_sd_w = prior_sd(fit, k);
	known = jm_fit_known_layers(result);
	for (size_t k = 0; k < result->n_layers; k++) {
		struct jm_fit_layer *layer = &result->layers[k];
		int is_known = jm_fit_is_known(layer, fit->base_w, known);

		layer->resolved = is_known && !misfit ? JM_RESOLVED_YES : JM_RESOLVED_NO;
		result->n_resolved += layer->resolved == JM_RESOLVED_YES;
	}
}

/* Covariance of the energies of two layers in the run. */
static double energy_covariance(const struct jm_fit *fit, size_t a, size_t b)
{
	struct jm_row own = jm_fit_layer_row(fit, a), other = jm_fit_layer_row(fit, b);

	return jm_fit_row_covariance(fit, &own, &other) * own.total_s * other.total_s;
}

struct group {
	size_t first, last;
	double time_s, energy_j, sd_j; /* of all their executions */
};

static struct group group_of(
	const struct jm_fit *fit, const struct jm_fit_result *result, size_t first, size_t last)
{
	struct group group = {.first = first, .last = last};
	double square = 0;

	for (size_t i = first; i <= last; i++) {
		double own_s = jm_fit_layer_row(fit, i).total_s;

		group.time_s += own_s;
		group.energy_j += own_s * result->layers[i].power_w;
		for (size_t j = first; j <= last; j++)
			square += energy_covariance(fit, i, j);
	}
	group.sd_j = sqrt(fmax(square, 0)) * fit->inflation;
	return group;
}

int jm_fit_group_is_known(double energy, double energy_sd, double time, double prior_sd)
{
	return time > 0 && energy_sd / time < NARROWER * prior_sd &&
	       energy_sd < 0.5 * WIDEST_SHARE * energy;
}

static int group_is_known(const struct jm_fit *fit, const struct group *group)
{
	return jm_fit_group_is_known(group->energy_j - fit->base_w * group->time_s, group->sd_j,
		group->time_s, prior_sd(fit, group->first));
}

static void mark_group(const struct group *group, int number, struct jm_fit_result *result)
{
	double energy_mj = 0;

	for (size_t i = group->first; i <= group->last; i++)
		energy_mj += result->layers[i].energy_mj;
	for (size_t i = group->first; i <= group->last; i++) {
		struct jm_fit_layer *layer = &result->layers[i];

		layer->resolved = JM_RESOLVED_GROUP;
		layer->group = number;
		layer->group_energy_mj = energy_mj;
		layer->group_energy_sd_mj = energy_mj * group->sd_j / group->energy_j;
	}
}

static int cancels(const struct jm_fit *fit, size_t a, size_t b)
{
	double cross = energy_covariance(fit, a, b);

	return cross <
	       CANCEL * sqrt(energy_covariance(fit, a, a) * energy_covariance(fit, b, b));
}

/* Runs of unresolved neighbours whose errors cancel. */
static void find_groups(const struct jm_fit *fit, struct jm_fit_result *result)
{
	int number = 0;

	for (size_t first = 0; first < result->n_layers; first++) {
		struct group group = {.first = first, .last = first};

		while (group.last + 1 < result->n_layers &&
			result->layers[first].resolved == JM_RESOLVED_NO &&
			result->layers[group.last + 1].resolved == JM_RESOLVED_NO &&
			cancels(fit, group.last, group.last + 1)) {
			group = group_of(fit, result, first, group.last + 1);
			if (group_is_known(fit, &group))
				break;
		}
		if (group.last == first || !group_is_known(fit, &group))
			continue;
		mark_group(&group, number++, result);
		first = group.last;
	}
}

/* Where in the cycle windows of conversions end. */
struct phases {
	double fill; /* share of the cycle */
	double step; /* mean change from one to the next, as a share of the cycle, 0 .. 1/2 */
};

static void add_phase(struct phases *phases, size_t count[PHASES], double phase, double last)
{
	double step = fabs(phase - last);

	phases->step += fmin(step, fabs(1 - step));
	count[phase < 1 ? (size_t)(phase * PHASES) : PHASES - 1]++;
}

static struct phases find_phases(const struct jm_fit *fit)
{
	const struct jm_segments *segments = &fit->segments;
	const struct jm_moments *moments = &fit->problem.moments;
	size_t count[PHASES] = {0}, filled = 0, all = 0, at = 0;
	double cycle_s = (segments->end_s - segments->begin_s) / (double)segments->n_cycles;
	double begin_s = segments->begin_s, last = 0;
	struct phases phases = {0, 0};

	for (size_t i = 0; i < moments->n; i++) {
		double end = moments->time_s[i] - fit->alignment.response.delay_s, phase;

		if (end < segments->begin_s || end > segments->end_s)
			continue;
		while (at + 1 < segments->n && segments->time_s[at + 1] <= end) {
			at++;
			if (segments->cycle[at] != segments->cycle[at - 1])
				begin_s = segments->time_s[at];
		}
		phase = fmin(fmax((end - begin_s) / cycle_s, 0), 1);
		add_phase(&phases, count, phase, last);
		last = phase;
		all++;
	}
	for (size_t i = 0; i < PHASES; i++)
		filled += (double)count[i] > PHASE_FILLED * (double)all / PHASES;
	phases.fill = (double)filled / PHASES;
	phases.step /= (double)(all ? all : 1);
	return phases;
}

/* How many cycles would narrow the median unresolved layer enough. */
static double cycles_needed(const struct jm_fit *fit, const struct jm_fit_result *result)
{
	double factor = 1, cycles = (double)fit->segments.n_cycles;

	for (size_t k = 0; k < result->n_layers; k++) {
		double prior = prior_sd(fit, k), sd = result->layers[k].power_sd_w;
		double own =
			1 / fmax(1 / (sd * sd) - 1 / (prior * prior), 1e-6 / (prior * prior));
		double wanted = prior * prior * NARROWER * NARROWER / (1 - NARROWER * NARROWER);

		if (result->layers[k].resolved == JM_RESOLVED_YES || !(sd > 0))
			continue;
		factor = fmax(factor, own / wanted);
	}
	return factor > 1e4 ? (double)NAN : ceil(factor * cycles);
}

/* Conversions see too little of the cycle, or all of it as slowly as drift is. */
static int is_locked(const struct jm_fit *fit, const struct jm_fit_result *result)
{
	struct phases phases = find_phases(fit);
	double round_ms = fmax(fit->conversions.round_s, fit->conversions.poll_s) * 1e3;
	double slow = fmin(STEP_MIN, STEP_SHARE * round_ms / result->closure.cycle_ms);

	return (double)result->diagnostics.conversions > 4.0 * PHASES &&
	       (phases.fill < FILL_MIN || phases.step < slow);
}

/* Hardly any reading differs from the one before. */
static int is_constant(const struct jm_fit *fit)
{
	return fit->conversions.moment == JM_MOMENT_READING &&
	       (double)fit->conversions.n_changes <
		       CHANGES_MIN * (double)fit->conversions.n_readings;
}

/* Layers that took no time, when there is nothing else to explain; or 0. */
static size_t count_timeless(const struct jm_fit_result *result)
{
	size_t n = 0;

	for (size_t k = 0; k < result->n_layers; k++)
		n += isnan(result->layers[k].power_w) ? 1 : 0;
	return n + result->n_resolved == result->n_layers ? n : 0;
}

/* What stands out where the model does not describe the readings. */
static void explain_misfit(const struct jm_fit *fit, double window_ms, char *text, size_t size)
{
	if (fit->jitter_s > JITTER_MAX * window_ms * 1e-3)
		snprintf(text, size,
			"time stamps of layers jitter by %.3g ms: record begins or ends, not "
			"callbacks",
			fit->jitter_s * 1e3);
	else if (fit->robust_share > JM_FIT_DISTURBED_MAX)
		snprintf(text, size,
			"%.0f %% of the readings do not follow the timeline: stop other work, "
			"check that both logs are of this run",
			100 * fit->robust_share);
	else
		snprintf(text, size,
			"%s: calibrate the sensor, and pause between cycles for random times",
			fit->inflation > JM_FIT_INFLATION_MAX
				? "what the fit leaves unexplained follows the timeline"
			: fit->autocorrelation > TOGETHER_MAX
				? "what the fit leaves unexplained follows time"
				: "layers and gaps do not add up to what the sensor saw");
}

/* Cause and remedy of what is not resolved; result->cycles_needed is NaN before. */
static void explain(const struct jm_fit *fit, struct jm_fit_result *result)
{
	size_t timeless = count_timeless(result);
	double cycle_ms = result->closure.cycle_ms, needed = cycles_needed(fit, result);
	double window_ms = result->response.window_ms;
	char *text = result->advice;
	size_t size = sizeof(result->advice);

	if (timeless) {
		result->cause = JM_CAUSE_NO_TIMELINE;
		snprintf(text, size,
			"%zu of %zu layers were never executed, or took no time: nothing can "
			"be "
			"said of them",
			timeless, result->n_layers);
	} else if (jm_fit_explain_stamps(fit, result)) {
		result->cause = JM_CAUSE_STAMPS;
	} else if (is_constant(fit)) {
		result->cause = JM_CAUSE_CONSTANT;
		snprintf(text, size,
			"%zu of %zu readings differ from the one before: the cycle of %.4g ms "
			"may keep "
			"step with the sensor (pause between cycles for random times), or the "
			"rail "
			"does not see the load (choose another)",
			fit->conversions.n_changes, fit->conversions.n_readings, cycle_ms);
	} else if (is_locked(fit, result)) {
		result->cause = JM_CAUSE_LOCKED_CYCLE;
		snprintf(text, size,
			"the cycle of %.3g ms keeps step with the sensor's round of %.3g ms: "
			"pause "
			"between cycles for random times",
			cycle_ms, result->response.round_ms);
	} else if (fit->conversions.moment == JM_MOMENT_READING) {
		result->cause = JM_CAUSE_SLOW_POLL;
		snprintf(text, size,
			"a reading every %.3g ms does not tell when its value was made: read "
			"the "
			"sensor several times per value, or, if it makes no more of them, "
			"stretch "
			"one layer per cycle to that time",
			fit->conversions.poll_s * 1e3);
	} else if (is_misfit(fit, result)) {
		result->cause = JM_CAUSE_MISFIT;
		explain_misfit(fit, window_ms, text, size);
	} else if (window_ms > LONG_WINDOW_CYCLES * cycle_ms) {
		result->cause = JM_CAUSE_LONG_WINDOW;
		result->cycles_needed = needed;
		snprintf(text, size,
			"the sensor averages over %.3g ms, %.0f cycles: shorten its window, or "
			"stretch one layer per cycle to %.3g ms",
			window_ms, window_ms / cycle_ms, window_ms);
	} else if (isfinite(needed)) {
		result->cause = JM_CAUSE_FEW_CYCLES;
		result->cycles_needed = needed;
		snprintf(text, size,
			"run %.2g cycles or more, or make the sensor convert faster", needed);
	} else {
		result->cause = JM_CAUSE_FEW_CYCLES;
		snprintf(text, size,
			"layers of this length need a faster sensor, or a longer run");
	}
}

/* Nothing is resolved, and readings could not show where they belong. */
static int is_blind(const struct jm_fit_result *result)
{
	for (size_t k = 0; k < result->n_layers; k++)
		if (result->layers[k].resolved != JM_RESOLVED_NO)
			return 0;
	return result->cause == JM_CAUSE_CONSTANT || result->cause == JM_CAUSE_LOCKED_CYCLE ||
	       result->cause == JM_CAUSE_SLOW_POLL || result->cause == JM_CAUSE_STAMPS;
}

/* No figure is better than one that comes from a model that has failed. */
static void forget_all(struct jm_fit_result *result)
{
	jm_fit_forget(&result->gap);
	jm_fit_forget(&result->between);
	for (size_t k = 0; k < result->n_layers; k++)
		jm_fit_forget(&result->layers[k]);
	result->closure.fitted_mj = result->closure.difference_mj = (double)NAN;
}

void jm_fit_forget(struct jm_fit_layer *layer)
{
	layer->power_w = layer->power_sd_w = (double)NAN;
	layer->power_lo_w = layer->power_hi_w = layer->dynamic_power_w = (double)NAN;
	layer->energy_mj = layer->energy_sd_mj = layer->energy_share = (double)NAN;
	layer->resolved = JM_RESOLVED_NO;
}

int jm_fit_resolve(
	const struct jm_fit *fit, struct jm_fit_result *result, struct jm_error *reterr)
{
	(void)reterr;
	mark_layers(fit, result);
	if (!is_misfit(fit, result))
		find_groups(fit, result);
	result->diagnostics.phase_fill = find_phases(fit).fill;
	result->cycles_needed = (double)NAN;
	if (result->n_resolved < result->n_layers)
		explain(fit, result);
	if (is_misfit(fit, result) || is_blind(result))
		forget_all(result);
	return 0;
}
