/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attribute/fit.h"
#include "attribute/floors.h"
#include "attribute/resolve.h"
#include "base/error.h"

/* Hyperparameters and response are estimates themselves. */
#define HYPER_WIDER 1.06

/* Mean and deviation of a layer's executions. */
static void report_runtime(const struct jm_layer *from, struct jm_fit_layer *layer)
{
	double sum = 0, square = 0, n = (double)from->n_executions;

	layer->executions = from->n_executions;
	for (size_t i = 0; i < from->n_executions; i++)
		sum += from->executions[i].duration_ms;
	layer->runtime_ms = n > 0 ? sum / n : (double)NAN;
	for (size_t i = 0; i < from->n_executions; i++) {
		double d = from->executions[i].duration_ms - layer->runtime_ms;

		square += d * d;
	}
	layer->runtime_sd_ms = n > 1 ? sqrt(square / (n - 1)) : (double)NAN;
}

/* Not below 0, where the rail does not read so. */
static double bounded(const struct jm_fit *fit, double power_w)
{
	return fit->base_w < 0 ? power_w : fmax(0, power_w);
}

static void report_power(const struct jm_fit *fit, const struct jm_row *row, double idle_w,
	struct jm_fit_layer *layer)
{
	double variance = fmax(0, jm_fit_row_covariance(fit, row, row)), ms;
	double sd = sqrt(variance) * fit->inflation * HYPER_WIDER;

	layer->group = -1;
	layer->group_energy_mj = layer->group_energy_sd_mj = (double)NAN;
	layer->prior_sd_w = (double)NAN;
	layer->readings = jm_fit_row_readings(fit, row);
	layer->power_w = bounded(fit, jm_fit_row_mean(fit, row));
	if (layer->executions) {
		ms = row->total_s * 1e3 / (double)layer->executions;
		sd = hypot(sd, JM_STAMP_SD_MS / ms *
				       sqrt(fit->alignment.posterior.hyper.spread_w2[0]));
	}
	sd = hypot(sd, JM_LINEAR_SD * (layer->power_w - fit->base_w));
	layer->power_sd_w = sd;
	layer->power_lo_w = bounded(fit, layer->power_w - JM_Z95 * sd);
	layer->power_hi_w = layer->power_w + JM_Z95 * sd;
	layer->dynamic_power_w = layer->power_w - idle_w;
}

/* Energy of one execution, for the time that is left of it without overlaps. */
static void report_energy(struct jm_fit_layer *layer, double total_s)
{
	double n = (double)layer->executions, ms = total_s * 1e3 / n;
	double from_time = n > 1 ? layer->power_w * layer->runtime_sd_ms / sqrt(n) : 0;

	layer->energy_mj = layer->power_w * ms;
	layer->energy_sd_mj = hypot(layer->power_sd_w * ms, from_time);
}

static void report_gap(
	const struct jm_fit *fit, size_t which, double idle_w, struct jm_fit_layer *layer)
{
	struct jm_row row = jm_fit_gap_row(fit, which);
	double total_s = row.total_s;

	report_power(fit, &row, idle_w, layer);
	if (which == JM_COLUMN_OUTSIDE ? layer->readings < 1e-3 : total_s <= 0)
		jm_fit_forget(layer);
	layer->executions = which == JM_COLUMN_OUTSIDE ? 0 : fit->segments.n_cycles;
	layer->runtime_ms = which == JM_COLUMN_OUTSIDE
				    ? (double)NAN
				    : total_s * 1e3 / (double)fit->segments.n_cycles;
	layer->runtime_sd_ms = (double)NAN;
	layer->energy_mj = layer->power_w * layer->runtime_ms;
	layer->energy_sd_mj = layer->power_sd_w * layer->runtime_ms;
	if (which != JM_COLUMN_OUTSIDE && total_s <= 0)
		layer->energy_mj = layer->energy_sd_mj = 0;
	layer->resolved = layer->power_sd_w < 0.05 * (layer->power_w - fit->base_w)
				  ? JM_RESOLVED_YES
				  : JM_RESOLVED_NO;
}

/* Covariance of two parameters of the response; 0 for fixed ones. */
static double covariance(const struct jm_fit *fit, size_t a, size_t b)
{
	const struct jm_alignment *alignment = &fit->alignment;
	size_t i = alignment->column_of[a], j = alignment->column_of[b];

	if (!i || !j)
		return 0;
	i += alignment->normal.n_columns - 1;
	j += alignment->normal.n_columns - 1;
	return alignment->posterior.covariance[i * alignment->posterior.total + j];
}

static double parameter_sd(const struct jm_fit *fit, size_t parameter)
{
	return sqrt(fmax(0, covariance(fit, parameter, parameter)));
}

