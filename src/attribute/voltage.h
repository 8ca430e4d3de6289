/* SPDX-License-Identifier: Apache-2.0 */
/* The supply's voltage, freed of its quantum and of its own moments. */
#ifndef JM_ATTRIBUTE_VOLTAGE_H
#define JM_ATTRIBUTE_VOLTAGE_H

#include <stddef.h>

/* No supply droops more than this, in ohm. */
#define JM_DROOP_MAX 0.2

/*
 * How voltage[n] follows x[n], both freed of what changes within half a second:
 * the slope, and its square over its variance. Returns 0; -1: out of memory.
 */
int jm_voltage_slope(const double *time_s, const double *voltage, const double *x, size_t n,
	double *ret_slope, double *ret_significance);

/*
 * Power: current[n] times the mean voltage of half a second and a droop of
 * `slope` V/A with the current. Returns 0; -1: out of memory, nothing changed.
 */
int jm_voltage_power(const double *time_s, const double *voltage, const double *current,
	size_t n, double slope, double *ret_power_w);

#endif
