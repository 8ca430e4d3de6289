/* SPDX-License-Identifier: Apache-2.0 */
#include "data/total.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

/* A counter that has not stepped by then does not count. */
#define STILL_NS INT64_C(2000000000)

struct jm_total_root {
	size_t rail;
	struct jm_total_rail is;
	struct jm_counter counter;
	int stepped; /* the counter, since its first value */
	double uw_s; /* what it counted since the last sum, and in how long */
	double time_s;
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

int jm_total_has_counter(const struct jm_total *total)
{
	for (size_t i = 0; i < total->n_roots; i++)
		if (total->roots[i].is.quantity == JM_QUANTITY_UJ)
			return 1;
	return 0;
}

size_t jm_total_first(const struct jm_total *total)
{
	return total->n_roots ? total->roots[0].rail : 0;
}

/* Steps that no sum has had yet are one: none of their energy is lost. */
static int gather(struct jm_total_root *root, int64_t last_ns, double *uw)
{
	double time_s = (double)(root->counter.last_ns - last_ns) * 1e-9;

	if (!root->fresh)
		root->uw_s = root->time_s = 0;
	root->uw_s += *uw * time_s;
	root->time_s += time_s;
	if (root->fresh)
		*uw = root->uw_s / root->time_s;
	return 1;
}

/*
 * Power of a counter: 1 when it is known anew. One that never stepped counts
 * nothing, and must not keep the others from being summed.
 */
static int take_counter(
	struct jm_total_root *root, const struct jm_reading *reading, double *ret_uw)
{
	int64_t last_ns = root->counter.last_ns;

	if (jm_counter_put(&root->counter, reading, ret_uw)) {
		root->stepped |= !isnan(*ret_uw);
		return isnan(*ret_uw) ? 0 : gather(root, last_ns, ret_uw);
	}
	if (root->stepped || isnan(reading->value[0]) ||
		reading->after_ns - root->counter.last_ns < STILL_NS)
		return 0;
	*ret_uw = 0;
	return 1;
}

/* 1: the root has a new reading now. */
static int take(struct jm_total_root *root, const struct jm_reading *reading)
{
	const struct jm_total_rail *is = &root->is;
	double power_uw;

	if (is->quantity == JM_QUANTITY_UJ) {
		if (!take_counter(root, reading, &power_uw))
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
	ret_sum->after_ns = INT64_MIN;
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

/* ---- Of a whole log ----------------------------------------------------------------- */

/*
 * The rail with the earliest reading that was not taken yet; SIZE_MAX: none.
 * Where clocks are too coarse to tell, passes stay together.
 */
static size_t next_rail(const struct jm_power_log *log, const struct jm_total *total,
	const size_t *taken, size_t n)
{
	size_t next = SIZE_MAX;

	for (size_t i = 0; i < n; i++) {
		const struct jm_reading *reading, *best;

		if (taken[i] == log->rails[i].n_readings || !jm_total_has(total, i))
			continue;
		if (next == SIZE_MAX) {
			next = i;
			continue;
		}
		reading = &log->rails[i].readings[taken[i]];
		best = &log->rails[next].readings[taken[next]];
		if (reading->before_ns < best->before_ns ||
			(reading->before_ns == best->before_ns && taken[i] < taken[next]))
			next = i;
	}
	return next;
}

/* Adds the sum of all root rails as a rail of its own. */
static int add_sum(struct jm_power_log *log, struct jm_total *total, size_t *ret_rail,
	struct jm_error *reterr)
{
	size_t n = log->n_rails, rail, *taken = calloc(n, sizeof(*taken));
	int result, added;

	if (!taken)
		return jm_fail_memory(reterr, "the total");
	added = result = jm_power_log_add_rail(log, JM_TOTAL_NAME, JM_QUANTITY_UW, reterr);
	while (result >= 0 && (rail = next_rail(log, total, taken, n)) != SIZE_MAX) {
		struct jm_reading sum;

		if (jm_total_put(total, rail, &log->rails[rail].readings[taken[rail]++], &sum))
			result = jm_power_log_append(log, (size_t)added, &sum, reterr);
	}
	free(taken);
	*ret_rail = (size_t)added;
	return result < 0 ? result : 0;
}

int jm_total_find(struct jm_total *total, struct jm_power_log *log, size_t *ret_rail,
	struct jm_error *reterr)
{
	*ret_rail = jm_total_first(total);
	return total->n_roots > 1 ? add_sum(log, total, ret_rail, reterr) : 0;
}
