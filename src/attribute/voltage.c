/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Voltage and current of a reading may come from different conversions, and
 * the voltage's quantum is coarser than what it varies. It varies for two
 * reasons: slowly, and with the current, over the supply's resistance.
 */
#include <math.h>
#include <stdlib.h>

#include "attribute/voltage.h"

#define HALF_S 0.25
/* No supply droops more than this, in ohm. */
#define DROOP_MAX 0.2

/* Running mean over +- HALF_S. */
static void running_mean(const double *time_s, const double *value, size_t n, double *ret_mean)
{
	size_t from = 0, to = 0;
	double sum = 0;

	for (size_t i = 0; i < n; i++) {
		while (to < n && time_s[to] <= time_s[i] + HALF_S)
			sum += value[to++];
		while (time_s[from] < time_s[i] - HALF_S)
			sum -= value[from++];
		ret_mean[i] = sum / (double)(to - from);
	}
}

int jm_voltage_smooth(const double *time_s, double *voltage, const double *current, size_t n)
{
	double *mean_v = malloc((n + 1) * sizeof(*mean_v));
	double *mean_i = malloc((n + 1) * sizeof(*mean_i));
	double cross = 0, square = 0, slope;

	if (!mean_v || !mean_i) {
		free(mean_v);
		free(mean_i);
		return -1;
	}
	running_mean(time_s, voltage, n, mean_v);
	running_mean(time_s, current, n, mean_i);
	for (size_t i = 0; i < n; i++) {
		cross += (voltage[i] - mean_v[i]) * (current[i] - mean_i[i]);
		square += (current[i] - mean_i[i]) * (current[i] - mean_i[i]);
	}
	slope = square > 0 ? fmin(0, fmax(-DROOP_MAX, cross / square)) : 0;
	for (size_t i = 0; i < n; i++)
		voltage[i] = mean_v[i] + slope * (current[i] - mean_i[i]);
	free(mean_v);
	free(mean_i);
	return 0;
}
