/* SPDX-License-Identifier: Apache-2.0 */
#include "engines/onnxruntime/markers/joined.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "data/graph.h"

/* "SplitToSequence+SequenceAt" */
static int join_types(struct jm_graph_layer *layer, const struct jm_graph_layer *first)
{
	size_t size = strlen(first->type) + strlen(layer->type) + 2;
	char *type = malloc(size);

	if (!type)
		return JM_ENOMEM;
	snprintf(type, size, "%s+%s", first->type, layer->type);
	free(layer->type);
	layer->type = type;
	return 0;
}

/* The inputs of both, the first one's in front. */
static int join_inputs(struct jm_graph_layer *layer, struct jm_graph_layer *first)
{
	size_t n = first->n_inputs + layer->n_inputs;
	struct jm_tensor *inputs = calloc(n + 1, sizeof(*inputs));

	if (!inputs)
		return JM_ENOMEM;
	if (first->n_inputs)
		memcpy(inputs, first->inputs, first->n_inputs * sizeof(*inputs));
	if (layer->n_inputs)
		memcpy(inputs + first->n_inputs, layer->inputs,
			layer->n_inputs * sizeof(*inputs));
	free(first->inputs);
	free(layer->inputs);
	first->inputs = NULL;
	first->n_inputs = 0;
	layer->inputs = inputs;
	layer->n_inputs = n;
	return 0;
}

/* Takes `first` into `layer`. */
static int join(struct jm_graph_layer *layer, struct jm_graph_layer *first)
{
	if (join_types(layer, first) < 0 || join_inputs(layer, first) < 0)
		return JM_ENOMEM;
	layer->macs += first->macs;
	layer->parameters += first->parameters;
	layer->bytes += first->bytes;
	return 0;
}

static int join_layers(
	const struct jm_ort_marked *marked, struct jm_graph *graph, size_t *ret_first)
{
	size_t kept = 0, n = graph->n_layers;
	int result = 0;

	*ret_first = n;
	for (size_t i = 0; i < n; i++) {
		struct jm_graph_layer *layer = &graph->layers[i];

		if (jm_ort_marked_is_joined(marked, i) && result == 0) {
			if (*ret_first == n)
				*ret_first = kept;
			result = join(&graph->layers[i + 1], layer);
			jm_graph_layer_release(layer);
			continue;
		}
		if (kept != i) {
			graph->layers[kept] = *layer;
			memset(layer, 0, sizeof(*layer));
		}
		kept++;
	}
	graph->n_layers = kept;
	return result;
}

/* What could not be marked, in words; "" when all could. */
static void describe_missing(const struct jm_ort_marked *marked, const struct jm_graph *graph,
	size_t first, char *ret_note, size_t size)
{
	const struct jm_ort_plan *plan = &marked->plan;
	size_t n_joined = plan->n - marked->n_layers;

	ret_note[0] = '\0';
	if (n_joined)
		jm_text_append(ret_note, size,
			"behind %zu node%s no marker can stand: %s one layer with the next, as "
			"'%.48s'",
			n_joined, n_joined == 1 ? "" : "s",
			n_joined == 1 ? "it is" : "they are", graph->layers[first].name);
	if (!jm_ort_plan_is_marked(plan, 0))
		jm_text_append(ret_note, size, "%sthe first layer begins with the run",
			*ret_note ? "; " : "");
	if (!jm_ort_plan_is_marked(plan, plan->n))
		jm_text_append(ret_note, size, "%sthe last layer ends with the run",
			*ret_note ? "; " : "");
}

int jm_ort_joined_describe(const struct jm_ort_marked *marked, struct jm_graph *graph,
	struct jm_engine_info *info, struct jm_error *reterr)
{
	size_t first;

	if (join_layers(marked, graph, &first) < 0)
		return jm_fail_memory(reterr, "the graph of layers");
	describe_missing(marked, graph, first, info->tracing_note, sizeof(info->tracing_note));
	jm_text_copy(info->tracing, sizeof(info->tracing), "markers");
	info->trace_bias_us = (double)marked->cost_ns / 1e3;
	info->trace_bias_sd_us = marked->cost_error_ns / 1e3;
	info->network_untraced_ms = marked->cost.plain_ns / 1e6;
	info->network_traced_ms = marked->cost.marked_ns / 1e6;
	return 0;
}
