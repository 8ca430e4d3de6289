/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attribute/alignment.h"
#include "base/error.h"

/* Steps of at most these, in seconds or as a share; longer for slow sensors. */
#define DELAY_STEP_S 0.25e-3
#define TAU_STEP 0.6
#define WINDOW_STEP 0.1
#define TAU_FLOOR_S 0.2e-6
/* A damping of 0.2; less of it is no supply. */
#define SHAPE_MAX 6.25
#define SHAPE_STEP 0.5
/* Secants, because at 0 neither parameter has a slope. */
#define TAU_SECANT 0.02
#define TAU_SECANT_S 4e-6
#define SHAPE_SECANT 0.02
/* Done when no parameter moves by more than this share of its deviation. */
#define DONE_SHARE 0.08

/* Many taps describe delay and filter by themselves. */
static int has_delay(const struct jm_alignment *alignment)
{
	return alignment->prior->delay_sd_s > 0 && alignment->response.n_taps == 1;
}

static int has_tau(const struct jm_alignment *alignment)
{
	return alignment->prior->tau_sd_s > 0 && alignment->response.n_taps == 1;
}

static int has_shape(const struct jm_alignment *alignment)
{
	return alignment->prior->shape_sd > 0 && has_tau(alignment);
}

static size_t free_parameters(const struct jm_alignment *alignment)
{
	const struct jm_response_prior *prior = alignment->prior;
	size_t n = 0;

	n += (size_t)has_delay(alignment);
	n += prior->window_sd_s > 0 && !alignment->problem->moments.width_s;
	n += (size_t)has_tau(alignment) + (size_t)has_shape(alignment);
	n += prior->skew_sd > 0 && has_delay(alignment);
	return n + alignment->response.n_taps - 1;
}

int jm_alignment_init(struct jm_alignment *alignment, struct jm_problem *problem,
	struct jm_belief *belief, const struct jm_response_prior *prior,
	const struct jm_response *start)
{
	size_t n = problem->moments.n;

	memset(alignment, 0, sizeof(*alignment));
	alignment->problem = problem;
	alignment->belief = belief;
	alignment->prior = prior;
	alignment->response = *start;
	alignment->shape = start->shape;
	alignment->done = DONE_SHARE;
	alignment->n_columns = free_parameters(alignment);
	for (size_t m = 0; m < start->n_taps; m++)
		if (start->offset_s[m] == 0)
			alignment->main_tap = m;
	alignment->columns = malloc((alignment->n_columns * n + 1) * sizeof(double));
	alignment->fitted = malloc((n + 1) * sizeof(double));
	alignment->power_w =
		calloc(problem->segments->n_loads + JM_N_GAP_COLUMNS, sizeof(double));
	if (!alignment->columns || !alignment->fitted || !alignment->power_w)
		return JM_ENOMEM;
	return 0;
}

void jm_alignment_release(struct jm_alignment *alignment)
{
	free(alignment->columns);
	free(alignment->fitted);
	free(alignment->power_w);
	jm_normal_release(&alignment->normal);
	jm_posterior_release(&alignment->posterior);
	memset(alignment, 0, sizeof(*alignment));
}

static double *add_column(
	struct jm_alignment *alignment, size_t parameter, double mean, double sd, int scaled)
{
	struct jm_problem *problem = alignment->problem;
	struct jm_belief *belief = alignment->belief;
	size_t e = problem->n_extra++;
	double *column = alignment->columns + e * problem->moments.n;

	problem->extra[e] = column;
	belief->extra_mean[e] = mean;
	belief->extra_sd[e] = sd;
	belief->extra_scaled[e] = scaled;
	alignment->column_of[parameter] = e + 1;
	return column;
}

/* to_tau_s and to_shape instead of what they are; what tau gains the delay loses. */
static struct jm_response changed(
	const struct jm_alignment *alignment, double to_tau_s, double to_shape)
{
	struct jm_response response = alignment->response;

	if (has_delay(alignment))
		response.delay_s += response.tau_s - to_tau_s;
	response.tau_s = to_tau_s;
	response.shape = to_shape;
	return response;
}

