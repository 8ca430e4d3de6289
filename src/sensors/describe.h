/* SPDX-License-Identifier: Apache-2.0 */
/* What run.json and the power spool say of sensors. */
#ifndef JM_SENSORS_DESCRIBE_H
#define JM_SENSORS_DESCRIBE_H

#include "run/run.h"
#include "sensors/set.h"

/* Puts the set's sensors into run->sensors, in place of those there. */
int jm_sensor_set_describe(
	const struct jm_sensor_set *set, struct jm_run *run, struct jm_error *reterr);

/* The power spool's first record. Freed with free(). */
int jm_sensor_set_format(
	const struct jm_sensor_set *set, char **ret_text, struct jm_error *reterr);

#endif
