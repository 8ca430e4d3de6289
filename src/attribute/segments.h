/* SPDX-License-Identifier: Apache-2.0 */
/* The timeline as one sequence of segments: which column draws power when. */
#ifndef JM_ATTRIBUTE_SEGMENTS_H
#define JM_ATTRIBUTE_SEGMENTS_H

#include <stdint.h>

#include "joulemap/joulemap.h"

/* Columns behind those of the layers, which are one for each regime and layer. */
enum {
	JM_COLUMN_GAP = 0,     /* inside a cycle, no layer runs */
	JM_COLUMN_BETWEEN = 1, /* between two cycles */
	JM_COLUMN_OUTSIDE = 2, /* before the first and after the last cycle */
	JM_N_GAP_COLUMNS = 3
};

enum { JM_REGIMES_MAX = 6 };

/*
 * Segment i lasts from time_s[i] to time_s[i + 1] and belongs to column[i].
 * The first and the last reach far beyond the run.
 */
struct jm_segments {
	double *time_s;   /* [n + 1], owned; seconds after origin_ns */
	uint32_t *column; /* [n], owned; regime * n_layers + layer, or n_loads + JM_COLUMN_* */
	uint32_t *cycle;  /* [n], owned */
	size_t n;
	size_t n_layers;
	size_t n_regimes; /* 1: the machine ran alike all the time; see regimes.h */
	size_t n_loads;   /* n_layers * n_regimes */
	size_t n_cycles;
	int64_t origin_ns;
	double begin_s;    /* of the first span */
	double end_s;      /* of the last span */
	double span_scale; /* durations were multiplied by this: 1, or less */
	double *total_s;   /* [n_loads + JM_N_GAP_COLUMNS], owned; outside: 0 */
};

/*
 * Spans from stamps and durations, whatever the stamps mean. Stamps are
 * trusted; where two spans overlap the duration gives way.
 */
int jm_segments_init(struct jm_segments *segments, const struct jm_timeline *timeline,
	int64_t origin_ns, struct jm_error *reterr);
void jm_segments_release(struct jm_segments *segments);

/* Index of the segment that contains a moment. */
size_t jm_segments_find(const struct jm_segments *segments, double time_s);
/* The same, fast for moments shortly behind the begin of segment `from`. */
size_t jm_segments_find_from(const struct jm_segments *segments, size_t from, double time_s);

#endif
