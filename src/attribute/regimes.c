/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Binary segmentation of the busy time of cycles, in blocks whose medians are
 * free of single slow cycles. A split counts when the means on both sides
 * differ by a share that matters and by many of their own deviations.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attribute/regimes.h"
#include "base/error.h"

enum {
	BLOCKS_MAX = 400,
	BLOCK_MIN = 10, /* cycles */
	SIDE_MIN = 4    /* blocks on either side of a split */
};

#define SHARE_MIN 0.03
#define SIGMAS_MIN 8.0

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void add_busy(const struct jm_segments *segments, double *busy)
{
	for (size_t i = 0; i < segments->n; i++)
		if (segments->column[i] < segments->n_layers)
			busy[segments->cycle[i]] += segments->time_s[i + 1] - segments->time_s[i];
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
	least = sqrt(least / (double)(to - from))
		* sqrt(1 / (double)(at - from) + 1 / (double)(to - at));
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

static void block_medians(double *busy, size_t cycles, size_t blocks, double *ret_median)
{
	double *scratch = busy + cycles;

	for (size_t b = 0; b < blocks; b++) {
		size_t from = b * cycles / blocks, to = (b + 1) * cycles / blocks;

		memcpy(scratch, busy + from, (to - from) * sizeof(*scratch));
		qsort(scratch, to - from, sizeof(*scratch), compare_doubles);
		ret_median[b] = scratch[(to - from) / 2];
	}
}

int jm_regimes_find(struct jm_segments *segments)
{
	size_t cycles = segments->n_cycles, blocks = cycles / BLOCK_MIN, cuts = 0;
	double median[BLOCKS_MAX], *busy;
	unsigned char cut[BLOCKS_MAX] = {0}, regime = 0;

	blocks = blocks < BLOCKS_MAX ? blocks : BLOCKS_MAX;
	segments->n_regimes = 1;
	if (blocks < 2 * SIDE_MIN)
		return 0;
	busy = calloc(2 * cycles, sizeof(*busy));
	if (!busy)
		return JM_ENOMEM;
	add_busy(segments, busy);
	block_medians(busy, cycles, blocks, median);
	split(median, 0, blocks, cut, &cuts);
	for (size_t b = 0; b < blocks; b++) {
		regime = (unsigned char)(regime + cut[b]);
		memset(segments->regime + b * cycles / blocks, regime,
			(b + 1) * cycles / blocks - b * cycles / blocks);
	}
	segments->n_regimes = cuts + 1;
	free(busy);
	return 0;
}
