/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time that is taken out of a log: what lies in it is left out, and what is behind it
 * moves up.
 */
#ifndef JM_DATA_CUTS_H
#define JM_DATA_CUTS_H

#include "joulemap/joulemap.h"

struct jm_cut {
	int64_t from_ns, to_ns; /* on the axis before any cut */
};

struct jm_cuts {
	struct jm_cut *cut; /* [n], owned; in order of time, none overlaps another */
	size_t n;
	size_t capacity;
};

/* Puts a cut in its place; what overlaps another one becomes one with it. JM_ENOMEM. */
int jm_cuts_add(struct jm_cuts *cuts, int64_t from_ns, int64_t to_ns);
void jm_cuts_release(struct jm_cuts *cuts);

/*
 * Readings in a cut go. A counter goes on as if its power across the cut were that
 * of the time before.
 */
void jm_cuts_apply_rail(const struct jm_cuts *cuts, struct jm_rail *rail);

/* Stamps in a cut move to its begin: their cycles are to be left out. */
void jm_cuts_apply_timeline(const struct jm_cuts *cuts, struct jm_timeline *timeline);

/*
 * Removes the cycles [n] that are left out, and numbers the others anew:
 * number[i] is that of cycle i, SIZE_MAX of one that is gone.
 */
void jm_timeline_leave_out(
	struct jm_timeline *timeline, const unsigned char *left_out, size_t n, size_t *number);

/* A copy of all, released with jm_timeline_release. JM_ENOMEM. */
int jm_timeline_copy(const struct jm_timeline *timeline, struct jm_timeline *ret_copy,
	struct jm_error *reterr);

#endif
