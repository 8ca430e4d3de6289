/* SPDX-License-Identifier: Apache-2.0 */
#include "engines/onnxruntime/markers/saved.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "onnx/proto.h"

/* ---- Files ------------------------------------------------------------------------- */

int jm_ort_saved_open(struct jm_ort_saved *saved, struct jm_error *reterr)
{
	memset(saved, 0, sizeof(*saved));
	saved->model_fd = memfd_create("joulemap-model", MFD_CLOEXEC);
	saved->weights_fd =
		saved->model_fd < 0 ? -1 : memfd_create("joulemap-weights", MFD_CLOEXEC);
	if (saved->weights_fd < 0) {
		int result = jm_fail_errno(reterr, errno, "no file in memory can be made");

		if (saved->model_fd >= 0)
			close(saved->model_fd);
		memset(saved, 0, sizeof(*saved));
		return result;
	}
	/* The runtime looks for weights beside the model: /proc/self/fd/N. */
	snprintf(saved->path, sizeof(saved->path), "/proc/self/fd/%d", saved->model_fd);
	snprintf(saved->weights_name, sizeof(saved->weights_name), "%d", saved->weights_fd);
	return 0;
}

/* An empty file has no mapping. */
static int map(int fd, void **ret_data, size_t *ret_size, struct jm_error *reterr)
{
	struct stat info;

	if (fstat(fd, &info) < 0)
		return jm_fail_errno(reterr, errno, "cannot read the optimised model");
	if (info.st_size == 0)
		return 0;
	*ret_data =
		mmap(NULL, (size_t)info.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	if (*ret_data == MAP_FAILED) {
		*ret_data = NULL;
		return jm_fail_errno(reterr, errno, "cannot read the optimised model");
	}
	*ret_size = (size_t)info.st_size;
	return 0;
}

void jm_ort_saved_close(struct jm_ort_saved *saved)
{
	if (saved->path[0]) { /* it is open */
		close(saved->model_fd);
		close(saved->weights_fd);
	}
	if (saved->image)
		munmap(saved->image, saved->n_image);
	if (saved->weights)
		munmap(saved->weights, saved->n_weights);
	free(saved->nodes);
	free(saved->values);
	free(saved->ends);
	memset(saved, 0, sizeof(*saved));
}

/* ---- Names ------------------------------------------------------------------------- */

int jm_ort_piece_compare(struct jm_ort_piece a, struct jm_ort_piece b)
{
	size_t n = a.size < b.size ? a.size : b.size;
	int order = n ? memcmp(a.data, b.data, n) : 0;

	if (order)
		return order;
	return a.size < b.size ? -1 : a.size > b.size;
}

static int by_name(const void *a, const void *b)
{
	const struct jm_ort_saved_value *left = a, *right = b;

	return jm_ort_piece_compare(left->name, right->name);
}

uint32_t jm_ort_saved_find(const struct jm_ort_saved *saved, struct jm_ort_piece name)
{
	struct jm_ort_saved_value key = {.name = name}, *found;

	if (!name.size || !saved->n_values)
		return JM_ORT_NO_VALUE;
	found = bsearch(&key, saved->values, saved->n_values, sizeof(key), by_name);
	return found ? (uint32_t)(found - saved->values) : JM_ORT_NO_VALUE;
}

/* ---- Reading ----------------------------------------------------------------------- */

static struct jm_ort_piece piece_of(const struct jm_proto_field *field)
{
	return (struct jm_ort_piece){(const char *)field->data, field->size};
}

static struct jm_proto_reader reader_of(struct jm_ort_piece piece)
{
	const char *data = piece.data ? piece.data : "";

	return (struct jm_proto_reader){
		(const unsigned char *)data, (const unsigned char *)data + piece.size, 0};
}

/* First field of that number in a message; an empty piece when there is none. */
static struct jm_ort_piece field_of(struct jm_ort_piece message, unsigned number)
{
	struct jm_proto_reader reader = reader_of(message);
	struct jm_proto_field field;

	while (jm_proto_next(&reader, &field) > 0)
		if (field.number == number && field.wire == JM_PROTO_BYTES)
			return piece_of(&field);
	return (struct jm_ort_piece){NULL, 0};
}

static void read_type(struct jm_ort_saved_value *value)
{
	struct jm_ort_piece tensor = field_of(value->type, ONNX_TYPE_TENSOR);
	struct jm_proto_reader reader = reader_of(tensor);
	struct jm_proto_field field;

	while (jm_proto_next(&reader, &field) > 0)
		if (field.number == ONNX_TYPE_TENSOR_ELEM && field.wire == JM_PROTO_VARINT)
			value->dtype = (int)field.value;
}

/* What a first walk over the graph counts, and a second fills in. */
struct filling {
	struct jm_ort_saved *saved;
	size_t n_nodes, n_values, n_ends;
	int fill;
};

static void put_value(struct filling *filling, struct jm_ort_saved_value value)
{
	if (!value.name.size)
		return;
	if (filling->fill)
		filling->saved->values[filling->n_values] = value;
	filling->n_values++;
}

static void put_node(struct filling *filling, struct jm_ort_piece message)
{
	struct jm_ort_saved_node node = {.all = message};
	struct jm_proto_reader reader = reader_of(message);
	struct jm_proto_field field;

	while (jm_proto_next(&reader, &field) > 0) {
		if (field.wire != JM_PROTO_BYTES)
			continue;
		if (field.number == ONNX_NODE_NAME)
			node.name = piece_of(&field);
		if (field.number == ONNX_NODE_OP_TYPE)
			node.op = piece_of(&field);
		filling->n_ends +=
			field.number == ONNX_NODE_INPUT || field.number == ONNX_NODE_OUTPUT;
		if (field.number == ONNX_NODE_OUTPUT)
			put_value(
				filling, (struct jm_ort_saved_value){.name = piece_of(&field)});
	}
	if (filling->fill)
		filling->saved->nodes[filling->n_nodes] = node;
	filling->n_nodes++;
}

static void put_field(struct filling *filling, const struct jm_proto_field *field)
{
	struct jm_ort_piece message = piece_of(field);
	struct jm_ort_saved_value value = {.name = {NULL, 0}};

	if (field->wire != JM_PROTO_BYTES)
		return;
	switch (field->number) {
	case ONNX_GRAPH_NODE:
		put_node(filling, message);
		return;
	case ONNX_GRAPH_INITIALIZER:
		value.name = field_of(message, ONNX_TENSOR_NAME);
		value.is_constant = 1;
		break;
	case ONNX_GRAPH_SPARSE_INITIALIZER:
		value.name = field_of(field_of(message, ONNX_SPARSE_VALUES), ONNX_TENSOR_NAME);
		value.is_constant = 1;
		break;
	case ONNX_GRAPH_INPUT:
	case ONNX_GRAPH_OUTPUT:
	case ONNX_GRAPH_VALUE_INFO:
		value.name = field_of(message, ONNX_VALUE_NAME);
		value.type = field_of(message, ONNX_VALUE_TYPE);
		read_type(&value);
		break;
	default:
		return;
	}
	put_value(filling, value);
}

/* One of each name, with what any of its mentions tells. */
static void merge_values(struct jm_ort_saved *saved)
{
	size_t kept = 0;

	qsort(saved->values, saved->n_values, sizeof(*saved->values), by_name);
	for (size_t i = 0; i < saved->n_values; i++) {
		const struct jm_ort_saved_value *value = &saved->values[i];
		struct jm_ort_saved_value *last = &saved->values[kept ? kept - 1 : 0];

		if (!kept || by_name(last, value) != 0) {
			saved->values[kept++] = *value;
			continue;
		}
		last->is_constant |= value->is_constant;
		if (!last->type.size && value->type.size) {
			last->type = value->type;
			last->dtype = value->dtype;
		}
	}
	saved->n_values = kept;
}

static size_t list_ends(const struct jm_ort_saved *saved, const struct jm_ort_saved_node *node,
	unsigned number, uint32_t *ends)
{
	struct jm_proto_reader reader = reader_of(node->all);
	struct jm_proto_field field;
	size_t n = 0;

	while (jm_proto_next(&reader, &field) > 0)
		if (field.number == number && field.wire == JM_PROTO_BYTES)
			ends[n++] = jm_ort_saved_find(saved, piece_of(&field));
	return n;
}

static void link_nodes(struct jm_ort_saved *saved)
{
	uint32_t *ends = saved->ends;

	for (size_t i = 0; i < saved->n_nodes; i++) {
		struct jm_ort_saved_node *node = &saved->nodes[i];

		node->inputs = ends;
		node->n_inputs = list_ends(saved, node, ONNX_NODE_INPUT, ends);
		ends += node->n_inputs;
		node->outputs = ends;
		node->n_outputs = list_ends(saved, node, ONNX_NODE_OUTPUT, ends);
		ends += node->n_outputs;
	}
}

static int walk_graph(struct jm_ort_saved *saved, struct filling *filling)
{
	struct jm_proto_reader reader = reader_of(saved->graph);
	struct jm_proto_field field;
	int result;

	*filling = (struct filling){.saved = saved, .fill = filling->fill};
	while ((result = jm_proto_next(&reader, &field)) > 0)
		put_field(filling, &field);
	return result;
}

int jm_ort_saved_read(struct jm_ort_saved *saved, struct jm_error *reterr)
{
	struct filling filling = {.fill = 0};
	int result = map(saved->model_fd, &saved->image, &saved->n_image, reterr);

	if (result == 0)
		result = map(saved->weights_fd, &saved->weights, &saved->n_weights, reterr);
	if (result < 0)
		return result;
	saved->graph =
		field_of((struct jm_ort_piece){saved->image, saved->n_image}, ONNX_MODEL_GRAPH);
	if (!saved->graph.size || walk_graph(saved, &filling) < 0)
		return jm_fail(reterr, JM_EFORMAT, "the optimised model cannot be read");
	saved->nodes = calloc(filling.n_nodes + 1, sizeof(*saved->nodes));
	saved->values = calloc(filling.n_values + 1, sizeof(*saved->values));
	saved->ends = calloc(filling.n_ends + 1, sizeof(*saved->ends));
	if (!saved->nodes || !saved->values || !saved->ends)
		return jm_fail_memory(reterr, "the optimised model");
	filling.fill = 1;
	walk_graph(saved, &filling);
	saved->n_nodes = filling.n_nodes;
	saved->n_values = filling.n_values;
	merge_values(saved);
	link_nodes(saved);
	return 0;
}
