/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spans that hold more than the layer. Where a host hands on work more slowly than
 * a device does it, the device waits inside the span of a layer, now longer, now
 * shorter. The span then claims more energy than there was, and the gaps are left
 * with less than nothing: that is the sign. What a span has beyond the shortest of
 * its layer is taken for waiting, moved to the gap before it, and left there when
 * that makes the readings likelier.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attribute/fit.h"
#include "base/error.h"

enum { STEPS = 6, ITERATIONS = 8 };

/* A gap this many deviations below the least that there can be is a sign of misfit. */
#define BELOW_MIN 3.0
/* The share of a layer's executions that are not longer for waiting. */
#define SHORTEST 0.1
/* An execution this many times as long as the median is meant to be: a schedule's. */
#define STRETCHED 3.0
/* Of a span; what is less may be its stamps. */
#define EXCESS_MIN_S 2e-6
/* Rise of the log evidence that is worth it. */
#define WORTH 20.0

/* Times of the segments of each layer, in the order of their length. */
struct lengths {
	double *time_s; /* of all */
	size_t *begin;  /* [n_loads + 1] */
};

static double length(const struct jm_segments *segments, size_t i)
{
	return segments->time_s[i + 1] - segments->time_s[i];
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int lengths_init(struct lengths *lengths, const struct jm_segments *segments)
{
	size_t n_loads = segments->n_loads, *begin;

	lengths->time_s = malloc(segments->n * sizeof(double));
	lengths->begin = begin = calloc(n_loads + 2, sizeof(*begin));
	if (!lengths->time_s || !begin)
		return JM_ENOMEM;
	for (size_t i = 0; i < segments->n; i++)
		if (segments->column[i] < n_loads)
			begin[segments->column[i] + 2]++;
	for (size_t k = 2; k < n_loads + 2; k++)
		begin[k] += begin[k - 1];
	for (size_t i = 0; i < segments->n; i++)
		if (segments->column[i] < n_loads)
			lengths->time_s[begin[segments->column[i] + 1]++] = length(segments, i);
	for (size_t k = 0; k < n_loads; k++)
		qsort(lengths->time_s + begin[k], begin[k + 1] - begin[k], sizeof(double),
			compare);
	return 0;
}

static void lengths_release(struct lengths *lengths)
{
	free(lengths->time_s);
	free(lengths->begin);
}

static double quantile(const struct lengths *lengths, size_t column, double share)
{
	size_t begin = lengths->begin[column], n = lengths->begin[column + 1] - begin;

	return lengths->time_s[begin + (size_t)(share * (double)n)];
}

/* What segment i has beyond the shortest of its layer; 0: nothing, or it is no layer. */
static double excess_of(
	const struct jm_segments *segments, const struct lengths *lengths, size_t i)
{
	size_t column = segments->column[i];
	double time_s = length(segments, i), excess;

	if (column >= segments->n_loads || time_s > STRETCHED * quantile(lengths, column, 0.5))
		return 0;
	excess = time_s - quantile(lengths, column, SHORTEST);
	return excess > EXCESS_MIN_S ? excess : 0;
}

static void append(struct jm_segments *to, double begin_s, uint32_t column, uint32_t cycle)
{
	to->time_s[to->n] = begin_s;
	to->column[to->n] = column;
	to->cycle[to->n++] = cycle;
}

static int allocate(struct jm_segments *to, const struct jm_segments *from)
{
	size_t columns = from->n_loads + JM_N_GAP_COLUMNS;

	*to = *from;
	to->n = 0;
	to->time_s = malloc((2 * from->n + 1) * sizeof(*to->time_s));
	to->column = malloc(2 * from->n * sizeof(*to->column));
	to->cycle = malloc(2 * from->n * sizeof(*to->cycle));
	to->total_s = malloc(columns * sizeof(*to->total_s));
	if (!to->time_s || !to->column || !to->cycle || !to->total_s) {
		jm_segments_release(to);
		return JM_ENOMEM;
	}
	memcpy(to->total_s, from->total_s, columns * sizeof(*to->total_s));
	return 0;
}

/* Segments with waiting in gaps of its own. The time moved, or JM_ENOMEM in *ret_result. */
static double move_waiting(const struct jm_segments *from, const struct lengths *lengths,
	struct jm_segments *ret, int *ret_result)
{
	uint32_t gap = (uint32_t)from->n_loads + JM_COLUMN_GAP;
	double moved_s = 0;

	*ret_result = allocate(ret, from);
	for (size_t i = 0; i < from->n && *ret_result >= 0; i++) {
		double excess_s = excess_of(from, lengths, i);

		if (excess_s > 0) {
			append(ret, from->time_s[i], gap, from->cycle[i]);
			ret->total_s[gap] += excess_s;
			ret->total_s[from->column[i]] -= excess_s;
			moved_s += excess_s;
		}
		append(ret, from->time_s[i] + excess_s, from->column[i], from->cycle[i]);
	}
	if (*ret_result >= 0)
		ret->time_s[ret->n] = from->time_s[from->n];
	return moved_s;
}

/* 1: the present segments, at the present response, are likelier; the fit has them then. */
static int is_likelier(struct jm_fit *fit)
{
	struct jm_alignment other, before = fit->alignment;
	int result = jm_alignment_init(
		&other, &fit->problem, &fit->belief, &fit->prior, &before.response);

	if (result >= 0)
		result = jm_alignment_refine(&other, STEPS, ITERATIONS);
	if (result >= 0 &&
		other.posterior.log_evidence > before.posterior.log_evidence + WORTH) {
		fit->alignment = other;
		other = before;
		result = 1;
	} else if (result >= 0) {
		result = 0;
	}
	jm_alignment_release(&other);
	return result;
}

/* Replaces the segments where that is likelier: 1. */
static int try_moved(struct jm_fit *fit)
{
	struct jm_segments before = fit->segments, moved = {0};
	struct lengths lengths = {0};
	double moved_s = 0;
	int result = lengths_init(&lengths, &before);

	if (result >= 0)
		moved_s = move_waiting(&before, &lengths, &moved, &result);
	lengths_release(&lengths);
	if (result < 0)
		return result;
	fit->segments = moved;
	result = moved_s > 0 ? is_likelier(fit) : 0;
	if (result > 0) {
		fit->waiting_s = moved_s;
		jm_segments_release(&before);
	} else {
		fit->segments = before;
		jm_segments_release(&moved);
	}
	return result;
}

int jm_fit_gap_is_below(const struct jm_fit *fit)
{
	struct jm_row row = jm_fit_gap_row(fit, JM_COLUMN_GAP);
	double sd = sqrt(fmax(0, jm_fit_row_covariance(fit, &row, &row))) * fit->inflation;

	return row.total_s > 0 && jm_fit_row_mean(fit, &row) < fit->base_w - BELOW_MIN * sd;
}

int jm_fit_waiting(struct jm_fit *fit, struct jm_error *reterr)
{
	int result = jm_fit_gap_is_below(fit) ? try_moved(fit) : 0;

	if (result == JM_ENUMERIC)
		return 0;
	if (result < 0)
		return jm_fail_memory(reterr, "the executions of the layers");
	return result;
}
