/* SPDX-License-Identifier: Apache-2.0 */
/* Fits of several rails of one run, and their sum: the board. */
#ifndef JM_ATTRIBUTE_FIT_SUM_H
#define JM_ATTRIBUTE_FIT_SUM_H

#include "joulemap/joulemap.h"

/* One rail; all of one sum are fits of the same timeline. */
struct jm_fit_part {
	const char *name;
	const struct jm_fit_result *fit; /* figures may be withheld; the mean power is known */
	double sd_w;                     /* of its readings during the run */
};

/* 1 when a fit has no figures for any layer: only its closure's measured_mj counts. */
int jm_fit_is_withheld(const struct jm_fit_result *result);

/*
 * What can be said of a rail that cannot be fitted: its mean power, without any
 * figures of layers, and why. `like` is a fit of the same run. JM_ENOMEM; the
 * result is released as one of jm_attribute_fit.
 */
int jm_fit_of_mean(const struct jm_fit_result *like, double mean_w, double sd_w,
	const struct jm_error *why, struct jm_fit_result *ret_result, struct jm_error *reterr);

/*
 * Adds up powers, and uncertainties: what a rail's own noise leaves open adds in
 * squares; what all share because their timeline is one (times, stamps, and what
 * the model does not describe) adds as it is. A rail whose figures are withheld
 * counts with its mean power in every row, uncertain by the scatter of its
 * readings. Power above idle is above idle_w; NaN: the sum of the rails' own.
 * n is at least 1. Released as a result of jm_attribute_fit. JM_ENOMEM.
 */
int jm_fit_sum(const struct jm_fit_part *parts, size_t n, double idle_w,
	struct jm_fit_result *ret_sum, struct jm_error *reterr);

#endif
