/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Binary segmentation of the busy time of cycles, in blocks whose medians are
 * free of single slow cycles. A split counts when the means on both sides
 * differ by a share that matters and by many of their own deviations; it is
 * then moved to the cycle that separates both sides best.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attribute/regimes.h"
#include "base/error.h"
#include "base/statistics.h"

enum {
	BLOCKS_MAX = 400,
	BLOCK_MIN = 10, /* cycles */
	SIDE_MIN = 4    /* blocks on either side of a split */
};

#define SHARE_MIN 0.03
#define SIGMAS_MIN 8.0

static void add_busy(const struct jm_segments *segments, double *busy)
{
	for (size_t i = 0; i < segments->n; i++)
		if (segments->column[i] < segments->n_loads)
			busy[segments->cycle[i]] +=
				segments->time_s[i + 1] - segments->time_s[i];
}

static void sums(const double *x, size_t from, size_t to, double *mean, double *square)
{
	*mean = *square = 0;
	for (size_t i = from; i < to; i++)
		*mean += x[i];
	*mean /= (double)(to - from);
	for (size_t i = from; i < to; i++)
		*square += (x[i] - *mean) * (x[i] - *mean);
}

/* The split of [from, to) that leaves least spread; 0: none is worth it. */
static size_t best_split(const double *x, size_t from, size_t to)
{
	double least = HUGE_VAL, a = 0, b = 0, left, right;
	size_t at = 0;

	for (size_t i = from + SIDE_MIN; i + SIDE_MIN <= to; i++) {
		double mean_left, mean_right;

		sums(x, from, i, &mean_left, &left);
		sums(x, i, to, &mean_right, &right);
		if (left + right >= least)
			continue;
		least = left + right;
		a = mean_left;
		b = mean_right;
		at = i;
	}
	if (!at || fabs(a - b) < SHARE_MIN * 0.5 * (a + b))
		return 0;
	/* The spread of means of either side, were there no split. */
	least = sqrt(least / (double)(to - from)) *
		sqrt(1 / (double)(at - from) + 1 / (double)(to - at));
	return fabs(a - b) > SIGMAS_MIN * least ? at : 0;
}

static void split(const double *x, size_t from, size_t to, unsigned char *cut, size_t *n_cuts)
{
	size_t at = *n_cuts + 1 < JM_REGIMES_MAX ? best_split(x, from, to) : 0;

	if (!at)
		return;
	cut[at] = 1;
	++*n_cuts;
	split(x, from, at, cut, n_cuts);
	split(x, at, to, cut, n_cuts);
}

static void block_medians(
	const double *busy, size_t cycles, size_t blocks, double *scratch, double *ret_median)
{
	for (size_t b = 0; b < blocks; b++) {
		size_t from = b * cycles / blocks, to = (b + 1) * cycles / blocks;

		memcpy(scratch, busy + from, (to - from) * sizeof(*scratch));
		ret_median[b] = jm_median_upper(scratch, to - from);
	}
}

/*
 * The cycle within a block of the cut from which on busy times are nearer to
 * what follows than to what precedes.
 */
static size_t settle(const double *busy, size_t from, size_t to, double before, double after)
{
	double sum = 0, least = 0;
	size_t at = from;

	for (size_t i = from; i < to; i++) {
		sum += (busy[i] - before) * (busy[i] - before) -
		       (busy[i] - after) * (busy[i] - after);
		if (sum < least) {
			least = sum;
			at = i + 1;
		}
	}
	return at;
}

/* ret_first[r]: the first cycle of regime r. Returns their number. */
static size_t first_cycles(const double *busy, size_t cycles, const double *median,
	size_t blocks, const unsigned char *cut, size_t ret_first[JM_REGIMES_MAX])
{
	size_t n = 1;

	ret_first[0] = 0;
	for (size_t b = 1; b < blocks; b++) {
		size_t next = b + 1 < blocks ? b + 1 : blocks - 1;

		if (cut[b])
			ret_first[n++] = settle(busy, (b - 1) * cycles / blocks,
				(b + 1) * cycles / blocks, median[b > 1 ? b - 2 : 0],
				median[next]);
	}
	return n;
}

/* Layers get a column for each regime; gaps keep theirs, behind them. */
static int add_columns(struct jm_segments *segments, const size_t *first, size_t n_regimes)
{
	size_t layers = segments->n_layers, loads = layers * n_regimes, regime = 0;
	double *total_s = calloc(loads + JM_N_GAP_COLUMNS, sizeof(*total_s));

	if (!total_s)
		return JM_ENOMEM;
	memcpy(total_s + loads, segments->total_s + layers,
		JM_N_GAP_COLUMNS * sizeof(*total_s));
	for (size_t i = 0; i < segments->n; i++) {
		uint32_t *column = &segments->column[i];

		while (regime + 1 < n_regimes && segments->cycle[i] >= first[regime + 1])
			regime++;
		if (*column >= layers) {
			*column += (uint32_t)(loads - layers);
			continue;
		}
		*column += (uint32_t)(regime * layers);
		total_s[*column] += segments->time_s[i + 1] - segments->time_s[i];
	}
	free(segments->total_s);
	segments->total_s = total_s;
	segments->n_regimes = n_regimes;
	segments->n_loads = loads;
	return 0;
}

int jm_regimes_find(struct jm_segments *segments)
{
	size_t cycles = segments->n_cycles, blocks = cycles / BLOCK_MIN, cuts = 0;
	size_t first[JM_REGIMES_MAX];
	double median[BLOCKS_MAX], *busy;
	unsigned char cut[BLOCKS_MAX] = {0};
	int result = 0;

	blocks = blocks < BLOCKS_MAX ? blocks : BLOCKS_MAX;
	if (blocks < 2 * SIDE_MIN)
		return 0;
	busy = calloc(2 * cycles, sizeof(*busy));
	if (!busy)
		return JM_ENOMEM;
	add_busy(segments, busy);
	block_medians(busy, cycles, blocks, busy + cycles, median);
	split(median, 0, blocks, cut, &cuts);
	if (cuts)
		result = add_columns(segments, first,
			first_cycles(busy, cycles, median, blocks, cut, first));
	free(busy);
	return result;
}
