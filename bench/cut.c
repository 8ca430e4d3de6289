/* SPDX-License-Identifier: Apache-2.0 */
#include "cut.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "data/graph.h"
#include "engines/onnxruntime/discover.h"
#include "engines/onnxruntime/layers.h"
#include "engines/onnxruntime/library.h"
#include "engines/onnxruntime/status.h"
#include "onnx/proto.h"
#include "onnx/shape.h"

#define SEVERITY_FATAL 4
#define DTYPE_INT64 7

/* ---- Optimising ---------------------------------------------------------------------- */

static int open_runtime(
	struct cutter *cutter, const struct jm_engine_options *options, struct jm_error *error)
{
	struct jm_ort *ort = &cutter->ort;
	int result = jm_ort_library_open(ort, NULL, error);

	setenv("ORT_DISABLE_TELEMETRY", "1", 0);
	if (result == 0)
		result = jm_ort_check(ort,
			jm_ort_create_env_fn(ort)(jm_ort_log_nothing, NULL, SEVERITY_FATAL,
				"bench", &cutter->env),
			error, "cannot start ONNX Runtime");
	if (result == 0)
		result = jm_ort_plugin_open(&cutter->plugin, ort, cutter->env, 1, error);
	if (result == 0)
		result = jm_onnx_inputs_read(&cutter->inputs, options->model, error);
	if (result == 0)
		result = jm_onnx_shape_resolve(&cutter->inputs, options, error);
	cutter->setup = (struct jm_ort_session_setup){.ort = ort,
		.env = cutter->env,
		.model = options->model,
		.inputs = &cutter->inputs,
		.plugin = &cutter->plugin,
		.capture = &cutter->capture,
		.level = JM_ORT_ALL,
		.threads = options->threads,
		.seed = options->seed};
	return result;
}

/* Has the runtime optimise the network once, and learns its nodes in their order. */
static int optimise(struct cutter *cutter, struct jm_error *error)
{
	struct jm_ort_session_setup setup = cutter->setup;
	struct jm_ort_clock clock = {jm_clock_monotonic_ns, NULL};
	struct jm_ort_profiled plain = {.fd = -1};
	size_t n_events;
	int result = jm_ort_saved_open(&cutter->saved, error);

	setup.save_path = cutter->saved.path;
	setup.save_weights = cutter->saved.weights_name;
	if (result == 0)
		result = jm_ort_discover(
			&plain, &setup, 1, clock, &cutter->steps, &n_events, error);
	if (result == 0)
		jm_ort_profiled_close(&plain);
	if (result == 0)
		result = jm_ort_saved_read(&cutter->saved, error);
	if (result == 0)
		result = jm_ort_plan_make(&cutter->plan, &cutter->saved, &cutter->steps, error);
	if (result == 0)
		result = jm_ort_layers_build(
			&cutter->graph, &cutter->steps, &cutter->capture, error);
	return result;
}

int cutter_open(
	struct cutter *cutter, const struct jm_engine_options *options, struct jm_error *error)
{
	int result = open_runtime(cutter, options, error);

	if (result == 0)
		result = optimise(cutter, error);
	if (result < 0)
		return result;
	cutter->is_used = calloc(cutter->saved.n_values + 1, 1);
	if (!cutter->is_used)
		return -1;
	return 0;
}

/* ---- Cutting ------------------------------------------------------------------------- */

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

static void put_end(struct jm_proto_writer *graph, unsigned number, struct jm_ort_piece name,
	int dtype, const struct jm_tensor *seen)
{
	struct jm_proto_writer value = {0}, type = {0}, tensor = {0};

	jm_proto_put_bytes(&value, ONNX_VALUE_NAME, name.data, name.size);
	jm_proto_put_varint(&tensor, ONNX_TYPE_TENSOR_ELEM, (uint64_t)dtype);
	if (seen)
		put_shape(&tensor, seen);
	jm_proto_put_message(&type, ONNX_TYPE_TENSOR, &tensor);
	jm_proto_put_message(&value, ONNX_VALUE_TYPE, &type);
	jm_proto_put_message(graph, number, &value);
}

/* Of `value` the network gives only the shape. */
static void put_shape_of(
	struct jm_proto_writer *graph, const struct jm_ort_saved_value *value, size_t index)
{
	struct jm_proto_writer node = {0};
	char name[32];

	snprintf(name, sizeof(name), "shape-of-%zu", index);
	jm_proto_put_bytes(&node, ONNX_NODE_INPUT, value->name.data, value->name.size);
	jm_proto_put_text(&node, ONNX_NODE_OUTPUT, name);
	jm_proto_put_text(&node, ONNX_NODE_NAME, name);
	jm_proto_put_text(&node, ONNX_NODE_OP_TYPE, "Shape");
	jm_proto_put_message(graph, ONNX_GRAPH_NODE, &node);
	put_end(graph, ONNX_GRAPH_OUTPUT, (struct jm_ort_piece){name, strlen(name)},
		DTYPE_INT64, NULL);
}

static const struct jm_ort_saved_node *node_of(const struct cutter *cutter, size_t step)
{
	return &cutter->saved.nodes[cutter->plan.order[step]];
}

