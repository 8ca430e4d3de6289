/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The folder RUN_FOLDER/spool: everything a run has on disk before it is
 * complete. `jm_session_finish` turns it into the run folder's files; that is
 * the only way there, for an orderly end as for a recovery after a crash.
 */
#ifndef JM_RUN_SESSION_H
#define JM_RUN_SESSION_H

#include "base/file.h"

struct jm_session_paths {
	char folder[JM_PATH_MAX];   /* RUN_FOLDER/spool */
	char session[JM_PATH_MAX];  /* what the parent knows: session.json */
	char timeline[JM_PATH_MAX]; /* timeline.spool of the inference process */
	char power[JM_PATH_MAX];    /* power.spool of the logger */
	char lock[JM_PATH_MAX];     /* held while anybody works on the run */
	char place[JM_PATH_MAX];    /* which folder it is moved to, from before that on */
	char kept[JM_PATH_MAX];     /* exists once the earlier run is out of the way */
};

/* What a lock is taken for. */
#define JM_SESSION_MEASUREMENT "measurement"
#define JM_SESSION_RECOVERY "recovery"

int jm_session_paths(
	const char *run_folder, struct jm_session_paths *ret_paths, struct jm_error *reterr);

/* 1 when the run folder holds a run that was not completed. */
int jm_session_exists(const char *run_folder);

/*
 * Makes the spool's folder and takes its lock, which the processes of a run
 * inherit: it is free when all of them are gone. Waits a little for the end of
 * a run whose parent was killed. Returns a descriptor to close, JM_EIO when
 * somebody else works there, or an error of the file system.
 */
int jm_session_lock(
	const struct jm_session_paths *paths, const char *purpose, struct jm_error *reterr);

/* 1: the lock in the folder is this one, and nobody's who came after its removal. */
int jm_session_owns(const struct jm_session_paths *paths, int lock_fd);

/* Throws away what is left of a run that cannot be completed. The lock must be held. */
void jm_session_clear(const struct jm_session_paths *paths);

struct jm_session_report {
	size_t cycles;
	size_t readings;
	uint64_t bytes_dropped; /* of torn blocks, and of records that cannot be */
	struct jm_error damage; /* code != 0: the first such record, in words */
	int ended;              /* both processes came to an orderly end */
	int simulated;
	char kept[JM_PATH_MAX]; /* where an earlier run went; "": there was none */
};

/*
 * Reads the spool, moves an earlier run of the folder to previous/, writes every
 * file of the run folder and run.json, waits until all is on the disk, and then
 * removes the spool. The lock must be held. Can be repeated after a failure. JM_ETRUNCATED when
 * nothing had been measured yet, JM_EFORMAT when nothing of it can be read (the spool stays).
 */
int jm_session_finish(
	const char *run_folder, struct jm_session_report *ret_report, struct jm_error *reterr);

/* Removes the spool, and the run folder if nothing else is in it. */
void jm_session_remove(const struct jm_session_paths *paths, const char *run_folder);

#endif
