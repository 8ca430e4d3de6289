/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which values can be. Negative ones are data: a rail may feed back, and a chip
 * has an offset. What no rail can carry is no value: drivers tell all ones, or
 * anything, where they have none.
 */
#ifndef JM_DATA_POSSIBLE_H
#define JM_DATA_POSSIBLE_H

#include "joulemap/joulemap.h"

/*
 * 1 when the reading has a value, and one that can be: within +-1 kV, 1 MA and
 * 1 MW in any case; strictly within +-`range`, where that is known (0 or NaN:
 * not), in the scale of the value that it bounds: mA or uW. A counter's range
 * is where it wraps, and is no bound.
 */
int jm_reading_is_possible(
	const struct jm_reading *reading, enum jm_quantity quantity, double range);

/* 1 when the reading has a value, of any size. */
int jm_reading_has_value(const struct jm_reading *reading, enum jm_quantity quantity);

/*
 * Takes the value from readings of a rail that have an impossible one: NaN.
 * Returns their number.
 */
size_t jm_rail_leave_out(struct jm_rail *rail, double range);

#endif
