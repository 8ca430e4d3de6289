/* SPDX-License-Identifier: Apache-2.0 */
/* What a rail drew while a run lasted, whatever its layers did. */
#ifndef JM_MAP_RAIL_POWER_H
#define JM_MAP_RAIL_POWER_H

#include "joulemap/joulemap.h"

struct jm_rail_power {
	double mean_w; /* NaN: it has no value */
	double sd_w;   /* of its readings; of a counter, of its steps */
};

/* Both on one clock. `rail` may be NULL. */
struct jm_rail_power jm_rail_power_in_run(
	const struct jm_rail *rail, const struct jm_timeline *timeline);

/*
 * What the steps of its values hide (quantum[] as in jm_rail_info): a rail that
 * always reads the same may be off by half of one. 0: not known, or a counter.
 */
double jm_rail_rounding_w(const struct jm_rail *rail, const double quantum[2]);

#endif
