/* SPDX-License-Identifier: Apache-2.0 */
/* The sensors of a machine, each rail once. */
#ifndef JM_CLI_SENSOR_LIST_H
#define JM_CLI_SENSOR_LIST_H

#include "sensors/info.h"

/*
 * Asks `ops` for its sensors and appends them, but for those whose rails are all
 * in a larger one, such as the chips that only together see a board, and those
 * that nobody uses unless asked to. Returns the number appended, or the error
 * of the probe.
 */
int jm_cli_list_sensors(struct jm_sensor_infos *infos, const struct jm_sensor_ops *ops,
	const struct jm_sensor_options *options, struct jm_error *reterr);

#endif
