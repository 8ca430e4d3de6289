/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attribute/fit.h"
#include "base/error.h"

#define Z95 1.959963984540054

static void report_column(const struct jm_fit *fit, size_t k, double idle_w,
	struct jm_fit_layer *layer)
{
	const struct jm_posterior *posterior = &fit->alignment.posterior;
	size_t n = posterior->total;
	double sd = sqrt(posterior->covariance[k * n + k]) * fit->inflation;

	layer->power_w = posterior->mean[k] + posterior->reference_w;
	layer->power_sd_w = sd;
	layer->power_lo_w = fmax(0, layer->power_w - Z95 * sd);
	layer->power_hi_w = layer->power_w + Z95 * sd;
	layer->dynamic_power_w = layer->power_w - idle_w;
	layer->group = -1;
	layer->resolved = JM_RESOLVED_YES;
}

static void report_response(const struct jm_fit *fit, struct jm_fit_response *ret)
{
	const struct jm_response *response = &fit->alignment.response;
	const struct jm_posterior *posterior = &fit->alignment.posterior;
	double sd[3] = {0, 0, 0};

	for (size_t i = 0; i < 3; i++) {
		size_t e = fit->alignment.column_of[i];
		size_t j = fit->alignment.normal.n_columns + e - 1;

		if (e)
			sd[i] = sqrt(posterior->covariance[j * posterior->total + j]);
	}
	ret->delay_ms = response->delay_s * 1e3;
	ret->delay_sd_ms = sd[JM_PARAMETER_DELAY] * 1e3;
	ret->window_ms = response->window_s * 1e3;
	ret->window_sd_ms = sd[JM_PARAMETER_WINDOW] * 1e3;
	ret->tau_ms = response->tau_s[0] * 1e3;
	ret->tau_sd_ms = sd[JM_PARAMETER_TAU] * 1e3;
	ret->round_ms = fit->conversions.round_s * 1e3;
	ret->modes = (int)response->n_modes;
	ret->ticks = fit->conversions.moment == JM_MOMENT_TICK;
	ret->ambiguous = fit->ambiguous;
}

int jm_fit_report(const struct jm_fit *fit, struct jm_fit_result *result, struct jm_error *reterr)
{
	size_t layers = fit->segments.n_layers;
	const struct jm_posterior *posterior = &fit->alignment.posterior;
	double idle;

	result->layers = calloc(layers + 1, sizeof(*result->layers));
	if (!result->layers)
		return jm_fail_memory(reterr, "the result");
	result->n_layers = layers;
	idle = posterior->mean[layers + JM_COLUMN_OUTSIDE] + posterior->reference_w;
	for (size_t k = 0; k < layers; k++)
		report_column(fit, k, idle, &result->layers[k]);
	report_column(fit, layers + JM_COLUMN_GAP, idle, &result->gap);
	report_column(fit, layers + JM_COLUMN_BETWEEN, idle, &result->between);
	report_column(fit, layers + JM_COLUMN_OUTSIDE, idle, &result->idle);
	report_response(fit, &result->response);
	result->diagnostics.noise_w = sqrt(posterior->hyper.noise_w2);
	result->diagnostics.readings = fit->conversions.n_readings;
	result->diagnostics.conversions = fit->problem.moments.n;
	result->diagnostics.unknowns = posterior->total;
	result->diagnostics.tick_hits = fit->conversions.hit_share;
	result->diagnostics.log_likelihood = posterior->log_evidence;
	result->diagnostics.clock_shift_s = (int)(fit->clock_shift_ns / 1000000000);
	return 0;
}
