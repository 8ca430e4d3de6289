/* SPDX-License-Identifier: Apache-2.0 */
#include "attribute/fit_sum.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attribute/floors.h"
#include "attribute/resolve.h"
#include "base/error.h"

/* A gap is known when it is narrower than this, as in a fit. */
#define GAP_KNOWN_SHARE 0.05

int jm_fit_is_withheld(const struct jm_fit_result *result)
{
	return isnan(result->closure.fitted_mj);
}

/* Rows as they are in another fit of the run, without its figures. */
static int copy_rows(const struct jm_fit_result *like, struct jm_fit_result *ret_result,
	struct jm_error *reterr)
{
	*ret_result = *like;
	ret_result->layers = calloc(like->n_layers + 1, sizeof(*ret_result->layers));
	if (!ret_result->layers) {
		ret_result->n_layers = 0;
		return jm_fail_memory(reterr, "the result");
	}
	for (size_t k = 0; k < like->n_layers; k++) {
		struct jm_fit_layer *layer = &ret_result->layers[k];

		*layer = like->layers[k];
		jm_fit_forget(layer);
		layer->readings = 0;
		layer->group = -1;
		layer->group_energy_mj = layer->group_energy_sd_mj = (double)NAN;
		layer->prior_sd_w = (double)NAN;
	}
	jm_fit_forget(&ret_result->gap);
	jm_fit_forget(&ret_result->between);
	jm_fit_forget(&ret_result->idle);
	ret_result->n_resolved = 0;
	ret_result->cause = JM_CAUSE_NONE;
	ret_result->cycles_needed = (double)NAN;
	ret_result->advice[0] = '\0';
	return 0;
}

static void forget_response(struct jm_fit_response *response)
{
	const double none = (double)NAN;

	*response = (struct jm_fit_response){
		none, none, none, none, none, none, none, none, 1, 0, 0};
}

int jm_fit_of_mean(const struct jm_fit_result *like, double mean_w, double sd_w,
	const struct jm_error *why, struct jm_fit_result *ret_result, struct jm_error *reterr)
{
	struct jm_fit_closure *closure = &ret_result->closure;
	int result = copy_rows(like, ret_result, reterr);

	if (result < 0)
		return result;
	forget_response(&ret_result->response);
	memset(&ret_result->diagnostics, 0, sizeof(ret_result->diagnostics));
	ret_result->diagnostics.noise_w = sd_w;
	*closure = (struct jm_fit_closure){.measured_mj = mean_w * closure->cycle_ms,
		.fitted_mj = (double)NAN,
		.difference_mj = (double)NAN,
		.sd_mj = sd_w * closure->cycle_ms,
		.cycle_ms = closure->cycle_ms};
	ret_result->cause = JM_CAUSE_CONSTANT;
	snprintf(ret_result->advice, sizeof(ret_result->advice), "%.255s", why->message);
	return 0;
}

/* All of a sum. */
struct parts {
	const struct jm_fit_part *list; /* [n] */
	size_t n;
	double window_ms; /* of a rail that was fitted, its supply's memory included */
};

/* ---- One row ------------------------------------------------------------------------ */

/* What a row of the sum gathers. */
struct gathered {
	double power_w, readings, idle_w, base_w;
	double own_w2;   /* variance of what each rail has for itself */
	double shared_w; /* deviation of what all have together */
	double prior_w2;
	double ms; /* of one execution, as the fits counted it */
};

static double mean_power(const struct jm_fit_result *fit)
{
	return fit->closure.measured_mj / fit->closure.cycle_ms;
}

/*
 * How far what lasts `ms` may be from the mean: readings are means over a window
 * behind a supply, and hide what is shorter.
 */
static double scatter(const struct jm_fit_part *part, double window_ms, double ms)
{
	return part->sd_w * sqrt(ms > 0 && window_ms > ms ? window_ms / ms : 1);
}

static void gather_mean(
	struct gathered *sum, const struct jm_fit_part *part, double sd_w, int is_idle)
{
	double mean_w = mean_power(part->fit), idle_w = part->fit->idle.power_w;

	idle_w = isfinite(idle_w) ? idle_w : mean_w;
	sum->power_w += is_idle ? idle_w : mean_w;
	sum->base_w += fmin(0, mean_w);
	sum->idle_w += idle_w;
	sum->own_w2 += sd_w * sd_w;
	sum->prior_w2 += sd_w * sd_w;
}

