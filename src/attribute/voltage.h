/* SPDX-License-Identifier: Apache-2.0 */
/* The supply's voltage, freed of its quantum and of its own moments. */
#ifndef JM_ATTRIBUTE_VOLTAGE_H
#define JM_ATTRIBUTE_VOLTAGE_H

#include <stddef.h>

/*
 * Replaces voltage[n] by its mean over half a second and a droop with the
 * current, both found from the readings. Returns 0; -1: out of memory,
 * nothing changed.
 */
int jm_voltage_smooth(const double *time_s, double *voltage, const double *current, size_t n);

#endif
