/* SPDX-License-Identifier: Apache-2.0 */
/* Protocol buffers, as far as ONNX files need them: walking and writing fields. */
#ifndef JM_ONNX_PROTO_H
#define JM_ONNX_PROTO_H

#include <stddef.h>
#include <stdint.h>

/* Field numbers of onnx.proto that we use. */
enum {
	ONNX_MODEL_IR_VERSION = 1,
	ONNX_MODEL_GRAPH = 7,
	ONNX_MODEL_OPSET = 8,
	ONNX_OPSET_DOMAIN = 1,
	ONNX_OPSET_VERSION = 2,
	ONNX_GRAPH_NODE = 1,
	ONNX_GRAPH_NAME = 2,
	ONNX_GRAPH_INITIALIZER = 5,
	ONNX_GRAPH_INPUT = 11,
	ONNX_GRAPH_OUTPUT = 12,
	ONNX_GRAPH_VALUE_INFO = 13,
	ONNX_GRAPH_SPARSE_INITIALIZER = 15,
	ONNX_SPARSE_VALUES = 1,
	ONNX_TENSOR_NAME = 8,
	ONNX_NODE_INPUT = 1,
	ONNX_NODE_OUTPUT = 2,
	ONNX_NODE_NAME = 3,
	ONNX_NODE_OP_TYPE = 4,
	ONNX_NODE_ATTRIBUTE = 5,
	ONNX_NODE_DOMAIN = 7,
	ONNX_ATTRIBUTE_NAME = 1,
	ONNX_ATTRIBUTE_INTEGER = 3,
	ONNX_ATTRIBUTE_TYPE = 20,
	ONNX_VALUE_NAME = 1,
	ONNX_VALUE_TYPE = 2,
	ONNX_TYPE_TENSOR = 1,
	ONNX_TYPE_TENSOR_ELEM = 1,
	ONNX_TYPE_TENSOR_SHAPE = 2,
	ONNX_SHAPE_DIM = 1,
	ONNX_DIM_VALUE = 1,
	ONNX_DIM_PARAM = 2
};

enum { JM_PROTO_VARINT = 0, JM_PROTO_BYTES = 2 };

struct jm_proto_field {
	unsigned number;
	unsigned wire; /* JM_PROTO_VARINT, JM_PROTO_BYTES, or 1 and 5: skipped */
	uint64_t value;
	const unsigned char *data; /* [size], for JM_PROTO_BYTES */
	size_t size;
	/* The field as it stands, with its number: [n_whole] */
	const unsigned char *whole;
	size_t n_whole;
};

struct jm_proto_reader {
	const unsigned char *at, *end;
	int truncated; /* a field says it is longer than what is left */
};

/* Returns 1, 0 at the end, -1 when there is no valid field here. */
int jm_proto_next(struct jm_proto_reader *reader, struct jm_proto_field *ret_field);

/*
 * Writing: fields are appended; a message inside a message is written first,
 * then appended as bytes. After a failure `failed` stays set.
 */
struct jm_proto_writer {
	unsigned char *data; /* [size], owned */
	size_t size, capacity;
	int failed;
};

void jm_proto_put_varint(struct jm_proto_writer *writer, unsigned number, uint64_t value);
void jm_proto_put_bytes(
	struct jm_proto_writer *writer, unsigned number, const void *data, size_t size);
void jm_proto_put_text(struct jm_proto_writer *writer, unsigned number, const char *text);
/* Appends a field as it was read. */
void jm_proto_put_field(struct jm_proto_writer *writer, const struct jm_proto_field *field);
/* Appends `inner` as a field and releases it. */
void jm_proto_put_message(
	struct jm_proto_writer *writer, unsigned number, struct jm_proto_writer *inner);
void jm_proto_writer_release(struct jm_proto_writer *writer);

#endif
