/* SPDX-License-Identifier: Apache-2.0 */
#include "engines/onnxruntime/markers/write.h"

#include <stdio.h>
#include <string.h>

#define ATTRIBUTE_IS_INTEGER 2
#define NAME_MAX_LENGTH 48

static void put_piece(
	struct jm_proto_writer *writer, unsigned number, struct jm_ort_piece piece)
{
	jm_proto_put_bytes(writer, number, piece.data, piece.size);
}

static void format_name(size_t marker, char ret_name[NAME_MAX_LENGTH])
{
	snprintf(ret_name, NAME_MAX_LENGTH, JM_ORT_MARKER_PREFIX "%zu", marker);
}

static void put_integer(struct jm_proto_writer *node, const char *name, uint64_t value)
{
	struct jm_proto_writer attribute = {0};

	jm_proto_put_text(&attribute, ONNX_ATTRIBUTE_NAME, name);
	jm_proto_put_varint(&attribute, ONNX_ATTRIBUTE_INTEGER, value);
	jm_proto_put_varint(&attribute, ONNX_ATTRIBUTE_TYPE, ATTRIBUTE_IS_INTEGER);
	jm_proto_put_message(node, ONNX_NODE_ATTRIBUTE, &attribute);
}

/* Whether it reads what the marker before it hands on. */
static int is_second(const struct jm_ort_plan *plan, size_t i)
{
	return i && plan->markers[i - 1].at == plan->markers[i].at;
}

static void put_inputs(struct jm_proto_writer *node, const struct jm_ort_saved *saved,
	const struct jm_ort_plan *plan, size_t i)
{
	const struct jm_ort_plan_marker *marker = &plan->markers[i];
	char name[NAME_MAX_LENGTH];

	if (marker->through != JM_ORT_NO_VALUE && is_second(plan, i)) {
		format_name(i - 1, name);
		jm_proto_put_text(node, ONNX_NODE_INPUT, name);
	} else if (marker->through != JM_ORT_NO_VALUE) {
		put_piece(node, ONNX_NODE_INPUT, saved->values[marker->through].name);
	}
	if (marker->after_marker != JM_ORT_NO_MARKER) {
		format_name(marker->after_marker, name);
		jm_proto_put_text(node, ONNX_NODE_INPUT, name);
	} else if (marker->after != JM_ORT_NO_VALUE) {
		put_piece(node, ONNX_NODE_INPUT, saved->values[marker->after].name);
	}
}

/* `place`: among those that stamp. */
static void put_marker(struct jm_proto_writer *graph, const struct jm_ort_saved *saved,
	const struct jm_ort_plan *plan, size_t i, size_t place)
{
	const struct jm_ort_plan_marker *marker = &plan->markers[i];
	struct jm_proto_writer node = {0};
	char name[NAME_MAX_LENGTH], op[JM_ORT_MARKER_NAME_MAX];

	format_name(i, name);
	jm_ort_marker_name(jm_ort_plan_kind(plan, saved, marker), op);
	put_inputs(&node, saved, plan, i);
	if (marker->through != JM_ORT_NO_VALUE) {
		jm_proto_put_text(&node, ONNX_NODE_OUTPUT, name);
		put_integer(&node, JM_ORT_MARKER_FIXED, (uint64_t)saved->is_repeatable);
	}
	put_integer(&node, JM_ORT_MARKER_PLACE, marker->stamps ? place : (uint64_t)-1);
	jm_proto_put_text(&node, ONNX_NODE_NAME, name);
	jm_proto_put_text(&node, ONNX_NODE_OP_TYPE, op);
	jm_proto_put_text(&node, ONNX_NODE_DOMAIN, JM_ORT_MARKER_DOMAIN);
	jm_proto_put_message(graph, ONNX_GRAPH_NODE, &node);
}

static void put_shape(struct jm_proto_writer *tensor, const struct jm_tensor *seen)
{
	struct jm_proto_writer shape = {0};

	for (size_t i = 0; i < seen->n_dims; i++) {
		struct jm_proto_writer dim = {0};

		jm_proto_put_varint(&dim, ONNX_DIM_VALUE, (uint64_t)seen->dims[i]);
		jm_proto_put_message(&shape, ONNX_SHAPE_DIM, &dim);
	}
	jm_proto_put_message(tensor, ONNX_TYPE_TENSOR_SHAPE, &shape);
}

static void put_type(struct jm_proto_writer *value, const struct jm_ort_saved_value *through)
{
	const struct jm_tensor *seen = through->seen;
	struct jm_proto_writer type = {0}, tensor = {0};

	if (!seen) {
		put_piece(value, ONNX_VALUE_TYPE, through->type);
		return;
	}
	jm_proto_put_varint(&tensor, ONNX_TYPE_TENSOR_ELEM, (uint64_t)through->dtype);
	if (seen->n_dims < JM_DIMS_MAX) /* all of them are known */
		put_shape(&tensor, seen);
	jm_proto_put_message(&type, ONNX_TYPE_TENSOR, &tensor);
	jm_proto_put_message(value, ONNX_VALUE_TYPE, &type);
}

/*
 * What the marker hands on has the type and shape of what it read: the runtime
 * plans memory by them, and shall plan as it would without us.
 */
