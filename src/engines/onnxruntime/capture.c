/* SPDX-License-Identifier: Apache-2.0 */
#include "engines/onnxruntime/capture.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "data/graph.h"
#include "engines/onnxruntime/status.h"
#include "onnx/dtype.h"

#define SPATIAL_MAX 3

/* ---- Tensors ----------------------------------------------------------------- */

void jm_ort_tensor_info_read(
	const struct jm_ort *ort, const struct OrtTypeInfo *type, struct jm_tensor *ret_tensor)
{
	const struct OrtTensorTypeAndShapeInfo *info = NULL;
	const struct jm_dtype *dtype;
	int code = 0;
	size_t n = 0;

	ret_tensor->dtype = "";
	ret_tensor->n_dims = 0;
	if (!jm_ort_ignore(ort, jm_ort_tensor_info_of_type_fn(ort)(type, &info)) || !info)
		return;
	jm_ort_ignore(ort, jm_ort_element_type_fn(ort)(info, &code));
	dtype = jm_dtype_of_code(code);
	if (dtype)
		ret_tensor->dtype = dtype->name;
	jm_ort_ignore(ort, jm_ort_dimensions_count_fn(ort)(info, &n));
	if (n > JM_DIMS_MAX)
		n = JM_DIMS_MAX;
	if (!n || jm_ort_ignore(ort, jm_ort_dimensions_fn(ort)(info, ret_tensor->dims, n)))
		ret_tensor->n_dims = n;
}

static int take_edge(const struct jm_ort *ort, const struct OrtValueInfo *value,
	struct jm_ort_edge *ret_edge)
{
	const char *name = NULL;
	const struct OrtTypeInfo *type = NULL;
	bool constant = false;

	ret_edge->tensor.dtype = "";
	if (value) { /* an optional input that is absent has none */
		jm_ort_ignore(ort, jm_ort_value_name_fn(ort)(value, &name));
		jm_ort_ignore(ort, jm_ort_value_is_constant_fn(ort)(value, &constant));
		if (jm_ort_ignore(ort, jm_ort_value_type_fn(ort)(value, &type)) && type)
			jm_ort_tensor_info_read(ort, type, &ret_edge->tensor);
	}
	ret_edge->constant = constant;
	ret_edge->tensor.name = jm_text_duplicate(name ? name : "");
	return ret_edge->tensor.name ? 0 : JM_ENOMEM;
}

static int take_edges(const struct jm_ort *ort, const struct OrtValueInfo *const *values,
	size_t n, struct jm_ort_edge **ret_edges, size_t *ret_n)
{
	*ret_edges = calloc(n ? n : 1, sizeof(**ret_edges));
	if (!*ret_edges)
		return JM_ENOMEM;
	for (size_t i = 0; i < n; i++) {
		*ret_n = i + 1;
		if (take_edge(ort, values[i], &(*ret_edges)[i]) < 0)
			return JM_ENOMEM;
	}
	return 0;
}

/* ---- Attributes -------------------------------------------------------------- */

/* Reads at most `max` integers; returns how many there are, 0: no attribute. */
static size_t read_integers(const struct jm_ort *ort, const struct OrtNode *node,
	const char *name, int type, int64_t *ret_values, size_t max)
{
	const struct OrtOpAttr *attribute = NULL;
	int64_t values[2 * SPATIAL_MAX];
	size_t bytes = 0, n;

	if (!jm_ort_ignore(ort, jm_ort_node_attribute_fn(ort)(node, name, &attribute)) ||
		!attribute)
		return 0;
	if (!jm_ort_ignore(ort, jm_ort_read_attribute_fn(ort)(
					attribute, type, values, sizeof(values), &bytes)))
		return 0;
	n = bytes / sizeof(values[0]);
	if (n > max || n > sizeof(values) / sizeof(values[0]))
		return 0;
	memcpy(ret_values, values, n * sizeof(values[0]));
	return n;
}

/* Pads that auto_pad=SAME_UPPER / SAME_LOWER stands for. */
static void resolve_auto_pad(const struct jm_ort *ort, const struct OrtNode *node,
	const struct jm_ort_node *taken, struct jm_window_attributes *window)
{
	const struct OrtOpAttr *attribute = NULL;
	const struct jm_tensor *in, *out;
	char text[32] = "";
	size_t bytes = 0;

	if (!jm_ort_ignore(ort, jm_ort_node_attribute_fn(ort)(node, "auto_pad", &attribute)) ||
		!attribute ||
		!jm_ort_ignore(
			ort, jm_ort_read_attribute_fn(ort)(attribute, JM_ORT_ATTRIBUTE_STRING,
				     text, sizeof(text) - 1, &bytes)) ||
		strncmp(text, "SAME_", 5) != 0 || !taken->n_inputs || !taken->n_outputs)
		return;
	in = &taken->inputs[0].tensor;
	out = &taken->outputs[0].tensor;
	for (size_t i = 0; i < window->n_spatial; i++) {
		int64_t extent = (window->kernel[i] - 1) * window->dilation[i] + 1, total;

		if (in->n_dims != window->n_spatial + 2 || out->n_dims != in->n_dims ||
			in->dims[i + 2] < 0 || out->dims[i + 2] < 0)
			return;
		total = (out->dims[i + 2] - 1) * window->stride[i] + extent - in->dims[i + 2];
		if (total < 0)
			total = 0;
		window->pad_begin[i] = text[5] == 'L' ? total - total / 2 : total / 2;
		window->pad_end[i] = total - window->pad_begin[i];
	}
}

