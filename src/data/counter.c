/* SPDX-License-Identifier: Apache-2.0 */
#include "data/counter.h"

#include <math.h>
#include <string.h>

/* Whatever wraps draws less; a counter that was set to 0 seems to draw megawatts. */
#define WRAP_MAX_W 1e5

void jm_counter_init(struct jm_counter *counter, double range_uj)
{
	memset(counter, 0, sizeof(*counter));
	counter->range_uj = range_uj;
}

double jm_counter_power(double from, double to, double range, double seconds, double watt)
{
	double power;

	if (!(seconds > 0))
		return (double)NAN;
	if (to >= from)
		return (to - from) / seconds;
	if (!(range >= from)) /* not known, or smaller */
		return (double)NAN;
	power = (range - from + to) / seconds;
	return power <= WRAP_MAX_W * watt ? power : (double)NAN;
}

int jm_counter_put(struct jm_counter *counter, const struct jm_reading *reading, double *ret_uw)
{
	double uj = reading->value[0];
	int64_t elapsed_ns = reading->after_ns - counter->last_ns;

	*ret_uw = (double)NAN;
	if (isnan(uj) || (counter->started && uj == counter->last_uj))
		return 0;
	if (counter->started)
		*ret_uw = jm_counter_power(counter->last_uj, uj, counter->range_uj,
			(double)elapsed_ns * 1e-9, 1e6);
	counter->last_uj = uj;
	counter->last_ns = reading->after_ns;
	counter->started = 1;
	return 1;
}
