/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attribute/fit.h"
#include "base/error.h"
#include "base/progress.h"

/* What a thread that solves the equations has: normal equations, prior, posterior. */
#define MATRICES 6
#define MATRIX_BYTES_MAX 2e9
#define UNKNOWNS_ELSE 50
/* What a fit does, about: found by counting, as is how fast a processor does it. */
#define SOLUTIONS 800
#define SEARCHES 170
#define PASSES 20
#define SEARCH_ROWS 2000
#define SEARCH_PER_UNKNOWN 6
#define PRODUCTS_PER_S 7e9
/* Shorter ones need no word. */
#define LONG_S 8

void jm_fit_input_init(struct jm_fit_input *input)
{
	memset(input, 0, sizeof(*input));
	input->given.delay_ms = input->given.tau_ms = (double)NAN;
	input->given.window_ms = input->given.round_ms = (double)NAN;
	input->idle_power_w = (double)NAN;
}

static void release(struct jm_fit *fit)
{
	jm_pool_free(fit->pool);
	jm_alignment_release(&fit->alignment);
	jm_segments_release(&fit->segments);
	jm_conversions_release(&fit->conversions);
	free(fit->type);
	free(fit->weight);
	free(fit->residual);
	free(fit->scale);
}

/* As many as are wanted, and as their matrices have room. */
static void start_threads(struct jm_fit *fit)
{
	double unknowns =
		(double)(fit->segments.n_loads + fit->problem.spline.n + UNKNOWNS_ELSE);
	double room = MATRIX_BYTES_MAX / (MATRICES * unknowns * unknowns * sizeof(double));
	unsigned threads = fit->input->threads ? fit->input->threads : jm_pool_processors();

	if (room < threads)
		threads = room > 1 ? (unsigned)room : 1;
	fit->pool = jm_pool_new(threads);
	fit->problem.pool = fit->pool;
}

/*
 * How long it may take, by what most time goes into: solving for all unknowns, and
 * the normal equations of the search.
 */
static void say_estimate(struct jm_fit *fit)
{
	double n = (double)(fit->segments.n_loads + fit->problem.spline.n + UNKNOWNS_ELSE);
	double rows = fmax(SEARCH_ROWS, SEARCH_PER_UNKNOWN * n);
	double products =
		SOLUTIONS * n * n * n / 2 +
		(SEARCHES * rows + PASSES * (double)fit->problem.moments.n) * n * n / 2;
	double seconds = products / PRODUCTS_PER_S / jm_pool_threads(fit->pool);

	fit->is_long = seconds > LONG_S;
	if (fit->is_long)
		jm_note(fit->input->progress,
			"the fit of %zu layers may take about %.0f %s on %u processor%s; the "
			"window method takes none of it",
			fit->segments.n_layers, seconds > 120 ? seconds / 60 : seconds,
			seconds > 120 ? "min" : "s", jm_pool_threads(fit->pool),
			jm_pool_threads(fit->pool) > 1 ? "s" : "");
}

static int polish_and_check(struct jm_fit *fit, struct jm_error *reterr)
{
	int result = jm_fit_polish(fit, reterr);

	fit->inflation = 1;
	return result < 0 ? result : jm_fit_check(fit, reterr);
}

int jm_attribute_fit(const struct jm_fit_input *input, struct jm_fit_result *ret_result,
	struct jm_error *reterr)
{
	struct jm_fit fit = {.input = input, .inflation = 1};
	int result;

	memset(ret_result, 0, sizeof(*ret_result));
	result = jm_fit_prepare(&fit, reterr);
	if (result >= 0)
		start_threads(&fit);
	if (result >= 0)
		say_estimate(&fit);
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
		result = polish_and_check(&fit, reterr);
	if (result >= 0)
		result = jm_fit_waiting(&fit, reterr);
	if (result > 0)
		result = jm_fit_robust(&fit, reterr);
	if (result >= 0 && fit.waiting_s > 0)
		result = polish_and_check(&fit, reterr);
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
