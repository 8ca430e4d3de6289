/* SPDX-License-Identifier: Apache-2.0 */
#include "data/clock_change.h"

#include <stdlib.h>

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
