/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unknowns: layers, gaps, extra columns, spline | common mean, means of types.
 * Prior: layer ~ N(common + type, spread of its type), type ~ N(0, type_w2),
 * the common mean flat; in a later regime it is ~ N(pivot + gain (layer in the
 * first - pivot), regime_w2); gaps loosely tied to each other; the spline's second
 * differences ~ N(0, drift_w2), its mean 0. Hyperparameters climb the evidence
 * by MacKay's fixed point, with weak priors that keep them finite.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attribute/dense.h"
#include "attribute/evidence.h"
#include "base/error.h"

/* Weak priors, in units of belief->scale_w. */
#define SPREAD0 0.2
#define SPREAD0_COUNT 1.0
#define SPREAD_MAX 1.0
#define TYPE_COUNT 4.0 /* layers of a type count this many from all types */
#define LOOSE 10.0
#define SPLINE_LOOSE 1.0
#define SPLINE_FLOOR 1e-5
#define CENTRE_SD 1e-5
#define EXTRA_COUNT 0.5
#define GAIN_SD 0.5
#define REGIME0 0.03
#define REGIME_COUNT 2.0

struct solver {
	const struct jm_normal *normal;
	const struct jm_belief *belief;
	struct jm_posterior *posterior;
	size_t layers, gap, extra, spline, common, types; /* first index of each */
	size_t total;
	double *prior;    /* [total * total] precision */
	double *work;     /* [total * total] */
	double *rhs;      /* [total] prior precision times prior mean */
	double log_prior; /* ln det of the proper part of the prior */
};

static int allocate(struct solver *solver)
{
	struct jm_posterior *posterior = solver->posterior;
	size_t n = solver->total;

	if (posterior->total != n) {
		free(posterior->mean);
		free(posterior->covariance);
		posterior->mean = calloc(n, sizeof(double));
		posterior->covariance = malloc(n * n * sizeof(double));
		posterior->total = n;
	}
	solver->prior = malloc(n * n * sizeof(double));
	solver->work = malloc(n * n * sizeof(double));
	solver->rhs = malloc(n * sizeof(double));
	return posterior->mean && posterior->covariance && solver->prior && solver->work &&
	       solver->rhs;
}

static void layout(struct solver *solver)
{
	const struct jm_normal *normal = solver->normal;

	solver->layers = 0;
	solver->gap = normal->n_columns - JM_N_GAP_COLUMNS;
	solver->extra = normal->n_columns;
	solver->spline = solver->extra + normal->n_extra;
	solver->common = solver->spline + normal->n_spline;
	solver->types = solver->common + 1;
	solver->total =
		solver->types + (solver->belief->n_types > 1 ? solver->belief->n_types : 0);
}

static int has_types(const struct solver *solver)
{
	return solver->total > solver->types;
}

/* prior += weight (sum of c_i x_i)^2 */
static void couple(
	struct solver *solver, const size_t *index, const double *c, size_t n, double weight)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++)
			solver->prior[index[i] * solver->total + index[j]] +=
				weight * c[i] * c[j];
}

static size_t type_of(const struct solver *solver, size_t layer)
{
	return solver->belief->n_types > 1 ? solver->belief->type[layer] : 0;
}

static void prior_of_layers(struct solver *solver)
{
	static const double c[3] = {1, -1, -1};
	const struct jm_hyper *hyper = &solver->posterior->hyper;

	for (size_t k = 0; k < solver->belief->n_layers; k++) {
		size_t type = type_of(solver, k);
		size_t index[3] = {k, solver->common, solver->types + type};

		couple(solver, index, c, has_types(solver) ? 3 : 2, 1 / hyper->spread_w2[type]);
		solver->log_prior -= log(hyper->spread_w2[type]);
	}
	for (size_t t = solver->types; t < solver->total; t++) {
		solver->prior[t * solver->total + t] += 1 / hyper->type_w2;
		solver->log_prior -= log(hyper->type_w2);
	}
}

