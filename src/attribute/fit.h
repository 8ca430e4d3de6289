/* SPDX-License-Identifier: Apache-2.0 */
/* The fit, inside: what its stages hand on. Order: fit.c. */
#ifndef JM_ATTRIBUTE_FIT_H
#define JM_ATTRIBUTE_FIT_H

#include "attribute/alignment.h"
#include "attribute/conversions.h"

struct jm_fit {
	const struct jm_fit_input *input;
	struct jm_pool *pool; /* owned; NULL: one thread */
	int is_long;          /* it tells of its progress */
	int64_t origin_ns;
	int64_t clock_shift_ns; /* added to the readings' clock */
	struct jm_segments segments;
	struct jm_conversions conversions;
	struct jm_problem problem; /* of the conversions near the run */
	size_t first;              /* of those, among all */
	struct jm_belief belief;
	unsigned char *type; /* [n_layers], owned */
	double *weight;      /* [n], owned: robust */
	double *residual;    /* [n], owned */
	double *scale;       /* [n], owned: noise of each over the least */
	double jitter_s;     /* of time stamps, as residuals show it */
	struct jm_response_prior prior;
	double windows_s[4]; /* to be tried */
	size_t n_windows;
	struct jm_alignment alignment;
	double start_noise_w2; /* of the likeliest start */
	double start_together; /* of its residuals */
	double blur_s;         /* moments of conversions are known no better than this range */
	int ambiguous;
	double robust_share;
	double autocorrelation;
	double inflation;
	double waiting_s; /* taken from spans, as waiting that they hold */
	/*
	 * What powers are compared with: 0, and none is below it; of a rail whose
	 * readings go below 0 (an offset, a rail that feeds back) the lowest of
	 * them, and powers have no bound.
	 */
	double base_w;
};

/* A response and how likely it is. */
struct jm_candidate {
	struct jm_response response;
	double evidence;
	double noise_w2; /* by the median: other work counts little */
	double together; /* autocorrelation of neighbouring residuals */
};

enum { JM_DESCENTS_MAX = 16 };

/*
 * The search, on a part of the conversions. Each replaces *best by what is
 * likelier, and returns 1 when that is clearly so.
 */
int jm_fit_descend(struct jm_fit *fit, const struct jm_problem *problem,
	const struct jm_response *start, int steps, struct jm_candidate *best);
/*
 * Goes on with a start, at most JM_DESCENTS_MAX of them, only when its first
 * steps do not leave it far behind those before it.
 */
int jm_fit_try_starts(struct jm_fit *fit, const struct jm_problem *problem,
	const struct jm_response *starts, size_t n, struct jm_candidate *best);
/*
 * Steps of Gauss-Newton end in the next optimum, and shifting the timeline by
 * about one layer makes another one. So others are tried around the best, as
 * long as they are better.
 */
int jm_fit_explore(
	struct jm_fit *fit, const struct jm_problem *problem, struct jm_candidate *best);

/* A row of the result: the mean by time of columns, a layer's in every regime. */
struct jm_row {
	size_t n;
	size_t column[JM_REGIMES_MAX];
	double share[JM_REGIMES_MAX]; /* of the time; they sum to 1 */
	double total_s;
};

struct jm_row jm_fit_layer_row(const struct jm_fit *fit, size_t layer);
struct jm_row jm_fit_gap_row(const struct jm_fit *fit, size_t which); /* JM_COLUMN_* */
double jm_fit_row_mean(const struct jm_fit *fit, const struct jm_row *row);
double jm_fit_row_covariance(
	const struct jm_fit *fit, const struct jm_row *a, const struct jm_row *b);
/* Conversions' worth of time that were spent in it. */
double jm_fit_row_readings(const struct jm_fit *fit, const struct jm_row *row);

/* Clock, segments, conversions, what is known before. */
int jm_fit_prepare(struct jm_fit *fit, struct jm_error *reterr);
/* Delay, window, time constant: coarse, then fine, on all conversions. */
int jm_fit_align(struct jm_fit *fit, struct jm_error *reterr);
/* The voltage's droop by what the fit says of the current: returns 1 when power changed. */
int jm_fit_droop(struct jm_fit *fit, struct jm_error *reterr);
/* Weights against disturbed conversions, and how much to widen intervals. */
int jm_fit_robust(struct jm_fit *fit, struct jm_error *reterr);
/* A supply of second order, when the evidence asks for it: returns 1 then. */
int jm_fit_order(struct jm_fit *fit, struct jm_error *reterr);
/* A richer response, when the evidence asks for it: returns 1 then. */
int jm_fit_enrich(struct jm_fit *fit, struct jm_error *reterr);
/* The response where the marginal likelihood has its top, and its uncertainty. */
int jm_fit_polish(struct jm_fit *fit, struct jm_error *reterr);
/*
 * Residuals averaged by their position in the cycle, over what noise would
 * make of them, as a variance. fit->residual is set before.
 */
double jm_fit_phase_excess(const struct jm_fit *fit);
/* Misfit that widens the intervals. */
int jm_fit_check(struct jm_fit *fit, struct jm_error *reterr);
/*
 * Where spans hold time in which nothing runs that is moved to the gaps: returns 1
 * then, and weights, response and checks are to be made again.
 */
int jm_fit_waiting(struct jm_fit *fit, struct jm_error *reterr);
/* The gap inside a cycle draws less than there can be: a sign of misfit. */
int jm_fit_gap_is_below(const struct jm_fit *fit);
/* Closure, and what follows from it; all rows are reported. */
void jm_fit_close(const struct jm_fit *fit, struct jm_fit_result *result);
/* Posterior to result. */
int jm_fit_report(
	const struct jm_fit *fit, struct jm_fit_result *result, struct jm_error *reterr);

#endif