/* Column = (prediction of `response` - prediction) / step. */
static int set_secant(const struct jm_alignment *alignment, const struct jm_response *response,
	double step, double *column)
{
	const struct jm_problem *problem = alignment->problem;
	struct jm_prediction to = {.value = column};
	int result = jm_predict(
		response, problem->segments, &problem->moments, alignment->power_w, &to);

	for (size_t i = 0; i < problem->moments.n && result >= 0; i++)
		column[i] = (column[i] - alignment->fitted[i]) / step;
	return result;
}

static int set_filter_columns(
	const struct jm_alignment *alignment, double *by_tau, double *by_shape)
{
	const struct jm_response *response = &alignment->response;
	double tau = response->tau_s + TAU_SECANT * response->tau_s + TAU_SECANT_S;
	double shape = response->shape + SHAPE_SECANT;
	struct jm_response other;
	int result = 0;

	if (by_tau) {
		other = changed(alignment, tau, response->shape);
		result = set_secant(alignment, &other, tau - response->tau_s, by_tau);
	}
	if (by_shape && result >= 0) {
		other = changed(alignment, response->tau_s, shape);
		result = set_secant(alignment, &other, shape - response->shape, by_shape);
	}
	return result;
}

/* Columns of derivatives at the present response and powers. */
static int set_columns(struct jm_alignment *alignment)
{
	const struct jm_response_prior *prior = alignment->prior;
	const struct jm_response *response = &alignment->response;
	struct jm_prediction to = {.value = alignment->fitted};
	double *by_tau = NULL, *by_shape = NULL;
	int result;

	alignment->problem->n_extra = 0;
	memset(alignment->column_of, 0, sizeof(alignment->column_of));
	if (has_delay(alignment))
		to.by_delay = add_column(alignment, JM_PARAMETER_DELAY,
			prior->delay_s - response->delay_s, prior->delay_sd_s, 0);
	if (has_tau(alignment))
		by_tau = add_column(alignment, JM_PARAMETER_TAU, prior->tau_s - response->tau_s,
			prior->tau_sd_s, 0);
	if (has_shape(alignment))
		by_shape = add_column(alignment, JM_PARAMETER_SHAPE,
			alignment->shape - response->shape, prior->shape_sd, 0);
	if (prior->window_sd_s > 0 && !alignment->problem->moments.width_s)
		to.by_window = add_column(alignment, JM_PARAMETER_WINDOW,
			prior->window_s - response->window_s, prior->window_sd_s, 0);
	if (prior->skew_sd > 0 && to.by_delay)
		to.by_skew = add_column(
			alignment, JM_PARAMETER_SKEW, -response->skew, prior->skew_sd, 0);
	to.main_tap = alignment->main_tap;
	for (size_t m = 0; m < response->n_taps; m++)
		if (m != alignment->main_tap)
			to.by_tap[m] = add_column(alignment, JM_PARAMETER_TAP + m,
				-response->tap[m], prior->tap_sd, 1);
	result = jm_predict(response, alignment->problem->segments,
		&alignment->problem->moments, alignment->power_w, &to);
	return result < 0 ? result : set_filter_columns(alignment, by_tau, by_shape);
}

static int solve(struct jm_alignment *alignment, int iterations)
{
	int result =
		jm_normal_build(&alignment->normal, alignment->problem, &alignment->response);

	if (result < 0)
		return result;
	result = jm_evidence_solve(
		&alignment->normal, alignment->belief, iterations, &alignment->posterior);
	if (result < 0)
		return result;
	for (size_t k = 0; k < alignment->normal.n_columns; k++)
		alignment->power_w[k] =
			alignment->posterior.mean[k] + alignment->posterior.reference_w;
	return 0;
}

/* Step of a parameter and how far it is in deviations; 0 when held fixed. */
static double step_of(const struct jm_alignment *alignment, size_t parameter, double *worst)
{
	const struct jm_posterior *posterior = &alignment->posterior;
	size_t e = alignment->column_of[parameter], i;
	double sd;

	if (!e)
		return 0;
	i = alignment->normal.n_columns + e - 1;
	sd = sqrt(fmax(posterior->covariance[i * posterior->total + i], 0));
	*worst = fmax(*worst, fabs(posterior->mean[i]) / fmax(sd, 1e-12));
	return posterior->mean[i];
}

