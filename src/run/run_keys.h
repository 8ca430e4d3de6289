/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of run.json, for its reader and its writer. */
#ifndef JM_RUN_RUN_KEYS_H
#define JM_RUN_RUN_KEYS_H

#include "base/json_keys.h"
#include "run/run.h"

extern const struct jm_keys jm_run_keys, jm_run_config_keys, jm_run_sensor_keys,
	jm_run_engine_keys, jm_run_schedule_keys;

/* Of struct jm_run, only its sensors. */
extern const struct jm_keys jm_run_sensors_only_keys;

#endif