static void gather_row(struct gathered *sum, const struct jm_fit_result *fit,
	const struct jm_fit_layer *row, int is_layer)
{
	double inflation = fmax(1, fit->diagnostics.inflation), stamp_w = 0;
	double linear_w = JM_LINEAR_SD * (row->power_w - fit->diagnostics.base_w), rest_w2,
	       misfit_w2;
	double ms = row->power_w != 0 ? row->energy_mj / row->power_w : row->runtime_ms;

	if (is_layer && ms > 0)
		stamp_w = JM_STAMP_SD_MS / ms * fit->diagnostics.prior_sd_w;
	rest_w2 = fmax(
		0, row->power_sd_w * row->power_sd_w - stamp_w * stamp_w - linear_w * linear_w);
	misfit_w2 = rest_w2 * (1 - 1 / (inflation * inflation));
	sum->power_w += row->power_w;
	sum->base_w += fit->diagnostics.base_w;
	sum->idle_w += row->power_w - row->dynamic_power_w;
	sum->readings += row->readings;
	sum->own_w2 += rest_w2 - misfit_w2;
	sum->shared_w += stamp_w + linear_w + sqrt(misfit_w2);
	sum->prior_w2 += row->prior_sd_w * row->prior_sd_w;
	if (row->power_w != 0 || isnan(sum->ms))
		sum->ms = ms;
}

/* The same row of every part; `place` is where it stands in a result. */
static void sum_row(const struct parts *parts, size_t layer, size_t place, double idle_w,
	struct jm_fit_layer *ret_row)
{
	int is_layer = layer != SIZE_MAX;
	struct gathered sum = {.ms = (double)NAN};
	double sd_w, from_time_mj = 0;

	for (size_t i = 0; i < parts->n; i++) {
		const struct jm_fit_result *fit = parts->list[i].fit;
		const void *row = is_layer ? (const void *)&fit->layers[layer]
					   : (const char *)fit + place;

		if (jm_fit_is_withheld(fit))
			gather_mean(&sum, &parts->list[i],
				scatter(&parts->list[i], parts->window_ms, ret_row->runtime_ms),
				place == offsetof(struct jm_fit_result, idle));
		else
			gather_row(&sum, fit, row, is_layer);
	}
	sd_w = sqrt(sum.own_w2 + sum.shared_w * sum.shared_w);
	ret_row->power_w = sum.power_w;
	ret_row->power_sd_w = sd_w;
	ret_row->power_lo_w = sum.power_w - JM_Z95 * sd_w;
	if (!(sum.base_w < 0))
		ret_row->power_lo_w = fmax(0, ret_row->power_lo_w);
	ret_row->power_hi_w = sum.power_w + JM_Z95 * sd_w;
	ret_row->dynamic_power_w = sum.power_w - (isfinite(idle_w) ? idle_w : sum.idle_w);
	if (is_layer && ret_row->executions > 1)
		from_time_mj = sum.power_w * ret_row->runtime_sd_ms /
			       sqrt((double)ret_row->executions);
	ret_row->energy_mj = sum.power_w * sum.ms;
	ret_row->energy_sd_mj = hypot(sd_w * sum.ms, from_time_mj);
	ret_row->readings = sum.readings;
	ret_row->prior_sd_w = is_layer ? sqrt(sum.prior_w2) : (double)NAN;
	if (isnan(sum.power_w))
		jm_fit_forget(ret_row);
}

/* ---- Groups -------------------------------------------------------------------------- */

/* Layers [first, last] that any part knows only together. */
struct group {
	size_t first, last;
};

/* Makes it longer by the groups of all parts that reach into it. */
static void grow(struct group *group, const struct parts *parts)
{
	for (size_t i = 0; i < parts->n; i++) {
		const struct jm_fit_result *fit = parts->list[i].fit;
		size_t last = group->last;
		int number = fit->layers[last].group;

		while (number >= 0 && last + 1 < fit->n_layers &&
			fit->layers[last + 1].group == number)
			last++;
		if (last == group->last)
			continue;
		group->last = last;
		i = SIZE_MAX; /* all parts again */
	}
}

static void add_energy_of(const struct jm_fit_part *part, double window_ms,
	const struct group *group, double *energy_mj, double *variance_mj2)
{
	int last_group = -1;

	for (size_t k = group->first; k <= group->last; k++) {
		const struct jm_fit_layer *layer = &part->fit->layers[k];
		double sd_mj = layer->energy_sd_mj;

		if (jm_fit_is_withheld(part->fit)) {
			sd_mj = scatter(part, window_ms, layer->runtime_ms) * layer->runtime_ms;
			*energy_mj += mean_power(part->fit) * layer->runtime_ms;
		} else {
			*energy_mj += layer->energy_mj;
		}
		if (layer->group >= 0) {
			sd_mj = layer->group == last_group ? 0 : layer->group_energy_sd_mj;
			last_group = layer->group;
		}
		*variance_mj2 += sd_mj * sd_mj;
	}
}