static void take_window(
	const struct jm_ort *ort, const struct OrtNode *node, struct jm_ort_node *taken)
{
	struct jm_window_attributes *window = &taken->window;
	const struct jm_tensor *weights = taken->n_inputs > 1 ? &taken->inputs[1].tensor : NULL;
	int64_t pads[2 * SPATIAL_MAX];
	size_t n = read_integers(
		ort, node, "kernel_shape", JM_ORT_ATTRIBUTE_INTS, window->kernel, SPATIAL_MAX);

	if (!n && strstr(taken->op, "Conv") && weights && weights->n_dims > 2 &&
		weights->n_dims <= SPATIAL_MAX + 2) {
		n = weights->n_dims - 2;
		memcpy(window->kernel, weights->dims + 2, n * sizeof(int64_t));
	}
	if (!n)
		return;
	window->n_spatial = n;
	window->groups = 1;
	for (size_t i = 0; i < n; i++)
		window->stride[i] = window->dilation[i] = 1;
	read_integers(ort, node, "strides", JM_ORT_ATTRIBUTE_INTS, window->stride, n);
	read_integers(ort, node, "dilations", JM_ORT_ATTRIBUTE_INTS, window->dilation, n);
	read_integers(ort, node, "group", JM_ORT_ATTRIBUTE_INT, &window->groups, 1);
	if (read_integers(ort, node, "pads", JM_ORT_ATTRIBUTE_INTS, pads, 2 * n) == 2 * n) {
		memcpy(window->pad_begin, pads, n * sizeof(int64_t));
		memcpy(window->pad_end, pads + n, n * sizeof(int64_t));
	}
	resolve_auto_pad(ort, node, taken, window);
}

/* ---- Nodes --------------------------------------------------------------------- */

static void release_edges(struct jm_ort_edge *edges, size_t n)
{
	for (size_t i = 0; edges && i < n; i++)
		jm_tensor_release(&edges[i].tensor);
	free(edges);
}

static void release_node(struct jm_ort_node *node)
{
	free(node->name);
	free(node->op);
	release_edges(node->inputs, node->n_inputs);
	release_edges(node->outputs, node->n_outputs);
	memset(node, 0, sizeof(*node));
}

static int take_values(
	const struct jm_ort *ort, const struct OrtNode *node, struct jm_ort_node *taken)
{
	size_t n_in = 0, n_out = 0;
	const struct OrtValueInfo **values;
	int result = JM_ENOMEM;

	jm_ort_ignore(ort, jm_ort_node_input_count_fn(ort)(node, &n_in));
	jm_ort_ignore(ort, jm_ort_node_output_count_fn(ort)(node, &n_out));
	values = calloc(n_in + n_out + 1, sizeof(*values));
	if (!values)
		return JM_ENOMEM;
	if (n_in && !jm_ort_ignore(ort, jm_ort_node_inputs_fn(ort)(node, values, n_in)))
		n_in = 0;
	if (n_out &&
		!jm_ort_ignore(ort, jm_ort_node_outputs_fn(ort)(node, values + n_in, n_out)))
		n_out = 0;
	if (take_edges(ort, values, n_in, &taken->inputs, &taken->n_inputs) == 0 &&
		take_edges(ort, values + n_in, n_out, &taken->outputs, &taken->n_outputs) == 0)
		result = 0;
	free(values);
	return result;
}

static int take_node(
	const struct jm_ort *ort, const struct OrtNode *node, struct jm_ort_node *ret_node)
{
	const char *name = NULL, *op = NULL;

	jm_ort_ignore(ort, jm_ort_node_name_fn(ort)(node, &name));
	jm_ort_ignore(ort, jm_ort_node_operator_fn(ort)(node, &op));
	ret_node->name = jm_text_duplicate(name ? name : "");
	ret_node->op = jm_text_duplicate(op ? op : "Unknown");
	if (!ret_node->name || !ret_node->op || take_values(ort, node, ret_node) < 0)
		return JM_ENOMEM;
	take_window(ort, node, ret_node);
	return 0;
}

static void take_nodes(struct jm_ort_capture *capture, const struct jm_ort *ort,
	const struct OrtNode *const *nodes, size_t n)
{
	capture->nodes = calloc(n, sizeof(*capture->nodes));
	if (!capture->nodes) {
		capture->out_of_memory = 1;
		return;
	}
	for (size_t i = 0; i < n; i++) {
		capture->n = i + 1;
		if (take_node(ort, nodes[i], &capture->nodes[i]) < 0) {
			capture->out_of_memory = 1;
			return;
		}
	}
}

void jm_ort_capture_take(
	struct jm_ort_capture *capture, const struct jm_ort *ort, const struct OrtGraph *graph)
{
	const struct OrtNode *parent = NULL;
	const struct OrtNode **nodes;
	size_t n = 0;

	if (jm_ort_ignore(ort, jm_ort_graph_parent_fn(ort)(graph, &parent)) && parent)
		return;
	jm_ort_capture_release(capture);
	if (!jm_ort_ignore(ort, jm_ort_graph_node_count_fn(ort)(graph, &n)) || !n)
		return;
	nodes = calloc(n, sizeof(*nodes));
	if (!nodes)
		capture->out_of_memory = 1;
	else if (jm_ort_ignore(ort, jm_ort_graph_nodes_fn(ort)(graph, nodes, n)))
		take_nodes(capture, ort, nodes, n);
	free(nodes);
}

void jm_ort_capture_release(struct jm_ort_capture *capture)
{
	for (size_t i = 0; i < capture->n; i++)
		release_node(&capture->nodes[i]);
	free(capture->nodes);
	memset(capture, 0, sizeof(*capture));
}
