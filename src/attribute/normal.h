/* SPDX-License-Identifier: Apache-2.0 */
/* Normal equations of all conversions: layers, gaps, parameters and baseline. */
#ifndef JM_ATTRIBUTE_NORMAL_H
#define JM_ATTRIBUTE_NORMAL_H

#include "attribute/response.h"
#include "base/pool.h"

enum { JM_EXTRA_MAX = 32 };

/* A smooth baseline: cubic B-spline with evenly spaced knots. */
struct jm_spline {
	double begin_s, step_s;
	size_t n; /* coefficients, 0: none */
};

void jm_spline_init(
	struct jm_spline *spline, double begin_s, double end_s, double step_s, size_t max);
/* The four coefficients in force at a moment: index of the first, and factors. */
size_t jm_spline_at(const struct jm_spline *spline, double time_s, double ret_factor[4]);

/* What is fitted; borrowed. */
struct jm_problem {
	const struct jm_segments *segments;
	struct jm_moments moments;
	const double *power_w; /* [n] */
	const double *weight;  /* [n] or NULL: 1 */
	struct jm_spline spline;
	const double *extra[JM_EXTRA_MAX]; /* columns known already, [n] each */
	size_t n_extra;
	struct jm_pool *pool; /* shares the work on many conversions; NULL: none */
};

/* Unknowns: layers, gaps, extra, spline. */
struct jm_normal {
	size_t n_columns; /* layers + gaps */
	size_t n_extra;
	size_t n_spline;
	size_t p;           /* sum of these */
	double *gram;       /* [p * p], owned, symmetric */
	double *rhs;        /* [p], owned */
	double square;      /* sum of weight y^2 */
	double count;       /* sum of weights */
	double reference_w; /* taken off y, and off the power of every column */
};

/* 0 or JM_ENOMEM. `normal` is zeroed or initialised before. */
int jm_normal_build(struct jm_normal *normal, const struct jm_problem *problem,
	const struct jm_response *response);
void jm_normal_release(struct jm_normal *normal);

#endif