/* Values that the nodes read, marked 1, less those that they write before. */
static void find_used(struct cutter *cutter, size_t first, size_t last)
{
	memset(cutter->is_used, 0, cutter->saved.n_values);
	for (size_t i = last + 1; i-- > first;) {
		const struct jm_ort_saved_node *node = node_of(cutter, i);

		for (size_t j = 0; j < node->n_outputs; j++)
			if (node->outputs[j] != JM_ORT_NO_VALUE)
				cutter->is_used[node->outputs[j]] = 0;
		for (size_t j = 0; j < node->n_inputs; j++)
			if (node->inputs[j] != JM_ORT_NO_VALUE)
				cutter->is_used[node->inputs[j]] = 1;
	}
}

/* Whether a field of the graph is a constant that the nodes read. */
static int is_needed(const struct cutter *cutter, const struct jm_proto_field *field)
{
	struct jm_proto_reader reader = {field->data, field->data + field->size, 0};
	struct jm_proto_field part;

	while (jm_proto_next(&reader, &part) > 0)
		if (part.number == ONNX_TENSOR_NAME) {
			struct jm_ort_piece name = {(const char *)part.data, part.size};
			uint32_t value = jm_ort_saved_find(&cutter->saved, name);

			return value != JM_ORT_NO_VALUE && cutter->is_used[value];
		}
	return 0;
}

/*
 * What is read behind the last node is kept to the end, and has its place in
 * memory as it has in the network: outputs would get memory of their own, and
 * that of what nobody reads would be used for the next.
 */
static void put_outputs(
	struct jm_proto_writer *graph, struct cutter *cutter, size_t first, size_t last)
{
	const struct jm_ort_saved_value *values = cutter->saved.values;

	find_used(cutter, last + 1, cutter->plan.n - 1);
	for (size_t i = first; i <= last; i++) {
		const struct jm_ort_saved_node *node = node_of(cutter, i);

		for (size_t j = 0; j < node->n_outputs; j++) {
			uint32_t value = node->outputs[j];

			if (value != JM_ORT_NO_VALUE && values[value].dtype &&
				(i == last || cutter->is_used[value]))
				put_shape_of(graph, &values[value], value);
		}
	}
}

static void put_graph(
	struct jm_proto_writer *graph, struct cutter *cutter, size_t first, size_t last)
{
	const struct jm_ort_saved *saved = &cutter->saved;
	const unsigned char *data = (const unsigned char *)saved->graph.data;
	struct jm_proto_reader reader = {data, data + saved->graph.size, 0};
	struct jm_proto_field field;

	find_used(cutter, first, last);
	while (jm_proto_next(&reader, &field) > 0)
		if (field.number == ONNX_GRAPH_NAME ||
			(field.number == ONNX_GRAPH_INITIALIZER && is_needed(cutter, &field)))
			jm_proto_put_field(graph, &field);
	for (size_t i = 0; i < saved->n_values; i++)
		if (cutter->is_used[i] && !saved->values[i].is_constant)
			put_end(graph, ONNX_GRAPH_INPUT, saved->values[i].name,
				saved->values[i].dtype, saved->values[i].seen);
	for (size_t i = first; i <= last; i++) {
		struct jm_ort_piece node = node_of(cutter, i)->all;

		jm_proto_put_bytes(graph, ONNX_GRAPH_NODE, node.data, node.size);
	}
	put_outputs(graph, cutter, first, last);
}

int cutter_cut(struct cutter *cutter, struct jm_ort_session *ret_session, size_t first,
	size_t last, struct jm_error *error)
{
	const unsigned char *data = cutter->saved.image;
	struct jm_proto_reader reader = {data, data + cutter->saved.n_image, 0};
	struct jm_proto_writer image = {0}, graph = {0};
	struct jm_ort_session_setup setup = cutter->setup;
	struct jm_model model = {.name = "cut",
		.weights = cutter->saved.weights,
		.n_weights_bytes = cutter->saved.n_weights};
	struct jm_proto_field field;
	int result;

	while (jm_proto_next(&reader, &field) > 0)
		if (field.number != ONNX_MODEL_GRAPH)
			jm_proto_put_field(&image, &field);
	put_graph(&graph, cutter, first, last);
	jm_proto_put_message(&image, ONNX_MODEL_GRAPH, &graph);
	model.bytes = image.data;
	model.n_bytes = image.size;
	setup.model = &model;
	setup.weights_name = cutter->saved.weights_name;
	setup.level = JM_ORT_DISABLE_ALL;
	setup.plugin = NULL;
	setup.capture = NULL;
	result = jm_ort_session_open(ret_session, &setup, error);
	jm_proto_writer_release(&image);
	return result;
}

void cutter_close(struct cutter *cutter)
{
	jm_graph_release(&cutter->graph);
	jm_ort_plan_release(&cutter->plan);
	jm_ort_saved_close(&cutter->saved);
	jm_ort_steps_release(&cutter->steps);
	jm_ort_capture_release(&cutter->capture);
	jm_onnx_inputs_release(&cutter->inputs);
	jm_ort_plugin_close(&cutter->plugin);
	if (cutter->env)
		jm_ort_release_env_fn (&cutter->ort)(cutter->env);
	jm_ort_library_close(&cutter->ort);
	free(cutter->is_used);
	memset(cutter, 0, sizeof(*cutter));
}
