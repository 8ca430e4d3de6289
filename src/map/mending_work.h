/* SPDX-License-Identifier: Apache-2.0 */
/* A mending on its way: what its parts share. */
#ifndef JM_MAP_MENDING_WORK_H
#define JM_MAP_MENDING_WORK_H

#include "data/breaks.h"
#include "map/recording.h"

struct jm_mending_work {
	struct jm_recording *recording;
	const struct jm_progress *progress;
	struct jm_rail *rail;
	struct jm_cycle_spans spans;
	struct jm_breaks cycles, readings;
	unsigned char *left_out;          /* [spans.n] */
	int64_t run_begin_ns, run_end_ns; /* of the cycles that count */
	size_t uncovered;                 /* cycles that no reading covers */
	int64_t uncovered_ns;
	size_t stops;
	int64_t stopped_ns;
};

static inline double jm_mending_seconds(int64_t ns)
{
	return (double)ns * 1e-9;
}

/* First reading at or behind a moment. */
size_t jm_mending_find_reading(const struct jm_rail *rail, int64_t moment_ns);

/* The part of a log that is kept. */
void jm_mending_clip(const struct jm_mending *mending, struct jm_rail *rail);

/* Finds what both logs hold: 1 when there is a break in either, 0: both are whole. JM_ENOMEM.
 */
int jm_mending_find_breaks(struct jm_mending_work *work);
void jm_mending_release_breaks(struct jm_mending_work *work);

/*
 * Leaves out what is on the shorter side of a step of one clock, one step after the
 * other. 1 when a break is left, 0, JM_ENOMEM.
 */
int jm_mending_settle_steps(struct jm_mending_work *work);

#endif
