/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time in which nothing was measured or nothing ran, and clocks that were set while a
 * run was measured: found by both logs against each other.
 */
#ifndef JM_MAP_MENDING_H
#define JM_MAP_MENDING_H

#include "data/cuts.h"

struct jm_recording;

/* The clock of one log was set back, and only of that; by_ns 0: it was not. */
struct jm_lone_step {
	int of_log;
	int64_t at_ns; /* what is behind it begins here */
	int64_t by_ns;
};

/* What was done to both logs of a recording; nothing where they are whole. */
struct jm_mending {
	int any;
	int64_t keep_from_ns, keep_to_ns; /* of the power log */
	int64_t shift_ns;                 /* of all executions, before the cuts */
	struct jm_cuts cuts;              /* of both */
	size_t *number; /* [n_cycles], owned; what a cycle is now, SIZE_MAX: left out */
	size_t n_cycles;
};

/*
 * Mends the timeline and the power log of a recording, whose inferences have been
 * formed; what they were before is kept in as_read and log_as_read. JM_ENOMEM.
 */
int jm_recording_mend(struct jm_recording *recording, const struct jm_progress *progress,
	struct jm_error *reterr);

/* The same for other readings on the axis of the power log. */
void jm_mending_apply_rail(const struct jm_mending *mending, struct jm_rail *rail);

/* The same for other lists of the same executions, whose cycles are told. */
int jm_mending_apply_timeline(const struct jm_mending *mending, struct jm_timeline *timeline,
	struct jm_error *reterr);

void jm_mending_release(struct jm_mending *mending);

#endif
