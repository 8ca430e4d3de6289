/* SPDX-License-Identifier: Apache-2.0 */
/* Progress of long jobs on stderr: one line that is rewritten on a terminal. */
#ifndef JM_CLI_PROGRESS_H
#define JM_CLI_PROGRESS_H

#include "joulemap/joulemap.h"

struct jm_cli_progress {
	struct jm_progress progress; /* give this to the job */
	char phase[64];
	int64_t phase_begin_ns;
	double phase_begin_done;
	int64_t shown_ns;
	int terminal;
	int line_open; /* a line without its end stands on the terminal */
};

void jm_cli_progress_init(struct jm_cli_progress *progress);

/* Ends the open line; before anything else is printed. */
void jm_cli_progress_end(struct jm_cli_progress *progress);

#endif
