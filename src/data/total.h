/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The total of what is measured: the sum of the rails that no other one
 * contains (roots), from readings that come at each rail's own rate.
 *
 * Of several sensors, one that sees the whole board contains all others. So the
 * total is that of the first such; without one, of the first that sees the
 * battery; without one either, the sum over all sensors.
 */
#ifndef JM_DATA_TOTAL_H
#define JM_DATA_TOTAL_H

#include "data/counter.h"

/* Its name where the log of a run holds it as a rail. */
#define JM_TOTAL_NAME "total"

/* What there is to know of a rail; rails of one sensor follow each other. */
struct jm_total_rail {
	size_t sensor;       /* number of its sensor, from 0 in order */
	enum jm_scope scope; /* of its sensor; 0: not known */
	int parent;          /* index among all rails of the one that contains it; -1: none */
	enum jm_quantity quantity;
	double quantum[2]; /* 0 or NaN: not known */
	double range;      /* of a counter; 0 or NaN: not known */
};

struct jm_total_root;

struct jm_total {
	struct jm_total_root *roots; /* [n_roots], owned, in the order of the rails */
	size_t n_roots;
	size_t n_missing;  /* roots without a new reading since the last sum */
	double quantum_uw; /* of the last sum; 0: not known */
};

/* *total is released with jm_total_release(). JM_ENOMEM. */
int jm_total_init(struct jm_total *total, const struct jm_total_rail *rails, size_t n_rails,
	struct jm_error *reterr);
void jm_total_release(struct jm_total *total);

/* 1 when rail `rail` is one of those that are summed. */
int jm_total_has(const struct jm_total *total, size_t rail);

/* 1 when any of those is an energy counter: sums are then of unequal times. */
int jm_total_has_counter(const struct jm_total *total);

/* The first rail that is summed; 0 when there is none. */
size_t jm_total_first(const struct jm_total *total);

/*
 * The rail of a log that holds the total, whose rails are those of `total`, which
 * is used up: the only root, or the sum, which is added as a rail of its own.
 */
int jm_total_find(struct jm_total *total, struct jm_power_log *log, size_t *ret_rail,
	struct jm_error *reterr);

/*
 * Takes a reading. 1 when every root has a new one since the last sum: *ret_sum
 * is in uW, from the earliest `before` to the latest `after`, NaN where a root
 * has no value. 0: not yet, or the rail is no root. A counter has a new reading
 * when it changes; one that never does counts as 0 W.
 */
int jm_total_put(struct jm_total *total, size_t rail, const struct jm_reading *reading,
	struct jm_reading *ret_sum);

#endif
