/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The window method: the walk of the original scripts, with their results to
 * the last digit. Their arithmetic is that of Python: a duration becomes whole
 * microseconds (half to even), samples are summed from left to right.
 */
#include <math.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/error.h"
#include "data/cycles.h"
#include "joulemap/joulemap.h"

#define NS_PER_US 1000
#define DURATION_MAX_MS 1e12

/*
 * ms in whole us, as Python's timedelta has it: whole and broken part are scaled
 * one by one, what is left is rounded, a half to even.
 */
static int64_t duration_us(double ms)
{
	int64_t whole_ms = (int64_t)ms;
	double us = (ms - (double)whole_ms) * 1000.0;
	int64_t whole_us = (int64_t)us;
	double rest = us - (double)whole_us;
	int64_t sum = whole_ms * 1000 + whole_us;

	if (rest > 0.5 || (rest == 0.5 && sum % 2 != 0))
		return sum + 1;
	if (rest < -0.5 || (rest == -0.5 && sum % 2 != 0))
		return sum - 1;
	return sum;
}

/*
 * Executions lie layer by layer, rows go cycle by cycle: a block of cycles is
 * turned round at a time, since as many streams of memory as there are layers
 * do not go well through a cache.
 */
enum { BLOCK_CYCLES = 32 };

struct block {
	const struct jm_timeline *timeline;
	struct jm_execution *executions; /* [BLOCK_CYCLES][n_layers] */
	size_t first;                    /* cycle */
};

static int block_init(
	struct block *block, const struct jm_timeline *timeline, struct jm_error *reterr)
{
	size_t capacity = 0, n = timeline->n_layers ? timeline->n_layers : 1;

	*block = (struct block){.timeline = timeline};
	if (n <= SIZE_MAX / BLOCK_CYCLES)
		block->executions = jm_array_grow(
			NULL, &capacity, n * BLOCK_CYCLES, sizeof(*block->executions));
	return block->executions ? 0 : jm_fail_memory(reterr, "a block of cycles");
}

static void block_load(struct block *block, size_t first)
{
	size_t n_layers = block->timeline->n_layers;

	block->first = first;
	for (size_t i = 0; i < n_layers; i++) {
		const struct jm_layer *layer = &block->timeline->layers[i];
		size_t n = layer->n_executions > first ? layer->n_executions - first : 0;

		for (size_t j = 0; j < n && j < BLOCK_CYCLES; j++)
			block->executions[j * n_layers + i] = layer->executions[first + j];
	}
}

/* Execution of a layer in a cycle of the block; NULL: none. */
static const struct jm_execution *block_get(
	const struct block *block, size_t cycle, size_t layer)
{
	if (cycle >= block->timeline->layers[layer].n_executions)
		return NULL;
	return &block->executions[(cycle - block->first) * block->timeline->n_layers + layer];
}

struct walk {
	const struct jm_rail *rail;
	const struct jm_timeline *timeline;
	double idle_power_uw;
	jm_cycle_power_fn *row;
	void *context;
	size_t next; /* sample */
};

static int64_t sample_ns(const struct walk *walk)
{
	return walk->rail->readings[walk->next].after_ns;
}

/* Sums the samples up to end_ns, from the next one on; those without a value
 * are passed over, as they are when a log is written. */
static double sum_up_to(struct walk *walk, int64_t end_ns, size_t *ret_samples)
{
	const struct jm_rail *rail = walk->rail;
	double sum = 0.0;

	*ret_samples = 0;
	for (; walk->next < rail->n_readings && sample_ns(walk) <= end_ns; walk->next++) {
		double power = jm_reading_power_uw(&rail->readings[walk->next], rail->quantity);

		if (isnan(power))
			continue;
		sum += power;
		++*ret_samples;
	}
	return sum;
}

/* ---- Later version --------------------------------------------------------- */

/* Hands out one row. Returns 1 to go on, 0 at the end of the log, or < 0. */
static int later_row(
	struct walk *walk, size_t cycle, size_t layer, const struct jm_execution *execution)
{
	int64_t begin_ns =
		execution->stamp_ns - duration_us(execution->duration_ms) * NS_PER_US;
	struct jm_cycle_power row = {.cycle = cycle,
		.layer = layer,
		.power_uw = (double)NAN,
		.dynamic_power_uw = (double)NAN,
		.duration_ms = execution->duration_ms};
	double sum;
	int result;

