/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/engine_info_file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "data/name_index.h"
#include "formats/engine_info_scan.h"

#define ENGINE_INFO_MAX ((size_t)1 << 28)

static void fill_numbers(struct jm_layer *layer, const struct jm_engine_info_layer *info)
{
	if (!isnan(info->macs))
		layer->macs = info->macs;
	if (!isnan(info->parameters))
		layer->parameters = info->parameters;
	if (!isnan(info->bytes))
		layer->bytes = info->bytes;
}

static int fill_layer(struct jm_layer *layer, const struct jm_engine_info_layer *info,
	struct jm_error *reterr)
{
	char *type;

	fill_numbers(layer, info);
	if (!info->type)
		return 0;
	type = jm_text_duplicate(info->type);
	if (!type)
		return jm_fail_memory(reterr, "the type of a layer");
	free(layer->type);
	layer->type = type;
	return 0;
}

/* The layers that get what is found. */
struct filling {
	struct jm_timeline *timeline;
	struct jm_name_index index;
	char *known; /* [n_layers]: 1 where it was found */
};

/* Several names may have the same text: only objects' keys are unique. */
static int fill(
	void *context, const struct jm_engine_info_layer *layer, struct jm_error *reterr)
{
	struct filling *filling = context;
	long found = layer->name ? jm_name_index_find(&filling->index, layer->name) : -1;

	if (found < 0)
		return 0;
	filling->known[found] = 1;
	return fill_layer(&filling->timeline->layers[found], layer, reterr);
}

int jm_engine_info_apply(const char *name, const char *text, size_t size,
	struct jm_timeline *timeline, size_t *ret_unknown, struct jm_error *reterr)
{
	struct filling filling = {.timeline = timeline};
	int result = jm_name_index_init(&filling.index, timeline, reterr);

	if (result < 0)
		return result;
	filling.known = calloc(timeline->n_layers + 1, 1);
	result = filling.known ? jm_engine_info_scan(name, text, size, fill, &filling, reterr)
			       : jm_fail_memory(reterr, "the types of layers");
	if (filling.known && ret_unknown) {
		*ret_unknown = 0;
		for (size_t i = 0; i < timeline->n_layers; i++)
			*ret_unknown += !filling.known[i];
	}
	free(filling.known);
	jm_name_index_release(&filling.index);
	return result;
}

int jm_engine_info_read(const char *path, struct jm_timeline *timeline, size_t *ret_unknown,
	struct jm_error *reterr)
{
	char *text;
	size_t size;
	int result = jm_file_read(path, ENGINE_INFO_MAX, &text, &size, reterr);

	if (ret_unknown)
		*ret_unknown = timeline->n_layers;
	if (result < 0)
		return result;
	result = jm_engine_info_apply(path, text, size, timeline, ret_unknown, reterr);
	free(text);
	return result;
}

/* Where layers are made of what is found. */
struct adding {
	const char *name;
	struct jm_timeline *timeline;
	size_t n;
};

static int add_layer(
	void *context, const struct jm_engine_info_layer *layer, struct jm_error *reterr)
{
	struct adding *adding = context;
	int index;

	adding->n++;
	if (!layer->name)
		return jm_fail(reterr, JM_EFORMAT, "'%s': layer %zu has no \"Name\"",
			adding->name, adding->n);
	index = jm_timeline_add_layer(adding->timeline, layer->name, layer->type, reterr);
	if (index >= 0)
		fill_numbers(&adding->timeline->layers[index], layer);
	return index < 0 ? index : 0;
}

int jm_engine_info_add_layers(const char *name, const char *text, size_t size,
	struct jm_timeline *timeline, struct jm_error *reterr)
{
	struct adding adding = {name, timeline, 0};

	return jm_engine_info_scan(name, text, size, add_layer, &adding, reterr);
}
