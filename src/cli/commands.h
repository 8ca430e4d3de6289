/* SPDX-License-Identifier: Apache-2.0 */
/* Every command of the tool. */
#ifndef JM_CLI_COMMANDS_H
#define JM_CLI_COMMANDS_H

#include "cli/options.h"

extern const struct jm_command jm_command_doctor;
extern const struct jm_command jm_command_sensors;
extern const struct jm_command jm_command_idle;
extern const struct jm_command jm_command_measure;
extern const struct jm_command jm_command_map;
extern const struct jm_command jm_command_recover;
extern const struct jm_command jm_command_catalog;
extern const struct jm_command jm_command_simulate;
extern const struct jm_command jm_command_calibrate;

#endif
