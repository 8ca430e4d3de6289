/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the stamps of a timeline mean, told from the data alone.
 *
 * Between two neighbouring layers of a cycle the stamps advance by dt. If they
 * are ends, dt is the later layer's duration plus a gap; if begins, the earlier
 * one's plus a gap; if callbacks made after the inference, dt is the time of
 * a callback whatever the layers last, and a whole inference fits between the
 * last callback of a cycle and the first of the next. So the right meaning is
 * the one under which the gaps vary least and no layers overlap.
 */
#include <math.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/error.h"
#include "base/statistics.h"
#include "data/cycles.h"
#include "data/stamp.h"
#include "joulemap/joulemap.h"

enum { MAX_PAIRS = 2048 };

/* Times in us. What the clocks of stamps and durations may differ by. */
#define SLACK_US 2.0
#define SLACK_SHARE 0.02
/* The best meaning is certain when the next one is worse by this much. */
#define CERTAIN_RATIO 1.3
#define CERTAIN_US 0.2
#define TRIMMED_SHARE 0.9

struct evidence {
	size_t n;
	double value[MAX_PAIRS];
	double overlap; /* sum over values */
};

/* Mean deviation from the median, without the worst tenth. Sorts values. */
static double spread(double *values, size_t n)
{
	size_t kept = (size_t)ceil((double)n * TRIMMED_SHARE);
	double median, sum = 0;

	if (!n)
		return 0;
	median = jm_median(values, n);
	for (size_t i = 0; i < n; i++)
		values[i] = fabs(values[i] - median);
	qsort(values, n, sizeof(*values), jm_compare_doubles);
	for (size_t i = 0; i < kept; i++)
		sum += values[i];
	return sum / (double)kept;
}

static void take(struct evidence *evidence, double dt_us, double duration_us)
{
	double overlap = duration_us * (1 - SLACK_SHARE) - SLACK_US - dt_us;

	evidence->value[evidence->n++] = dt_us - duration_us;
	if (overlap > 0)
		evidence->overlap += overlap;
}

static double cost(struct evidence *evidence)
{
	return spread(evidence->value, evidence->n) + evidence->overlap / (double)evidence->n;
}

/* us by which whole inferences do not fit between callbacks, per pair. */
static double callback_overlap(const struct jm_timeline *timeline, size_t cycles)
{
	size_t step = 1 + cycles / 256, n = 0;
	double sum = 0;

	for (size_t cycle = 1; cycle < cycles; cycle += step) {
		double busy_us = 0, gap_us;
		const struct jm_layer *first = NULL, *last = NULL;

		for (size_t i = 0; i < timeline->n_layers; i++) {
			const struct jm_layer *layer = &timeline->layers[i];

			if (cycle >= layer->n_executions)
				continue;
			busy_us += layer->executions[cycle].duration_ms * 1e3;
			first = first ? first : layer;
			last = layer;
		}
		if (!first)
			continue;
		gap_us = (double)(first->executions[cycle].stamp_ns -
				  last->executions[cycle - 1].stamp_ns) *
			 1e-3;
		n++;
		if (busy_us * (1 - SLACK_SHARE) - SLACK_US > gap_us)
			sum += busy_us - gap_us;
	}
	return n ? sum / (double)n / (double)timeline->n_layers : 0;
}

static int add_pair(const struct jm_timeline *timeline, size_t cycle, size_t pair,
	struct evidence *end, struct evidence *begin, struct evidence *callback)
{
	const struct jm_layer *before = &timeline->layers[pair];
	const struct jm_layer *own = before + 1;
	double dt_us;

	if (cycle >= before->n_executions || cycle >= own->n_executions)
		return 0;
	dt_us = (double)(own->executions[cycle].stamp_ns - before->executions[cycle].stamp_ns) *
		1e-3;
	take(end, dt_us, own->executions[cycle].duration_ms * 1e3);
	take(begin, dt_us, before->executions[cycle].duration_ms * 1e3);
	take(callback, dt_us, 0);
	return 1;
}

/* Pairs spread evenly over the run (golden section), or all if they are few. */
static void collect(const struct jm_timeline *timeline, size_t cycles, struct evidence *end,
	struct evidence *begin, struct evidence *callback)
{
	size_t pairs = timeline->n_layers - 1;
	double position = 0;

