/* SPDX-License-Identifier: Apache-2.0 */
/* Who holds the lock of a session, as far as the system tells. */
#ifndef JM_RUN_SESSION_HOLDER_H
#define JM_RUN_SESSION_HOLDER_H

#include <sys/types.h>

#include "run/session.h"

struct jm_session_holder {
	pid_t pid;
	char name[32]; /* "joulemap-logger" */
	int orphaned;  /* only processes of a run hold it whose parent is gone */
	int stopped;   /* and it stands still, until somebody continues it */
};

/*
 * 1 and a process that holds the file `lock` open, one without which the others
 * would end if it is known; 0: none can be seen, as those of another user.
 */
int jm_session_holder_find(const char *lock, struct jm_session_holder *ret_holder);

/* JM_EIO, and what is to be done: the lock of `paths` is held. */
int jm_session_holder_fail(const struct jm_session_paths *paths, struct jm_error *reterr);

#endif
