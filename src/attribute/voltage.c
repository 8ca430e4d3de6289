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

/* Two running means at once; they are freed together, by the first. */
static double *running_means(const double *time_s, const double *a, const double *b, size_t n)
{
	double *means = malloc((2 * n + 1) * sizeof(*means));

	if (means) {
		running_mean(time_s, a, n, means);
		running_mean(time_s, b, n, means + n);
	}
	return means;
}

int jm_voltage_slope(const double *time_s, const double *voltage, const double *x, size_t n,
	double *ret_slope, double *ret_significance)
{
	double *mean_v = running_means(time_s, voltage, x, n);
	const double *mean_x = mean_v ? mean_v + n : NULL;
	double cross = 0, square = 0, rest = 0;

	if (!mean_v)
		return -1;
	for (size_t i = 0; i < n; i++) {
		double v = voltage[i] - mean_v[i], d = x[i] - mean_x[i];

		cross += v * d;
		square += d * d;
		rest += v * v;
	}
	free(mean_v);
	*ret_slope = square > 0 ? cross / square : 0;
	rest -= *ret_slope * cross;
	*ret_significance = rest > 0 && n > 1 ? *ret_slope * cross * (double)n / rest : 0;
	return 0;
}

int jm_voltage_power(const double *time_s, const double *voltage, const double *current,
	size_t n, double slope, double *ret_power_w)
{
	double *mean_v = running_means(time_s, voltage, current, n);
	const double *mean_i = mean_v ? mean_v + n : NULL;

	if (!mean_v)
		return -1;
	for (size_t i = 0; i < n; i++)
		ret_power_w[i] = current[i] * (mean_v[i] + slope * (current[i] - mean_i[i]));
	free(mean_v);
	return 0;
}
