/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "attribute/timing_noise.h"

enum { GRID = 26, PROFILE_STEPS = 6 };

#define JITTER_MIN_S 0.5e-6
#define JITTER_STEP 1.4142135623730951
/* Squared residuals count up to this many variances: other work is no jitter. */
#define CLIP 9.0
/* Rise of the log likelihood that is worth a parameter. */
#define WORTH 6.0

/* Log likelihood with the noise at its best, given jitter over noise. */
static double profile(
	const double *residual, const double *slope, size_t n, double jitter_s, double *noise)
{
	double value = 0;

	for (int step = 0; step < PROFILE_STEPS; step++) {
		double sum = 0;

		value = 0;
		for (size_t i = 0; i < n; i++) {
			double t = jitter_s * slope[i];
			double variance = *noise * *noise + t * t;
			double square = fmin(residual[i] * residual[i] / variance, CLIP);

			sum += square * *noise * *noise;
			value -= 0.5 * (log(variance) + square);
		}
		*noise = sqrt(fmax(sum / (double)n, 1e-300));
	}
	return value;
}

double jm_timing_jitter(
	const double *residual, const double *slope, size_t n, double *ret_scale)
{
	double square = 0, noise, best_noise, best, none, jitter = JITTER_MIN_S,
	       best_jitter = 0;

	for (size_t i = 0; i < n; i++)
		square += residual[i] * residual[i];
	best_noise = noise = sqrt(square / (double)(n ? n : 1));
	best = none = profile(residual, slope, n, 0, &best_noise);
	for (int i = 0; i < GRID; i++, jitter *= JITTER_STEP) {
		double value = profile(residual, slope, n, jitter, &noise);

		if (value > best && value > none + WORTH) {
			best = value;
			best_jitter = jitter;
			best_noise = noise;
		}
	}
	for (size_t i = 0; i < n; i++)
		ret_scale[i] =
			best_noise > 0 ? hypot(1, best_jitter * slope[i] / best_noise) : 1;
	return best_jitter;
}
