/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attribute/lanes.h"
#include "attribute/rounding.h"
#include "attribute/segments.h"
#include "base/error.h"
#include "data/cycles.h"

/* Segments that reach to the end of the world, in seconds. */
#define FAR_S 1e7
/* Segments to go along before the search begins anew. */
#define NEAR 200
/* Gaps and overlaps up to this are rounding, of stamps that are rounded. */
#define SNAP_S 1.5e-6
#define DURATION_MAX_MS 1e9
/* Stamps of the original's files are whole microseconds. */
#define STAMP_NS 1000

static int compare_spans(const void *a, const void *b)
{
	const struct jm_fit_span *x = a, *y = b;

	if (x->begin_s != y->begin_s)
		return x->begin_s < y->begin_s ? -1 : 1;
	if (x->end_s != y->end_s)
		return x->end_s < y->end_s ? -1 : 1;
	return (x->layer > y->layer) - (x->layer < y->layer);
}

/* By what the stamps say: durations may be wrong. */
static int compare_ends(const void *a, const void *b)
{
	const struct jm_fit_span *x = a, *y = b;

	if (x->end_s != y->end_s)
		return x->end_s < y->end_s ? -1 : 1;
	return compare_spans(a, b);
}

static double stamp_s(const struct jm_execution *execution, int64_t origin_ns)
{
	return (double)(execution->stamp_ns - origin_ns) * 1e-9;
}

static int compare_callbacks(const void *a, const void *b)
{
	const struct jm_fit_span *x = a, *y = b;

	if (x->end_s != y->end_s)
		return x->end_s < y->end_s ? -1 : 1;
	return (x->layer > y->layer) - (x->layer < y->layer);
}

/* Callbacks come after the inference: its layers end at the first of them. */
static size_t lay_out_callbacks(const struct jm_timeline *timeline, size_t cycle,
	int64_t origin_ns, struct jm_fit_span *spans)
{
	double end = HUGE_VAL;
	size_t n = 0;

	for (size_t i = 0; i < timeline->n_layers; i++) {
		const struct jm_layer *layer = &timeline->layers[i];
		size_t behind = jm_cycle_begin(layer, cycle + 1);

		for (size_t j = jm_cycle_begin(layer, cycle); j < behind; j++) {
			spans[n].end_s = stamp_s(&layer->executions[j], origin_ns);
			end = fmin(end, spans[n].end_s);
			spans[n].begin_s = layer->executions[j].duration_ms;
			spans[n++].layer = (uint32_t)i;
		}
	}
	/* A layer that runs several times: in the order of the callbacks. */
	if (jm_timeline_has_cycles(timeline))
		qsort(spans, n, sizeof(*spans), compare_callbacks);
	for (size_t i = n; i-- > 0;) {
		struct jm_fit_span *span = &spans[i];

		span->end_s = end;
		end -= span->begin_s * 1e-3;
		span->begin_s = end;
	}
	return n;
}

static size_t lay_out_stamps(const struct jm_timeline *timeline, size_t cycle,
	int64_t origin_ns, struct jm_fit_span *spans)
{
	size_t n = 0;

	for (size_t i = 0; i < timeline->n_layers; i++) {
		const struct jm_layer *layer = &timeline->layers[i];
		size_t behind = jm_cycle_begin(layer, cycle + 1);

		for (size_t j = jm_cycle_begin(layer, cycle); j < behind; j++) {
			double stamp = stamp_s(&layer->executions[j], origin_ns);
			double duration = layer->executions[j].duration_ms * 1e-3;

			if (timeline->stamp == JM_STAMP_BEGIN)
				spans[n] = (struct jm_fit_span){stamp, stamp + duration, 0, 0};
			else
				spans[n] = (struct jm_fit_span){stamp - duration, stamp, 0, 0};
			spans[n++].layer = (uint32_t)i;
		}
	}
	return n;
}

/* All spans, cycle by cycle, which are numbered without those in which nothing ran. */
static size_t lay_out(const struct jm_timeline *timeline, int64_t origin_ns,
	struct jm_fit_span *spans, size_t *ret_cycles)
{
	size_t used = 0, cycle = jm_timeline_next_cycle(timeline, 0);

