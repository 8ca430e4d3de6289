/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last steps of the response. Gauss-Newton follows the powers that were
 * found, as if they were certain; where many layers share few conversions, that
 * pulls the response to where the layers would be easiest to tell apart. The
 * marginal likelihood has no such bias: its slope and curvature, by differences,
 * give Newton's step and how well the response is really known.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attribute/dense.h"
#include "attribute/fit.h"
#include "base/error.h"

enum { ROUNDS = 4, ITERATIONS = 8, PARAMETERS_MAX = 4 };

/* Steps beyond this many deviations are not of a parabola; below, nothing is gained. */
#define STEP_MAX 2.5
#define STEP_DONE 0.3
/* Of the squared distance to where Gauss-Newton ended. */
#define MOVE_SHARE 0.5
/* A parameter this many deviations from its limit is not on a parabola either. */
#define FROM_LIMIT 2.0
/* Where a long step ends at the latest. */
#define TAU_MIN_S 0.2e-6
#define WINDOW_SHARE_MIN 0.1

/*
 * Parameters are counted in uncorrelated directions of one deviation each, as
 * the linear problem has them: parameters = root x offset.
 */
struct polish {
	struct jm_fit *fit;
	size_t parameter[PARAMETERS_MAX];
	size_t n;
	double root[PARAMETERS_MAX * PARAMETERS_MAX]; /* lower triangle */
	double slope[PARAMETERS_MAX];
	double curvature[PARAMETERS_MAX * PARAMETERS_MAX]; /* of -log likelihood */
	struct jm_normal normal;
	struct jm_posterior posterior;
};

static double covariance(const struct jm_alignment *alignment, size_t a, size_t b)
{
	size_t columns = alignment->normal.n_columns;
	size_t i = columns + alignment->column_of[a] - 1;
	size_t j = columns + alignment->column_of[b] - 1;

	return alignment->posterior.covariance[i * alignment->posterior.total + j];
}

static int is_far_from_limit(const struct jm_alignment *alignment, size_t parameter)
{
	double sd = FROM_LIMIT * sqrt(fmax(covariance(alignment, parameter, parameter), 0));

	if (parameter == JM_PARAMETER_TAU)
		return sd < alignment->response.tau_s;
	if (parameter == JM_PARAMETER_SHAPE)
		return sd < alignment->response.shape;
	if (parameter == JM_PARAMETER_WINDOW)
		return sd > 0 && sd < alignment->response.window_s;
	return sd > 0;
}

/* Parameters that are free, and the root of their covariance. 0: there are none. */
static int choose_parameters(struct polish *polish)
{
	const struct jm_alignment *alignment = &polish->fit->alignment;
	size_t n = 0;

	for (size_t p = JM_PARAMETER_DELAY; p <= JM_PARAMETER_SHAPE; p++)
		if (alignment->column_of[p] && is_far_from_limit(alignment, p))
			polish->parameter[n++] = p;
	polish->n = n;
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++)
			polish->root[i * n + j] = covariance(
				alignment, polish->parameter[i], polish->parameter[j]);
	return n > 0 && jm_cholesky(polish->root, n) == 0;
}

static struct jm_response moved(const struct polish *polish, const double *offset)
{
	struct jm_response response = polish->fit->alignment.response;

	for (size_t i = 0; i < polish->n; i++) {
		double step = jm_dot(polish->root + i * polish->n, offset, i + 1);

		switch (polish->parameter[i]) {
		case JM_PARAMETER_DELAY:
			response.delay_s += step;
			break;
		case JM_PARAMETER_TAU:
			response.tau_s += step;
			if (polish->fit->prior.delay_sd_s > 0)
				response.delay_s -= step;
			break;
		case JM_PARAMETER_WINDOW:
			response.window_s += step;
			break;
		case JM_PARAMETER_SHAPE:
			response.shape += step;
			break;
		default:
			break;
		}
	}
	return response;
}

/* What is believed of a parameter: -log density but for a constant. */
static double penalty(const struct jm_fit *fit, const struct jm_response *response)
{
	const struct jm_response_prior *prior = &fit->prior;
	double delay = (response->delay_s - prior->delay_s) / prior->delay_sd_s;
	double tau = (response->tau_s - prior->tau_s) / prior->tau_sd_s;
	double window = (response->window_s - prior->window_s) / prior->window_sd_s;
	double shape = (response->shape - fit->alignment.shape) / prior->shape_sd;

	return 0.5 * ((prior->delay_sd_s > 0 ? delay * delay : 0) +
			     (prior->tau_sd_s > 0 ? tau * tau : 0) +
			     (prior->window_sd_s > 0 ? window * window : 0) +
			     (prior->shape_sd > 0 ? shape * shape : 0));
}

