/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Naive local time jumps by an hour when daylight saving time begins or ends.
 * Stamps of one series are put on one continuous axis: that of its beginning.
 */
#ifndef JM_DATA_CLOCK_CHANGE_H
#define JM_DATA_CLOCK_CHANGE_H

#include "joulemap/joulemap.h"

/* State of one series of stamps; all zero before the first one. */
struct jm_clock_series {
	int64_t previous_ns; /* on the continuous axis */
	int64_t gap_ns;      /* between the last two stamps */
	int64_t shift_ns;    /* to add to what is written */
	size_t stamps;
	size_t changes;
};

/*
 * Begins a series beside another one that began at about *reference_ns (NULL:
 * none): a first stamp an hour off is moved.
 */
void jm_clock_begin(
	struct jm_clock_series *series, const int64_t *reference_ns, int64_t *stamp_ns);

/* The part of jm_clock_continue for steps that are not ordinary. */
int jm_clock_continue_slowly(struct jm_clock_series *series, int64_t *stamp_ns);

/* A clock that was set back by something else than an hour. */
struct jm_clock_step {
	size_t layer;  /* whose series; 0 in a power log */
	size_t index;  /* of the first stamp behind it */
	int64_t at_ns; /* that stamp, where it was moved to */
	int64_t by_ns; /* was added, so that the series goes on as it did */
};

struct jm_clock_steps {
	struct jm_clock_step *item; /* [n], owned; by series, then in order of time */
	size_t n;
	size_t capacity;
	struct jm_error first; /* as it is to be told where the step cannot be taken out */
};

void jm_clock_steps_release(struct jm_clock_steps *steps);

/*
 * Goes on with a series that jm_clock_continue said ran back, with the gap that was
 * between the last two stamps. JM_ENOMEM.
 */
int jm_clock_step_back(struct jm_clock_series *series, struct jm_clock_steps *steps,
	size_t layer, int64_t *stamp_ns);

/*
 * Steps of the clocks that both logs were written by: every list of the timeline has
 * the same steps as the power log, and gets its measure of them. 1, or 0 where that
 * is not so and nothing was done.
 */
int jm_clock_settle_steps(const struct jm_clock_steps *log_steps,
	const struct jm_clock_steps *list_steps, struct jm_timeline *timeline);

/*
 * Puts the next stamp of a series on the continuous axis. Returns 1 when the
 * clock was changed by an hour just before it, 0 when not, and -1 when time ran
 * back otherwise (the stamp is then moved by the shift so far).
 */
static inline int jm_clock_continue(struct jm_clock_series *series, int64_t *stamp_ns)
{
	int64_t moved_ns = *stamp_ns + series->shift_ns;
	int64_t gap_ns = moved_ns - series->previous_ns;

	if ((uint64_t)gap_ns > (uint64_t)INT64_C(3000000000000) || !series->stamps)
		return jm_clock_continue_slowly(series, stamp_ns);
	series->previous_ns = moved_ns;
	series->gap_ns = gap_ns;
	series->stamps++;
	*stamp_ns = moved_ns;
	return 0;
}

/*
 * A power log that begins before a clock change and a timeline that begins
 * after it are an hour apart on their continuous axes. If the timeline lies
 * outside the rail's readings and inside when moved by an hour, moves it.
 * Returns by how much (ns), 0 in all other cases.
 */
int64_t jm_clock_reconcile(struct jm_timeline *timeline, const struct jm_rail *rail);

#endif
