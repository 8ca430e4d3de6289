/* SPDX-License-Identifier: Apache-2.0 */
#include "engines/onnxruntime/layers.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "data/graph.h"
#include "engines/onnxruntime/naming.h"
#include "onnx/dtype.h"
#include "onnx/work.h"

#define EDGES_MAX 64 /* of one node that enter the count of work */

/* "Conv+Add+Relu": what executes, then what it computes along. */
static char *make_type(const struct jm_ort_step *step, const struct jm_ort_capture *capture,
	const struct jm_ort_origin *origin)
{
	const char *op = origin->same_kind ? capture->nodes[origin->node].op : step->op;
	size_t room = strlen(op) + 1, used;
	char *text;

	for (size_t i = 0; i < origin->n_fused; i++)
		room += strlen(capture->nodes[origin->fused[i]].op) + 1;
	text = malloc(room);
	if (!text)
		return NULL;
	used = (size_t)snprintf(text, room, "%s", op);
	for (size_t i = 0; i < origin->n_fused; i++)
		used += (size_t)snprintf(
			text + used, room - used, "+%s", capture->nodes[origin->fused[i]].op);
	return text;
}

/* ---- Tensors --------------------------------------------------------------------- */

static int append_tensor(struct jm_tensor **tensors, size_t *n, const struct jm_tensor *tensor)
{
	struct jm_tensor *grown = realloc(*tensors, (*n + 1) * sizeof(*grown));

	if (!grown)
		return JM_ENOMEM;
	*tensors = grown;
	memset(&grown[*n], 0, sizeof(*grown));
	if (jm_tensor_copy(&grown[*n], tensor) < 0)
		return JM_ENOMEM;
	++*n;
	return 0;
}

/* Activations that enter a node, but for the one that `inner` names. */
static int take_inputs(
	struct jm_graph_layer *layer, const struct jm_ort_node *node, const char *inner)
{
	for (size_t i = 0; i < node->n_inputs; i++) {
		const struct jm_ort_edge *edge = &node->inputs[i];

		if (edge->constant || !*edge->tensor.name ||
			(inner && strcmp(edge->tensor.name, inner) == 0))
			continue;
		if (append_tensor(&layer->inputs, &layer->n_inputs, &edge->tensor) < 0)
			return JM_ENOMEM;
	}
	return 0;
}

/* Shapes and indices are int64: constants, but nothing that was learned. */
static double learned(const struct jm_tensor *tensor)
{
	return strcmp(tensor->dtype, "int64") == 0 ? 0 : jm_tensor_elements(tensor);
}

static double tensor_bytes(const struct jm_tensor *tensor)
{
	const struct jm_dtype *dtype = jm_dtype_of_name(tensor->dtype);

	return dtype ? jm_tensor_elements(tensor) * (double)dtype->size : (double)NAN;
}

/* Adds a node's constants to the layer's parameters and bytes. */
static void add_constants(struct jm_graph_layer *layer, const struct jm_ort_node *node)
{
	for (size_t i = 0; i < node->n_inputs; i++) {
		if (!node->inputs[i].constant)
			continue;
		layer->parameters += learned(&node->inputs[i].tensor);
		layer->bytes += tensor_bytes(&node->inputs[i].tensor);
	}
}

static int take_from_origin(struct jm_graph_layer *layer, const struct jm_ort_capture *capture,
	const struct jm_ort_origin *origin)
{
	const struct jm_ort_node *node = &capture->nodes[origin->node];

	layer->window = node->window;
	layer->parameters = 0;
	layer->bytes = 0;
	add_constants(layer, node);
	if (take_inputs(layer, node, NULL) < 0)
		return JM_ENOMEM;
	for (size_t i = 0; i < origin->n_fused; i++) {
		const char *inner = node->n_outputs ? node->outputs[0].tensor.name : NULL;

		node = &capture->nodes[origin->fused[i]];
		add_constants(layer, node);
		if (take_inputs(layer, node, inner) < 0)
			return JM_ENOMEM;
	}
	for (size_t i = 0; i < node->n_outputs; i++)
		if (*node->outputs[i].tensor.name &&
			append_tensor(&layer->outputs, &layer->n_outputs,
				&node->outputs[i].tensor) < 0)
			return JM_ENOMEM;
	return 0;
}

/*
 * Without the model's word the runtime's sizes tell weights from activations:
 * inputs are activations as long as they fit into its sum of those.
 */
static int take_from_step(struct jm_graph_layer *layer, const struct jm_ort_step *step)
{
	double left = step->activation_bytes;

	layer->parameters = 0;
	for (size_t i = 0; i < step->n_inputs; i++) {
		double bytes = tensor_bytes(&step->inputs[i]);

		if (!(bytes <= left)) {
			layer->parameters += learned(&step->inputs[i]);
			continue;
		}
		left -= bytes;
		if (append_tensor(&layer->inputs, &layer->n_inputs, &step->inputs[i]) < 0)
			return JM_ENOMEM;
	}
	for (size_t i = 0; i < step->n_outputs; i++)
		if (append_tensor(&layer->outputs, &layer->n_outputs, &step->outputs[i]) < 0)
			return JM_ENOMEM;
	return 0;
}

