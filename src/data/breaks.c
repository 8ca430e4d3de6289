/* SPDX-License-Identifier: Apache-2.0 */
#include "data/breaks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "data/cycles.h"

/* Shorter than this is no break: machines pause for so long now and then. */
#define BREAK_NS INT64_C(250000000)
/* Layers of one cycle that last longer together are no layers. */
#define BUSY_MAX_NS (INT64_C(1) << 60)
/* Nor is less than so many times what nine of ten do not exceed. */
#define TIMES 4.0
#define USUAL_SHARE 0.9
#define SAMPLES 4096
/* Too few to say what is usual. */
#define CYCLES_MIN 16
#define READINGS_MIN 64

/* ---- Cycles -------------------------------------------------------------------------- */

static int64_t duration_ns(const struct jm_execution *execution)
{
	return (int64_t)llround(fmin(fmax(execution->duration_ms, 0), 1e9) * 1e6);
}

static void widen(struct jm_cycle_spans *spans, const struct jm_layer *layer,
	enum jm_stamp stamp, int64_t *busy_ns)
{
	for (size_t j = 0; j < layer->n_executions; j++) {
		const struct jm_execution *own = &layer->executions[j];
		size_t cycle = layer->cycles ? layer->cycles[j] : j;
		int64_t length_ns = duration_ns(own), begin_ns = own->stamp_ns;
		int64_t end_ns = own->stamp_ns;

		if (stamp == JM_STAMP_BEGIN)
			end_ns += length_ns;
		else if (stamp == JM_STAMP_END)
			begin_ns -= length_ns;
		else if (stamp == JM_STAMP_CALLBACK)
			busy_ns[cycle] = busy_ns[cycle] < BUSY_MAX_NS
						 ? busy_ns[cycle] + length_ns
						 : busy_ns[cycle];
		if (begin_ns < spans->begin_ns[cycle])
			spans->begin_ns[cycle] = begin_ns;
		if (end_ns > spans->end_ns[cycle])
			spans->end_ns[cycle] = end_ns;
	}
}

int jm_cycle_spans_init(struct jm_cycle_spans *spans, const struct jm_timeline *timeline)
{
	size_t n = jm_timeline_cycles(timeline);
	int callbacks = timeline->stamp == JM_STAMP_CALLBACK;
	int64_t *busy_ns = calloc(callbacks ? n + 1 : 1, sizeof(*busy_ns));

	*spans = (struct jm_cycle_spans){malloc((n + 1) * sizeof(int64_t)),
		malloc((n + 1) * sizeof(int64_t)), calloc(n + 1, 1), n};
	if (!busy_ns || !spans->begin_ns || !spans->end_ns || !spans->left_out) {
		free(busy_ns);
		jm_cycle_spans_release(spans);
		return JM_ENOMEM;
	}
	for (size_t i = 0; i < n; i++) {
		spans->begin_ns[i] = INT64_MAX;
		spans->end_ns[i] = INT64_MIN;
	}
	for (size_t k = 0; k < timeline->n_layers; k++)
		widen(spans, &timeline->layers[k], timeline->stamp, busy_ns);
	for (size_t i = 0; i < n && callbacks; i++)
		if (spans->begin_ns[i] <= spans->end_ns[i])
			spans->begin_ns[i] -= busy_ns[i];
	free(busy_ns);
	return 0;
}

void jm_cycle_spans_release(struct jm_cycle_spans *spans)
{
	free(spans->begin_ns);
	free(spans->end_ns);
	free(spans->left_out);
	memset(spans, 0, sizeof(*spans));
}

/* ---- What is usual ---------------------------------------------------------------------- */

/* Values come one by one; a sample of them is kept. */
struct sample {
	double value[SAMPLES];
	size_t n, seen, step;
};

static void sample_put(struct sample *sample, int64_t value)
{
	if (sample->seen++ % sample->step == 0 && sample->n < SAMPLES)
		sample->value[sample->n++] = (double)value;
}

/* Longer than the result is a break. */
static double limit_of(struct sample *sample, int64_t *ret_usual_ns)
{
	size_t at = (size_t)(USUAL_SHARE * (double)sample->n);

	qsort(sample->value, sample->n, sizeof(*sample->value), jm_compare_doubles);
	*ret_usual_ns = sample->n ? (int64_t)fmax(0, sample->value[sample->n / 2]) : 0;
	if (!sample->n)
		return HUGE_VAL;
	return (double)BREAK_NS + TIMES * fmax(0, sample->value[at < sample->n ? at : 0]);
}

static int add_break(struct jm_breaks *breaks, size_t *capacity, struct jm_break item)
{
	struct jm_break *items =
		jm_array_grow(breaks->item, capacity, breaks->n + 1, sizeof(*items));

	if (!items)
		return JM_ENOMEM;
	breaks->item = items;
	breaks->item[breaks->n++] = item;
	return 0;
}