/* Layers of the sum that are only known together, if their sum is. */
static int mark_group(const struct group *group, const struct parts *parts, int number,
	struct jm_fit_result *sum)
{
	double energy_mj = 0, variance_mj2 = 0, time_ms = 0;

	for (size_t k = group->first; k <= group->last; k++) {
		if (sum->layers[k].resolved == JM_RESOLVED_YES)
			return 0;
		time_ms += sum->layers[k].runtime_ms;
	}
	for (size_t i = 0; i < parts->n; i++)
		add_energy_of(
			&parts->list[i], parts->window_ms, group, &energy_mj, &variance_mj2);
	if (!jm_fit_group_is_known(energy_mj - sum->diagnostics.base_w * time_ms,
		    sqrt(variance_mj2), time_ms, sum->layers[group->first].prior_sd_w))
		return 0;
	for (size_t k = group->first; k <= group->last; k++) {
		struct jm_fit_layer *layer = &sum->layers[k];

		layer->resolved = JM_RESOLVED_GROUP;
		layer->group = number;
		layer->group_energy_mj = energy_mj;
		layer->group_energy_sd_mj = sqrt(variance_mj2);
	}
	return 1;
}

static void find_groups(const struct parts *parts, struct jm_fit_result *sum)
{
	int number = 0;

	for (size_t k = 0; k < sum->n_layers; k++) {
		struct group group = {k, k};

		grow(&group, parts);
		if (group.last > k)
			number += mark_group(&group, parts, number, sum);
		k = group.last;
	}
}

/* ---- What is said of all ---------------------------------------------------------------- */

/* Cause and advice of the rail that leaves most open. */
static void explain(const struct parts *parts, struct jm_fit_result *sum)
{
	const struct jm_fit_part *widest = NULL;
	double most = -1;

	for (size_t i = 0; i < parts->n; i++) {
		const struct jm_fit_result *fit = parts->list[i].fit;
		double open = 0;

		for (size_t k = 0; k < fit->n_layers; k++) {
			double sd_w = jm_fit_is_withheld(fit)
					      ? scatter(&parts->list[i], parts->window_ms,
							fit->layers[k].runtime_ms)
					      : fit->layers[k].power_sd_w;

			if (sum->layers[k].resolved != JM_RESOLVED_YES && sd_w > 0)
				open += sd_w * sd_w;
		}
		if (fit->cause == JM_CAUSE_NONE || !(open > most))
			continue;
		most = open;
		widest = &parts->list[i];
	}
	sum->cause = JM_CAUSE_FEW_CYCLES;
	snprintf(sum->advice, sizeof(sum->advice),
		"layers of this length need a faster sensor, or a longer run");
	if (!widest)
		return;
	sum->cause = widest->fit->cause;
	sum->cycles_needed = widest->fit->cycles_needed;
	snprintf(sum->advice, sizeof(sum->advice), "%s: %.180s", widest->name,
		widest->fit->advice);
}

static void resolve(const struct parts *parts, struct jm_fit_result *sum)
{
	double known = jm_fit_known_layers(sum);

	for (size_t k = 0; k < sum->n_layers; k++)
		if (jm_fit_is_known(&sum->layers[k], sum->diagnostics.base_w, known)) {
			sum->layers[k].resolved = JM_RESOLVED_YES;
			sum->n_resolved++;
		}
	find_groups(parts, sum);
	if (sum->n_resolved < sum->n_layers)
		explain(parts, sum);
}

static void sum_diagnostics(const struct parts *parts, struct jm_fit_diagnostics *ret)
{
	*ret = parts->list[0].fit->diagnostics;
	for (size_t i = 1; i < parts->n; i++) {
		const struct jm_fit_diagnostics *d = &parts->list[i].fit->diagnostics;

		ret->readings += d->readings;
		ret->conversions += d->conversions;
		ret->unknowns += d->unknowns;
		ret->noise_w = hypot(ret->noise_w, d->noise_w);
		ret->quantum_w = hypot(ret->quantum_w, d->quantum_w);
		ret->tick_hits = fmin(ret->tick_hits, d->tick_hits);
		ret->autocorrelation = fmax(ret->autocorrelation, d->autocorrelation);
		ret->robust_share = fmax(ret->robust_share, d->robust_share);
		ret->inflation = fmax(ret->inflation, d->inflation);
		ret->waiting_ms = fmax(ret->waiting_ms, d->waiting_ms);
		ret->prior_mean_w += d->prior_mean_w;
		ret->prior_sd_w = hypot(ret->prior_sd_w, d->prior_sd_w);
		ret->base_w += d->base_w;
		ret->drift_w += d->drift_w;
		ret->phase_fill = fmin(ret->phase_fill, d->phase_fill);
		ret->jitter_ms = fmax(ret->jitter_ms, d->jitter_ms);
		ret->regimes = d->regimes > ret->regimes ? d->regimes : ret->regimes;
		ret->log_likelihood += d->log_likelihood;
	}
}