/* What a layer of a later regime is off: its index and factors. */
static void regime_terms(
	const struct solver *solver, size_t column, size_t index[3], double c[3])
{
	size_t layers = solver->belief->n_layers;
	double gain = solver->posterior->hyper.gain[column / layers];

	index[0] = column;
	index[1] = column % layers;
	index[2] = solver->belief->pivot;
	c[0] = 1;
	c[1] = -gain;
	c[2] = gain - 1;
}

static void prior_of_regimes(struct solver *solver)
{
	const struct jm_hyper *hyper = &solver->posterior->hyper;
	size_t layers = solver->belief->n_layers, index[3];
	double c[3];

	for (size_t k = layers; k < solver->gap; k++) {
		regime_terms(solver, k, index, c);
		couple(solver, index, c, 3, 1 / hyper->regime_w2[k / layers]);
		solver->log_prior -= log(hyper->regime_w2[k / layers]);
	}
}

static void prior_of_gaps(struct solver *solver)
{
	static const double c[2] = {1, -1};
	double loose = 1 / (LOOSE * LOOSE * solver->belief->scale_w * solver->belief->scale_w);
	size_t between = solver->gap + JM_COLUMN_BETWEEN;
	size_t inside[2] = {solver->gap + JM_COLUMN_GAP, between};
	size_t outside[2] = {solver->gap + JM_COLUMN_OUTSIDE, between};
	size_t middle[2] = {between, solver->common};

	couple(solver, inside, c, 2, 1 / solver->posterior->hyper.spread_w2[0]);
	solver->log_prior -= log(solver->posterior->hyper.spread_w2[0]);
	couple(solver, outside, c, 2, loose);
	couple(solver, middle, c, 2, loose);
}

static void prior_of_spline(struct solver *solver)
{
	static const double c[3] = {1, -2, 1};
	const struct jm_hyper *hyper = &solver->posterior->hyper;
	size_t n = solver->normal->n_spline, total = solver->total;
	double scale2 = solver->belief->scale_w * solver->belief->scale_w;
	double loose = 1 / (SPLINE_LOOSE * SPLINE_LOOSE * scale2);
	double centre = 1 / (CENTRE_SD * CENTRE_SD * scale2) / (double)(n * n + 1);

	for (size_t i = 0; i < n; i++) {
		double *line = solver->prior + (solver->spline + i) * total + solver->spline;
		size_t index[3] = {
			solver->spline + i, solver->spline + i + 1, solver->spline + i + 2};

		for (size_t j = 0; j < n; j++)
			line[j] += centre;
		line[i] += loose;
		if (i + 2 < n) {
			couple(solver, index, c, 3, 1 / hyper->drift_w2);
			solver->log_prior -= log(hyper->drift_w2);
		}
	}
}

static double extra_precision(const struct solver *solver, size_t e)
{
	double sd = solver->belief->extra_sd[e];

	if (solver->belief->extra_scaled[e])
		return 1 / (sd * sd * solver->posterior->hyper.extra2);
	return isfinite(sd) ? 1 / (sd * sd) : 0;
}

static void prior_of_extra(struct solver *solver)
{
	for (size_t e = 0; e < solver->normal->n_extra; e++) {
		size_t i = solver->extra + e;
		double precision = extra_precision(solver, e);

		solver->prior[i * solver->total + i] += precision;
		solver->rhs[i] += precision * solver->belief->extra_mean[e];
		if (precision > 0)
			solver->log_prior += log(precision);
	}
}

static void build_prior(struct solver *solver)
{
	memset(solver->prior, 0, solver->total * solver->total * sizeof(double));
	memset(solver->rhs, 0, solver->total * sizeof(double));
	solver->log_prior = 0;
	prior_of_layers(solver);
	prior_of_regimes(solver);
	prior_of_gaps(solver);
	prior_of_spline(solver);
	prior_of_extra(solver);
}