/* Shapes that the model leaves open are those of the run. */
static void fill_shapes(
	struct jm_tensor *tensors, size_t n, const struct jm_tensor *seen, size_t n_seen)
{
	for (size_t i = 0; i < n && i < n_seen; i++) {
		if (!*tensors[i].dtype)
			tensors[i].dtype = seen[i].dtype;
		if (!isnan(jm_tensor_elements(&tensors[i])) && tensors[i].n_dims)
			continue;
		tensors[i].n_dims = seen[i].n_dims;
		memcpy(tensors[i].dims, seen[i].dims, sizeof(tensors[i].dims));
	}
}

/* ---- Work ------------------------------------------------------------------------ */

static double macs_of_node(const struct jm_ort_node *node)
{
	const struct jm_tensor *in[EDGES_MAX], *out[EDGES_MAX];
	size_t n_in = node->n_inputs < EDGES_MAX ? node->n_inputs : EDGES_MAX;
	size_t n_out = node->n_outputs < EDGES_MAX ? node->n_outputs : EDGES_MAX;

	for (size_t i = 0; i < n_in; i++)
		in[i] = &node->inputs[i].tensor;
	for (size_t i = 0; i < n_out; i++)
		out[i] = &node->outputs[i].tensor;
	return jm_onnx_macs(node->op, in, n_in, out, n_out);
}

static double macs_of_step(const struct jm_ort_step *step)
{
	const struct jm_tensor *in[EDGES_MAX], *out[EDGES_MAX];
	size_t n_in = step->n_inputs < EDGES_MAX ? step->n_inputs : EDGES_MAX;
	size_t n_out = step->n_outputs < EDGES_MAX ? step->n_outputs : EDGES_MAX;

	for (size_t i = 0; i < n_in; i++)
		in[i] = &step->inputs[i];
	for (size_t i = 0; i < n_out; i++)
		out[i] = &step->outputs[i];
	return jm_onnx_macs(step->op, in, n_in, out, n_out);
}

/* The model's count; blocked layouts execute padded shapes. */
static double find_macs(const struct jm_ort_step *step, const struct jm_ort_capture *capture,
	const struct jm_ort_origin *origin)
{
	double macs = (double)NAN;

	if (origin->same_kind)
		macs = macs_of_node(&capture->nodes[origin->node]);
	return isnan(macs) ? macs_of_step(step) : macs;
}

/* ---- Layers ---------------------------------------------------------------------- */

/* The runtime's sizes leave out weights that it has packed for a kernel. */
static double step_bytes(const struct jm_ort_step *step)
{
	return step->activation_bytes + step->parameter_bytes + step->output_bytes;
}

static int build_layer(struct jm_graph_layer *layer, const struct jm_ort_step *step,
	const struct jm_ort_capture *capture, const struct jm_ort_origin *origin)
{
	int result;

	layer->name = jm_ort_origin_name(step, capture, origin);
	layer->type = make_type(step, capture, origin);
	if (!layer->name || !layer->type)
		return JM_ENOMEM;
	layer->macs = find_macs(step, capture, origin);
	layer->bytes = step_bytes(step);
	if (!origin->same_kind)
		return take_from_step(layer, step);
	result = take_from_origin(layer, capture, origin);
	fill_shapes(layer->inputs, layer->n_inputs, step->inputs, step->n_inputs);
	fill_shapes(layer->outputs, layer->n_outputs, step->outputs, step->n_outputs);
	for (size_t i = 0; i < layer->n_inputs; i++)
		layer->bytes += tensor_bytes(&layer->inputs[i]);
	for (size_t i = 0; i < layer->n_outputs; i++)
		layer->bytes += tensor_bytes(&layer->outputs[i]);
	if (isnan(layer->bytes))
		layer->bytes = step_bytes(step);
	return result;
}

int jm_ort_layers_build(struct jm_graph *ret_graph, const struct jm_ort_steps *steps,
	const struct jm_ort_capture *capture, struct jm_error *reterr)
{
	struct jm_ort_origin *origins = calloc(steps->n + 1, sizeof(*origins));
	int result = 0;

	ret_graph->layers = calloc(steps->n + 1, sizeof(*ret_graph->layers));
	if (!origins || !ret_graph->layers) {
		result = jm_fail_memory(reterr, "the graph of layers");
		goto out;
	}
	jm_ort_origins_find(steps, capture, origins);
	for (size_t i = 0; i < steps->n && result == 0; i++) {
		ret_graph->n_layers = i + 1;
		result = build_layer(
			&ret_graph->layers[i], &steps->steps[i], capture, &origins[i]);
	}
	if (result < 0)
		result = jm_fail_memory(reterr, "the graph of layers");
	else
		result = jm_graph_make_names_unique(ret_graph, reterr);
out:
	free(origins);
	if (result < 0)
		jm_graph_release(ret_graph);
	return result;
}
