/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The folder RUN_FOLDER/spool: everything a run has on disk before it is
 * complete. `jm_session_finish` turns it into the run folder's files; that is
 * the only way there, for an orderly end as for a recovery after a crash.
 */
#ifndef JM_MEASURE_SESSION_H
#define JM_MEASURE_SESSION_H

#include <jansson.h>

#include "base/file.h"

struct jm_session_paths {
	char folder[JM_PATH_MAX];   /* RUN_FOLDER/spool */
	char session[JM_PATH_MAX];  /* what the parent knows: session.json */
	char timeline[JM_PATH_MAX]; /* timeline.spool of the inference process */
	char power[JM_PATH_MAX];    /* power.spool of the logger */
};

int jm_session_paths(const char *run_folder, struct jm_session_paths *ret_paths,
	struct jm_error *reterr);

/* 1 when the run folder holds a run that was not completed. */
int jm_session_exists(const char *run_folder);

/* Writes session.json whole. `session` is borrowed. */
int jm_session_save(const struct jm_session_paths *paths, const json_t *session,
	struct jm_error *reterr);

struct jm_session_report {
	size_t cycles;
	size_t readings;
	uint64_t bytes_dropped; /* of torn blocks */
	int ended;              /* both processes came to an orderly end */
	int simulated;
};

/*
 * Reads the spool, writes every file of the run folder and run.json, and then
 * removes the spool. Can be repeated after a failure. JM_ETRUNCATED when
 * nothing had been measured yet (the spool stays).
 */
int jm_session_finish(const char *run_folder, struct jm_session_report *ret_report,
	struct jm_error *reterr);

#endif
