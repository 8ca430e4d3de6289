/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attribute/fit.h"
#include "base/error.h"

void jm_fit_input_init(struct jm_fit_input *input)
{
	memset(input, 0, sizeof(*input));
	input->given.delay_ms = input->given.tau_ms = (double)NAN;
	input->given.window_ms = input->given.round_ms = (double)NAN;
	input->idle_power_w = (double)NAN;
}

static void release(struct jm_fit *fit)
{
	jm_alignment_release(&fit->alignment);
	jm_segments_release(&fit->segments);
	jm_conversions_release(&fit->conversions);
	free(fit->type);
	free(fit->weight);
	free(fit->residual);
	free(fit->scale);
}

int jm_attribute_fit(const struct jm_fit_input *input, struct jm_fit_result *ret_result,
	struct jm_error *reterr)
{
	struct jm_fit fit = {.input = input, .inflation = 1};
	int result;

	memset(ret_result, 0, sizeof(*ret_result));
	result = jm_fit_prepare(&fit, reterr);
	if (result >= 0)
		result = jm_fit_align(&fit, reterr);
	if (result >= 0)
		result = jm_fit_droop(&fit, reterr);
	if (result >= 0)
		result = jm_fit_robust(&fit, reterr);
	if (result >= 0)
		result = jm_fit_order(&fit, reterr);
	if (result > 0)
		result = jm_fit_robust(&fit, reterr);
	if (result >= 0)
		result = jm_fit_enrich(&fit, reterr);
	if (result > 0)
		result = jm_fit_robust(&fit, reterr);
	if (result >= 0)
		result = jm_fit_polish(&fit, reterr);
	if (result >= 0)
		result = jm_fit_check(&fit, reterr);
	if (result >= 0)
		result = jm_fit_report(&fit, ret_result, reterr);
	release(&fit);
	if (result < 0)
		jm_fit_result_release(ret_result);
	return result < 0 ? result : 0;
}

void jm_fit_result_release(struct jm_fit_result *result)
{
	free(result->layers);
	result->layers = NULL;
	result->n_layers = 0;
}