	if (cycles <= MAX_PAIRS / pairs) {
		for (size_t i = 0; i < cycles * pairs; i++)
			add_pair(timeline, i / pairs, i % pairs, end, begin, callback);
		return;
	}
	for (size_t i = 0; i < MAX_PAIRS; i++) {
		double in_cycle;
		size_t cycle, pair;

		position = fmod(position + 0.6180339887498949, 1);
		cycle = (size_t)(position * (double)cycles);
		in_cycle = fmod((double)i * 0.7548776662466927, 1);
		pair = (size_t)(in_cycle * (double)pairs);
		add_pair(timeline, cycle, pair, end, begin, callback);
	}
}

/* The meaning under which pairs vary and overlap least; evidence [3], as in costs. */
static enum jm_stamp decide(struct evidence *evidence, double unfit_us, int *ret_certain)
{
	static const enum jm_stamp meanings[] = {
		JM_STAMP_END, JM_STAMP_BEGIN, JM_STAMP_CALLBACK};
	double costs[3];
	int best = 0, next;

	for (int i = 0; i < 3; i++)
		costs[i] = evidence[i].n ? cost(&evidence[i]) : 0;
	costs[2] += unfit_us;
	for (int i = 1; i < 3; i++)
		if (costs[i] < costs[best])
			best = i;
	next = best == 0 ? 1 : 0;
	for (int i = 0; i < 3; i++)
		if (i != best && costs[i] < costs[next])
			next = i;
	*ret_certain = costs[next] > costs[best] * CERTAIN_RATIO + CERTAIN_US;
	return *ret_certain ? meanings[best] : JM_STAMP_END;
}

enum jm_stamp jm_timeline_detect_stamp(const struct jm_timeline *timeline, int *ret_certain)
{
	size_t cycles = jm_timeline_cycles(timeline);
	struct evidence *evidence;
	enum jm_stamp stamp;

	/* Who told the cycles of spans has told the spans themselves. */
	*ret_certain = jm_timeline_has_cycles(timeline);
	if (*ret_certain)
		return timeline->stamp;
	if (timeline->n_layers < 2 || cycles < 1)
		return JM_STAMP_END;
	evidence = calloc(3, sizeof(*evidence));
	if (!evidence)
		return JM_STAMP_END;
	collect(timeline, cycles, &evidence[0], &evidence[1], &evidence[2]);
	stamp = decide(evidence, callback_overlap(timeline, cycles), ret_certain);
	free(evidence);
	return stamp;
}

enum jm_stamp jm_stamp_of_pairs(
	const struct jm_stamp_pair *pairs, size_t n, double unfit_us, int *ret_certain)
{
	struct evidence *evidence = calloc(3, sizeof(*evidence));
	enum jm_stamp stamp;

	*ret_certain = 0;
	if (!evidence)
		return JM_STAMP_END;
	for (size_t i = 0; i < n && i < MAX_PAIRS; i++) {
		take(&evidence[0], pairs[i].apart_us, pairs[i].own_us);
		take(&evidence[1], pairs[i].apart_us, pairs[i].before_us);
		take(&evidence[2], pairs[i].apart_us, 0);
	}
	stamp = decide(evidence, unfit_us, ret_certain);
	free(evidence);
	return stamp;
}

const char *jm_stamp_name(enum jm_stamp stamp)
{
	switch (stamp) {
	case JM_STAMP_BEGIN:
		return "begin";
	case JM_STAMP_END:
		return "end";
	case JM_STAMP_CALLBACK:
		return "callback";
	}
	return "?";
}

/* ---- Real spans ---------------------------------------------------------- */

static int64_t duration_ns(const struct jm_execution *execution)
{
	return (int64_t)llround(execution->duration_ms * 1e6);
}

/* One execution of a cycle, and which it is in the order of the layers. */
struct callback {
	struct jm_execution *execution;
	size_t order;
};

static int compare_callbacks(const void *a, const void *b)
{
	const struct callback *x = a, *y = b;

	if (x->execution->stamp_ns != y->execution->stamp_ns)
		return x->execution->stamp_ns < y->execution->stamp_ns ? -1 : 1;
	return (x->order > y->order) - (x->order < y->order);
}

