/* SPDX-License-Identifier: Apache-2.0 */
#include "data/inferences_build.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/error.h"
#include "data/places.h"

/* Room for " (12)" and '\0'. */
#define ORDINAL_MAX 32

/* Entries of the file get the inference that they are of. */
static int set_cycles(struct jm_timeline *timeline, const struct jm_entries *entries,
	const unsigned char *begin)
{
	uint32_t cycle = 0;

	for (size_t i = 0; i < timeline->n_layers; i++) {
		struct jm_layer *layer = &timeline->layers[i];

		layer->cycles = calloc(layer->capacity + 1, sizeof(*layer->cycles));
		if (!layer->cycles)
			return JM_ENOMEM;
	}
	for (size_t i = 0; i < entries->n; i++) {
		const struct jm_entry *entry = &entries->entry[i];

		cycle += i && begin[i];
		timeline->layers[entry->layer].cycles[entry->index] = cycle;
	}
	return 0;
}

static int add_layer(struct jm_inferences *ret, const struct jm_timeline *as_read,
	const struct jm_place *place, struct jm_error *reterr)
{
	const struct jm_layer *from = &as_read->layers[place->layer];
	struct jm_layer *own;
	size_t room = strlen(from->name) + ORDINAL_MAX;
	char *name = malloc(room);
	int result;

	if (!name)
		return jm_fail_memory(reterr, "the name of a layer");
	if (place->ordinal)
		snprintf(name, room, "%s (%lu)", from->name, (unsigned long)place->ordinal + 1);
	else
		snprintf(name, room, "%s", from->name);
	result = jm_timeline_add_layer(&ret->timeline, name, from->type, reterr);
	free(name);
	if (result < 0)
		return result;
	own = &ret->timeline.layers[result];
	own->macs = from->macs;
	own->parameters = from->parameters;
	own->bytes = from->bytes;
	ret->origin[result] = place->layer;
	return 0;
}

/* The n-th execution is of the n-th inference: that need not be written down. */
static void forget_plain(struct jm_timeline *timeline)
{
	for (size_t k = 0; k < timeline->n_layers; k++) {
		struct jm_layer *layer = &timeline->layers[k];
		size_t i = 0;

		while (i < layer->n_executions && layer->cycles[i] == i)
			i++;
		if (i < layer->n_executions)
			continue;
		free(layer->cycles);
		layer->cycles = NULL;
	}
}

static int fill(struct jm_inferences *ret, const struct jm_timeline *as_read,
	const struct jm_entries *entries, const unsigned char *begin,
	const struct jm_places *places, struct jm_error *reterr)
{
	uint32_t cycle = 0;
	int result = 0;

	for (size_t k = 0; k < places->n && result == 0; k++)
		result = add_layer(ret, as_read, &places->place[k], reterr);
	for (size_t k = 0; k < places->n && result == 0; k++) { /* told one by one below */
		struct jm_layer *layer = &ret->timeline.layers[k];
		size_t n = places->place[k].n;

		layer->executions = calloc(n + 1, sizeof(*layer->executions));
		layer->cycles = calloc(n + 1, sizeof(*layer->cycles));
		layer->capacity = n;
		if (!layer->executions || !layer->cycles)
			result = jm_fail_memory(reterr, "the executions of a layer");
	}
	for (size_t i = 0; i < entries->n && result == 0; i++) {
		const struct jm_entry *entry = &entries->entry[i];
		struct jm_layer *layer = &ret->timeline.layers[places->of[i]];

		cycle += i && begin[i];
		layer->cycles[layer->n_executions] = cycle;
		layer->executions[layer->n_executions++] =
			as_read->layers[entry->layer].executions[entry->index];
	}
	if (result == 0)
		forget_plain(&ret->timeline);
	return result;
}

/* How often layers run, for whoever reads the notes. */
static void count_runs(struct jm_inferences *ret, const struct jm_timeline *as_read)
{
	size_t most = 0;

	for (size_t i = 0; i < as_read->n_layers; i++) {
		const struct jm_layer *layer = &as_read->layers[i];
		size_t cycles = 0, several = 0;

		for (size_t j = 0; j < layer->n_executions; j++) {
			int again = j && layer->cycles[j] == layer->cycles[j - 1];

			cycles += !again;
			several += (size_t)again;
		}
		ret->n_repeated += several > 0;
		ret->n_optional += cycles < ret->n_cycles;
		if (several > most) {
			most = several;
			ret->repeated = i;
		}
	}
}

int jm_inferences_build(struct jm_inferences *ret, struct jm_timeline *as_read,
	const struct jm_entries *entries, const uint32_t *layers, const unsigned char *begin,
	struct jm_error *reterr)
{
	struct jm_places places;
	size_t capacity = 0;
	int result = jm_places_find(&places, layers, begin, entries->n, as_read->n_layers);

	if (result == 0)
		result = set_cycles(as_read, entries, begin);
	if (result == 0) {
		ret->origin =
			jm_array_grow(NULL, &capacity, places.n + 1, sizeof(*ret->origin));
		result = ret->origin ? 0 : JM_ENOMEM;
	}
	if (result < 0)
		jm_fail_memory(reterr, "the inferences of the run");
	else
		result = fill(ret, as_read, entries, begin, &places, reterr);
	if (result == 0) {
		for (size_t i = 0; i < entries->n; i++)
			ret->n_cycles += begin[i];
		count_runs(ret, as_read);
	}
	jm_places_release(&places);
	return result;
}
