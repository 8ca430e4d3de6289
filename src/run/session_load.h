/* SPDX-License-Identifier: Apache-2.0 */
/* What the two spools of a run hold, read into memory. */
#ifndef JM_RUN_SESSION_LOAD_H
#define JM_RUN_SESSION_LOAD_H

#include "joulemap/sensor.h"
#include "run/session.h"

/* Begin and end of one whole inference. */
struct jm_session_cycle {
	int64_t begin_ns;
	int64_t end_ns;
};

struct jm_session_data {
	json_t *session;                  /* session.json, owned */
	json_t *engine;                   /* META of the timeline, owned; NULL: none */
	json_t *engine_end;               /* END of the timeline, owned; NULL: none */
	json_t *logger_end;               /* END of the power log, owned; NULL: none */
	char *graph;                      /* JSON of the layers, owned; NULL: none */
	struct jm_timeline timeline;      /* monotonic ns, JM_STAMP_END */
	struct jm_power_log log;          /* monotonic ns */
	int parents[JM_SENSOR_RAILS_MAX]; /* of rails: which contains it; -1: none */
	struct jm_session_cycle *cycles;  /* [n_cycles], owned */
	size_t n_cycles;
	size_t cycle_capacity;
	uint64_t bytes_dropped;
};

/* Reads whatever is there; a missing or empty spool leaves its part empty. */
int jm_session_load(const struct jm_session_paths *paths, struct jm_session_data *ret_data,
	struct jm_error *reterr);

/* Accepts a zeroed or half-loaded one. */
void jm_session_data_release(struct jm_session_data *data);

#endif
