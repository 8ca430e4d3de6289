/* SPDX-License-Identifier: Apache-2.0 */
/* What the two spools of a run hold, read into memory. */
#ifndef JM_RUN_SESSION_LOAD_H
#define JM_RUN_SESSION_LOAD_H

#include "run/run.h"
#include "run/session.h"

/* Begin and end of one whole inference. */
struct jm_session_cycle {
	int64_t begin_ns;
	int64_t end_ns;
};

struct jm_session_data {
	/*
	 * session.json, and what both processes said of themselves: the sensors
	 * as they were when open, in the order of the log's rails.
	 */
	struct jm_run run;
	char *graph;                     /* JSON of the layers, owned; NULL: none */
	struct jm_timeline timeline;     /* monotonic ns, JM_STAMP_END */
	struct jm_power_log log;         /* monotonic ns; rails of all sensors in order */
	struct jm_session_cycle *cycles; /* [n_cycles], owned */
	size_t n_cycles;
	size_t cycle_capacity;
	uint64_t bytes_dropped; /* of torn blocks, and of records that cannot be */
	struct jm_error damage; /* code != 0: the first such record, in words */
};

/*
 * Reads whatever is there; a missing or empty spool leaves its part empty.
 * Whole blocks may hold what cannot be, where somebody's program wrote them:
 * such a record and the rest of its block are dropped, the others are kept.
 */
int jm_session_load(const struct jm_session_paths *paths, struct jm_session_data *ret_data,
	struct jm_error *reterr);

/*
 * What the logger says of its sensors, into run->sensors: as they were when
 * open. Calibrations of those that were there stay where they still hold. 1, or
 * 0 when it had not begun.
 */
int jm_session_load_sensors(
	const struct jm_session_paths *paths, struct jm_run *run, struct jm_error *reterr);

/* Accepts a zeroed or half-loaded one. */
void jm_session_data_release(struct jm_session_data *data);

#endif
