/* SPDX-License-Identifier: Apache-2.0 */
/* Residuals that grow where the load changes: time stamps that jitter. */
#ifndef JM_ATTRIBUTE_TIMING_NOISE_H
#define JM_ATTRIBUTE_TIMING_NOISE_H

#include <stddef.h>

/*
 * Variance of residual i = noise^2 + (jitter * slope[i])^2. Finds the jitter,
 * in seconds, that makes the residuals most likely; 0 when none shows.
 * ret_scale[i] is the root of that variance over the noise.
 */
double jm_timing_jitter(
	const double *residual, const double *slope, size_t n, double *ret_scale);

#endif
