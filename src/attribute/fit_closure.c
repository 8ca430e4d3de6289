/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Closure is a test: layers and gaps must sum to what the sensor saw, within the
 * error of both. What is beyond that the model has missed, nobody knows where; so
 * each row may be off by as much, and says so. A gap below what there can be is
 * of the same kind, and has no figure.
 */
#include <math.h>

#include "attribute/fit.h"
#include "attribute/floors.h"
#include "attribute/resolve.h"

/* Deviations of the difference that are its own error. */
#define OWN_ERROR 3.0
/* And no less than this share: runs that are as the model says close to that. */
#define OWN_SHARE 0.01

/* Power that conversions saw during the run, by time; undisturbed ones only. */
static double measured_power(const struct jm_fit *fit, double *ret_sd)
{
	const struct jm_problem *problem = &fit->problem;
	double sum = 0, square = 0, n = 0;

	for (size_t i = 0; i < problem->moments.n; i++) {
		double end = problem->moments.time_s[i] - fit->alignment.response.delay_s;
		double y = problem->power_w[i];

		if (end < fit->segments.begin_s || end > fit->segments.end_s ||
			(problem->weight &&
				problem->weight[i] * fit->scale[i] * fit->scale[i] < 0.5))
			continue;
		sum += y;
		square += y * y;
		n++;
	}
	*ret_sd = n > 1 ? sqrt(fmax(0, square / n - sum / n * (sum / n)) / n) : (double)NAN;
	return n > 0 ? sum / n : (double)NAN;
}

static void report_closure(const struct jm_fit *fit, struct jm_fit_result *result)
{
	double run_s = fit->segments.end_s - fit->segments.begin_s;
	double cycles = (double)fit->segments.n_cycles, sd, fitted = 0;
	struct jm_fit_closure *closure = &result->closure;

	closure->cycle_ms = run_s * 1e3 / cycles;
	closure->measured_mj = measured_power(fit, &sd) * closure->cycle_ms;
	closure->sd_mj = sd * closure->cycle_ms;
	for (size_t k = 0; k < result->n_layers; k++)
		if (result->layers[k].executions && isfinite(result->layers[k].energy_mj))
			fitted += result->layers[k].energy_mj *
				  (double)result->layers[k].executions / cycles;
	fitted += result->gap.energy_mj + result->between.energy_mj;
	closure->fitted_mj = fitted;
	closure->difference_mj = fitted - closure->measured_mj;
	if (jm_fit_has_negative(result))
		fitted = (double)NAN; /* no shares */
	for (size_t k = 0; k < result->n_layers; k++)
		result->layers[k].energy_share = result->layers[k].energy_mj *
						 (double)result->layers[k].executions / cycles /
						 fitted;
	result->gap.energy_share = result->gap.energy_mj / fitted;
	result->between.energy_share = result->between.energy_mj / fitted;
}

/* Of what layers and gaps sum to in a cycle. */
static double fitted_sd_mj(const struct jm_fit *fit)
{
	const struct jm_posterior *posterior = &fit->alignment.posterior;
	const double *time_s = fit->segments.total_s;
	size_t n = fit->segments.n_loads + JM_COLUMN_OUTSIDE; /* columns before that one */
	double sum = 0;

	for (size_t a = 0; a < n; a++)
		for (size_t b = 0; b < n; b++)
			sum += time_s[a] * time_s[b] *
			       posterior->covariance[a * posterior->total + b];
	return sqrt(fmax(sum, 0)) * 1e3 / (double)fit->segments.n_cycles * fit->inflation;
}

static void widen(const struct jm_fit *fit, double share, struct jm_fit_layer *layer)
{
	double sd = hypot(layer->power_sd_w, share * (layer->power_w - fit->base_w));

	layer->power_lo_w = layer->power_w - JM_Z95 * sd;
	if (fit->base_w >= 0)
		layer->power_lo_w = fmax(0, layer->power_lo_w);
	layer->power_hi_w = layer->power_w + JM_Z95 * sd;
	layer->power_sd_w = sd;
	layer->energy_sd_mj = hypot(layer->energy_sd_mj, share * layer->energy_mj);
}

static double beyond_share(const struct jm_fit *fit, const struct jm_fit_closure *closure)
{
	double own_mj = OWN_ERROR * hypot(closure->sd_mj, fitted_sd_mj(fit));
	double above_mj = closure->measured_mj - fit->base_w * closure->cycle_ms;

	own_mj = fmax(own_mj, OWN_SHARE * above_mj);
	return fmax(0, fabs(closure->difference_mj) - own_mj) / above_mj;
}

void jm_fit_close(const struct jm_fit *fit, struct jm_fit_result *result)
{
	struct jm_fit_closure *closure = &result->closure;

	report_closure(fit, result);
	closure->beyond_share = beyond_share(fit, closure);
	if (jm_fit_gap_is_below(fit))
		jm_fit_forget(&result->gap);
	if (!(closure->beyond_share > 0))
		return;
	for (size_t k = 0; k < result->n_layers; k++)
		widen(fit, closure->beyond_share, &result->layers[k]);
	widen(fit, closure->beyond_share, &result->gap);
	widen(fit, closure->beyond_share, &result->between);
}