/* Posterior at the present hyperparameters. */
static int solve(struct solver *solver)
{
	const struct jm_normal *normal = solver->normal;
	struct jm_posterior *posterior = solver->posterior;
	size_t n = solver->total, p = normal->p;
	double noise = posterior->hyper.noise_w2;

	build_prior(solver);
	memcpy(solver->work, solver->prior, n * n * sizeof(double));
	memcpy(posterior->mean, solver->rhs, n * sizeof(double));
	for (size_t i = 0; i < p; i++) {
		posterior->mean[i] += normal->rhs[i] / noise;
		for (size_t j = 0; j < p; j++)
			solver->work[i * n + j] += normal->gram[i * p + j] / noise;
	}
	/* The common mean is flat: as loose as the numbers allow. */
	solver->work[solver->common * n + solver->common] +=
		1e-8 / (solver->belief->scale_w * solver->belief->scale_w);
	if (jm_cholesky(solver->work, n) < 0)
		return JM_ENUMERIC;
	jm_cholesky_solve(solver->work, n, posterior->mean);
	posterior->log_evidence =
		0.5 * (solver->log_prior - jm_cholesky_log_det(solver->work, n));
	jm_cholesky_invert(solver->work, n, posterior->covariance);
	return 0;
}

/* Residuals, number of parameters in use, and the evidence. */
static void measure(struct solver *solver)
{
	const struct jm_normal *normal = solver->normal;
	struct jm_posterior *posterior = solver->posterior;
	size_t p = normal->p, n = solver->total;
	const double *x = posterior->mean;
	double fit = 0, cross = 0, trace = 0, penalty = 0, noise = posterior->hyper.noise_w2;

	for (size_t i = 0; i < p; i++) {
		const double *line = normal->gram + i * p;

		cross += x[i] * normal->rhs[i];
		fit += x[i] * jm_dot(line, x, p);
		trace += jm_dot(line, posterior->covariance + i * n, p);
	}
	for (size_t i = 0; i < n; i++)
		penalty +=
			x[i] * jm_dot(solver->prior + i * n, x, n) - 2 * x[i] * solver->rhs[i];
	for (size_t e = 0; e < normal->n_extra; e++)
		penalty += extra_precision(solver, e) * solver->belief->extra_mean[e] *
			   solver->belief->extra_mean[e];
	posterior->chi2 = fmax(normal->square - 2 * cross + fit, 0);
	posterior->effective = trace / noise;
	posterior->log_evidence -=
		0.5 * (posterior->chi2 / noise + penalty + normal->count * log(noise));
}

/* Variance of layer k around the mean of its type. */
static double variance_around(const struct solver *solver, size_t k)
{
	const double *c = solver->posterior->covariance;
	size_t n = solver->total, m = solver->common, t = solver->types + type_of(solver, k);
	double v = c[k * n + k] + c[m * n + m] - 2 * c[k * n + m];

	if (has_types(solver))
		v += c[t * n + t] - 2 * c[k * n + t] + 2 * c[m * n + t];
	return v;
}

/* Power is positive: layers do not scatter by more than its mean. */
static double within(double scale2, double spread2)
{
	return fmin(fmax(spread2, 1e-8 * scale2), SPREAD_MAX * SPREAD_MAX * scale2);
}

