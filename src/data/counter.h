/* SPDX-License-Identifier: Apache-2.0 */
/* Power from an energy counter that steps, and wraps: everywhere from here. */
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
 * Mean power from one value of a counter to a later one, over at most one wrap:
 * energy over time, where `watt` is one W in that unit (1: J and s; 1e6: uJ). NaN
 * when it was started anew: it went back and its range is not known, is smaller
 * than that, or would mean a power that cannot be. NaN too when no time passed.
 */
double jm_counter_power(double from, double to, double range, double seconds, double watt);

/*
 * Takes the next reading. 1: it is another value, and *ret_uw is the mean power
 * since the one before; NaN where that is not known (the first one, or the
 * counter was started anew). 0: nothing new, or no value; *ret_uw is NaN.
 */
int jm_counter_put(
	struct jm_counter *counter, const struct jm_reading *reading, double *ret_uw);

#endif
