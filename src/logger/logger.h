/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The power logger: the loop that reads a set of sensors, each at a fixed rate or
 * whenever it has something, and appends every reading to a spool. It runs in a process of its
 * own, forked by the caller, so that nothing the inference does can stop it:
 *
 *     shared = mmap(NULL, sizeof(*shared), ..., MAP_SHARED | MAP_ANONYMOUS, ...);
 *     pipe2(stop, O_CLOEXEC);
 *     pid = fork();
 *     if (pid == 0) { close(stop[1]); _exit(jm_logger_run(&config, NULL) < 0); }
 *     close(stop[0]);
 *     ... wait until shared->state is no longer JM_LOGGER_STARTING ...
 *     close(stop[1]); waitpid(pid, ...);
 *
 * The death of the process that forked it ends the logger too, whoever else
 * still holds the write end.
 */
#ifndef JM_LOGGER_LOGGER_H
#define JM_LOGGER_LOGGER_H

#include <stdatomic.h>
#include <stdint.h>

#include "sensors/set.h"

enum jm_logger_state {
	JM_LOGGER_STARTING = 0, /* opening the sensor */
	JM_LOGGER_RUNNING = 1,
	JM_LOGGER_ENDED = 2, /* in order */
	JM_LOGGER_FAILED = 3 /* error says why; what was written before stays */
};

/* What the logger tells its parent; lies in shared memory, zeroed. */
struct jm_logger_shared {
	atomic_int state;        /* enum jm_logger_state */
	atomic_int covered;      /* every rail has had a reading */
	_Atomic uint64_t passes; /* reads of a sensor */
	_Atomic uint64_t readings;
	_Atomic uint64_t missed_periods;
	_Atomic int64_t last_before_ns; /* of the latest reading of rail 0 */
	struct jm_error error;          /* written before FAILED */
};

struct jm_logger_config {
	struct jm_sensor_set *set; /* chosen; opened and closed by the logger */
	double rate_hz;            /* 0: each sensor's own (poll_ms) */
	const char *spool_path;    /* created, truncated */
	int stop_fd;               /* pipe's read end: a byte or its end stops; -1: none */
	int pin_cpu;               /* -1: none */
	int realtime;              /* 1: SCHED_FIFO and locked memory where permitted */
	int ignore_terminate;      /* 1: SIGTERM does not stop it, the parent decides */
	struct jm_logger_shared *shared; /* NULL: none */
};

/*
 * Opens the sensors, writes what they are as the spool's first record, so that
 * it stands alone, and logs until stop_fd says so, SIGTERM comes or the parent dies; SIGINT,
 * SIGHUP and SIGXFSZ are ignored. Changes signals, scheduling, affinity and locked memory of
 * the process it runs in: a process of its own.
 *
 * Ends the spool with statistics (docs/sensors.md, "Logger"), also when the
 * sensor fails. Returns 0, or what went wrong: the sensor's errors, JM_ENOSPC,
 * JM_EIO, JM_EINVAL, JM_ENOMEM; the same is in shared->error.
 */
int jm_logger_run(const struct jm_logger_config *config, struct jm_error *reterr);

#endif
