/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>

#include "attribute/rounding.h"
#include "base/statistics.h"

/* Positions of one run may differ by this many quanta. */
#define RANGE 1.25
/* Gaps longer than this are not the machine's usual ones. */
#define GAP_MAX_S 100e-6

/* Durations that fit to less than this are too long; to less than that, nonsense. */
#define LONG_SPANS 0.995
#define SPANS_MIN 0.7

static int follows(const struct jm_fit_span *before, const struct jm_fit_span *own)
{
	return own->cycle == before->cycle && own->begin_s - before->end_s < GAP_MAX_S;
}

/* Mean gap before each layer inside a cycle. */
static void mean_gaps(
	const struct jm_fit_span *spans, size_t n, double *gap, double *count, size_t n_layers)
{
	for (size_t i = 1; i < n; i++) {
		if (!follows(&spans[i - 1], &spans[i]))
			continue;
		gap[spans[i].layer] += spans[i].begin_s - spans[i - 1].end_s;
		count[spans[i].layer]++;
	}
	for (size_t k = 0; k < n_layers; k++)
		gap[k] = count[k] > 0 ? gap[k] / count[k] : 0;
}

/* Spans first .. last belong together: one position for all. */
static void place(struct jm_fit_span *spans, const double *offset, size_t first, size_t last,
	double low, double high)
{
	double position = 0.5 * (low + high);

	for (size_t i = first; i <= last; i++) {
		double duration = spans[i].end_s - spans[i].begin_s;

		spans[i].end_s = position + offset[i - first];
		spans[i].begin_s = spans[i].end_s - duration;
	}
}

/* offset[]: ends relative to the first one's, by durations and mean gaps. */
static size_t place_run(struct jm_fit_span *spans, size_t first, size_t n, const double *gap,
	double quantum_s, double *offset, size_t room)
{
	double low = spans[first].end_s, high = low;
	size_t i = first;

	offset[0] = 0;
	while (i + 1 < n && i + 1 - first < room && follows(&spans[i], &spans[i + 1])) {
		const struct jm_fit_span *own = &spans[i + 1];
		double next = offset[i - first] + gap[own->layer] + own->end_s - own->begin_s;
		double position = own->end_s - next;
		double new_low = fmin(low, position), new_high = fmax(high, position);

		if (new_high - new_low > RANGE * quantum_s)
			break;
		low = new_low;
		high = new_high;
		offset[++i - first] = next;
	}
	place(spans, offset, first, i, low, high);
	return i + 1;
}

int jm_spans_unround(struct jm_fit_span *spans, size_t n, size_t n_layers, double quantum_s)
{
	double *gap = calloc(n_layers + 1, sizeof(*gap));
	double *count = calloc(n_layers + 1, sizeof(*count));
	size_t room = 2 * n_layers + 64;
	double *offset = malloc(room * sizeof(*offset));
	int result = gap && count && offset ? 0 : -1;

	if (result == 0) {
		mean_gaps(spans, n, gap, count, n_layers);
		for (size_t first = 0; first < n;)
			first = place_run(spans, first, n, gap, quantum_s, offset, room);
	}
	free(gap);
	free(count);
	free(offset);
	return result;
}

/* Median over layers of room over duration; sums are [n_layers]. */
static double median_fit(double *room, const double *duration, size_t n_layers)
{
	size_t used = 0;

	for (size_t k = 0; k < n_layers; k++)
		if (duration[k] > 0)
			room[used++] = room[k] / duration[k];
	if (used < 2)
		return 1;
	return jm_median_upper(room, used);
}

int jm_spans_shorten(
	struct jm_fit_span *spans, size_t n, size_t n_layers, int keep_begin, double *ret_scale)
{
	double *room = calloc(n_layers + 1, sizeof(*room));
	double *duration = calloc(n_layers + 1, sizeof(*duration));
	double scale = 1;
	int result = room && duration ? 0 : -1;

	for (size_t i = 1; i < n && result == 0; i++) {
		const struct jm_fit_span *owner = keep_begin ? &spans[i - 1] : &spans[i];

		if (spans[i].cycle != spans[i - 1].cycle)
			continue;
		room[owner->layer] += keep_begin ? spans[i].begin_s - owner->begin_s
						 : owner->end_s - spans[i - 1].end_s;
		duration[owner->layer] += owner->end_s - owner->begin_s;
	}
	if (result == 0)
		scale = median_fit(room, duration, n_layers);
	free(room);
	free(duration);
	*ret_scale = scale < LONG_SPANS && scale > SPANS_MIN ? scale : 1;
	if (*ret_scale == 1)
		return result;
	for (size_t i = 0; i < n; i++) {
		double time = scale * (spans[i].end_s - spans[i].begin_s);

		if (keep_begin)
			spans[i].end_s = spans[i].begin_s + time;
		else
			spans[i].begin_s = spans[i].end_s - time;
	}
	return result;
}
