/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supply's voltage falls with the current, over a resistance that power as a
 * product of both must hold. A chip converts them one after the other, so that the
 * voltage of a reading belongs to a window before or behind the current's, and
 * following one with the other finds too little. The fit can say what the
 * load was at any moment: the window at which it explains the voltage best is
 * the voltage's, and the slope there the droop.
 */
#include <math.h>
#include <stdlib.h>

#include "attribute/fit.h"
#include "attribute/voltage.h"
#include "base/error.h"

enum {
	CONVERSIONS = 4000, /* in a row: enough for a hundredth of the droop */
	STEPS_MAX = 32
};

/* Square of deviations from none that a droop must have. */
#define WORTH 25.0

struct droop {
	double slope, significance;
};

/* How the voltage of conversions from `first` on follows the load `shift_s` later. */
static int follow(const struct jm_fit *fit, size_t first, size_t n, double shift_s,
	double *scratch, struct droop *ret)
{
	const struct jm_conversions *conversions = &fit->conversions;
	struct jm_response response = fit->alignment.response;
	const double *time_s = fit->problem.moments.time_s + first;
	struct jm_moments moments = {time_s, NULL, n};
	struct jm_prediction to = {.value = scratch};
	size_t at = fit->first + first;
	int result;

	response.delay_s -= shift_s;
	result = jm_predict(&response, &fit->segments, &moments, fit->alignment.power_w, &to);
	if (result < 0)
		return result;
	return jm_voltage_slope(time_s, conversions->voltage_v + at, scratch, n, &ret->slope,
		       &ret->significance) < 0
		       ? JM_ENOMEM
		       : 0;
}

/* Shifts middle_s +- steps x step_s; *best_s and *ret are replaced by better ones. */
static int scan(const struct jm_fit *fit, double middle_s, int steps, double step_s,
	double *best_s, struct droop *ret)
{
	size_t all = fit->problem.moments.n, n = all < CONVERSIONS ? all : CONVERSIONS;
	double *scratch = malloc((n + 1) * sizeof(*scratch));
	int result = scratch ? 0 : JM_ENOMEM;

	for (int i = -steps; i <= steps && result >= 0; i++) {
		double shift_s = middle_s + i * step_s;
		struct droop own;

		result = follow(fit, (all - n) / 2, n, shift_s, scratch, &own);
		if (result < 0 || own.significance <= ret->significance || own.slope > 0)
			continue;
		*best_s = shift_s;
		*ret = own;
	}
	free(scratch);
	return result;
}

/* The best of all shifts up to a round either way: half windows, then eighths. */
static int find_droop(const struct jm_fit *fit, struct droop *ret)
{
	double round_s = fit->conversions.round_s, best_s = 0;
	double steps = fmin(ceil(2 * round_s / fit->alignment.response.window_s), STEPS_MAX);
	int result;

	*ret = (struct droop){0, 0};
	result = scan(fit, 0, (int)steps, round_s / steps, &best_s, ret);
	return result < 0 ? result : scan(fit, best_s, 2, round_s / steps / 4, &best_s, ret);
}

static double mean_voltage(const struct jm_conversions *conversions)
{
	double sum = 0;

	for (size_t i = 0; i < conversions->n; i++)
		sum += conversions->voltage_v[i];
	return sum / (double)conversions->n;
}

int jm_fit_droop(struct jm_fit *fit, struct jm_error *reterr)
{
	struct jm_conversions *conversions = &fit->conversions;
	struct droop droop;
	int result;

	if (!conversions->voltage_v || conversions->moment != JM_MOMENT_TICK)
		return 0;
	result = find_droop(fit, &droop);
	if (result >= 0 && droop.significance < WORTH)
		return 0;
	/* What follows power by that much follows current by its volts more. */
	if (result >= 0 && jm_voltage_power(conversions->time_s, conversions->voltage_v,
				   conversions->current_a, conversions->n,
				   fmax(-JM_DROOP_MAX, droop.slope * mean_voltage(conversions)),
				   conversions->power_w) < 0)
		result = JM_ENOMEM;
	if (result >= 0)
		result = jm_alignment_refine(&fit->alignment, 2, 8);
	if (result < 0)
		return jm_fail(reterr, (enum jm_code)result, "the voltages have no solution");
	return 1;
}