	*ret_cycles = 0;
	for (; cycle != SIZE_MAX; cycle = jm_timeline_next_cycle(timeline, cycle + 1)) {
		struct jm_fit_span *own = spans + used;
		size_t n = timeline->stamp == JM_STAMP_CALLBACK
				   ? lay_out_callbacks(timeline, cycle, origin_ns, own)
				   : lay_out_stamps(timeline, cycle, origin_ns, own);

		for (size_t i = 0; i < n; i++)
			own[i].cycle = (uint32_t)*ret_cycles;
		used += n;
		++*ret_cycles;
	}
	return used;
}

typedef int compare_fn(const void *a, const void *b);

static void sort(struct jm_fit_span *spans, size_t n, compare_fn *compare)
{
	for (size_t i = 1; i < n; i++)
		if (compare(&spans[i - 1], &spans[i]) > 0) {
			qsort(spans, n, sizeof(*spans), compare);
			return;
		}
}

/* Where a span meets its predecessor: the moment that the stamps vouch for. */
static void meet(
	struct jm_fit_span *before, struct jm_fit_span *own, enum jm_stamp stamp, double snap_s)
{
	double gap = own->begin_s - before->end_s;

	if (gap > snap_s)
		return;
	if (stamp == JM_STAMP_BEGIN)
		before->end_s = fmax(own->begin_s, before->begin_s);
	else
		own->begin_s = before->end_s;
	if (own->begin_s < before->end_s)
		own->begin_s = before->end_s;
	if (own->end_s < own->begin_s)
		own->end_s = own->begin_s;
}

static void append(
	struct jm_segments *segments, double begin_s, double end_s, size_t column, size_t cycle)
{
	if (!(end_s > begin_s))
		return;
	segments->time_s[segments->n] = begin_s;
	segments->time_s[segments->n + 1] = end_s;
	segments->cycle[segments->n] = (uint32_t)cycle;
	segments->column[segments->n++] = (uint32_t)column;
	if (column != segments->n_layers + JM_COLUMN_OUTSIDE)
		segments->total_s[column] += end_s - begin_s;
}

static void fill(struct jm_segments *segments, struct jm_fit_span *spans, size_t n,
	enum jm_stamp stamp, double snap_s)
{
	size_t layers = segments->n_layers;

	for (size_t i = 1; i < n; i++)
		meet(&spans[i - 1], &spans[i], stamp, snap_s);
	segments->begin_s = spans[0].begin_s;
	segments->end_s = spans[n - 1].end_s;
	append(segments, -FAR_S, segments->begin_s, layers + JM_COLUMN_OUTSIDE, spans[0].cycle);
	for (size_t i = 0; i < n; i++) {
		const struct jm_fit_span *span = &spans[i];

		if (i)
			append(segments, spans[i - 1].end_s, span->begin_s,
				layers + (span->cycle == spans[i - 1].cycle
							 ? JM_COLUMN_GAP
							 : JM_COLUMN_BETWEEN),
				spans[i - 1].cycle);
		append(segments, span->begin_s, span->end_s, span->layer, span->cycle);
	}
	append(segments, segments->end_s, FAR_S, layers + JM_COLUMN_OUTSIDE,
		spans[n - 1].cycle);
}

static int are_unequal(const struct jm_timeline *timeline)
{
	size_t cycles = jm_timeline_cycles(timeline);

	if (jm_timeline_has_cycles(timeline))
		return 0; /* it is told which they are of */
	for (size_t i = 0; i < timeline->n_layers; i++)
		if (timeline->layers[i].n_executions &&
			timeline->layers[i].n_executions < cycles)
			return 1;
	return 0;
}

/*
 * Layers that run more often than others, as those that are repeated in place:
 * a cycle ends where the order of layers begins again. Returns their number.
 */
static size_t count_cycles(struct jm_fit_span *spans, size_t n)
{
	uint32_t cycle = 0;

	for (size_t i = 0; i < n; i++) {
		cycle += i && spans[i].layer < spans[i - 1].layer;
		spans[i].cycle = cycle;
	}
	return (size_t)cycle + 1;
}

