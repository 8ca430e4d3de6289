/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The seat of a worker: its side of the link, the spool that it writes, and
 * the pauses between its cycles. Whoever sits in it keeps this order:
 *
 *     jm_seat_open   the spool with its description
 *     jm_seat_wait   "ready", until the parent says "go"
 *     jm_seat_span, jm_seat_progress, jm_seat_pause   cycle after cycle
 *     jm_seat_close, jm_seat_done
 */
#ifndef JM_WORKLOAD_SEAT_H
#define JM_WORKLOAD_SEAT_H

#include <jansson.h>

#include "run/run.h"
#include "run/spool.h"
#include "workload/link.h"
#include "workload/pauses.h"

struct jm_seat {
	struct jm_link *link;
	const char *parent; /* in messages: "measuring" */
	const char *first;  /* likewise: "the first cycle" */
	struct jm_spool_writer spool;
	struct jm_pauses pauses;
	int spool_result; /* first failure of the spool, kept for jm_seat_check */
	struct jm_error spool_error;
};

/* Nothing is opened yet; closed with jm_seat_release in every case. */
void jm_seat_init(
	struct jm_seat *seat, struct jm_link *link, const char *parent, const char *first);

/*
 * Chooses the pauses for a cycle of cycle_ms (0: not known), as the parent
 * wants them, and tells both. Sleeps of this process become punctual.
 */
void jm_seat_choose_pauses(struct jm_seat *seat, double cycle_ms);

/* How its cycles follow each other, once that is chosen. */
void jm_seat_schedule(const struct jm_seat *seat, struct jm_run_schedule *ret_schedule);

/* Creates the spool and writes its META (taken; NULL: out of memory) and GRAPH. */
int jm_seat_open(
	struct jm_seat *seat, json_t *meta, const char *graph, struct jm_error *reterr);

/* Waits for the parent's word; JM_EINTERRUPTED when it is gone. */
int jm_seat_wait(struct jm_seat *seat, struct jm_error *reterr);

/* Fit for callbacks: the first failure stays, and whatever follows is dropped. */
void jm_seat_span(struct jm_seat *seat, const struct jm_spool_span *span);

/* That failure; 0: none. */
int jm_seat_check(const struct jm_seat *seat, struct jm_error *reterr);

void jm_seat_progress(struct jm_seat *seat, uint32_t cycles);

/*
 * The pause before the next cycle, cut short by a stop. What would wait for
 * the disk for too long goes there first, which is time that no cycle loses.
 */
int jm_seat_pause(struct jm_seat *seat, struct jm_error *reterr);

/* Writes END (taken) and closes the spool; does nothing where none is open. */
int jm_seat_close(struct jm_seat *seat, json_t *end, struct jm_error *reterr);

/* The last word, after an orderly end. */
int jm_seat_done(struct jm_seat *seat, struct jm_error *reterr);

/* Closes what is open, without an END. */
void jm_seat_release(struct jm_seat *seat);

#endif
