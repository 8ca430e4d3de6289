/* SPDX-License-Identifier: Apache-2.0 */
#include "engines/onnxruntime/bias/chain.h"

#include <stdio.h>

#define IR_VERSION 7
#define OPSET 13
#define FLOAT32 1
#define N_DIMS 4

static void put_node(struct jm_proto_writer *graph, const char *domain, const char *op,
	unsigned index, unsigned n_reads)
{
	struct jm_proto_writer node = {0};
	char name[24];

	snprintf(name, sizeof(name), "t%u", index);
	for (unsigned i = 0; i < n_reads; i++)
		jm_proto_put_text(&node, ONNX_NODE_INPUT, name);
	snprintf(name, sizeof(name), "t%u", index + 1);
	jm_proto_put_text(&node, ONNX_NODE_OUTPUT, name);
	snprintf(name, sizeof(name), "node%u", index);
	jm_proto_put_text(&node, ONNX_NODE_NAME, name);
	jm_proto_put_text(&node, ONNX_NODE_OP_TYPE, op);
	jm_proto_put_text(&node, ONNX_NODE_DOMAIN, domain);
	jm_proto_put_message(graph, ONNX_GRAPH_NODE, &node);
}

static void put_value(struct jm_proto_writer *graph, unsigned field, unsigned index)
{
	struct jm_proto_writer value = {0}, type = {0}, tensor = {0}, shape = {0};
	char name[24];

	for (unsigned i = 0; i < N_DIMS; i++) {
		struct jm_proto_writer dim = {0};

		jm_proto_put_varint(&dim, ONNX_DIM_VALUE, 1);
		jm_proto_put_message(&shape, ONNX_SHAPE_DIM, &dim);
	}
	jm_proto_put_varint(&tensor, ONNX_TYPE_TENSOR_ELEM, FLOAT32);
	jm_proto_put_message(&tensor, ONNX_TYPE_TENSOR_SHAPE, &shape);
	jm_proto_put_message(&type, ONNX_TYPE_TENSOR, &tensor);
	snprintf(name, sizeof(name), "t%u", index);
	jm_proto_put_text(&value, ONNX_VALUE_NAME, name);
	jm_proto_put_message(&value, ONNX_VALUE_TYPE, &type);
	jm_proto_put_message(graph, field, &value);
}

static void put_opset(struct jm_proto_writer *writer, const char *domain, unsigned version)
{
	struct jm_proto_writer opset = {0};

	jm_proto_put_text(&opset, ONNX_OPSET_DOMAIN, domain);
	jm_proto_put_varint(&opset, ONNX_OPSET_VERSION, version);
	jm_proto_put_message(writer, ONNX_MODEL_OPSET, &opset);
}

void jm_ort_chain_write(struct jm_proto_writer *writer, const char *domain, const char *op,
	unsigned n_nodes, unsigned n_reads)
{
	struct jm_proto_writer graph = {0};

	for (unsigned i = 0; i < n_nodes; i++)
		put_node(&graph, domain, op, i, n_reads);
	jm_proto_put_text(&graph, ONNX_GRAPH_NAME, "chain");
	put_value(&graph, ONNX_GRAPH_INPUT, 0);
	put_value(&graph, ONNX_GRAPH_OUTPUT, n_nodes);
	jm_proto_put_varint(writer, ONNX_MODEL_IR_VERSION, IR_VERSION);
	jm_proto_put_message(writer, ONNX_MODEL_GRAPH, &graph);
	put_opset(writer, "", OPSET);
	put_opset(writer, domain, 1);
}
