/* SPDX-License-Identifier: Apache-2.0 */
/* Names that tell the rails of several sensors apart in one log. */
#ifndef JM_DATA_RAIL_NAMES_H
#define JM_DATA_RAIL_NAMES_H

#include "joulemap/joulemap.h"

struct jm_rail_name {
	const char *sensor;     /* id of its sensor, borrowed */
	size_t number;          /* of its sensor, from 0 */
	const char *rail;       /* its name there, borrowed */
	char name[JM_NAME_MAX]; /* in the log */
};

/*
 * Fills in the names: that of the rail, and "SENSOR/RAIL" only where rails of
 * two sensors share theirs ("nvml:0/GPU"). What does not fit is cut from the
 * sensor's id; should names be the same then, its number takes its place.
 */
void jm_rail_names_set(struct jm_rail_name *names, size_t n);

#endif
