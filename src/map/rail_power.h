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

#endif
