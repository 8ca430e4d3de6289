/* SPDX-License-Identifier: Apache-2.0 */
#include "attribute/lanes.h"

#include <math.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/error.h"
#include "data/cycles.h"

struct lane_span {
	int64_t begin_ns, end_ns;
	unsigned lane;
};

static int by_begin(const void *a, const void *b)
{
	const struct lane_span *x = a, *y = b;

	if (x->begin_ns != y->begin_ns)
		return x->begin_ns < y->begin_ns ? -1 : 1;
	return (x->end_ns > y->end_ns) - (x->end_ns < y->end_ns);
}

static size_t count_executions(const struct jm_timeline *timeline)
{
	size_t n = 0;

	for (size_t i = 0; i < timeline->n_layers; i++)
		n += timeline->layers[i].n_executions;
	return n;
}

static void gather(const struct jm_timeline *timeline, struct lane_span *spans)
{
	size_t n = 0;

	for (size_t i = 0; i < timeline->n_layers; i++) {
		const struct jm_layer *layer = &timeline->layers[i];

		for (size_t j = 0; j < layer->n_executions; j++) {
			const struct jm_execution *execution = &layer->executions[j];
			int64_t stamp_ns = execution->stamp_ns;
			int64_t length_ns = (int64_t)llround(execution->duration_ms * 1e6);

			spans[n].lane = jm_execution_lane(layer, j);
			spans[n].begin_ns = timeline->stamp == JM_STAMP_BEGIN
						    ? stamp_ns
						    : stamp_ns - length_ns;
			spans[n].end_ns = spans[n].begin_ns + length_ns;
			n++;
		}
	}
}

/* The latest end so far, and the latest one of any other lane. */
struct latest {
	int64_t end_ns, other_ns;
	unsigned lane;
};

static void take(struct latest *latest, const struct lane_span *span)
{
	if (span->lane == latest->lane) {
		if (span->end_ns > latest->end_ns)
			latest->end_ns = span->end_ns;
	} else if (span->end_ns > latest->end_ns) {
		latest->other_ns = latest->end_ns;
		latest->end_ns = span->end_ns;
		latest->lane = span->lane;
	} else if (span->end_ns > latest->other_ns) {
		latest->other_ns = span->end_ns;
	}
}

/* 1 when a span begins before one of another lane has ended. */
static int do_overlap(const struct lane_span *spans, size_t n)
{
	struct latest latest = {INT64_MIN, INT64_MIN, 0};

	for (size_t i = 0; i < n; i++) {
		const struct lane_span *span = &spans[i];
		int64_t end_ns = span->lane == latest.lane ? latest.other_ns : latest.end_ns;

		if (span->begin_ns < end_ns && span->begin_ns < span->end_ns)
			return 1;
		take(&latest, span);
	}
	return 0;
}

static size_t count_lanes(const struct lane_span *spans, size_t n)
{
	unsigned char used[JM_LANES_MAX / 8] = {0};
	size_t lanes = 0;

	for (size_t i = 0; i < n; i++) {
		unsigned lane = spans[i].lane, bit = 1u << lane % 8;

		lanes += !(used[lane / 8] & bit);
		used[lane / 8] = (unsigned char)(used[lane / 8] | bit);
	}
	return lanes;
}

int jm_lanes_check(const struct jm_timeline *timeline, struct jm_error *reterr)
{
	size_t n = count_executions(timeline), capacity = 0, lanes = 0;
	struct lane_span *spans;

	if (!jm_timeline_has_lanes(timeline) || timeline->stamp == JM_STAMP_CALLBACK)
		return 0;
	spans = jm_array_grow(NULL, &capacity, n, sizeof(*spans));
	if (!spans)
		return jm_fail_memory(reterr, "the spans of all cycles");
	gather(timeline, spans);
	qsort(spans, n, sizeof(*spans), by_begin);
	if (do_overlap(spans, n))
		lanes = count_lanes(spans, n);
	free(spans);
	if (!lanes)
		return 0;
	return jm_fail(reterr, JM_EUNSUPPORTED,
		"layers overlap on %zu lanes; attribution of overlapping layers is not there "
		"yet",
		lanes);
}
