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

/* The `marker`-th of all, which reads `value`. */
static void put_marker(struct jm_proto_writer *graph, const struct jm_ort_saved *saved,
	uint32_t value, size_t marker)
{
	struct jm_proto_writer node = {0};
	char name[NAME_MAX_LENGTH], op[JM_ORT_MARKER_NAME_MAX];

	format_name(marker, name);
	jm_ort_marker_name(saved->values[value].dtype, op);
	put_piece(&node, ONNX_NODE_INPUT, saved->values[value].name);
	put_integer(&node, JM_ORT_MARKER_PLACE, marker);
	jm_proto_put_text(&node, ONNX_NODE_NAME, name);
	jm_proto_put_text(&node, ONNX_NODE_OP_TYPE, op);
	jm_proto_put_text(&node, ONNX_NODE_DOMAIN, JM_ORT_MARKER_DOMAIN);
	jm_proto_put_message(graph, ONNX_GRAPH_NODE, &node);
}

/* As it is, with the step's name if it has none. */
static void put_node(struct jm_proto_writer *graph, const struct jm_ort_saved_node *from,
	const struct jm_ort_step *step)
{
	const unsigned char *data = (const unsigned char *)from->all.data;
	struct jm_proto_reader reader = {data, data + from->all.size, 0};
	struct jm_proto_writer node = {0};
	struct jm_proto_field field;

	while (jm_proto_next(&reader, &field) > 0)
		if (field.number != ONNX_NODE_NAME || field.size)
			jm_proto_put_field(&node, &field);
	if (!from->name.size)
		jm_proto_put_bytes(&node, ONNX_NODE_NAME, step->event,
			jm_ort_event_name_length(step->event));
	jm_proto_put_message(graph, ONNX_GRAPH_NODE, &node);
}

/* Steps that something waits for, then from the last to the first what nothing does. */
static void put_nodes(struct jm_proto_writer *graph, const struct jm_ort_saved *saved,
	const struct jm_ort_plan *plan, const struct jm_ort_steps *steps)
{
	size_t marker = plan->n_markers;

	for (size_t i = 0; i < plan->n; i++)
		if (!plan->is_leaf[i])
			put_node(graph, &saved->nodes[plan->order[i]], &steps->steps[i]);
	for (size_t i = plan->n + 1; i-- > 0;) {
		if (i < plan->n && plan->is_leaf[i])
			put_node(graph, &saved->nodes[plan->order[i]], &steps->steps[i]);
		if (i == plan->twin)
			put_marker(graph, saved, plan->reads[i], --marker);
		if (jm_ort_plan_is_marked(plan, i))
			put_marker(graph, saved, plan->reads[i], --marker);
	}
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