/* -log marginal likelihood at an offset; hyperparameters stay. */
static int evaluate(struct polish *polish, const double *offset, double *ret_cost)
{
	struct jm_fit *fit = polish->fit;
	struct jm_response response = moved(polish, offset);
	struct jm_problem problem = fit->problem;
	int result;

	problem.n_extra = 0;
	result = jm_normal_build(&polish->normal, &problem, &response);
	if (result < 0)
		return result;
	polish->posterior.hyper = fit->alignment.posterior.hyper;
	result = jm_evidence_solve(&polish->normal, &fit->belief, 1, &polish->posterior);
	*ret_cost = penalty(fit, &response) - polish->posterior.log_evidence;
	return result;
}

static int differentiate(struct polish *polish)
{
	double at[PARAMETERS_MAX] = {0}, up[PARAMETERS_MAX] = {0};
	double middle = 0, down = 0, both = 0;
	size_t n = polish->n;
	int result = evaluate(polish, at, &middle);

	if (result < 0)
		return result;
	for (size_t i = 0; i < n; i++) {
		at[i] = 1;
		result = evaluate(polish, at, &up[i]);
		at[i] = -1;
		if (result >= 0)
			result = evaluate(polish, at, &down);
		at[i] = 0;
		if (result < 0)
			return result;
		polish->slope[i] = 0.5 * (up[i] - down);
		polish->curvature[i * n + i] = up[i] + down - 2 * middle;
	}
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < i; j++) {
			at[i] = at[j] = 1;
			result = evaluate(polish, at, &both);
			at[i] = at[j] = 0;
			if (result < 0)
				return result;
			polish->curvature[i * n + j] = polish->curvature[j * n + i] =
				both - up[i] - up[j] + middle;
		}
	return result;
}

/* Newton's step, and the inverse curvature; 0 when there is no minimum. */
static int find_step(const struct polish *polish, double *ret_step, double *ret_inverse)
{
	double l[PARAMETERS_MAX * PARAMETERS_MAX];
	size_t n = polish->n;

	memcpy(l, polish->curvature, n * n * sizeof(*l));
	if (jm_cholesky(l, n) < 0)
		return 0;
	for (size_t i = 0; i < n; i++)
		ret_step[i] = -polish->slope[i];
	jm_cholesky_solve(l, n, ret_step);
	jm_cholesky_invert(l, n, ret_inverse);
	for (size_t i = 0; i < n; i++)
		ret_step[i] = fmin(fmax(ret_step[i], -STEP_MAX), STEP_MAX);
	return 1;
}

static size_t unknown_of(const struct polish *polish, size_t i)
{
	const struct jm_alignment *alignment = &polish->fit->alignment;

	return alignment->normal.n_columns + alignment->column_of[polish->parameter[i]] - 1;
}

/* ret_slope[u * n + i]: how unknown u follows direction i. */
static void find_slopes(const struct polish *polish, double *ret_slope)
{
	const struct jm_posterior *posterior = &polish->fit->alignment.posterior;
	size_t n = polish->n;

	for (size_t u = 0; u < posterior->total; u++)
		for (size_t i = 0; i < n; i++) {
			double sum = posterior->covariance[u * posterior->total +
							   unknown_of(polish, i)];

			sum -= jm_dot(polish->root + i * n, ret_slope + u * n, i);
			ret_slope[u * n + i] = sum / polish->root[i * n + i];
		}
}

/* Powers and all else at the response as it is, without the linear problem's steps. */
static int take_mean(struct polish *polish)
{
	struct jm_alignment *alignment = &polish->fit->alignment;
	double *mean = alignment->posterior.mean, zero[PARAMETERS_MAX] = {0}, cost;
	size_t columns = alignment->normal.n_columns, extra = alignment->normal.n_extra;
	int result = evaluate(polish, zero, &cost);

	if (result < 0)
		return result;
	memcpy(mean, polish->posterior.mean, columns * sizeof(*mean));
	memset(mean + columns, 0, extra * sizeof(*mean));
	memcpy(mean + columns + extra, polish->posterior.mean + columns,
		(polish->posterior.total - columns) * sizeof(*mean));
	for (size_t k = 0; k < columns; k++)
		alignment->power_w[k] = mean[k] + alignment->posterior.reference_w;
	return 0;
}

