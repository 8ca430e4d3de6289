/* SPDX-License-Identifier: Apache-2.0 */
#include "data/total.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

struct jm_total_root {
	size_t rail;
	struct jm_total_rail is;
	struct jm_counter counter;
	int fresh; /* since the last sum */
	int64_t before_ns;
	int64_t after_ns;
	double power_uw;
	double quantum_uw;
};

/* The sensor that contains all others; SIZE_MAX: there is none. */
static size_t find_whole(const struct jm_total_rail *rails, size_t n_rails)
{
	static const enum jm_scope scopes[] = {JM_SCOPE_BOARD, JM_SCOPE_BATTERY};

	for (size_t s = 0; s < sizeof(scopes) / sizeof(scopes[0]); s++)
		for (size_t i = 0; i < n_rails; i++)
			if (rails[i].scope == scopes[s])
				return rails[i].sensor;
	return SIZE_MAX;
}

int jm_total_init(struct jm_total *total, const struct jm_total_rail *rails, size_t n_rails,
	struct jm_error *reterr)
{
	size_t whole = find_whole(rails, n_rails);

	memset(total, 0, sizeof(*total));
	total->roots = calloc(n_rails ? n_rails : 1, sizeof(*total->roots));
	if (!total->roots)
		return jm_fail_memory(reterr, "the total");
	for (size_t i = 0; i < n_rails; i++) {
		struct jm_total_root *root = &total->roots[total->n_roots];

		if (rails[i].parent >= 0 || (whole != SIZE_MAX && rails[i].sensor != whole))
			continue;
		root->rail = i;
		root->is = rails[i];
		jm_counter_init(&root->counter, rails[i].range);
		total->n_roots++;
	}
	total->n_missing = total->n_roots;
	return 0;
}

void jm_total_release(struct jm_total *total)
{
	free(total->roots);
	memset(total, 0, sizeof(*total));
}

static struct jm_total_root *find_root(const struct jm_total *total, size_t rail)
{
	for (size_t i = 0; i < total->n_roots; i++)
		if (total->roots[i].rail == rail)
			return &total->roots[i];
	return NULL;
}

int jm_total_has(const struct jm_total *total, size_t rail)
{
	return find_root(total, rail) != NULL;
}

size_t jm_total_first(const struct jm_total *total)
{
	return total->n_roots ? total->roots[0].rail : 0;
}

/* 1: the root has a new reading now. */
static int take(struct jm_total_root *root, const struct jm_reading *reading)
{
	const struct jm_total_rail *is = &root->is;
	double power_uw;

	if (is->quantity == JM_QUANTITY_UJ) {
		if (!jm_counter_put(&root->counter, reading, &power_uw) || isnan(power_uw))
			return 0;
	} else {
		power_uw = jm_reading_power_uw(reading, is->quantity);
	}
	root->power_uw = power_uw;
	root->quantum_uw = is->quantity == JM_QUANTITY_MV_MA
				   ? reading->value[0] * is->quantum[1]
			   : is->quantity == JM_QUANTITY_UW ? is->quantum[0]
							    : 0.0;
	root->before_ns = reading->before_ns;
	root->after_ns = reading->after_ns;
	return 1;
}

static void sum(struct jm_total *total, struct jm_reading *ret_sum)
{
	double quantum_square = 0.0;

	memset(ret_sum, 0, sizeof(*ret_sum));
	ret_sum->before_ns = INT64_MAX;
	for (size_t i = 0; i < total->n_roots; i++) {
		struct jm_total_root *root = &total->roots[i];

		if (root->before_ns < ret_sum->before_ns)
			ret_sum->before_ns = root->before_ns;
		if (root->after_ns > ret_sum->after_ns)
			ret_sum->after_ns = root->after_ns;
		ret_sum->value[0] += root->power_uw;
		quantum_square += root->quantum_uw * root->quantum_uw;
		root->fresh = 0;
	}
	if (!isnan(quantum_square))
		total->quantum_uw = sqrt(quantum_square);
	total->n_missing = total->n_roots;
}

int jm_total_put(struct jm_total *total, size_t rail, const struct jm_reading *reading,
	struct jm_reading *ret_sum)
{
	struct jm_total_root *root = find_root(total, rail);

	if (!root || !take(root, reading))
		return 0;
	if (!root->fresh)
		total->n_missing--;
	root->fresh = 1;
	if (total->n_missing)
		return 0;
	sum(total, ret_sum);
	return 1;
}
