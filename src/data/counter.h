/* SPDX-License-Identifier: Apache-2.0 */
/* Power from an energy counter that steps, and wraps. */
#ifndef JM_DATA_COUNTER_H
#define JM_DATA_COUNTER_H

#include "joulemap/joulemap.h"

struct jm_counter {
	double range_uj; /* where it wraps to 0; 0 or NaN: not known */
	double last_uj;
	int64_t last_ns;
	int started;
};

void jm_counter_init(struct jm_counter *counter, double range_uj);

/*
 * Energy from one value of a counter to a later one, over at most one wrap.
 * NaN when it went back and its range is not known, or is smaller than that: it
 * was started anew.
 */
double jm_counter_energy_uj(double from_uj, double to_uj, double range_uj);

/*
 * Takes the next reading. 1: it is another value, and *ret_uw is the mean power
 * since the one before; NaN where that is not known (the first one, or the
 * counter was started anew). 0: nothing new, or no value; *ret_uw is NaN.
 */
int jm_counter_put(
	struct jm_counter *counter, const struct jm_reading *reading, double *ret_uw);

#endif
