/* SPDX-License-Identifier: Apache-2.0 */
/* The sensors of a machine, each rail once. */
#ifndef JM_CLI_SENSOR_LIST_H
#define JM_CLI_SENSOR_LIST_H

#include "joulemap/sensor.h"

/*
 * Asks `ops` for its sensors, at most `max`, and leaves out those whose rails
 * are all in a larger one, such as the chips that only together see a board.
 * Returns their number, or the error of the probe.
 */
int jm_cli_list_sensors(const struct jm_sensor_ops *ops,
	const struct jm_sensor_options *options, struct jm_sensor_info *ret_infos, size_t max,
	struct jm_error *reterr);

#endif
