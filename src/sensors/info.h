/* SPDX-License-Identifier: Apache-2.0 */
/* What sensors tell of themselves, kept: their own accounts are only borrowed. */
#ifndef JM_SENSORS_INFO_H
#define JM_SENSORS_INFO_H

#include "joulemap/sensor.h"

/* Copies the rails too: *ret_copy is released with jm_sensor_info_release(). */
int jm_sensor_info_copy(const struct jm_sensor_info *info, struct jm_sensor_info *ret_copy,
	struct jm_error *reterr);

/* Of a copy; accepts a zeroed or released one. */
void jm_sensor_info_release(struct jm_sensor_info *info);

/* Zeroed: empty. */
struct jm_sensor_infos {
	struct jm_sensor_info *list; /* [n], owned */
	size_t n;
	size_t capacity;
};

/* Appends a copy. JM_ENOMEM. */
int jm_sensor_infos_add(struct jm_sensor_infos *infos, const struct jm_sensor_info *info,
	struct jm_error *reterr);

/*
 * Asks `ops` for its sensors and appends copies. Returns their number, or the
 * error of the probe, with those left in the list that it told before.
 */
int jm_sensor_infos_probe(struct jm_sensor_infos *infos, const struct jm_sensor_ops *ops,
	const struct jm_sensor_options *options, struct jm_error *reterr);

void jm_sensor_infos_release(struct jm_sensor_infos *infos);

#endif
