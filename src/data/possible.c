/* SPDX-License-Identifier: Apache-2.0 */
#include "data/possible.h"

#include <math.h>

#define MV_MAX 1e6
#define MA_MAX 1e9
#define POWER_MAX_UW 1e12
#define ENERGY_MAX_UJ 1e20

int jm_reading_is_possible(
	const struct jm_reading *reading, enum jm_quantity quantity, double range)
{
	double a = fabs(reading->value[0]), b = fabs(reading->value[1]);
	double bound = range > 0 ? range : (double)INFINITY;

	switch (quantity) { /* NaN is never less */
	case JM_QUANTITY_MV_MA:
		return a <= MV_MAX && b <= MA_MAX && a * b <= POWER_MAX_UW && b < bound;
	case JM_QUANTITY_UW:
		return a <= POWER_MAX_UW && a < bound;
	case JM_QUANTITY_UJ:
		return a <= ENERGY_MAX_UJ;
	}
	return 0;
}

int jm_reading_has_value(const struct jm_reading *reading, enum jm_quantity quantity)
{
	return !isnan(reading->value[0]) &&
	       (quantity != JM_QUANTITY_MV_MA || !isnan(reading->value[1]));
}

size_t jm_rail_leave_out(struct jm_rail *rail, double range)
{
	size_t n = 0;

	for (size_t i = 0; i < rail->n_readings; i++) {
		struct jm_reading *reading = &rail->readings[i];

		if (!jm_reading_has_value(reading, rail->quantity) ||
			jm_reading_is_possible(reading, rail->quantity, range))
			continue;
		reading->value[0] = reading->value[1] = (double)NAN;
		n++;
	}
	return n;
}
