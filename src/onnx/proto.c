/* SPDX-License-Identifier: Apache-2.0 */
#include "onnx/proto.h"

#include <stdlib.h>
#include <string.h>

/* ---- Reading ------------------------------------------------------------------- */

static int read_varint(struct jm_proto_reader *reader, uint64_t *ret_value)
{
	*ret_value = 0;
	for (unsigned shift = 0; shift < 64; shift += 7) {
		unsigned char byte;

		if (reader->at == reader->end) {
			reader->truncated = 1;
			return -1;
		}
		byte = *reader->at++;
		*ret_value |= (uint64_t)(byte & 127) << shift;
		if (byte < 128)
			return 0;
	}
	return -1;
}

static int skip(struct jm_proto_reader *reader, uint64_t size)
{
	if (size > (uint64_t)(reader->end - reader->at)) {
		reader->truncated = 1;
		return -1;
	}
	reader->at += size;
	return 1;
}

static int read_content(struct jm_proto_reader *reader, struct jm_proto_field *ret_field)
{
	switch (ret_field->wire) {
	case JM_PROTO_VARINT:
		return read_varint(reader, &ret_field->value) < 0 ? -1 : 1;
	case 1:
		return skip(reader, 8);
	case 5:
		return skip(reader, 4);
	case JM_PROTO_BYTES:
		if (read_varint(reader, &ret_field->value) < 0)
			return -1;
		ret_field->data = reader->at;
		ret_field->size = (size_t)ret_field->value;
		return skip(reader, ret_field->value);
	default:
		return -1;
	}
}

int jm_proto_next(struct jm_proto_reader *reader, struct jm_proto_field *ret_field)
{
	const unsigned char *begin = reader->at;
	uint64_t key;
	int result;

	if (reader->at == reader->end)
		return 0;
	if (read_varint(reader, &key) < 0 || key >> 3 == 0 || key >> 3 > 0xffff)
		return -1;
	*ret_field = (struct jm_proto_field){
		.number = (unsigned)(key >> 3), .wire = (unsigned)(key & 7), .whole = begin};
	result = read_content(reader, ret_field);
	ret_field->n_whole = (size_t)(reader->at - begin);
	return result;
}

/* ---- Writing ------------------------------------------------------------------- */

static void put(struct jm_proto_writer *writer, const void *data, size_t size)
{
	if (writer->failed)
		return;
	if (writer->capacity - writer->size < size) {
		size_t capacity = (writer->size + size) * 2 + 64;
		unsigned char *grown = realloc(writer->data, capacity);

		if (!grown) {
			writer->failed = 1;
			return;
		}
		writer->data = grown;
		writer->capacity = capacity;
	}
	if (size)
		memcpy(writer->data + writer->size, data, size);
	writer->size += size;
}

static void put_number(struct jm_proto_writer *writer, uint64_t value)
{
	unsigned char bytes[10];
	size_t n = 0;

	for (; value > 127; value >>= 7)
		bytes[n++] = (unsigned char)(value | 128);
	bytes[n++] = (unsigned char)value;
	put(writer, bytes, n);
}

void jm_proto_put_varint(struct jm_proto_writer *writer, unsigned number, uint64_t value)
{
	put_number(writer, (uint64_t)number << 3 | JM_PROTO_VARINT);
	put_number(writer, value);
}

void jm_proto_put_bytes(
	struct jm_proto_writer *writer, unsigned number, const void *data, size_t size)
{
	put_number(writer, (uint64_t)number << 3 | JM_PROTO_BYTES);
	put_number(writer, size);
	put(writer, data, size);
}

void jm_proto_put_text(struct jm_proto_writer *writer, unsigned number, const char *text)
{
	jm_proto_put_bytes(writer, number, text, strlen(text));
}

void jm_proto_put_field(struct jm_proto_writer *writer, const struct jm_proto_field *field)
{
	put(writer, field->whole, field->n_whole);
}

void jm_proto_put_message(
	struct jm_proto_writer *writer, unsigned number, struct jm_proto_writer *inner)
{
	jm_proto_put_bytes(writer, number, inner->data, inner->size);
	writer->failed |= inner->failed;
	jm_proto_writer_release(inner);
}

void jm_proto_writer_release(struct jm_proto_writer *writer)
{
	free(writer->data);
	memset(writer, 0, sizeof(*writer));
}
