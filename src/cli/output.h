/* SPDX-License-Identifier: Apache-2.0 */
/* Where commands say something: data on stdout, notes and errors on stderr. */
#ifndef JM_CLI_OUTPUT_H
#define JM_CLI_OUTPUT_H

#include "joulemap/joulemap.h"

/* Choices of --format, which commands with results take. */
extern const char *const jm_format_choices[];

/* Prints "joulemap: MESSAGE" on stderr and returns the exit status. */
int jm_report_error(const struct jm_error *error);

/* Prints a note on stderr. */
void jm_cli_note(const char *format, ...) JM_PRINTF(1, 2);

/* Flushes stdout; fails if anything could not be written. */
int jm_finish_stdout(struct jm_error *reterr);

#endif
