/* SPDX-License-Identifier: Apache-2.0 */
/* The power logger, inside: its state (logger.c) and what it reports at the end. */
#ifndef JM_LOGGER_LOGGER_INTERNAL_H
#define JM_LOGGER_LOGGER_INTERNAL_H

#include <poll.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "logger/histogram.h"
#include "logger/logger.h"
#include "run/spool.h"

/* What was done with one sensor of the set. */
struct jm_logger_member {
	uint64_t n_passes;
	uint64_t n_readings;
	uint64_t n_missed; /* periods */
};

struct jm_logger {
	const struct jm_logger_config *config;
	struct jm_sensor_set *set;        /* borrowed from the config */
	struct jm_logger_member *members; /* [set->n_members], owned */
	unsigned char *seen;              /* [set->n_rails], owned: rail had a reading */
	size_t n_unseen;
	struct pollfd *watched; /* [1 + n_watched], owned: stop pipe, descriptors */
	size_t *watched_member; /* [n_watched], owned: whose they are */
	size_t n_watched;
	struct jm_sensor_member *reading; /* the member being read */
	struct jm_error *error;           /* of the pass, for the sink */
	struct jm_spool_writer spool;
	pid_t parent;
	int64_t pass_ns;   /* when the pass began */
	int64_t period_ns; /* the shortest; 0: none is polled */
	int64_t begin_ns;
	int64_t end_ns;
	int64_t checked_ns; /* when a stop was last looked for */
	const char *end;    /* why the loop ended; NULL: it has not */
	uint64_t n_passes;
	uint64_t n_readings;
	uint64_t n_missing; /* readings without a value */
	uint64_t n_missed;  /* periods */
	struct jm_histogram lateness;
	struct jm_histogram read_duration;
	struct rusage usage; /* when the loop began */
	char scheduling[96]; /* "fifo" or "other: why" */
	char memory[96];     /* "locked" or "not locked: why" */
	char cpu[96];        /* "3" or "any: why" */
};

/* Real-time scheduling, locked memory, a CPU of its own: as far as permitted. */
void jm_logger_schedule(struct jm_logger *logger);

/*
 * Writes the spool's last record, with `failure` (NULL: none) in it, and
 * closes it. After a spool that failed there is no last record.
 */
int jm_logger_finish(
	struct jm_logger *logger, const struct jm_error *failure, struct jm_error *reterr);

#endif