static size_t gather_cycle(
	struct jm_timeline *timeline, size_t cycle, struct callback *callbacks)
{
	size_t n = 0;

	for (size_t i = 0; i < timeline->n_layers; i++) {
		struct jm_layer *layer = &timeline->layers[i];
		size_t end = jm_layer_first_execution(layer, cycle + 1);

		for (size_t j = jm_layer_first_execution(layer, cycle); j < end; j++, n++)
			callbacks[n] = (struct callback){&layer->executions[j], n};
	}
	return n;
}

/*
 * Lays the layers of a cycle back to back, ending at its first callback: in the
 * order of the layers, or, where those may run several times, of the callbacks.
 */
static void lay_out_cycle(struct callback *callbacks, size_t n, int by_callbacks)
{
	int64_t end_ns = INT64_MAX;

	for (size_t i = 0; i < n; i++)
		if (callbacks[i].execution->stamp_ns < end_ns)
			end_ns = callbacks[i].execution->stamp_ns;
	if (by_callbacks)
		qsort(callbacks, n, sizeof(*callbacks), compare_callbacks);
	for (size_t i = n; i-- > 0;) {
		callbacks[i].execution->stamp_ns = end_ns;
		end_ns -= duration_ns(callbacks[i].execution);
	}
}

static size_t most_in_cycle(const struct jm_timeline *timeline, int told)
{
	size_t n = 0;

	for (size_t i = 0; i < timeline->n_layers; i++)
		n += told ? timeline->layers[i].n_executions : 1;
	return n;
}

static int lay_out(struct jm_timeline *timeline, struct jm_error *reterr)
{
	size_t cycle = jm_timeline_next_cycle(timeline, 0), capacity = 0;
	int told = jm_timeline_has_cycles(timeline);
	struct callback *callbacks = jm_array_grow(
		NULL, &capacity, most_in_cycle(timeline, told) + 1, sizeof(*callbacks));

	if (!callbacks)
		return jm_fail_memory(reterr, "the layers of a cycle");
	for (; cycle != SIZE_MAX; cycle = jm_timeline_next_cycle(timeline, cycle + 1))
		lay_out_cycle(callbacks, gather_cycle(timeline, cycle, callbacks), told);
	free(callbacks);
	return 0;
}

static void shift_all(struct jm_timeline *timeline, int sign)
{
	for (size_t i = 0; i < timeline->n_layers; i++) {
		struct jm_layer *layer = &timeline->layers[i];

		for (size_t j = 0; j < layer->n_executions; j++)
			layer->executions[j].stamp_ns +=
				sign * duration_ns(&layer->executions[j]);
	}
}

static int check_durations(const struct jm_timeline *timeline, struct jm_error *reterr)
{
	for (size_t i = 0; i < timeline->n_layers; i++) {
		const struct jm_layer *layer = &timeline->layers[i];

		for (size_t j = 0; j < layer->n_executions; j++)
			if (!(fabs(layer->executions[j].duration_ms) <= 1e9))
				return jm_fail(reterr, JM_EINVAL,
					"layer '%.100s' has no valid duration in cycle %zu",
					layer->name, j + 1);
	}
	return 0;
}

int jm_timeline_resolve(
	struct jm_timeline *timeline, enum jm_stamp wanted, struct jm_error *reterr)
{
	int result;

	if (wanted != JM_STAMP_BEGIN && wanted != JM_STAMP_END)
		return jm_fail(reterr, JM_EINVAL,
			"stamps can be resolved to begins or ends, not to '%s'",
			jm_stamp_name(wanted));
	result = check_durations(timeline, reterr);
	if (result < 0)
		return result;
	if (timeline->stamp == JM_STAMP_CALLBACK) {
		result = lay_out(timeline, reterr);
		if (result < 0)
			return result;
		timeline->stamp = JM_STAMP_END;
	}
	if (timeline->stamp != wanted)
		shift_all(timeline, wanted == JM_STAMP_BEGIN ? -1 : 1);
	timeline->stamp = wanted;
	return 0;
}
