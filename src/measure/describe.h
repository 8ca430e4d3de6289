/* SPDX-License-Identifier: Apache-2.0 */
/* What run.json and the spools say of clocks and sensor. */
#ifndef JM_MEASURE_DESCRIBE_H
#define JM_MEASURE_DESCRIBE_H

#include <jansson.h>

#include "joulemap/sensor.h"

/* Both clocks now: how CLOCK_MONOTONIC and civil time go together. */
json_t *jm_describe_clock(void);

/*
 * The sensor, all that is needed to select it again, and its rails. `wanted` is
 * what the user asked for, NULL: nothing. The caller owns the reference; NULL
 * when out of memory.
 */
json_t *jm_describe_sensor(const struct jm_sensor_ops *ops, const struct jm_sensor_info *info,
	const struct jm_sensor_options *options, const char *wanted);

/*
 * First record of the logger's spool, which can so stand alone: its rails.
 * Freed with free(); NULL when out of memory.
 */
char *jm_describe_power_spool(const struct jm_sensor_info *info);

#endif
