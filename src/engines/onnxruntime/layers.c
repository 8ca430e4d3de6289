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

#define EDGES_MAX 64  /* of one node that enter the count of work */
#define BEHIND_MAX 4  /* nodes between a weight and the one that uses it */
#define CHOICE_MAX 12 /* inputs of a step among which activations are looked for */

/* What layers are built from. */
struct builder {
	const struct jm_ort_capture *capture;
	unsigned char *executed; /* [capture->n]: a step stands for the node */
};

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

/* Operators that only hand a weight on, in another type or form. */
static int hands_on(const char *op)
{
	static const char *const ops[] = {"DequantizeLinear", "Cast", "Identity", "Transpose",
		"Reshape", "Squeeze", "Unsqueeze"};

	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		if (strcmp(op, ops[i]) == 0)
			return 1;
	return 0;
}

/*
 * The weight that an input is: a constant, or what is behind nodes that hand it on,
 * as quantised weights are. They belong to the layer that uses them, whether these
 * nodes execute by themselves (*ret_made) or are part of it. NULL: an activation.
 */
static const struct jm_tensor *find_weight(
	const struct builder *builder, const struct jm_ort_edge *edge, int *ret_made)
{
	*ret_made = 0;
	for (unsigned steps = 0; !edge->constant; steps++) {
		size_t i = jm_ort_producer_find(builder->capture, edge->tensor.name);
		const struct jm_ort_node *node;

		if (steps == BEHIND_MAX || i == JM_ORT_NO_NODE)
			return NULL;
		node = &builder->capture->nodes[i];
		if (!hands_on(node->op) || !node->n_inputs)
			return NULL;
		*ret_made |= builder->executed[i];
		edge = &node->inputs[0];
	}
	return &edge->tensor;
}

/* A node's weights, and the activations that enter it, but for `inner`. */
static int take_inputs(struct jm_graph_layer *layer, const struct builder *builder,
	const struct jm_ort_node *node, const char *inner)
{
	for (size_t i = 0; i < node->n_inputs; i++) {
		const struct jm_ort_edge *edge = &node->inputs[i];
		int made;
		const struct jm_tensor *weight = find_weight(builder, edge, &made);

		if (weight) {
			if (i || !hands_on(node->op))
				layer->parameters += learned(weight);
			/* One that was made by another layer is read as that left it. */
			layer->bytes += tensor_bytes(made ? &edge->tensor : weight);
			continue;
		}
		if (!*edge->tensor.name || (inner && strcmp(edge->tensor.name, inner) == 0))
			continue;
		if (append_tensor(&layer->inputs, &layer->n_inputs, &edge->tensor) < 0)
			return JM_ENOMEM;
	}
	return 0;
}

static int take_from_origin(struct jm_graph_layer *layer, const struct builder *builder,
	const struct jm_ort_origin *origin)
{
	const struct jm_ort_node *node = &builder->capture->nodes[origin->node];

	layer->window = node->window;
	layer->parameters = 0;
	layer->bytes = 0;
	if (take_inputs(layer, builder, node, NULL) < 0)
		return JM_ENOMEM;
	for (size_t i = 0; i < origin->n_fused; i++) {
		const char *inner = node->n_outputs ? node->outputs[0].tensor.name : NULL;

		node = &builder->capture->nodes[origin->fused[i]];
		if (take_inputs(layer, builder, node, inner) < 0)
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
 * Without the model's word the runtime's sizes tell weights from activations: some
 * inputs have together the bytes that it counts as activations, of several such
 * choices the one with the earliest. 0: none has.
 */
static int choose_activations(
	const struct jm_ort_step *step, size_t i, double left_bytes, unsigned char *ret_chosen)
{
	double bytes;

	if (i == step->n_inputs || i == CHOICE_MAX)
		return left_bytes == 0 && i == step->n_inputs;
	bytes = tensor_bytes(&step->inputs[i]);
	ret_chosen[i] = bytes <= left_bytes;
	if (ret_chosen[i] && choose_activations(step, i + 1, left_bytes - bytes, ret_chosen))
		return 1;
	ret_chosen[i] = 0;
	return choose_activations(step, i + 1, left_bytes, ret_chosen);
}

static int take_from_step(struct jm_graph_layer *layer, const struct jm_ort_step *step)
{
	unsigned char chosen[CHOICE_MAX] = {0};
	int known = choose_activations(step, 0, step->activation_bytes, chosen);

	layer->parameters = known ? 0 : (double)NAN;
	for (size_t i = 0; i < step->n_inputs; i++) {
		if (known && !chosen[i])
			layer->parameters += learned(&step->inputs[i]);
		else if (append_tensor(&layer->inputs, &layer->n_inputs, &step->inputs[i]) < 0)
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

/* Shapes of the step stand in the order of its inputs, weights among them. */
static size_t shapes_in_order(const struct jm_graph_layer *layer,
	const struct jm_ort_step *step, const struct jm_ort_node *node)
{
	if (layer->parameters == 0)
		return step->n_inputs;
	return node->n_inputs && !node->inputs[0].constant && step->n_inputs ? 1 : 0;
}

static int build_layer(struct jm_graph_layer *layer, const struct jm_ort_step *step,
	const struct builder *builder, const struct jm_ort_origin *origin)
{
	const struct jm_ort_capture *capture = builder->capture;
	int result;

	layer->name = jm_ort_origin_name(step, capture, origin);
	layer->type = make_type(step, capture, origin);
	if (!layer->name || !layer->type)
		return JM_ENOMEM;
	layer->macs = find_macs(step, capture, origin);
	layer->bytes = step_bytes(step);
	if (!origin->same_kind) {
		result = take_from_step(layer, step);
		/* The weight that is cast is one of the layer that uses it. */
		if (capture->n && jm_ort_is_inserted_cast(step))
			layer->parameters = 0;
		return result;
	}
	result = take_from_origin(layer, builder, origin);
	fill_shapes(layer->inputs, layer->n_inputs, step->inputs,
		shapes_in_order(layer, step, &capture->nodes[origin->node]));
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
	struct builder builder = {capture, calloc(capture->n + 1, 1)};
	int result = 0;

	ret_graph->layers = calloc(steps->n + 1, sizeof(*ret_graph->layers));
	if (!origins || !builder.executed || !ret_graph->layers) {
		result = jm_fail_memory(reterr, "the graph of layers");
		goto out;
	}
	jm_ort_origins_find(steps, capture, origins);
	for (size_t i = 0; i < steps->n; i++)
		if (origins[i].same_kind)
			builder.executed[origins[i].node] = 1;
	for (size_t i = 0; i < steps->n && result == 0; i++) {
		ret_graph->n_layers = i + 1;
		result = build_layer(
			&ret_graph->layers[i], &steps->steps[i], &builder, &origins[i]);
	}
	if (result < 0)
		result = jm_fail_memory(reterr, "the graph of layers");
	else
		result = jm_graph_make_names_unique(ret_graph, reterr);
out:
	free(origins);
	free(builder.executed);
	if (result < 0)
		jm_graph_release(ret_graph);
	return result;
}