	while (walk->next < walk->rail->n_readings && sample_ns(walk) < begin_ns)
		walk->next++;
	sum = sum_up_to(walk, execution->stamp_ns, &row.n_samples);
	if (row.n_samples) {
		row.power_uw = sum / (double)row.n_samples;
		/* A power of zero counts as none here. */
		if (row.power_uw != 0.0)
			row.dynamic_power_uw = row.power_uw - walk->idle_power_uw;
	}
	result = walk->row(walk->context, &row);
	return result < 0 ? result : walk->next < walk->rail->n_readings;
}

static int walk_cycle(struct walk *walk, const struct block *block, size_t cycle)
{
	int more = 1;

	for (size_t i = 0; i < walk->timeline->n_layers && more > 0; i++) {
		const struct jm_execution *execution = block_get(block, cycle, i);

		if (execution)
			more = later_row(walk, cycle, i, execution);
	}
	return more;
}

/* The same for layers that run several times in a cycle, or in some only. */
static int walk_told_cycle(struct walk *walk, size_t cycle)
{
	int more = 1;

	for (size_t i = 0; i < walk->timeline->n_layers && more > 0; i++) {
		const struct jm_layer *layer = &walk->timeline->layers[i];
		size_t end = jm_cycle_begin(layer, cycle + 1);

		for (size_t j = jm_cycle_begin(layer, cycle); j < end && more > 0; j++)
			more = later_row(walk, cycle, i, &layer->executions[j]);
	}
	return more;
}

static int walk_told_cycles(struct walk *walk)
{
	size_t cycle = jm_timeline_next_cycle(walk->timeline, 0);
	int more = 1;

	for (; cycle != SIZE_MAX && more > 0;
		cycle = jm_timeline_next_cycle(walk->timeline, cycle + 1))
		more = walk_told_cycle(walk, cycle);
	return more < 0 ? more : 0;
}

static int walk_later(struct walk *walk, struct jm_error *reterr)
{
	size_t cycles = jm_timeline_cycles(walk->timeline);
	struct block block;
	int more = 1, result;

	if (jm_timeline_has_cycles(walk->timeline))
		return walk_told_cycles(walk);
	result = block_init(&block, walk->timeline, reterr);
	if (result < 0)
		return result;
	for (size_t cycle = 0; cycle < cycles && more > 0; cycle++) {
		if (cycle % BLOCK_CYCLES == 0)
			block_load(&block, cycle);
		more = walk_cycle(walk, &block, cycle);
	}
	free(block.executions);
	return more < 0 ? more : 0;
}

/* ---- First version --------------------------------------------------------- */

struct entry {
	int64_t begin_ns, end_ns;
	size_t index; /* of the execution */
	uint32_t cycle, layer;
};

static int compare_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->begin_ns != y->begin_ns)
		return x->begin_ns < y->begin_ns ? -1 : 1;
	if (x->cycle != y->cycle)
		return x->cycle < y->cycle ? -1 : 1;
	return (x->layer > y->layer) - (x->layer < y->layer);
}

/* Executions cycle by cycle, none beginning before its predecessor's end. */
static size_t lay_out(struct block *block, struct entry *entries)
{
	const struct jm_timeline *timeline = block->timeline;
	size_t cycles = jm_timeline_cycles(timeline), n = 0;

	for (size_t cycle = 0; cycle < cycles; cycle++) {
		const struct entry *previous = NULL;

		if (cycle % BLOCK_CYCLES == 0)
			block_load(block, cycle);

		for (size_t i = 0; i < timeline->n_layers; i++) {
			const struct jm_execution *execution = block_get(block, cycle, i);
			struct entry *entry = &entries[n];

			if (!execution)
				continue;
			*entry = (struct entry){
				execution->stamp_ns, 0, cycle, (uint32_t)cycle, (uint32_t)i};
			if (previous && entry->begin_ns < previous->end_ns)
				entry->begin_ns = previous->end_ns;
			entry->end_ns = entry->begin_ns +
					duration_us(execution->duration_ms) * NS_PER_US;
			previous = entry;
			n++;
		}
	}
	return n;
}

