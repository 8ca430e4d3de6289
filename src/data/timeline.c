/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/error.h"
#include "base/text.h"
#include "data/cycles.h"
#include "joulemap/joulemap.h"

void jm_timeline_init(struct jm_timeline *timeline)
{
	memset(timeline, 0, sizeof(*timeline));
	timeline->stamp = JM_STAMP_END;
}

void jm_timeline_release(struct jm_timeline *timeline)
{
	for (size_t i = 0; i < timeline->n_layers; i++) {
		free(timeline->layers[i].name);
		free(timeline->layers[i].type);
		free(timeline->layers[i].executions);
		free(timeline->layers[i].cycles);
		free(timeline->layers[i].lanes);
	}
	free(timeline->layers);
	jm_timeline_init(timeline);
}

int jm_timeline_add_layer(struct jm_timeline *timeline, const char *name, const char *type,
	struct jm_error *reterr)
{
	struct jm_layer *layer;

	if (timeline->n_layers >= INT_MAX)
		return jm_fail(
			reterr, JM_EINVAL, "a timeline holds at most %d layers", INT_MAX);
	layer = jm_array_grow(
		timeline->layers, &timeline->capacity, timeline->n_layers + 1, sizeof(*layer));
	if (!layer)
		return jm_fail_memory(reterr, "a layer of the timeline");
	timeline->layers = layer;
	layer += timeline->n_layers;
	memset(layer, 0, sizeof(*layer));
	layer->name = jm_text_duplicate(name);
	layer->type = jm_text_duplicate(type ? type : "Unknown");
	if (!layer->name || !layer->type) {
		free(layer->name);
		free(layer->type);
		return jm_fail_memory(reterr, "a layer of the timeline");
	}
	layer->macs = layer->parameters = layer->bytes = (double)NAN;
	return (int)timeline->n_layers++;
}

/* ---- Executions ------------------------------------------------------------- */

/* realloc() of an array that may not be there, and is left out then. */
static int grow_optional(void **array, size_t capacity, size_t size)
{
	void *larger;

	if (!*array)
		return 1;
	larger = realloc(*array, capacity * size); /* less than the executions take */
	if (larger)
		*array = larger;
	return larger != NULL;
}

/* Room for one more execution; what has grown already is no harm on failure. */
static int make_room(struct jm_layer *layer, struct jm_error *reterr)
{
	size_t capacity = layer->capacity;
	void *executions, *cycles = layer->cycles, *lanes = layer->lanes;
	int grown;

	if (layer->n_executions < capacity)
		return 0;
	executions = jm_array_grow(layer->executions, &capacity, layer->n_executions + 1,
		sizeof(*layer->executions));
	if (!executions)
		return jm_fail_memory(reterr, "the executions of a layer");
	layer->executions = executions;
	grown = grow_optional(&cycles, capacity, sizeof(*layer->cycles)) &&
		grow_optional(&lanes, capacity, sizeof(*layer->lanes));
	layer->cycles = cycles;
	layer->lanes = lanes;
	if (!grown)
		return jm_fail_memory(reterr, "the executions of a layer");
	layer->capacity = capacity;
	return 0;
}

static size_t next_cycle(const struct jm_layer *layer)
{
	size_t n = layer->n_executions;

	return layer->cycles && n ? (size_t)layer->cycles[n - 1] + 1 : n;
}

/* Writes down what was clear by itself until now. */
static int make_irregular(
	struct jm_layer *layer, int has_cycles, int has_lanes, struct jm_error *reterr)
{
	if (has_cycles && !layer->cycles) {
		layer->cycles = malloc(layer->capacity * sizeof(*layer->cycles));
		if (!layer->cycles)
			return jm_fail_memory(reterr, "the cycles of a layer");
		for (size_t i = 0; i < layer->n_executions; i++)
			layer->cycles[i] = (uint32_t)i;
	}
	if (has_lanes && !layer->lanes) {
		layer->lanes = calloc(layer->capacity, sizeof(*layer->lanes));
		if (!layer->lanes)
			return jm_fail_memory(reterr, "the lanes of a layer");
	}
	return 0;
}

/* Puts an execution in its place, for which there is room. */
static void insert(
	struct jm_layer *layer, size_t cycle, unsigned lane, struct jm_execution execution)
{
	size_t at = jm_layer_first_execution(layer, cycle + 1);
	size_t behind = layer->n_executions++ - at;

	memmove(&layer->executions[at + 1], &layer->executions[at],
		behind * sizeof(*layer->executions));
	layer->executions[at] = execution;
	if (layer->cycles) {
		memmove(&layer->cycles[at + 1], &layer->cycles[at],
			behind * sizeof(*layer->cycles));
		layer->cycles[at] = (uint32_t)cycle;
	}
	if (layer->lanes) {
		memmove(&layer->lanes[at + 1], &layer->lanes[at],
			behind * sizeof(*layer->lanes));
		layer->lanes[at] = (uint16_t)lane;
	}
}

static int check_layer(
	const struct jm_timeline *timeline, size_t layer, struct jm_error *reterr)
{
	if (layer < timeline->n_layers)
		return 0;
	return jm_fail(reterr, JM_EINVAL, "layer %zu of a timeline with %zu layers", layer,
		timeline->n_layers);
}

