/* SPDX-License-Identifier: Apache-2.0 */
#include "map/mending_work.h"

#include <string.h>

void jm_mending_release_breaks(struct jm_mending_work *work)
{
	jm_cycle_spans_release(&work->spans);
	jm_breaks_release(&work->cycles);
	jm_breaks_release(&work->readings);
}

static void find_extent(struct jm_mending_work *work)
{
	work->run_begin_ns = INT64_MAX;
	work->run_end_ns = INT64_MIN;
	for (size_t i = 0; i < work->spans.n; i++) {
		if (work->spans.left_out[i])
			continue;
		if (work->spans.begin_ns[i] < work->run_begin_ns)
			work->run_begin_ns = work->spans.begin_ns[i];
		if (work->spans.end_ns[i] > work->run_end_ns)
			work->run_end_ns = work->spans.end_ns[i];
	}
}

int jm_mending_find_breaks(struct jm_mending_work *work)
{
	int64_t left_out;

	jm_mending_release_breaks(work);
	if (jm_cycle_spans_init(&work->spans, &work->recording->timeline) < 0)
		return JM_ENOMEM;
	if (work->left_out)
		memcpy(work->spans.left_out, work->left_out, work->spans.n);
	left_out = jm_breaks_of_cycles(&work->spans, &work->cycles);
	if (left_out < 0 || jm_breaks_of_rail(work->rail, &work->readings) < 0)
		return JM_ENOMEM;
	find_extent(work);
	return left_out > 0 || work->cycles.n > 0 || work->readings.n > 0;
}