static void put_value(struct jm_proto_writer *graph, const struct jm_ort_saved *saved,
	const struct jm_ort_plan *plan, size_t i)
{
	const struct jm_ort_plan_marker *marker = &plan->markers[i];
	struct jm_proto_writer value = {0};
	char name[NAME_MAX_LENGTH];

	if (marker->through == JM_ORT_NO_VALUE)
		return;
	format_name(i, name);
	jm_proto_put_text(&value, ONNX_VALUE_NAME, name);
	put_type(&value, &saved->values[marker->through]);
	jm_proto_put_message(graph, ONNX_GRAPH_VALUE_INFO, &value);
}

/* The one that hands on to step `i`, or JM_ORT_NO_MARKER. Markers stand by place. */
static size_t last_marker(const struct jm_ort_plan *plan, size_t i)
{
	size_t low = 0, high = plan->n_all;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (plan->markers[middle].at <= i)
			low = middle + 1;
		else
			high = middle;
	}
	return low && plan->markers[low - 1].at == i ? low - 1 : JM_ORT_NO_MARKER;
}

/* The node of a step, which reads what the last marker before it hands on. */
static void put_node(struct jm_proto_writer *graph, const struct jm_ort_saved *saved,
	const struct jm_ort_plan *plan, const struct jm_ort_step *step, size_t i)
{
	const struct jm_ort_saved_node *from = &saved->nodes[plan->order[i]];
	const unsigned char *data = (const unsigned char *)from->all.data;
	size_t marker = last_marker(plan, i);
	uint32_t through =
		marker == JM_ORT_NO_MARKER ? JM_ORT_NO_VALUE : plan->markers[marker].through;
	struct jm_proto_reader reader = {data, data + from->all.size, 0};
	struct jm_proto_writer node = {0};
	struct jm_proto_field field;
	char name[NAME_MAX_LENGTH];
	size_t input = 0;

	format_name(marker, name);
	while (jm_proto_next(&reader, &field) > 0) {
		if (field.number == ONNX_NODE_INPUT && field.wire == JM_PROTO_BYTES &&
			from->inputs[input++] == through && through != JM_ORT_NO_VALUE)
			jm_proto_put_text(&node, ONNX_NODE_INPUT, name);
		else if (field.number != ONNX_NODE_NAME || field.size)
			jm_proto_put_field(&node, &field);
	}
	if (!from->name.size)
		jm_proto_put_bytes(&node, ONNX_NODE_NAME, step->event,
			jm_ort_event_name_length(step->event));
	jm_proto_put_message(graph, ONNX_GRAPH_NODE, &node);
}

static void put_in_order(struct jm_proto_writer *graph, const struct jm_ort_saved *saved,
	const struct jm_ort_plan *plan, const struct jm_ort_steps *steps)
{
	size_t marker = 0, place = 0;

	for (size_t i = 0; i <= plan->n; i++) {
		for (; marker < plan->n_all && plan->markers[marker].at == i; marker++) {
			put_marker(graph, saved, plan, marker, place);
			place += (size_t)plan->markers[marker].stamps;
		}
		if (i < plan->n && plan->turns[i] == JM_ORT_TURN_IN_ORDER)
			put_node(graph, saved, plan, &steps->steps[i], i);
	}
}

/* In the order of execution, but for those that have another turn. */
static void put_nodes(struct jm_proto_writer *graph, const struct jm_ort_saved *saved,
	const struct jm_ort_plan *plan, const struct jm_ort_steps *steps)
{
	for (size_t i = 0; i < plan->n; i++)
		if (plan->turns[i] == JM_ORT_TURN_FIRST)
			put_node(graph, saved, plan, &steps->steps[i], i);
	put_in_order(graph, saved, plan, steps);
	for (size_t i = plan->n; i > 0; i--)
		if (plan->turns[i - 1] == JM_ORT_TURN_LAST)
			put_node(graph, saved, plan, &steps->steps[i - 1], i - 1);
}

static void put_graph(struct jm_proto_writer *graph, const struct jm_ort_saved *saved,
	const struct jm_ort_plan *plan, const struct jm_ort_steps *steps)
{
	const unsigned char *data = (const unsigned char *)saved->graph.data;
	struct jm_proto_reader reader = {data, data + saved->graph.size, 0};
	struct jm_proto_field field;

	while (jm_proto_next(&reader, &field) > 0)
		if (field.number != ONNX_GRAPH_NODE)
			jm_proto_put_field(graph, &field);
	put_nodes(graph, saved, plan, steps);
	for (size_t i = 0; i < plan->n_all; i++)
		put_value(graph, saved, plan, i);
}

void jm_ort_marked_write(struct jm_proto_writer *writer, const struct jm_ort_saved *saved,
	const struct jm_ort_plan *plan, const struct jm_ort_steps *steps)
{
	const unsigned char *data = saved->image;
	struct jm_proto_reader reader = {data, data + saved->n_image, 0};
	struct jm_proto_writer graph = {0}, opset = {0};
	struct jm_proto_field field;

	while (jm_proto_next(&reader, &field) > 0)
		if (field.number != ONNX_MODEL_GRAPH)
			jm_proto_put_field(writer, &field);
	jm_proto_put_text(&opset, ONNX_OPSET_DOMAIN, JM_ORT_MARKER_DOMAIN);
	jm_proto_put_varint(&opset, ONNX_OPSET_VERSION, 1);
	jm_proto_put_message(writer, ONNX_MODEL_OPSET, &opset);
	put_graph(&graph, saved, plan, steps);
	jm_proto_put_message(writer, ONNX_MODEL_GRAPH, &graph);
}
