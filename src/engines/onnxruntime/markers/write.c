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

static void format_name(size_t at, int is_twin, char ret_name[NAME_MAX_LENGTH])
{
	snprintf(ret_name, NAME_MAX_LENGTH, JM_ORT_MARKER_PREFIX "%zu%s", at,
		is_twin ? JM_ORT_MARKER_TWIN : "");
}

static void put_integer(struct jm_proto_writer *node, const char *name, uint64_t value)
{
	struct jm_proto_writer attribute = {0};

	jm_proto_put_text(&attribute, ONNX_ATTRIBUTE_NAME, name);
	jm_proto_put_varint(&attribute, ONNX_ATTRIBUTE_INTEGER, value);
	jm_proto_put_varint(&attribute, ONNX_ATTRIBUTE_TYPE, ATTRIBUTE_IS_INTEGER);
	jm_proto_put_message(node, ONNX_NODE_ATTRIBUTE, &attribute);
}

/* What the first or second marker at mark `at` reads, to hand it on. */
static struct jm_ort_piece input_of(const struct jm_ort_saved *saved,
	const struct jm_ort_plan *plan, size_t at, int is_twin, char first[NAME_MAX_LENGTH])
{
	format_name(at, 0, first);
	if (is_twin)
		return (struct jm_ort_piece){first, strlen(first)};
	return saved->values[plan->marks[at].through].name;
}

/* The `place`-th of all, at mark `at`. */
static void put_marker(struct jm_proto_writer *graph, const struct jm_ort_saved *saved,
	const struct jm_ort_plan *plan, size_t at, int is_twin, size_t place)
{
	const struct jm_ort_mark *mark = &plan->marks[at];
	struct jm_proto_writer node = {0};
	char name[NAME_MAX_LENGTH], first[NAME_MAX_LENGTH], op[JM_ORT_MARKER_NAME_MAX];

	format_name(at, is_twin, name);
	jm_ort_marker_name(jm_ort_mark_kind(saved, mark), op);
	if (mark->through != JM_ORT_NO_VALUE) {
		put_piece(&node, ONNX_NODE_INPUT, input_of(saved, plan, at, is_twin, first));
		put_integer(&node, JM_ORT_MARKER_FIXED, (uint64_t)saved->is_repeatable);
		jm_proto_put_text(&node, ONNX_NODE_OUTPUT, name);
	}
	if (mark->after != JM_ORT_NO_VALUE)
		put_piece(&node, ONNX_NODE_INPUT, saved->values[mark->after].name);
	put_integer(&node, JM_ORT_MARKER_PLACE, place);
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
	const struct jm_ort_mark *mark, const char *name)
{
	struct jm_proto_writer value = {0};

	if (mark->through == JM_ORT_NO_VALUE)
		return;
	jm_proto_put_text(&value, ONNX_VALUE_NAME, name);
	put_type(&value, &saved->values[mark->through]);
	jm_proto_put_message(graph, ONNX_GRAPH_VALUE_INFO, &value);
}

/* Returns how many there are at mark `at`. */
static size_t put_markers(struct jm_proto_writer *graph, const struct jm_ort_saved *saved,
	const struct jm_ort_plan *plan, size_t at, size_t place)
{
	size_t n = plan->marks[at].is_set ? 1 + (size_t)(at == plan->twin) : 0;
	char name[NAME_MAX_LENGTH];

	for (size_t i = 0; i < n; i++) {
		format_name(at, i == 1, name);
		put_marker(graph, saved, plan, at, i == 1, place + i);
		put_value(graph, saved, &plan->marks[at], name);
	}
	return n;
}

/* The node of step `i`, which reads what the marker before it hands on. */
static void put_node(struct jm_proto_writer *graph, const struct jm_ort_saved *saved,
	const struct jm_ort_plan *plan, const struct jm_ort_step *step, size_t i)
{
	const struct jm_ort_saved_node *from = &saved->nodes[plan->order[i]];
	const struct jm_ort_mark *mark = &plan->marks[i];
	const unsigned char *data = (const unsigned char *)from->all.data;
	struct jm_proto_reader reader = {data, data + from->all.size, 0};
	struct jm_proto_writer node = {0};
	struct jm_proto_field field;
	char name[NAME_MAX_LENGTH];
	size_t input = 0;

	format_name(i, i == plan->twin, name);
	while (jm_proto_next(&reader, &field) > 0) {
		if (field.number == ONNX_NODE_INPUT && mark->is_set &&
			from->inputs[input++] == mark->through)
			jm_proto_put_text(&node, ONNX_NODE_INPUT, name);
		else if (field.number != ONNX_NODE_NAME || field.size)
			jm_proto_put_field(&node, &field);
	}
	if (!from->name.size)
		jm_proto_put_bytes(&node, ONNX_NODE_NAME, step->event,
			jm_ort_event_name_length(step->event));
	jm_proto_put_message(graph, ONNX_GRAPH_NODE, &node);
}

static void put_graph(struct jm_proto_writer *graph, const struct jm_ort_saved *saved,
	const struct jm_ort_plan *plan, const struct jm_ort_steps *steps)
{
	const unsigned char *data = (const unsigned char *)saved->graph.data;
	struct jm_proto_reader reader = {data, data + saved->graph.size, 0};
	struct jm_proto_field field;
	size_t place = 0;

	while (jm_proto_next(&reader, &field) > 0)
		if (field.number != ONNX_GRAPH_NODE)
			jm_proto_put_field(graph, &field);
	for (size_t i = 0; i <= plan->n; i++) {
		place += put_markers(graph, saved, plan, i, place);
		if (i < plan->n)
			put_node(graph, saved, plan, &steps->steps[i], i);
	}
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
