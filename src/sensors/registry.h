/* SPDX-License-Identifier: Apache-2.0 */
/* The power sensors that joulemap knows, and the choice of one. */
#ifndef JM_SENSORS_REGISTRY_H
#define JM_SENSORS_REGISTRY_H

#include "joulemap/sensor.h"

/* Of our own and added ones together. */
#define JM_SENSORS_MAX 64

/* [*ret_n], the ones to prefer first. Valid until the process ends, never NULL. */
const struct jm_sensor_ops *const *jm_sensors(size_t *ret_n);

/* By name ("ina3221"); NULL: none. Static storage. */
const struct jm_sensor_ops *jm_sensor_find(const char *name);

/*
 * Adds one from outside, after those that are there; `ops` must live as long
 * as the process. Not from several threads at a time. JM_EINVAL: built against
 * another sensor.h (abi, size), a required function or a name is missing, the
 * name is taken or has ':', '+' or ',' in it, or there are too many.
 */
int jm_sensors_add(const struct jm_sensor_ops *ops, struct jm_error *reterr);

/* Forgets those that were added after the first n; our own stay. */
void jm_sensors_keep(size_t n);

/*
 * Options of a sensor on this machine: real clock, and /sys and /proc, or what
 * stands below $JOULEMAP_SYSFS_ROOT (for tests and captured trees).
 */
void jm_sensor_options_init(struct jm_sensor_options *options, uint64_t seed);

/*
 * Chooses one sensor. `wanted`: NULL, the best one that is present, never a
 * simulated one or one that is used only on request; "NAME" or "NAME:ARGUMENT" as in
 * "ina3221:1-0040", "replay:FILE", "sim", "sim:seed=3,tau_ms=0.8".
 *
 * Sets options->argument, which points into `wanted` and is borrowed from it.
 * *ret_info is released with jm_sensor_info_release() (sensors/info.h).
 * JM_ENOSENSOR: nothing there; the message says what was looked for. JM_EUSAGE:
 * no sensor of that name. Else the error of the sensor's own probe.
 */
int jm_sensor_select(const char *wanted, struct jm_sensor_options *options,
	const struct jm_sensor_ops **ret_ops, struct jm_sensor_info *ret_info,
	struct jm_error *reterr);

extern const struct jm_sensor_ops jm_sensor_ina3221;
extern const struct jm_sensor_ops jm_sensor_nvml;
extern const struct jm_sensor_ops jm_sensor_replay;
extern const struct jm_sensor_ops jm_sensor_sim;

#endif