static void update_spread(struct solver *solver)
{
	struct jm_hyper *hyper = &solver->posterior->hyper;
	const double *x = solver->posterior->mean;
	double sum[JM_TYPES_MAX] = {0}, used[JM_TYPES_MAX] = {0};
	double all = 0, all_used = 0,
	       scale2 = solver->belief->scale_w * solver->belief->scale_w;
	double s0 = SPREAD0 * SPREAD0 * scale2;
	size_t n_types = has_types(solver) ? solver->belief->n_types : 1;

	for (size_t k = 0; k < solver->belief->n_layers; k++) {
		size_t t = type_of(solver, k);
		double d = x[k] - x[solver->common] -
			   (has_types(solver) ? x[solver->types + t] : 0);

		sum[t] += d * d;
		used[t] += fmax(0, 1 - variance_around(solver, k) / hyper->spread_w2[t]);
	}
	for (size_t t = 0; t < n_types; t++) {
		all += sum[t];
		all_used += used[t];
	}
	all = (all + SPREAD0_COUNT * s0) / (all_used + SPREAD0_COUNT);
	for (size_t t = 0; t < n_types; t++)
		hyper->spread_w2[t] =
			within(scale2, (sum[t] + TYPE_COUNT * all) / (used[t] + TYPE_COUNT));
	if (!has_types(solver))
		hyper->spread_w2[0] = within(scale2, all);
}

static void update_types(struct solver *solver)
{
	struct jm_hyper *hyper = &solver->posterior->hyper;
	double scale2 = solver->belief->scale_w * solver->belief->scale_w;
	double sum = SPREAD0 * SPREAD0 * scale2, used = 1;

	for (size_t t = solver->types; t < solver->total; t++) {
		double x = solver->posterior->mean[t];

		sum += x * x;
		used += fmax(0, 1 - solver->posterior->covariance[t * solver->total + t] /
						hyper->type_w2);
	}
	hyper->type_w2 = fmax(1e-8 * scale2, sum / used);
}

static void update_drift(struct solver *solver)
{
	struct jm_hyper *hyper = &solver->posterior->hyper;
	const double *x = solver->posterior->mean + solver->spline;
	size_t n = solver->normal->n_spline, total = solver->total;
	double sum = 0, used = 0, floor2 = SPLINE_FLOOR * solver->belief->scale_w;

	floor2 *= floor2;
	for (size_t i = 0; i + 2 < n; i++) {
		const double *c = solver->posterior->covariance + (solver->spline + i) * total +
				  solver->spline + i;
		double d = x[i] - 2 * x[i + 1] + x[i + 2];
		double v = c[0] + 4 * c[total + 1] + c[2 * total + 2] - 4 * c[1] + 2 * c[2] -
			   4 * c[total + 2];

		sum += d * d;
		used += fmax(0, 1 - v / hyper->drift_w2);
	}
	if (n > 2)
		hyper->drift_w2 = fmax(floor2, (sum + floor2) / (used + 1e-3));
}

static void update_extra(struct solver *solver)
{
	double sum = EXTRA_COUNT * 1e-4, used = EXTRA_COUNT;
	struct jm_hyper *hyper = &solver->posterior->hyper;
	int any = 0;

	for (size_t e = 0; e < solver->normal->n_extra; e++) {
		size_t i = solver->extra + e;
		double sd = solver->belief->extra_sd[e];
		double d = solver->posterior->mean[i] - solver->belief->extra_mean[e];

		if (!solver->belief->extra_scaled[e])
			continue;
		any = 1;
		sum += d * d / (sd * sd);
		used += fmax(0, 1 - solver->posterior->covariance[i * solver->total + i] *
						extra_precision(solver, e));
	}
	if (any)
		hyper->extra2 = fmax(1e-10, sum / used);
}

/* Expectation of the product of two sums of unknowns. */
static double expect(const struct solver *solver, const size_t *index, const double *a,
	const double *b, size_t n)
{
	const struct jm_posterior *posterior = solver->posterior;
	double mean_a = 0, mean_b = 0, sum = 0;

	for (size_t i = 0; i < n; i++) {
		mean_a += a[i] * posterior->mean[index[i]];
		mean_b += b[i] * posterior->mean[index[i]];
		for (size_t j = 0; j < n; j++)
			sum += a[i] * b[j] *
			       posterior->covariance[index[i] * solver->total + index[j]];
	}
	return sum + mean_a * mean_b;
}

