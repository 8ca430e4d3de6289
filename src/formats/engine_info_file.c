/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/engine_info_file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "data/name_index.h"

#define ENGINE_INFO_MAX ((size_t)1 << 28)

struct info {
	const char *name; /* NULL: not a layer */
	const char *type; /* NULL: not known */
	double macs, parameters, bytes;
};

static struct info info_of(const json_t *layer)
{
	struct info info = {NULL, NULL, (double)NAN, (double)NAN, (double)NAN};

	if (json_is_string(layer))
		info.name = json_string_value(layer);
	if (!json_is_object(layer))
		return info;
	info.name = json_string_value(json_object_get(layer, "Name"));
	info.type = json_string_value(json_object_get(layer, "LayerType"));
	info.macs = jm_json_get_number(layer, "MACs");
	info.parameters = jm_json_get_number(layer, "Parameters");
	info.bytes = jm_json_get_number(layer, "BytesMoved");
	return info;
}

static void fill_numbers(struct jm_layer *layer, const struct info *info)
{
	if (!isnan(info->macs))
		layer->macs = info->macs;
	if (!isnan(info->parameters))
		layer->parameters = info->parameters;
	if (!isnan(info->bytes))
		layer->bytes = info->bytes;
}

static int fill_layer(struct jm_layer *layer, const struct info *info, struct jm_error *reterr)
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

/* Array of layers in a parsed text, borrowed from *ret_root. */
static int parse(const char *name, const char *text, size_t size, json_t **ret_root,
	const json_t **ret_layers, struct jm_error *reterr)
{
	json_error_t problem;

	/* Several names may have the same text: only objects' keys are unique. */
	*ret_root = json_loadb(text, size, 0, &problem);
	if (!*ret_root)
		return jm_fail(reterr, JM_EFORMAT,
			"'%s' line %d: %s; give a trt_engine_info.json", name, problem.line,
			problem.text);
	*ret_layers = json_object_get(*ret_root, "Layers");
	if (json_is_array(*ret_layers))
		return 0;
	json_decref(*ret_root);
	return jm_fail(reterr, JM_EFORMAT,
		"'%s' has no array \"Layers\": give a trt_engine_info.json", name);
}

/* Fills the layers found; `known` counts how often each was. */
static int apply_layers(const json_t *layers, struct jm_timeline *timeline, char *known,
	struct jm_error *reterr)
{
	struct jm_name_index index;
	int result = jm_name_index_init(&index, timeline, reterr);

	if (result < 0)
		return result;
	for (size_t i = 0; i < json_array_size(layers) && result == 0; i++) {
		struct info info = info_of(json_array_get(layers, i));
		long found = info.name ? jm_name_index_find(&index, info.name) : -1;

		if (found < 0)
			continue;
		known[found] = 1;
		result = fill_layer(&timeline->layers[found], &info, reterr);
	}
	jm_name_index_release(&index);
	return result;
}

int jm_engine_info_apply(const char *name, const char *text, size_t size,
	struct jm_timeline *timeline, size_t *ret_unknown, struct jm_error *reterr)
{
	const json_t *layers;
	json_t *root;
	char *known;
	int result = parse(name, text, size, &root, &layers, reterr);

	if (result < 0)
		return result;
	known = calloc(timeline->n_layers + 1, 1);
	result = known ? apply_layers(layers, timeline, known, reterr)
		       : jm_fail_memory(reterr, "the types of layers");
	if (result == 0 && ret_unknown) {
		*ret_unknown = 0;
		for (size_t i = 0; i < timeline->n_layers; i++)
			*ret_unknown += !known[i];
	}
	free(known);
	json_decref(root);
	return result;
}

int jm_engine_info_read(const char *path, struct jm_timeline *timeline, size_t *ret_unknown,
	struct jm_error *reterr)
{
	char *text;
	size_t size;
	int result = jm_file_read(path, ENGINE_INFO_MAX, &text, &size, reterr);

	if (result < 0)
		return result;
	result = jm_engine_info_apply(path, text, size, timeline, ret_unknown, reterr);
	free(text);
	return result;
}

static int add_layer(struct jm_timeline *timeline, const char *name, const json_t *layer,
	size_t number, struct jm_error *reterr)
{
	struct info info = info_of(layer);
	int index;

	if (!info.name)
		return jm_fail(
			reterr, JM_EFORMAT, "'%s': layer %zu has no \"Name\"", name, number);
	index = jm_timeline_add_layer(timeline, info.name, info.type, reterr);
	if (index >= 0)
		fill_numbers(&timeline->layers[index], &info);
	return index < 0 ? index : 0;
}

int jm_engine_info_add_layers(const char *name, const char *text, size_t size,
	struct jm_timeline *timeline, struct jm_error *reterr)
{
	const json_t *layers;
	json_t *root;
	int result = parse(name, text, size, &root, &layers, reterr);

	if (result < 0)
		return result;
	for (size_t i = 0; i < json_array_size(layers) && result == 0; i++)
		result = add_layer(timeline, name, json_array_get(layers, i), i + 1, reterr);
	json_decref(root);
	return result;
}