static double energy_per_cycle(const struct jm_fit_layer *layer, double cycles)
{
	return layer->energy_mj * (double)layer->executions / cycles;
}

static void close_sum(const struct parts *parts, struct jm_fit_result *sum)
{
	struct jm_fit_closure *closure = &sum->closure;
	double cycles = (double)sum->between.executions, whole_mj;

	*closure = (struct jm_fit_closure){.cycle_ms = closure->cycle_ms};
	for (size_t i = 0; i < parts->n; i++) {
		closure->measured_mj += parts->list[i].fit->closure.measured_mj;
		closure->sd_mj = hypot(closure->sd_mj, parts->list[i].fit->closure.sd_mj);
	}
	for (size_t k = 0; k < sum->n_layers; k++)
		if (sum->layers[k].executions && isfinite(sum->layers[k].energy_mj))
			closure->fitted_mj += energy_per_cycle(&sum->layers[k], cycles);
	closure->fitted_mj += sum->gap.energy_mj + sum->between.energy_mj;
	closure->difference_mj = closure->fitted_mj - closure->measured_mj;
	whole_mj = jm_fit_has_negative(sum) ? (double)NAN : closure->fitted_mj;
	for (size_t k = 0; k < sum->n_layers; k++)
		sum->layers[k].energy_share =
			energy_per_cycle(&sum->layers[k], cycles) / whole_mj;
	sum->gap.energy_share = sum->gap.energy_mj / whole_mj;
	sum->between.energy_share = sum->between.energy_mj / whole_mj;
}

static void sum_gap(const struct parts *parts, size_t place, double idle_w, double base_w,
	struct jm_fit_layer *row)
{
	sum_row(parts, SIZE_MAX, place, idle_w, row);
	if (!(row->runtime_ms > 0)) /* there is no such gap */
		row->energy_mj = row->energy_sd_mj = 0;
	row->resolved = row->power_sd_w < GAP_KNOWN_SHARE * (row->power_w - base_w)
				? JM_RESOLVED_YES
				: JM_RESOLVED_NO;
}

/* The first part that has figures; they are all of one timeline. */
static const struct jm_fit_result *find_fitted(const struct parts *parts)
{
	for (size_t i = 0; i < parts->n; i++)
		if (!jm_fit_is_withheld(parts->list[i].fit))
			return parts->list[i].fit;
	return NULL;
}

static void sum_rows(const struct parts *parts, double idle_w, struct jm_fit_result *sum)
{
	double base_w = sum->diagnostics.base_w;

	for (size_t k = 0; k < sum->n_layers; k++)
		sum_row(parts, k, 0, idle_w, &sum->layers[k]);
	sum_gap(parts, offsetof(struct jm_fit_result, gap), idle_w, base_w, &sum->gap);
	sum_gap(parts, offsetof(struct jm_fit_result, between), idle_w, base_w, &sum->between);
	sum_gap(parts, offsetof(struct jm_fit_result, idle), idle_w, base_w, &sum->idle);
	close_sum(parts, sum);
	resolve(parts, sum);
}

/* Nothing of any rail is known but its mean power. */
static void withhold(const struct parts *parts, struct jm_fit_result *sum)
{
	explain(parts, sum);
	close_sum(parts, sum);
	sum->closure.fitted_mj = sum->closure.difference_mj = (double)NAN;
}

int jm_fit_sum(const struct jm_fit_part *list, size_t n, double idle_w,
	struct jm_fit_result *ret_sum, struct jm_error *reterr)
{
	struct parts all = {list, n, 0}, *parts = &all;
	const struct jm_fit_result *fitted = find_fitted(parts);
	int result = copy_rows(fitted ? fitted : list[0].fit, ret_sum, reterr);

	if (result < 0)
		return result;
	forget_response(&ret_sum->response);
	for (size_t i = 0; i < n; i++)
		ret_sum->response.ambiguous |= list[i].fit->response.ambiguous;
	sum_diagnostics(parts, &ret_sum->diagnostics);
	if (!fitted) {
		withhold(parts, ret_sum);
		return 0;
	}
	all.window_ms = fitted->response.window_ms + 2 * fitted->response.tau_ms;
	sum_rows(parts, idle_w, ret_sum);
	return 0;
}
