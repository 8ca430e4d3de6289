/* SPDX-License-Identifier: Apache-2.0 */
#include "data/counter.h"

#include <math.h>
#include <string.h>

void jm_counter_init(struct jm_counter *counter, double range_uj)
{
	memset(counter, 0, sizeof(*counter));
	counter->range_uj = range_uj;
}

double jm_counter_energy_uj(double from_uj, double to_uj, double range_uj)
{
	if (to_uj >= from_uj)
		return to_uj - from_uj;
	if (range_uj >= from_uj) /* not when it is not known, nor NaN */
		return range_uj - from_uj + to_uj;
	return (double)NAN;
}

int jm_counter_put(struct jm_counter *counter, const struct jm_reading *reading, double *ret_uw)
{
	double uj = reading->value[0];
	int64_t elapsed_ns = reading->after_ns - counter->last_ns;

	*ret_uw = (double)NAN;
	if (isnan(uj) || (counter->started && uj == counter->last_uj))
		return 0;
	if (counter->started && elapsed_ns > 0)
		*ret_uw = jm_counter_energy_uj(counter->last_uj, uj, counter->range_uj) /
			  ((double)elapsed_ns * 1e-9);
	counter->last_uj = uj;
	counter->last_ns = reading->after_ns;
	counter->started = 1;
	return 1;
}
