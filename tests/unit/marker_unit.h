/* SPDX-License-Identifier: Apache-2.0 */
/* Small models as a runtime would save them, and what it tells of their runs. */
#ifndef JM_TESTS_MARKER_UNIT_H
#define JM_TESTS_MARKER_UNIT_H

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engines/onnxruntime/markers/plan.h"
#include "engines/onnxruntime/markers/saved.h"
#include "onnx/proto.h"

#define MARKER_UNIT_ENDS 4

/* A node, and what a run tells of its tensors: "[{\"float\":[2]}]". */
struct marker_unit_node {
	const char *name, *op;
	const char *inputs[MARKER_UNIT_ENDS], *outputs[MARKER_UNIT_ENDS];
	const char *input_shapes, *output_shapes;
};

#define MARKER_UNIT_ONE "[{\"float\":[2]}]"
#define MARKER_UNIT_TWO "[{\"float\":[2]},{\"float\":[2]}]"
#define MARKER_UNIT_NONE "[]"

static inline void marker_unit_put_value(
	struct jm_proto_writer *graph, unsigned number, const char *name)
{
	struct jm_proto_writer value = {0}, type = {0}, tensor = {0};

	jm_proto_put_text(&value, ONNX_VALUE_NAME, name);
	jm_proto_put_varint(&tensor, ONNX_TYPE_TENSOR_ELEM, 1);
	jm_proto_put_message(&type, ONNX_TYPE_TENSOR, &tensor);
	jm_proto_put_message(&value, ONNX_VALUE_TYPE, &type);
	jm_proto_put_message(graph, number, &value);
}

static inline void marker_unit_put_node(
	struct jm_proto_writer *graph, const struct marker_unit_node *from)
{
	struct jm_proto_writer node = {0};

	for (size_t i = 0; i < MARKER_UNIT_ENDS && from->inputs[i]; i++)
		jm_proto_put_text(&node, ONNX_NODE_INPUT, from->inputs[i]);
	for (size_t i = 0; i < MARKER_UNIT_ENDS && from->outputs[i]; i++)
		jm_proto_put_text(&node, ONNX_NODE_OUTPUT, from->outputs[i]);
	jm_proto_put_text(&node, ONNX_NODE_NAME, from->name);
	jm_proto_put_text(&node, ONNX_NODE_OP_TYPE, from->op);
	jm_proto_put_message(graph, ONNX_GRAPH_NODE, &node);
}

/* Graph with the input "x", the constant "w" and the output "y". */
static inline void marker_unit_put_model(
	struct jm_proto_writer *image, const struct marker_unit_node *nodes, size_t n)
{
	struct jm_proto_writer graph = {0}, weight = {0};

	for (size_t i = 0; i < n; i++)
		marker_unit_put_node(&graph, &nodes[i]);
	jm_proto_put_text(&weight, ONNX_TENSOR_NAME, "w");
	jm_proto_put_message(&graph, ONNX_GRAPH_INITIALIZER, &weight);
	marker_unit_put_value(&graph, ONNX_GRAPH_INPUT, "x");
	marker_unit_put_value(&graph, ONNX_GRAPH_OUTPUT, "y");
	jm_proto_put_varint(image, ONNX_MODEL_IR_VERSION, 8);
	jm_proto_put_message(image, ONNX_MODEL_GRAPH, &graph);
}

/* What jm_ort_saved_read says to these bytes. */
static inline int marker_unit_read(
	struct jm_ort_saved *saved, const void *bytes, size_t size, struct jm_error *error)
{
	int result = jm_ort_saved_open(saved, error);

	if (result < 0)
		return result;
	if (write(saved->model_fd, bytes, size) != (ssize_t)size)
		return JM_EIO;
	return jm_ort_saved_read(saved, error);
}

/* The steps in which `order` [n] has the nodes executed; NULL: as they stand. */
static inline int marker_unit_steps(struct jm_ort_steps *steps,
	const struct marker_unit_node *nodes, const size_t *order, size_t n)
{
	memset(steps, 0, sizeof(*steps));
	for (size_t i = 0; i < n; i++) {
		const struct marker_unit_node *node = &nodes[order ? order[i] : i];
		char event[128];
		struct jm_ort_step_texts texts = {.event = event,
			.op = node->op,
			.input_shapes = node->input_shapes,
			.output_shapes = node->output_shapes};

		snprintf(event, sizeof(event), "%s_kernel_time",
			*node->name ? node->name : node->op);
		if (jm_ort_steps_append(steps, &texts, 0) < 0)
			return JM_ENOMEM;
	}
	return 0;
}

#endif
