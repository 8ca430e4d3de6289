/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a measuring process and its worker have in common: two pipes, a piece
 * of memory, and the path of the spool that the worker writes. The worker is
 * a fork that goes on with a function of ours, or a program of anybody that it
 * executes: the link then comes with the environment (docs/workers.md).
 *
 *     parent ──control: GO──────────► worker ──► spool
 *            ◄─status: READY, DONE──
 *            ◄─shared: counters, stop, error text─►
 *
 * The end of the control pipe means that the parent is gone, the end of the
 * status pipe that the worker is.
 */
#ifndef JM_WORKLOAD_LINK_H
#define JM_WORKLOAD_LINK_H

#include <stdatomic.h>

#include "base/file.h"
#include "joulemap/joulemap.h"

#define JM_LINK_READY 'R' /* worker: everything is open and warm, the spool describes it */
#define JM_LINK_GO 'G'    /* parent: begin */
#define JM_LINK_DONE 'D'  /* worker: all cycles run, spool closed */

/* "ABI:STATUS:CONTROL:MEMORY:SPOOL": descriptors to inherit, and a path. */
#define JM_LINK_VARIABLE "JOULEMAP_WORKER"

#define JM_LINK_ABI 1

/* In memory that both map; the layout is part of the protocol. */
struct jm_link_shared {
	uint32_t abi;              /*  0: JM_LINK_ABI */
	uint32_t size;             /*  4: of this struct */
	_Atomic uint32_t cycles;   /*  8, worker: done so far */
	_Atomic uint32_t stop;     /* 12, parent: end after this cycle */
	_Atomic uint32_t attached; /* 16, worker: 1 once it has found the link */
	uint32_t runs;             /* 20, parent: cycles that are wanted */
	uint64_t seed;             /* 24, parent: of random pauses */
	double round_ms;           /* 32, parent: of the sensor; 0: unknown */
	double jitter_ms;          /* 40, parent: longest pause; 0: none; NaN: choose */
	double cycle_ms;           /* 48, worker: one cycle, traced; valid once it is ready */
	double pause_max_ms;       /* 56, worker: likewise; 0: no pauses */
	struct jm_error error;     /* 64, worker: code != 0: why it ended */
};

/* Both pipes between a process and its child. */
struct jm_pipes {
	int status_fd, control_fd;             /* of this process; -1: closed */
	int other_status_fd, other_control_fd; /* of the other, until they have parted */
};

struct jm_link {
	struct jm_pipes pipes;
	struct jm_link_shared *shared;
	int memory_fd;
	char spool_path[JM_PATH_MAX];
};

int jm_pipes_open(struct jm_pipes *pipes, struct jm_error *reterr);

/* After the fork: the parent keeps its ends, the child takes over the others. */
void jm_pipes_keep_parent(struct jm_pipes *pipes);
void jm_pipes_keep_child(struct jm_pipes *pipes);
void jm_pipes_close(struct jm_pipes *pipes);

/* In the parent, before the fork. Closed with jm_link_close in every case. */
int jm_link_open(struct jm_link *link, const char *spool_path, struct jm_error *reterr);

/*
 * In the child, before it executes a program: lets it inherit the link, and
 * nothing else, and names it in the environment.
 */
int jm_link_pass(const struct jm_link *link, struct jm_error *reterr);

/*
 * In that program: takes the link from the environment, where nobody finds it
 * a second time. JM_ENOTFOUND: there is none; JM_EUNSUPPORTED: of another
 * version; JM_EFORMAT, JM_EIO: it is damaged.
 */
int jm_link_attach(struct jm_link *link, struct jm_error *reterr);

/* Closes this process's ends; accepts one that failed to open. */
void jm_link_close(struct jm_link *link);

/* Leaves the parent the reason for an end, unless there is one. */
void jm_link_tell_error(const struct jm_link *link, const struct jm_error *error);

/* 1: the user wishes an end, after this cycle. */
int jm_link_is_stopped(const struct jm_link *link);

/* 1: the other process is gone. Worker's side; costs a system call. */
int jm_link_is_orphaned(const struct jm_link *link);

#endif
