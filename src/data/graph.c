/* SPDX-License-Identifier: Apache-2.0 */
#include "data/graph.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

void jm_tensor_release(struct jm_tensor *tensor)
{
	free(tensor->name);
	memset(tensor, 0, sizeof(*tensor));
}

void jm_tensors_free(struct jm_tensor *tensors, size_t n)
{
	for (size_t i = 0; tensors && i < n; i++)
		jm_tensor_release(&tensors[i]);
	free(tensors);
}

void jm_graph_layer_release(struct jm_graph_layer *layer)
{
	free(layer->name);
	free(layer->type);
	jm_tensors_free(layer->inputs, layer->n_inputs);
	jm_tensors_free(layer->outputs, layer->n_outputs);
	memset(layer, 0, sizeof(*layer));
}

void jm_graph_release(struct jm_graph *graph)
{
	for (size_t i = 0; graph->layers && i < graph->n_layers; i++)
		jm_graph_layer_release(&graph->layers[i]);
	free(graph->layers);
	jm_tensors_free(graph->inputs, graph->n_inputs);
	jm_tensors_free(graph->outputs, graph->n_outputs);
	memset(graph, 0, sizeof(*graph));
}

int jm_tensor_copy(struct jm_tensor *ret_tensor, const struct jm_tensor *tensor)
{
	*ret_tensor = *tensor;
	ret_tensor->name = jm_text_duplicate(tensor->name ? tensor->name : "");
	return ret_tensor->name ? 0 : JM_ENOMEM;
}

int jm_tensors_copy(struct jm_tensor **ret_tensors, size_t *ret_n,
	const struct jm_tensor *tensors, size_t n)
{
	*ret_n = 0;
	*ret_tensors = calloc(n + 1, sizeof(**ret_tensors));
	for (size_t i = 0; *ret_tensors && i < n; i++) {
		if (jm_tensor_copy(&(*ret_tensors)[i], &tensors[i]) < 0)
			return JM_ENOMEM;
		*ret_n = i + 1;
	}
	return *ret_tensors ? 0 : JM_ENOMEM;
}

double jm_tensor_elements(const struct jm_tensor *tensor)
{
	double n = 1;

	for (size_t i = 0; i < tensor->n_dims; i++)
		n = tensor->dims[i] < 0 ? (double)NAN : n * (double)tensor->dims[i];
	return n;
}

/* ---- Unique names ------------------------------------------------------------ */

struct named {
	const char *name;
	size_t layer;
};

static int by_name(const void *a, const void *b)
{
	const struct named *left = a, *right = b;
	int order = strcmp(left->name, right->name);

	if (order)
		return order;
	return left->layer < right->layer ? -1 : left->layer > right->layer;
}

/* 1 if a layer is called so; `sorted` has the names before any change. */
static int is_taken(const struct named *sorted, size_t n, const char *name)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(sorted[middle].name, name);

		if (order == 0)
			return 1;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return 0;
}

/* Names for the 2nd, 3rd ... of the `count` layers at `first`, which share one. */
static int number_them(struct jm_graph *graph, const struct named *sorted, size_t first,
	size_t count, char **fresh)
{
	const char *name = sorted[first].name;
	size_t room = strlen(name) + 24, number = 2;

	for (size_t i = 1; i < count; i++) {
		char *text = malloc(room);

		if (!text)
			return JM_ENOMEM;
		do
			snprintf(text, room, "%s#%zu", name, number++);
		while (is_taken(sorted, graph->n_layers, text));
		fresh[sorted[first + i].layer] = text;
	}
	return 0;
}

static int rename_repeated(struct jm_graph *graph, struct named *sorted, char **fresh)
{
	size_t n = graph->n_layers, count;
	int result = 0;

	for (size_t i = 0; i < n; i++)
		sorted[i] = (struct named){graph->layers[i].name, i};
	qsort(sorted, n, sizeof(*sorted), by_name);
	for (size_t i = 0; i < n && result == 0; i += count) {
		for (count = 1; i + count < n; count++)
			if (strcmp(sorted[i].name, sorted[i + count].name) != 0)
				break;
		result = number_them(graph, sorted, i, count, fresh);
	}
	/* `sorted` borrows the old names: they go only now. */
	for (size_t i = 0; i < n; i++) {
		if (!fresh[i])
			continue;
		free(graph->layers[i].name);
		graph->layers[i].name = fresh[i];
	}
	return result;
}

int jm_graph_make_names_unique(struct jm_graph *graph, struct jm_error *reterr)
{
	size_t n = graph->n_layers;
	struct named *sorted = calloc(n ? n : 1, sizeof(*sorted));
	char **fresh = calloc(n ? n : 1, sizeof(*fresh));
	int result = sorted && fresh ? 0 : JM_ENOMEM;

	for (size_t i = 0; i < n && result == 0; i++) {
		struct jm_graph_layer *layer = &graph->layers[i];

		if (layer->name && *layer->name)
			continue;
		free(layer->name);
		layer->name = jm_text_duplicate(layer->type);
		result = layer->name ? 0 : JM_ENOMEM;
	}
	if (result == 0)
		result = rename_repeated(graph, sorted, fresh);
	free(sorted);
	free(fresh);
	return result < 0 ? jm_fail_memory(reterr, "the names of layers") : 0;
}