/* The delay alone: alignment.h tells why it is not a parameter of its own. */
static double delay_sd(const struct jm_fit *fit)
{
	double variance = covariance(fit, JM_PARAMETER_DELAY, JM_PARAMETER_DELAY) +
			  covariance(fit, JM_PARAMETER_TAU, JM_PARAMETER_TAU) -
			  2 * covariance(fit, JM_PARAMETER_DELAY, JM_PARAMETER_TAU);

	return fit->prior.delay_sd_s > 0 ? sqrt(fmax(0, variance)) : 0;
}

static void report_response(const struct jm_fit *fit, struct jm_fit_response *ret)
{
	const struct jm_response *response = &fit->alignment.response;
	double tau_sd = parameter_sd(fit, JM_PARAMETER_TAU);

	ret->delay_ms = (response->delay_s + 0.5 * fit->blur_s) * 1e3;
	ret->delay_sd_ms = delay_sd(fit) * 1e3;
	ret->window_ms = response->window_s * 1e3;
	ret->window_sd_ms = parameter_sd(fit, JM_PARAMETER_WINDOW) * 1e3;
	ret->tau_ms = response->tau_s * 1e3;
	ret->tau_sd_ms = tau_sd * 1e3;
	ret->round_ms = fit->conversions.round_s * 1e3;
	ret->taps = (int)response->n_taps;
	ret->shape = response->shape;
	ret->ticks = fit->conversions.moment != JM_MOMENT_READING;
	ret->ambiguous = fit->ambiguous;
	if (response->n_taps > 1) /* taps say what these two cannot */
		ret->delay_sd_ms = ret->tau_sd_ms = (double)NAN;
}

static double drift_range(const struct jm_fit *fit)
{
	const struct jm_alignment *alignment = &fit->alignment;
	const double *spline = alignment->posterior.mean + alignment->normal.n_columns +
			       alignment->normal.n_extra;
	double low = 0, high = 0;

	for (size_t i = 0; i < alignment->normal.n_spline; i++) {
		low = i && low < spline[i] ? low : spline[i];
		high = i && high > spline[i] ? high : spline[i];
	}
	return high - low;
}

static void report_diagnostics(const struct jm_fit *fit, struct jm_fit_diagnostics *ret)
{
	const struct jm_posterior *posterior = &fit->alignment.posterior;

	ret->readings = fit->conversions.n_readings;
	ret->conversions = fit->problem.moments.n;
	ret->unknowns = posterior->total;
	ret->noise_w = sqrt(posterior->hyper.noise_w2);
	ret->quantum_w = fit->conversions.quantum_w;
	ret->tick_hits = fit->conversions.hit_share;
	ret->autocorrelation = fit->autocorrelation;
	ret->robust_share = fit->robust_share;
	ret->inflation = fit->inflation;
	ret->prior_mean_w = posterior->common_w;
	ret->prior_sd_w = sqrt(posterior->hyper.spread_w2[0]);
	ret->base_w = fit->base_w;
	ret->drift_w = drift_range(fit);
	ret->regimes = fit->segments.n_regimes;
	ret->jitter_ms = fit->jitter_s * 1e3;
	ret->span_scale = fit->segments.span_scale;
	ret->waiting_ms = fit->waiting_s * 1e3 / (double)fit->segments.n_cycles;
	ret->clock_shift_s = (int)(fit->clock_shift_ns / 1000000000);
	ret->log_likelihood = posterior->log_evidence;
}

int jm_fit_report(
	const struct jm_fit *fit, struct jm_fit_result *result, struct jm_error *reterr)
{
	struct jm_row outside = jm_fit_gap_row(fit, JM_COLUMN_OUTSIDE);
	size_t layers = fit->segments.n_layers;
	double idle = fit->input->idle_power_w;

	result->layers = calloc(layers + 1, sizeof(*result->layers));
	if (!result->layers)
		return jm_fail_memory(reterr, "the result");
	result->n_layers = layers;
	if (!isfinite(idle))
		idle = jm_fit_row_mean(fit, &outside);
	for (size_t k = 0; k < layers; k++) {
		struct jm_fit_layer *layer = &result->layers[k];
		struct jm_row row = jm_fit_layer_row(fit, k);

		report_runtime(&fit->input->timeline->layers[k], layer);
		report_power(fit, &row, idle, layer);
		if (!(row.total_s > 0))
			jm_fit_forget(layer);
		report_energy(layer, row.total_s);
	}
	report_gap(fit, JM_COLUMN_GAP, idle, &result->gap);
	report_gap(fit, JM_COLUMN_BETWEEN, idle, &result->between);
	report_gap(fit, JM_COLUMN_OUTSIDE, idle, &result->idle);
	report_response(fit, &result->response);
	report_diagnostics(fit, &result->diagnostics);
	jm_fit_close(fit, result);
	return jm_fit_resolve(fit, result, reterr);
}
