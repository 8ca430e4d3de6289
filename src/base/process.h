/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process that was forked, held by a descriptor where the kernel has them
 * (pidfd, Linux 5.4): its number may be somebody else's by the time that it is
 * waited for or killed, where SIGCHLD is ignored or another part of the program
 * collects children. Nothing here changes what SIGCHLD does in the caller.
 */
#ifndef JM_BASE_PROCESS_H
#define JM_BASE_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

#include "joulemap/joulemap.h"

struct jm_process {
	pid_t pid;
	int fd;          /* -1: none; its number is all there is */
	int running;     /* 0: not started, or gone */
	int wait_status; /* as of waitpid; 0 where somebody else collected it */
	int collected;   /* wait_status and cpu_s are known */
	double cpu_s;    /* of it and of those that it collected */
};

/*
 * Forks; returns 1 in the child, 0 in the parent, or an error. The child begins
 * when the parent holds it, with SIGCHLD at its default. Released with
 * jm_process_release.
 */
int jm_process_start(struct jm_process *process, struct jm_error *reterr);

/* Takes note of its end, if it came within patience_ns (0: look; < 0: wait for it). */
void jm_process_wait(struct jm_process *process, int64_t patience_ns);

/* Does nothing when it is gone. */
void jm_process_kill(struct jm_process *process, int signal_number);

/* Closes the descriptor, leaves the process alone. Accepts a zeroed one. */
void jm_process_release(struct jm_process *process);

#endif