/* The same where layers have cycles of their own. */
static size_t lay_out_told(const struct jm_timeline *timeline, struct entry *entries)
{
	size_t n = 0, cycle = jm_timeline_next_cycle(timeline, 0);

	for (; cycle != SIZE_MAX; cycle = jm_timeline_next_cycle(timeline, cycle + 1)) {
		size_t first = n;

		for (size_t i = 0; i < timeline->n_layers; i++) {
			const struct jm_layer *layer = &timeline->layers[i];
			size_t end = jm_cycle_begin(layer, cycle + 1);
			size_t j = jm_cycle_begin(layer, cycle);

			for (; j < end; j++, n++) {
				struct entry *entry = &entries[n];

				*entry = (struct entry){layer->executions[j].stamp_ns, 0, j,
					(uint32_t)cycle, (uint32_t)i};
				if (n > first && entry->begin_ns < entry[-1].end_ns)
					entry->begin_ns = entry[-1].end_ns;
				entry->end_ns = entry->begin_ns +
						duration_us(layer->executions[j].duration_ms) *
							NS_PER_US;
			}
		}
	}
	return n;
}

static int is_sorted(const struct entry *entries, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (entries[i].begin_ns < entries[i - 1].begin_ns)
			return 0;
	return 1;
}

static int first_row(struct walk *walk, const struct entry *entry)
{
	const struct jm_layer *layer = &walk->timeline->layers[entry->layer];
	struct jm_cycle_power row = {.cycle = entry->cycle,
		.layer = entry->layer,
		.duration_ms = layer->executions[entry->index].duration_ms};
	double sum = sum_up_to(walk, entry->end_ns, &row.n_samples);

	row.power_uw = row.n_samples ? sum / (double)row.n_samples : 0.0;
	row.dynamic_power_uw = row.power_uw - walk->idle_power_uw;
	if (walk->next)
		walk->next--;
	return walk->row(walk->context, &row);
}

static int walk_entries(struct walk *walk, struct entry *entries, size_t n)
{
	int result = 0;

	if (!is_sorted(entries, n))
		qsort(entries, n, sizeof(*entries), compare_entries);
	for (size_t i = 0; i < n && result >= 0; i++)
		result = first_row(walk, &entries[i]);
	return result < 0 ? result : 0;
}

static int walk_first(struct walk *walk, size_t n_executions, struct jm_error *reterr)
{
	size_t capacity = 0;
	struct entry *entries;
	struct block block;
	size_t n;
	int result = block_init(&block, walk->timeline, reterr);

	if (result < 0)
		return result;
	entries = jm_array_grow(NULL, &capacity, n_executions, sizeof(*entries));
	if (entries) {
		n = jm_timeline_has_cycles(walk->timeline)
			    ? lay_out_told(walk->timeline, entries)
			    : lay_out(&block, entries);
		result = walk_entries(walk, entries, n);
	} else {
		result = jm_fail_memory(reterr, "the spans of all cycles");
	}
	free(entries);
	free(block.executions);
	return result;
}

/* ---- Both ------------------------------------------------------------------ */

static int check_durations(
	const struct jm_timeline *timeline, size_t *ret_executions, struct jm_error *reterr)
{
	*ret_executions = 0;
	for (size_t i = 0; i < timeline->n_layers; i++) {
		const struct jm_layer *layer = &timeline->layers[i];

		for (size_t j = 0; j < layer->n_executions; j++)
			if (!(fabs(layer->executions[j].duration_ms) <= DURATION_MAX_MS))
				return jm_fail(reterr, JM_EINVAL,
					"layer '%.100s' has no valid duration in cycle %zu",
					layer->name, j + 1);
		*ret_executions += layer->n_executions;
	}
	return 0;
}

int jm_attribute_window(const struct jm_rail *rail, const struct jm_timeline *timeline,
	enum jm_window_rules rules, double idle_power_uw, jm_cycle_power_fn *row, void *context,
	struct jm_error *reterr)
{
	struct walk walk = {rail, timeline, idle_power_uw, row, context, 0};
	size_t n_executions;
	int result = check_durations(timeline, &n_executions, reterr);

	if (result < 0)
		return result;
	if (rail->quantity == JM_QUANTITY_UJ)
		return jm_fail(reterr, JM_EINVAL,
			"rail '%s' counts energy; the window method needs power readings",
			rail->name);
	if (rules == JM_WINDOW_FIRST)
		return walk_first(&walk, n_executions, reterr);
	if (rules != JM_WINDOW_LATER)
		return jm_fail(reterr, JM_EINVAL, "unknown rules of the window method");
	if (!rail->n_readings)
		return jm_fail(reterr, JM_EINVAL, "rail '%s' has no readings", rail->name);
	return walk_later(&walk, reterr);
}