static int are_rounded(const struct jm_timeline *timeline)
{
	for (size_t i = 0; i < timeline->n_layers; i++)
		for (size_t j = 0; j < timeline->layers[i].n_executions; j++)
			if (timeline->layers[i].executions[j].stamp_ns % STAMP_NS)
				return 0;
	return timeline->stamp != JM_STAMP_CALLBACK;
}

static int count(const struct jm_timeline *timeline, size_t *ret_n, struct jm_error *reterr)
{
	*ret_n = 0;
	for (size_t i = 0; i < timeline->n_layers; i++) {
		const struct jm_layer *layer = &timeline->layers[i];

		for (size_t j = 0; j < layer->n_executions; j++)
			if (!(layer->executions[j].duration_ms >= 0 &&
				    layer->executions[j].duration_ms <= DURATION_MAX_MS))
				return jm_fail(reterr, JM_EINVAL,
					"layer '%.100s' has no valid duration in cycle %zu",
					layer->name, j + 1);
		*ret_n += layer->n_executions;
	}
	if (!*ret_n)
		return jm_fail(reterr, JM_EINVAL,
			"the timeline has no executions; attribution needs when each layer "
			"ran");
	return 0;
}

static int allocate(struct jm_segments *segments, size_t n, struct jm_fit_span **ret_spans)
{
	size_t room = 2 * n + 2;

	*ret_spans = malloc(n * sizeof(**ret_spans));
	segments->time_s = malloc((room + 1) * sizeof(*segments->time_s));
	segments->column = malloc(room * sizeof(*segments->column));
	segments->cycle = malloc(room * sizeof(*segments->cycle));
	segments->total_s = calloc(segments->n_loads + JM_N_GAP_COLUMNS, sizeof(double));
	return *ret_spans && segments->time_s && segments->column && segments->cycle &&
	       segments->total_s;
}

int jm_segments_init(struct jm_segments *segments, const struct jm_timeline *timeline,
	int64_t origin_ns, struct jm_error *reterr)
{
	struct jm_fit_span *spans = NULL;
	int result, rounded = are_rounded(timeline);
	size_t n, used;

	memset(segments, 0, sizeof(*segments));
	result = count(timeline, &n, reterr);
	if (result == 0)
		result = jm_lanes_check(timeline, reterr);
	if (result < 0)
		return result;
	segments->n_layers = timeline->n_layers;
	segments->origin_ns = origin_ns;
	segments->span_scale = 1;
	segments->n_regimes = 1;
	segments->n_loads = segments->n_layers;
	if (!allocate(segments, n, &spans)) {
		result = jm_fail_memory(reterr, "the spans of all cycles");
		goto out;
	}
	used = lay_out(timeline, origin_ns, spans, &segments->n_cycles);
	sort(spans, used, timeline->stamp == JM_STAMP_BEGIN ? compare_spans : compare_ends);
	if (are_unequal(timeline))
		segments->n_cycles = count_cycles(spans, used);
	if (jm_spans_shorten(spans, used, segments->n_layers, timeline->stamp == JM_STAMP_BEGIN,
		    &segments->span_scale) < 0 ||
		(rounded && jm_spans_unround(spans, used, segments->n_layers, STAMP_NS * 1e-9) <
				    0)) {
		result = jm_fail_memory(reterr, "the spans of all cycles");
		goto out;
	}
	fill(segments, spans, used, timeline->stamp, rounded ? SNAP_S : 0);
out:
	free(spans);
	if (result < 0)
		jm_segments_release(segments);
	return result;
}

void jm_segments_release(struct jm_segments *segments)
{
	free(segments->time_s);
	free(segments->column);
	free(segments->cycle);
	free(segments->total_s);
	memset(segments, 0, sizeof(*segments));
}

size_t jm_segments_find(const struct jm_segments *segments, double time_s)
{
	size_t low = 0, high = segments->n;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (segments->time_s[middle] <= time_s)
			low = middle;
		else
			high = middle;
	}
	return low;
}

size_t jm_segments_find_from(const struct jm_segments *segments, size_t from, double time_s)
{
	if (from >= segments->n || segments->time_s[from] > time_s)
		return jm_segments_find(segments, time_s);
	for (size_t i = from; i < from + NEAR && i < segments->n; i++)
		if (segments->time_s[i + 1] > time_s)
			return i;
	return jm_segments_find(segments, time_s);
}