/* Gain of a regime, by regression on the first, and scatter around it. */
static void update_regime(struct solver *solver, size_t regime)
{
	static const double own[3] = {1, 0, -1}, first[3] = {0, 1, -1};
	struct jm_hyper *hyper = &solver->posterior->hyper;
	size_t layers = solver->belief->n_layers, index[3];
	double scale2 = solver->belief->scale_w * solver->belief->scale_w;
	double prior = hyper->regime_w2[regime] / (GAIN_SD * GAIN_SD), cross = prior;
	double square = prior, sum = REGIME_COUNT * REGIME0 * REGIME0 * scale2, c[3];

	for (size_t k = 0; k < layers; k++) {
		regime_terms(solver, regime * layers + k, index, c);
		cross += expect(solver, index, own, first, 3);
		square += expect(solver, index, first, first, 3);
		sum += expect(solver, index, c, c, 3);
	}
	hyper->regime_w2[regime] = fmax(1e-7 * scale2, sum / ((double)layers + REGIME_COUNT));
	hyper->gain[regime] = fmax(0, cross / square);
}

static void update(struct solver *solver)
{
	struct jm_posterior *posterior = solver->posterior;
	double free_rows = solver->normal->count - posterior->effective;

	update_spread(solver);
	update_types(solver);
	update_drift(solver);
	update_extra(solver);
	for (size_t r = 1; r * solver->belief->n_layers < solver->gap; r++)
		update_regime(solver, r);
	posterior->hyper.noise_w2 = fmax(posterior->chi2 / fmax(free_rows, 1),
		solver->belief->noise_min_w * solver->belief->noise_min_w);
}

static void begin(struct solver *solver)
{
	struct jm_hyper *hyper = &solver->posterior->hyper;
	double scale2 = solver->belief->scale_w * solver->belief->scale_w;

	if (hyper->noise_w2 > 0)
		return;
	hyper->noise_w2 =
		0.1 * solver->normal->square / fmax(solver->normal->count, 1) + 1e-12 * scale2;
	for (size_t t = 0; t < JM_TYPES_MAX; t++)
		hyper->spread_w2[t] = 0.04 * scale2;
	hyper->type_w2 = 0.01 * scale2;
	hyper->drift_w2 = 1e-6 * scale2;
	hyper->extra2 = 0.01;
	for (size_t r = 0; r < JM_REGIMES_MAX; r++) {
		hyper->gain[r] = 1;
		hyper->regime_w2[r] = 0.01 * scale2;
	}
}

int jm_evidence_solve(const struct jm_normal *normal, const struct jm_belief *belief,
	int iterations, struct jm_posterior *ret_posterior)
{
	struct solver solver = {.normal = normal, .belief = belief, .posterior = ret_posterior};
	int result = 0;

	layout(&solver);
	ret_posterior->p = normal->p;
	ret_posterior->reference_w = normal->reference_w;
	if (!allocate(&solver)) {
		result = JM_ENOMEM;
		goto out;
	}
	begin(&solver);
	for (int i = 0; i < iterations; i++) {
		double before = ret_posterior->hyper.noise_w2;
		double spread = ret_posterior->hyper.spread_w2[0];

		result = solve(&solver);
		if (result < 0)
			goto out;
		measure(&solver);
		if (i + 1 == iterations)
			break;
		update(&solver);
		if (fabs(log(ret_posterior->hyper.noise_w2 / before)) < 1e-4 &&
			fabs(log(ret_posterior->hyper.spread_w2[0] / spread)) < 1e-2 && i > 3)
			iterations = i + 2;
	}
	ret_posterior->common_w = ret_posterior->mean[solver.common] + normal->reference_w;
out:
	free(solver.prior);
	free(solver.work);
	free(solver.rhs);
	return result;
}

void jm_posterior_release(struct jm_posterior *posterior)
{
	free(posterior->mean);
	free(posterior->covariance);
	memset(posterior, 0, sizeof(*posterior));
}