int jm_timeline_append(struct jm_timeline *timeline, size_t layer_index,
	struct jm_execution execution, struct jm_error *reterr)
{
	struct jm_layer *layer;
	int result = check_layer(timeline, layer_index, reterr);

	if (result < 0)
		return result;
	layer = &timeline->layers[layer_index];
	result = make_room(layer, reterr);
	if (result < 0)
		return result;
	if (layer->cycles && next_cycle(layer) >= UINT32_MAX)
		return jm_fail(reterr, JM_EINVAL, "a timeline holds at most %lu cycles",
			(unsigned long)UINT32_MAX);
	if (layer->cycles)
		layer->cycles[layer->n_executions] = (uint32_t)next_cycle(layer);
	if (layer->lanes)
		layer->lanes[layer->n_executions] = 0;
	layer->executions[layer->n_executions++] = execution;
	return 0;
}

static int check_span(const struct jm_timeline *timeline, size_t layer, size_t cycle,
	unsigned lane, int64_t begin_ns, int64_t end_ns, struct jm_error *reterr)
{
	if (cycle >= UINT32_MAX || lane >= JM_LANES_MAX)
		return jm_fail(reterr, JM_EINVAL,
			"a span of cycle %zu and lane %u: at most %lu and %u can be kept",
			cycle, lane, (unsigned long)UINT32_MAX - 1, JM_LANES_MAX - 1);
	if (begin_ns > end_ns || (begin_ns < 0 && end_ns > INT64_MAX + begin_ns))
		return jm_fail(reterr, JM_EINVAL, "a span cannot last from %lld to %lld ns",
			(long long)begin_ns, (long long)end_ns);
	if (timeline->stamp == JM_STAMP_CALLBACK)
		return jm_fail(reterr, JM_EINVAL, "a timeline of callbacks takes no spans");
	return check_layer(timeline, layer, reterr);
}

int jm_timeline_append_span(struct jm_timeline *timeline, size_t layer_index, size_t cycle,
	unsigned lane, int64_t begin_ns, int64_t end_ns, struct jm_error *reterr)
{
	struct jm_execution execution = {
		timeline->stamp == JM_STAMP_BEGIN ? begin_ns : end_ns, 0};
	struct jm_layer *layer;
	int result = check_span(timeline, layer_index, cycle, lane, begin_ns, end_ns, reterr);

	if (result < 0)
		return result;
	execution.duration_ms = (double)(end_ns - begin_ns) * 1e-6;
	layer = &timeline->layers[layer_index];
	result = make_room(layer, reterr);
	if (result == 0)
		result = make_irregular(layer, cycle != next_cycle(layer), lane != 0, reterr);
	if (result == 0)
		insert(layer, cycle, lane, execution);
	return result;
}

/* ---- Cycles ------------------------------------------------------------------ */

size_t jm_execution_cycle(const struct jm_layer *layer, size_t i)
{
	return layer->cycles ? layer->cycles[i] : i;
}

unsigned jm_execution_lane(const struct jm_layer *layer, size_t i)
{
	return layer->lanes ? layer->lanes[i] : 0;
}

size_t jm_layer_first_execution(const struct jm_layer *layer, size_t cycle)
{
	size_t low = 0, high = layer->n_executions;

	if (!layer->cycles)
		return cycle < high ? cycle : high;
	if (high && layer->cycles[high - 1] < cycle) /* as it is while spans come in */
		return high;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (layer->cycles[middle] < cycle)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

size_t jm_timeline_cycles(const struct jm_timeline *timeline)
{
	size_t cycles = 0;

	for (size_t i = 0; i < timeline->n_layers; i++)
		if (next_cycle(&timeline->layers[i]) > cycles)
			cycles = next_cycle(&timeline->layers[i]);
	return cycles;
}

size_t jm_timeline_next_cycle(const struct jm_timeline *timeline, size_t cycle)
{
	size_t next = SIZE_MAX;

	for (size_t i = 0; i < timeline->n_layers && next != cycle; i++) {
		const struct jm_layer *layer = &timeline->layers[i];
		size_t at = jm_layer_first_execution(layer, cycle);

		if (at < layer->n_executions && jm_execution_cycle(layer, at) < next)
			next = jm_execution_cycle(layer, at);
	}
	return next;
}

int jm_timeline_has_cycles(const struct jm_timeline *timeline)
{
	for (size_t i = 0; i < timeline->n_layers; i++)
		if (timeline->layers[i].cycles)
			return 1;
	return 0;
}

int jm_timeline_has_lanes(const struct jm_timeline *timeline)
{
	for (size_t i = 0; i < timeline->n_layers; i++)
		if (timeline->layers[i].lanes)
			return 1;
	return 0;
}

void jm_timeline_shift(struct jm_timeline *timeline, int64_t shift_ns)
{
	for (size_t i = 0; i < timeline->n_layers; i++)
		for (size_t j = 0; j < timeline->layers[i].n_executions; j++)
			timeline->layers[i].executions[j].stamp_ns += shift_ns;
}