/* The covariance when parameters are as uncertain as the curvature says. */
static int take_covariance(const struct polish *polish, const double *inverse)
{
	struct jm_posterior *posterior = &polish->fit->alignment.posterior;
	size_t n = polish->n, total = posterior->total;
	double *slope = malloc(total * n * sizeof(*slope));
	double added[PARAMETERS_MAX * PARAMETERS_MAX];

	if (!slope)
		return JM_ENOMEM;
	find_slopes(polish, slope);
	for (size_t i = 0; i < n * n; i++)
		added[i] = inverse[i] - (i % (n + 1) == 0);
	for (size_t u = 0; u < total; u++)
		for (size_t v = 0; v < total; v++)
			for (size_t i = 0; i < n; i++)
				posterior->covariance[u * total + v] +=
					slope[u * n + i] *
					jm_dot(added + i * n, slope + v * n, n);
	free(slope);
	return 0;
}

/*
 * How far Gauss-Newton was off, in the present directions, joins what is not
 * known: both would be right if all of the model were.
 */
static void add_move(
	const struct polish *polish, const struct jm_response *from, double *inverse)
{
	const struct jm_response *to = &polish->fit->alignment.response;
	double move[PARAMETERS_MAX];
	size_t n = polish->n;

	for (size_t i = 0; i < n; i++) {
		const double by[] = {[JM_PARAMETER_DELAY] = to->delay_s + to->tau_s -
							    from->delay_s - from->tau_s,
			[JM_PARAMETER_TAU] = to->tau_s - from->tau_s,
			[JM_PARAMETER_WINDOW] = to->window_s - from->window_s,
			[JM_PARAMETER_SHAPE] = to->shape - from->shape};

		move[i] = (by[polish->parameter[i]] - jm_dot(polish->root + i * n, move, i)) /
			  polish->root[i * n + i];
	}
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++)
			inverse[i * n + j] += MOVE_SHARE * move[i] * move[j];
}

/* A step, but not beyond what a response may be. */
static int take_step(struct polish *polish, const double *step)
{
	struct jm_alignment *alignment = &polish->fit->alignment;
	const struct jm_response_prior *prior = alignment->prior;
	struct jm_response response = moved(polish, step);
	double tau_s = fmax(response.tau_s, fmin(alignment->response.tau_s, TAU_MIN_S));

	if (prior->delay_sd_s > 0) {
		response.delay_s -= tau_s - response.tau_s;
		response.delay_s =
			fmin(fmax(response.delay_s, prior->delay_min_s), prior->delay_max_s);
	}
	response.tau_s = tau_s;
	response.shape = fmax(response.shape, 0);
	response.window_s =
		fmax(response.window_s, WINDOW_SHARE_MIN * alignment->response.window_s);
	alignment->response = response;
	return jm_alignment_solve(alignment, ITERATIONS);
}

/* The root, slope and curvature that `step` and `inverse` are made of are of the last response.
 */
static int climb(struct polish *polish)
{
	struct jm_alignment *alignment = &polish->fit->alignment;
	const struct jm_response from = alignment->response;
	double step[PARAMETERS_MAX], inverse[PARAMETERS_MAX * PARAMETERS_MAX];
	int result = 0, known = 0;

	for (int round = 0; result >= 0; round++) {
		double largest = 0;

		known = 0;
		if (!choose_parameters(polish))
			break;
		result = differentiate(polish);
		if (result == JM_ENUMERIC) /* somewhere around; here there is a solution */
			return 0;
		known = result >= 0 && find_step(polish, step, inverse);
		if (!known)
			break;
		for (size_t i = 0; i < polish->n; i++)
			largest = fmax(largest, fabs(step[i]));
		if (largest < STEP_DONE || round == ROUNDS)
			break;
		result = take_step(polish, step);
	}
	if (result >= 0)
		result = take_mean(polish);
	if (result < 0 || !known)
		return result;
	add_move(polish, &from, inverse);
	return take_covariance(polish, inverse);
}

int jm_fit_polish(struct jm_fit *fit, struct jm_error *reterr)
{
	struct polish polish = {.fit = fit};
	int result = 0;

	if (fit->alignment.response.n_taps == 1 && fit->conversions.moment != JM_MOMENT_READING)
		result = climb(&polish);
	jm_normal_release(&polish.normal);
	jm_posterior_release(&polish.posterior);
	if (result == JM_ENUMERIC)
		return jm_fail(reterr, JM_ENUMERIC, "the response has no solution");
	if (result < 0)
		return jm_fail_memory(reterr, "the normal equations");
	return 0;
}