static double limited(double step, double limit)
{
	return fmin(fmax(step, -limit), limit);
}

/* Steps of tau, shape and delay; they may not leave their ranges. */
static void move_filter(struct jm_alignment *alignment, double *worst)
{
	struct jm_response *response = &alignment->response;
	const struct jm_response_prior *prior = alignment->prior;
	double delay = limited(step_of(alignment, JM_PARAMETER_DELAY, worst),
		DELAY_STEP_S * jm_response_pace(response));
	double own = 0, tau, shape;

	tau = limited(step_of(alignment, JM_PARAMETER_TAU, &own),
		TAU_STEP * response->tau_s + 0.1e-3 * jm_response_pace(response));
	if (response->tau_s > TAU_FLOOR_S || tau > 0)
		*worst = fmax(*worst, own);
	own = 0;
	shape = limited(step_of(alignment, JM_PARAMETER_SHAPE, &own), SHAPE_STEP);
	if (response->shape > 0 || shape > 0)
		*worst = fmax(*worst, own);
	if (has_tau(alignment))
		*response = changed(alignment, fmax(response->tau_s + tau, TAU_FLOOR_S),
			fmin(fmax(response->shape + shape, 0), SHAPE_MAX));
	if (has_delay(alignment))
		response->delay_s = fmin(fmax(response->delay_s + delay, prior->delay_min_s),
			prior->delay_max_s);
}

/* Moves the response; returns the largest step in standard deviations. */
static double move(struct jm_alignment *alignment)
{
	struct jm_response *response = &alignment->response;
	double worst = 0, total = 0;

	move_filter(alignment, &worst);
	response->window_s += limited(step_of(alignment, JM_PARAMETER_WINDOW, &worst),
		WINDOW_STEP * response->window_s);
	response->skew += step_of(alignment, JM_PARAMETER_SKEW, &worst);
	for (size_t m = 0; m < response->n_taps; m++) {
		if (m == alignment->main_tap)
			continue;
		response->tap[m] +=
			limited(step_of(alignment, JM_PARAMETER_TAP + m, &worst), 0.5);
		total += response->tap[m];
	}
	response->tap[alignment->main_tap] = 1 - total;
	return worst;
}

int jm_alignment_solve(struct jm_alignment *alignment, int iterations)
{
	int result = set_columns(alignment);

	return result < 0 ? result : solve(alignment, iterations);
}

int jm_alignment_refine(struct jm_alignment *alignment, int steps, int iterations)
{
	int result = 0;

	if (alignment->posterior.hyper.noise_w2 <= 0) {
		alignment->problem->n_extra = 0;
		result = solve(alignment, iterations);
	}
	for (int i = 0; i < steps && result >= 0; i++) {
		double worst = HUGE_VAL;

		result = jm_alignment_solve(alignment, iterations);
		if (result >= 0)
			worst = move(alignment);
		if (worst < alignment->done && i > 0)
			break;
	}
	return result;
}

int jm_alignment_residuals(const struct jm_alignment *alignment, double *ret_residual)
{
	const struct jm_problem *problem = alignment->problem;
	const struct jm_posterior *posterior = &alignment->posterior;
	const double *spline =
		posterior->mean + alignment->normal.n_columns + alignment->normal.n_extra;
	struct jm_prediction to = {.value = ret_residual};
	double factor[4];

	if (jm_predict(&alignment->response, problem->segments, &problem->moments,
		    alignment->power_w, &to) < 0)
		return JM_ENOMEM;
	for (size_t i = 0; i < problem->moments.n; i++) {
		ret_residual[i] = problem->power_w[i] - ret_residual[i];
		if (problem->spline.n) {
			size_t at = jm_spline_at(
				&problem->spline, problem->moments.time_s[i], factor);

			for (size_t j = 0; j < 4; j++)
				ret_residual[i] -= factor[j] * spline[at + j];
		}
	}
	return 0;
}
