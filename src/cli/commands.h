/* SPDX-License-Identifier: Apache-2.0 */
/* Every command of the tool, and what they share. */
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

/* Choices of --format, which commands with results take. */
extern const char *const jm_format_choices[];

/* Prints "joulemap: MESSAGE" on stderr and returns the exit status. */
int jm_report_error(const struct jm_error *error);

/* Prints a note on stderr. */
void jm_note(const char *format, ...) JM_PRINTF(1, 2);

/* Flushes stdout; fails if anything could not be written. */
int jm_finish_stdout(struct jm_error *reterr);

#endif
