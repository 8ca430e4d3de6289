/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/error.h"
#include "base/text.h"
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

int jm_timeline_append(struct jm_timeline *timeline, size_t layer_index,
	struct jm_execution execution, struct jm_error *reterr)
{
	struct jm_execution *executions;
	struct jm_layer *layer;

	if (layer_index >= timeline->n_layers)
		return jm_fail(reterr, JM_EINVAL, "layer %zu of a timeline with %zu layers",
			layer_index, timeline->n_layers);
	layer = &timeline->layers[layer_index];
	if (layer->n_executions == layer->capacity) {
		executions = jm_array_grow(layer->executions, &layer->capacity,
			layer->n_executions + 1, sizeof(*executions));
		if (!executions)
			return jm_fail_memory(reterr, "the executions of a layer");
		layer->executions = executions;
	}
	layer->executions[layer->n_executions++] = execution;
	return 0;
}

size_t jm_timeline_cycles(const struct jm_timeline *timeline)
{
	size_t cycles = 0;

	for (size_t i = 0; i < timeline->n_layers; i++)
		if (timeline->layers[i].n_executions > cycles)
			cycles = timeline->layers[i].n_executions;
	return cycles;
}
