/* SPDX-License-Identifier: Apache-2.0 */
#include "data/clock_change.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/clock.h"
#include "data/cycles.h"

#define HOUR_NS (3600 * JM_NS_PER_S)
/* A step is a change of the clock when it is an hour and at most this much. */
#define PAUSE_NS (5 * JM_NS_PER_S)
/* Where stamps are usually further apart, an hour may be an honest pause. */
#define LONGEST_GAP_NS (60 * JM_NS_PER_S)

static void accept(struct jm_clock_series *series, int64_t stamp_ns)
{
	if (series->stamps)
		series->gap_ns = stamp_ns - series->previous_ns;
	series->previous_ns = stamp_ns;
	series->stamps++;
}

static int change(struct jm_clock_series *series, int64_t rest_ns, int64_t shift_ns)
{
	series->shift_ns += shift_ns;
	series->changes++;
	/* The usual gap stays the yardstick. */
	series->previous_ns += rest_ns;
	series->stamps++;
	return 1;
}

void jm_clock_begin(
	struct jm_clock_series *series, const int64_t *reference_ns, int64_t *stamp_ns)
{
	int64_t step_ns = reference_ns ? *stamp_ns - *reference_ns : 0;

	*series = (struct jm_clock_series){0};
	if (llabs(step_ns - HOUR_NS) <= PAUSE_NS)
		series->shift_ns = -HOUR_NS;
	else if (llabs(step_ns + HOUR_NS) <= PAUSE_NS)
		series->shift_ns = HOUR_NS;
	series->changes = series->shift_ns != 0;
	*stamp_ns += series->shift_ns;
	accept(series, *stamp_ns);
}

int jm_clock_continue_slowly(struct jm_clock_series *series, int64_t *stamp_ns)
{
	int64_t moved_ns = *stamp_ns + series->shift_ns;
	int64_t gap_ns = moved_ns - series->previous_ns;
	int regular = series->stamps > 1 && series->gap_ns <= LONGEST_GAP_NS;
	int64_t most_ns = PAUSE_NS + (regular ? 2 * series->gap_ns : 0);

	*stamp_ns = moved_ns;
	if (!series->stamps || (gap_ns >= 0 && gap_ns < HOUR_NS)) {
		accept(series, moved_ns);
		return 0;
	}
	if (gap_ns < 0 && gap_ns + HOUR_NS >= 0 && gap_ns + HOUR_NS <= most_ns) {
		*stamp_ns += HOUR_NS;
		return change(series, gap_ns + HOUR_NS, HOUR_NS);
	}
	if (gap_ns < 0)
		return -1;
	if (regular && gap_ns - HOUR_NS <= most_ns) {
		*stamp_ns -= HOUR_NS;
		return change(series, gap_ns - HOUR_NS, -HOUR_NS);
	}
	accept(series, moved_ns);
	return 0;
}

/* ---- Steps back of any size --------------------------------------------------------- */

/* Measures of one step differ by what one series paused longer than another. */
#define STEP_SLACK_NS JM_NS_PER_S
#define STEP_SLACK_SHARE 10

void jm_clock_steps_release(struct jm_clock_steps *steps)
{
	free(steps->item);
	*steps = (struct jm_clock_steps){0};
}

int jm_clock_step_back(struct jm_clock_series *series, struct jm_clock_steps *steps,
	size_t layer, int64_t *stamp_ns)
{
	int64_t by_ns = series->previous_ns + series->gap_ns - *stamp_ns;
	struct jm_clock_step *items =
		jm_array_grow(steps->item, &steps->capacity, steps->n + 1, sizeof(*items));

	if (!items)
		return JM_ENOMEM;
	steps->item = items;
	*stamp_ns += by_ns;
	steps->item[steps->n++] =
		(struct jm_clock_step){layer, series->stamps, *stamp_ns, by_ns};
	series->shift_ns += by_ns;
	series->previous_ns = *stamp_ns;
	series->stamps++;
	return 0;
}

/* 1 when every list that has steps has those of the power log. */
static int are_same(const struct jm_clock_steps *log_steps,
	const struct jm_clock_steps *list_steps, const struct jm_timeline *timeline)
{
	size_t lists = 0, n = log_steps->n;

	if (list_steps->n == 0 || n == 0 || list_steps->n % n)
		return 0;
	for (size_t i = 0; i < list_steps->n; i++) {
		const struct jm_clock_step *own = &list_steps->item[i];
		int64_t by_ns = log_steps->item[i % n].by_ns;

		if (own->layer != list_steps->item[i - i % n].layer ||
			llabs(own->by_ns - by_ns) > STEP_SLACK_NS + by_ns / STEP_SLACK_SHARE)
			return 0;
	}
	for (size_t k = 0; k < timeline->n_layers; k++)
		lists += timeline->layers[k].n_executions > 0;
	return lists == list_steps->n / n;
}

int jm_clock_settle_steps(const struct jm_clock_steps *log_steps,
	const struct jm_clock_steps *list_steps, struct jm_timeline *timeline)
{
	if (!are_same(log_steps, list_steps, timeline))
		return 0;
	for (size_t i = 0; i < list_steps->n; i++) {
		const struct jm_clock_step *own = &list_steps->item[i];
		struct jm_layer *layer = &timeline->layers[own->layer];
		int64_t more_ns = log_steps->item[i % log_steps->n].by_ns - own->by_ns;

		for (size_t j = own->index; j < layer->n_executions; j++)
			layer->executions[j].stamp_ns += more_ns;
	}
	return 1;
}

/* ---- Between both logs ----------------------------------------------------------------- */

static int span_of(
	const struct jm_timeline *timeline, int64_t *ret_begin_ns, int64_t *ret_end_ns)
{
	*ret_begin_ns = INT64_MAX;
	*ret_end_ns = INT64_MIN;
	for (size_t i = 0; i < timeline->n_layers; i++) {
		const struct jm_layer *layer = &timeline->layers[i];
		size_t n = layer->n_executions;

		if (!n)
			continue;
		/* Executions of several lanes are in order of cycle, not of time. */
		for (size_t j = 0; j < n;
			j += layer->cycles || layer->lanes || n == 1 ? 1 : n - 1) {
			int64_t stamp_ns = layer->executions[j].stamp_ns;

			if (stamp_ns < *ret_begin_ns)
				*ret_begin_ns = stamp_ns;
			if (stamp_ns > *ret_end_ns)
				*ret_end_ns = stamp_ns;
		}
	}
	return *ret_begin_ns <= *ret_end_ns;
}

int64_t jm_clock_reconcile(struct jm_timeline *timeline, const struct jm_rail *rail)
{
	static const int64_t shifts[] = {HOUR_NS, -HOUR_NS};
	int64_t begin_ns, end_ns, first_ns, last_ns;

	if (!rail->n_readings || !span_of(timeline, &begin_ns, &end_ns))
		return 0;
	first_ns = rail->readings[0].before_ns;
	last_ns = rail->readings[rail->n_readings - 1].after_ns;
	if (begin_ns <= last_ns && end_ns >= first_ns)
		return 0;
	for (size_t k = 0; k < 2; k++) {
		if (begin_ns + shifts[k] < first_ns || end_ns + shifts[k] > last_ns)
			continue;
		jm_timeline_shift(timeline, shifts[k]);
		return shifts[k];
	}
	return 0;
}
