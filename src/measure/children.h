/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two processes of a measurement, and their parent's watch over them.
 *
 *     parent ──go──► worker ──► timeline.spool
 *        └───stop──► logger ──► power.spool
 *
 * The worker is a function of ours in a fork (the inference, a calibration's
 * load), or a command. Neither process outlives the parent; the death of one
 * ends the other in order.
 */
#ifndef JM_MEASURE_CHILDREN_H
#define JM_MEASURE_CHILDREN_H

#include "logger/logger.h"
#include "workload/link.h"

/* What the worker does. */
struct jm_work {
	const char *name; /* in messages: "inference", "load", or the command's */
	int (*run)(struct jm_link *link, void *context, struct jm_error *reterr);
	void *context;
	char *const *command; /* instead of run: argv, ends with NULL; else NULL */
	double ready_s;       /* a command's time until it is ready; 0: for ever */
	/* What a command has spooled before it said that it is ready: is it in order? */
	int (*check)(void *context, struct jm_error *reterr);
	void *check_context;
};

struct jm_children_config {
	struct jm_work work;
	const char *spool_path;         /* of the worker */
	uint32_t runs;                  /* cycles that are wanted */
	double jitter_ms;               /* longest pause; 0: none; NaN: see workload/pauses.h */
	double round_ms;                /* of the sensor, for that; 0: unknown */
	uint64_t seed;                  /* of the pauses */
	struct jm_logger_config logger; /* descriptors and shared memory are filled in */
	int64_t lead_ns; /* power logged before the first and after the last cycle */
	const struct jm_progress *progress; /* NULL: none */
};

struct jm_children_result {
	uint32_t cycles;
	int interrupted;       /* the user asked to end early */
	double children_cpu_s; /* NaN: somebody else collected them */
};

/*
 * Runs both processes to their end. 0 when all cycles were run or the user
 * ended it; else the first thing that went wrong. In every case both processes
 * are gone on return, and the spools hold what was measured.
 */
int jm_children_run(struct jm_children_config *config, struct jm_children_result *ret_result,
	struct jm_error *reterr);

#endif
