/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "formats/engine_info_file.h"
#include "formats/json_text.h"

/*
 * jansson's *_new functions accept and pass on NULL, so that one check of the
 * finished object finds every lack of memory: `lost` says so.
 */
struct build {
	int lost;
};

static void set(struct build *build, json_t *object, const char *key, json_t *value)
{
	build->lost |= json_object_set_new(object, key, value) != 0;
}

static void append(struct build *build, json_t *array, json_t *value)
{
	build->lost |= json_array_append_new(array, value) != 0;
}

/* Names of models are not always UTF-8; JSON must be. */
static json_t *text_of(const char *text)
{
	json_t *value;
	char *copy;

	if (!text || jm_json_is_utf8(text))
		return json_string(text ? text : "");
	copy = jm_text_duplicate(text);
	if (!copy)
		return NULL;
	for (char *c = copy; *c; c++)
		if ((unsigned char)*c > 126)
			*c = '?';
	value = json_string(copy);
	free(copy);
	return value;
}

static json_t *integers(struct build *build, const int64_t *values, size_t n)
{
	json_t *array = json_array();

	for (size_t i = 0; i < n; i++)
		append(build, array, json_integer(values[i]));
	return array;
}

/* Two or four entries, whatever there is. */
static json_t *two_or_four(struct build *build, const int64_t *values, size_t n, int64_t filler)
{
	int64_t entries[4] = {filler, filler, filler, filler};
	size_t kept = n < 4 ? n : 4;

	for (size_t i = 0; i < kept; i++)
		entries[i] = values[i];
	return integers(build, entries, n <= 2 ? 2 : 4);
}

/* Size of a tensor's last dimensions together; -1 when one is not known. */
static int64_t folded(const int64_t *dims, size_t n)
{
	int64_t size = 1;

	for (size_t i = 0; i < n; i++)
		if (dims[i] < 0 || __builtin_mul_overflow(size, dims[i], &size))
			return -1;
	return size;
}

static json_t *dimensions(struct build *build, const struct jm_tensor *tensor)
{
	int64_t dims[JM_DIMS_MAX] = {1};
	size_t n = tensor->n_dims;

	memcpy(dims, tensor->dims, n * sizeof(*dims));
	if (n == 1) { /* a batch of one */
		dims[1] = dims[0];
		dims[0] = 1;
		n = 2;
	}
	if (n > 4)
		dims[3] = folded(dims + 3, n - 3);
	return two_or_four(build, dims, n, 1);
}

static json_t *tensor_of(struct build *build, const struct jm_tensor *tensor)
{
	json_t *object = json_object();

	set(build, object, "Name", text_of(tensor->name));
	set(build, object, "Location", json_string("Host"));
	set(build, object, "Dimensions", dimensions(build, tensor));
	if (tensor->n_dims != 2 && tensor->n_dims != 4)
		set(build, object, "Shape", integers(build, tensor->dims, tensor->n_dims));
	set(build, object, "Format/Datatype", text_of(tensor->dtype));
	return object;
}

static json_t *tensors_of(struct build *build, const struct jm_tensor *tensors, size_t n)
{
	json_t *array = json_array();

	for (size_t i = 0; i < n; i++)
		append(build, array, tensor_of(build, &tensors[i]));
	return array;
}

static int is_pool(const struct jm_graph_layer *layer)
{
	return layer->type && strstr(layer->type, "Pool") != NULL;
}

static void set_window(struct build *build, json_t *object, const struct jm_graph_layer *layer)
{
	const struct jm_window_attributes *window = &layer->window;
	size_t n = window->n_spatial;

	if (!n || n > 3)
		return;
	set(build, object, "ParameterType",
		json_string(is_pool(layer) ? "Pooling" : "Convolution"));
	set(build, object, is_pool(layer) ? "WindowSize" : "Kernel",
		two_or_four(build, window->kernel, n, 1));
	set(build, object, "PrePadding", two_or_four(build, window->pad_begin, n, 0));
	set(build, object, "PostPadding", two_or_four(build, window->pad_end, n, 0));
	set(build, object, "Stride", two_or_four(build, window->stride, n, 1));
	set(build, object, "Dilation", two_or_four(build, window->dilation, n, 1));
	if (!is_pool(layer))
		set(build, object, "Groups", json_integer(window->groups));
}

static void set_number(struct build *build, json_t *object, const char *key, double value)
{
	if (!isfinite(value))
		return;
	set(build, object, key,
		value == trunc(value) && fabs(value) < 9e15 ? json_integer((json_int_t)value)
							    : json_real(value));
}

static json_t *layer_of(struct build *build, const struct jm_graph_layer *layer)
{
	json_t *object = json_object();

	set(build, object, "Name", text_of(layer->name));
	set(build, object, "LayerType", text_of(layer->type ? layer->type : "Unknown"));
	set(build, object, "Inputs", tensors_of(build, layer->inputs, layer->n_inputs));
	set(build, object, "Outputs", tensors_of(build, layer->outputs, layer->n_outputs));
	set_window(build, object, layer);
	set_number(build, object, "MACs", layer->macs);
	set_number(build, object, "Parameters", layer->parameters);
	set_number(build, object, "BytesMoved", layer->bytes);
	return object;
}

static json_t *graph_of(struct build *build, const struct jm_graph *graph)
{
	json_t *root = json_object(), *layers = json_array(), *bindings = json_array();

	for (size_t i = 0; i < graph->n_layers; i++)
		append(build, layers, layer_of(build, &graph->layers[i]));
	for (size_t i = 0; i < graph->n_inputs; i++)
		append(build, bindings, text_of(graph->inputs[i].name));
	for (size_t i = 0; i < graph->n_outputs; i++)
		append(build, bindings, text_of(graph->outputs[i].name));
	set(build, root, "Layers", layers);
	set(build, root, "Bindings", bindings);
	return root;
}

char *jm_engine_info_format(const struct jm_graph *graph, struct jm_error *reterr)
{
	struct build build = {0};
	json_t *root = graph_of(&build, graph);
	char *text = build.lost ? NULL : jm_json_dump(root, JSON_INDENT(4));

	json_decref(root);
	if (!text)
		jm_fail_memory(reterr, "the description of a network");
	return text;
}

int jm_engine_info_write(
	const char *path, const struct jm_graph *graph, struct jm_error *reterr)
{
	char *text = jm_engine_info_format(graph, reterr);
	int result;

	if (!text)
		return JM_ENOMEM;
	result = jm_file_write(path, text, strlen(text), reterr);
	free(text);
	return result;
}