/* ---- Breaks of cycles ------------------------------------------------------------------- */

static int is_there(const struct jm_cycle_spans *spans, size_t i)
{
	return !spans->left_out[i] && spans->begin_ns[i] <= spans->end_ns[i];
}

static int64_t leave_out_long(struct jm_cycle_spans *spans)
{
	struct sample *sample = calloc(1, sizeof(*sample));
	int64_t longest = 0, usual, n = 0;
	double limit;

	if (!sample)
		return JM_ENOMEM;
	sample->step = 1 + spans->n / SAMPLES;
	for (size_t i = 0; i < spans->n; i++)
		if (is_there(spans, i)) {
			int64_t length = spans->end_ns[i] - spans->begin_ns[i];

			longest = length > longest ? length : longest;
			sample_put(sample, length);
		}
	limit = longest > BREAK_NS ? limit_of(sample, &usual) : HUGE_VAL;
	free(sample);
	for (size_t i = 0; i < spans->n && (double)longest > limit; i++)
		if (is_there(spans, i) &&
			(double)(spans->end_ns[i] - spans->begin_ns[i]) > limit) {
			spans->left_out[i] = 1;
			n++;
		}
	return n;
}

static int find_between(
	const struct jm_cycle_spans *spans, struct sample *sample, struct jm_breaks *ret)
{
	size_t capacity = 0;
	double limit = 0;

	/* First what is usual, then what is not. */
	for (int pass = 0; pass < 2; pass++) {
		int64_t end_ns = INT64_MAX, longest = 0;

		for (size_t i = 0; i < spans->n; i++) {
			int64_t gap_ns;

			if (!is_there(spans, i))
				continue;
			gap_ns = end_ns == INT64_MAX ? 0 : spans->begin_ns[i] - end_ns;
			if (pass == 0 && end_ns != INT64_MAX)
				sample_put(sample, gap_ns);
			if (pass == 1 && (double)gap_ns > limit &&
				add_break(ret, &capacity,
					(struct jm_break){end_ns, spans->begin_ns[i], i}) < 0)
				return JM_ENOMEM;
			longest = gap_ns > longest ? gap_ns : longest;
			if (end_ns == INT64_MAX || spans->end_ns[i] > end_ns)
				end_ns = spans->end_ns[i];
		}
		if (pass == 0)
			limit = limit_of(sample, &ret->usual_ns);
		if (longest <= BREAK_NS)
			break;
	}
	return 0;
}

int64_t jm_breaks_of_cycles(struct jm_cycle_spans *spans, struct jm_breaks *ret_breaks)
{
	struct sample *sample;
	int64_t left_out;

	memset(ret_breaks, 0, sizeof(*ret_breaks));
	if (spans->n < CYCLES_MIN)
		return 0;
	left_out = leave_out_long(spans);
	sample = calloc(1, sizeof(*sample));
	if (left_out < 0 || !sample) {
		free(sample);
		return JM_ENOMEM;
	}
	sample->step = 1 + spans->n / SAMPLES;
	if (find_between(spans, sample, ret_breaks) < 0)
		left_out = JM_ENOMEM;
	free(sample);
	return left_out;
}

/* ---- Breaks of readings ------------------------------------------------------------------ */

int jm_breaks_of_rail(const struct jm_rail *rail, struct jm_breaks *ret_breaks)
{
	struct sample *sample = calloc(1, sizeof(*sample));
	int64_t longest = 0;
	size_t capacity = 0;
	double limit;
	int result = 0;

	memset(ret_breaks, 0, sizeof(*ret_breaks));
	if (!sample)
		return JM_ENOMEM;
	sample->step = 1 + rail->n_readings / SAMPLES;
	for (size_t i = 1; i < rail->n_readings; i++) {
		int64_t gap_ns = rail->readings[i].after_ns - rail->readings[i - 1].after_ns;

		longest = gap_ns > longest ? gap_ns : longest;
		if (gap_ns > 0) /* equal stamps tell how coarse they are, no more */
			sample_put(sample, gap_ns);
	}
	limit = limit_of(sample, &ret_breaks->usual_ns);
	free(sample);
	if (rail->n_readings < READINGS_MIN || (double)longest <= limit)
		return 0;
	for (size_t i = 1; i < rail->n_readings && result == 0; i++) {
		int64_t begin_ns = rail->readings[i - 1].after_ns;

		if ((double)(rail->readings[i].after_ns - begin_ns) > limit)
			result = add_break(ret_breaks, &capacity,
				(struct jm_break){begin_ns, rail->readings[i].after_ns, i});
	}
	return result;
}

void jm_breaks_release(struct jm_breaks *breaks)
{
	free(breaks->item);
	memset(breaks, 0, sizeof(*breaks));
}
