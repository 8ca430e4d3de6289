/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "attribute/subset.h"
#include "base/error.h"

enum {
	BLOCK = 96, /* conversions in a row */
	PER_UNKNOWN = 6
};

void jm_subset_release(struct jm_subset *subset)
{
	free(subset->time_s);
	free(subset->width_s);
	free(subset->power_w);
	free(subset->weight);
	memset(subset, 0, sizeof(*subset));
}

static void copy(
	struct jm_subset *subset, const struct jm_problem *whole, size_t from, size_t to)
{
	const struct jm_moments *moments = &whole->moments;

	for (size_t i = from; i < to; i++) {
		size_t n = subset->problem.moments.n++;

		subset->time_s[n] = moments->time_s[i];
		subset->width_s[n] = moments->width_s ? moments->width_s[i] : 0;
		subset->power_w[n] = whole->power_w[i];
		subset->weight[n] = whole->weight ? whole->weight[i] : 1;
	}
}

int jm_subset_init(
	struct jm_subset *subset, const struct jm_problem *whole, size_t wanted, int one_piece)
{
	size_t n = whole->moments.n, blocks;
	size_t least = PER_UNKNOWN * (whole->segments->n_loads + whole->spline.n);

	memset(subset, 0, sizeof(*subset));
	wanted = wanted > least ? wanted : least;
	wanted = wanted < n ? wanted : n;
	blocks = (wanted + BLOCK - 1) / BLOCK;
	subset->time_s = malloc((n + 1) * sizeof(double));
	subset->width_s = malloc((n + 1) * sizeof(double));
	subset->power_w = malloc((n + 1) * sizeof(double));
	subset->weight = malloc((n + 1) * sizeof(double));
	if (!subset->time_s || !subset->width_s || !subset->power_w || !subset->weight)
		return JM_ENOMEM;
	subset->problem = *whole;
	subset->problem.moments.n = 0;
	if (one_piece) {
		copy(subset, whole, (n - wanted) / 2, (n + wanted) / 2);
		blocks = 0;
	}
	for (size_t b = 0; b < blocks; b++) {
		size_t from = b * n / blocks, to = (b + 1) * n / blocks;

		copy(subset, whole, from, to - from > BLOCK ? from + BLOCK : to);
	}
	subset->problem.moments.time_s = subset->time_s;
	subset->problem.moments.width_s = whole->moments.width_s ? subset->width_s : NULL;
	subset->problem.power_w = subset->power_w;
	subset->problem.weight = whole->weight ? subset->weight : NULL;
	return 0;
}
