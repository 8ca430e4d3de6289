/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/timeline_file.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/file.h"
#include "formats/timeline_block.h"

struct input {
	struct jm_reader reader;
	struct jm_timeline *timeline;
	struct jm_error *reterr;
	uint64_t n_layers, n_cycles, n_spans; /* as the header has them */
	uint64_t spans;                       /* read so far */
	/* The layer whose spans are being read. */
	size_t layer;
	unsigned has;      /* JM_TIMELINE_HAS_* */
	uint64_t expected; /* spans that are still to come */
	uint64_t cycle;
	int first;
	struct jm_timeline_guess guess;
};

/* What is left of a payload. */
struct cursor {
	const unsigned char *at, *end;
};

static uint64_t offset(const struct input *input)
{
	return input->reader.offset + input->reader.position;
}

static int fail_damaged(const struct input *input, const char *what)
{
	return jm_fail(input->reterr, JM_EFORMAT, "'%s' is damaged: %s at byte %llu",
		input->reader.path, what, (unsigned long long)offset(input));
}

/* Makes `size` bytes visible, which are borrowed until the next call. */
static int look(struct input *input, size_t size, const unsigned char **ret_bytes)
{
	struct jm_reader *reader = &input->reader;

	while (reader->end - reader->position < size) {
		int result = jm_reader_fill(reader, input->reterr);

		if (result < 0)
			return result;
		if (result == 0)
			return jm_fail(input->reterr, JM_ETRUNCATED,
				"'%s' is cut off at byte %llu", reader->path,
				(unsigned long long)(reader->offset + reader->end));
	}
	*ret_bytes = (const unsigned char *)reader->data + reader->position;
	return 0;
}

/* 1, or 0 where the payload ends before the number or the number is too long. */
static int get_varint(struct cursor *cursor, uint64_t *ret_value)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 64 && cursor->at < cursor->end; shift += 7) {
		unsigned char byte = *cursor->at++;

		if (shift == 63 && byte > 1)
			return 0;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80)) {
			*ret_value = value;
			return 1;
		}
	}
	return 0;
}

/* A copy of the text, freed with free(); NULL with *ret_result set otherwise. */
static char *get_text(struct input *input, struct cursor *cursor, int *ret_result)
{
	uint64_t length;
	char *text;

	if (!get_varint(cursor, &length) || length > (uint64_t)(cursor->end - cursor->at) ||
		memchr(cursor->at, 0, (size_t)length)) {
		*ret_result = fail_damaged(input, "a layer has no valid name");
		return NULL;
	}
	text = malloc((size_t)length + 1);
	if (!text) {
		*ret_result = jm_fail_memory(input->reterr, "the name of a layer");
		return NULL;
	}
	memcpy(text, cursor->at, (size_t)length);
	text[length] = '\0';
	cursor->at += length;
	return text;
}

static int add_layer(struct input *input, struct cursor *cursor)
{
	uint64_t has, n_spans;
	char *name, *type = NULL;
	int result = 0;

	if (input->expected)
		return fail_damaged(input, "spans of a layer are missing");
	if (!get_varint(cursor, &has) || !get_varint(cursor, &n_spans) ||
		has > (JM_TIMELINE_HAS_CYCLES | JM_TIMELINE_HAS_LANES))
		return fail_damaged(input, "a layer is not described rightly");
	name = get_text(input, cursor, &result);
	if (name)
		type = get_text(input, cursor, &result);
	if (type && cursor->at != cursor->end)
		result = fail_damaged(input, "a layer is not described rightly");
	if (result == 0)
		result = jm_timeline_add_layer(input->timeline, name, type, input->reterr);
	free(name);
	free(type);
	if (result < 0)
		return result;
	input->layer = (size_t)result;
	input->has = (unsigned)has;
	input->expected = n_spans;
	input->cycle = 0;
	input->first = 1;
	input->guess = (struct jm_timeline_guess){0};
	return 0;
}

/* Begin and length of a span as whole numbers; 0: they cannot be. */
static int decode_times(struct input *input, struct cursor *cursor, int64_t *ret_begin_ns,
	int64_t *ret_duration_ns)
{
	struct jm_timeline_guess *guess = &input->guess;
	uint64_t begin, duration;

	if (!get_varint(cursor, &begin) || !get_varint(cursor, &duration))
		return 0;
	begin = jm_timeline_unzigzag(begin) + guess->begin_ns + guess->step_ns;
	duration = jm_timeline_unzigzag(duration) + guess->duration_ns;
	jm_timeline_learn(guess, begin, duration, input->first);
	*ret_begin_ns = (int64_t)begin;
	*ret_duration_ns = (int64_t)duration;
	return duration <= JM_TIMELINE_DURATION_MAX_NS &&
	       *ret_begin_ns >= -JM_TIMELINE_TIME_MAX_NS &&
	       *ret_begin_ns <= JM_TIMELINE_TIME_MAX_NS;
}

/* Which cycle and lane a span is of; 0: they cannot be. */
static int decode_place(struct input *input, struct cursor *cursor, uint64_t *ret_lane)
{
	uint64_t step = !input->first;

	*ret_lane = 0;
	if ((input->has & JM_TIMELINE_HAS_CYCLES) && !get_varint(cursor, &step))
		return 0;
	if ((input->has & JM_TIMELINE_HAS_LANES) && !get_varint(cursor, ret_lane))
		return 0;
	if (step >= UINT32_MAX)
		return 0;
	input->cycle += step;
	return input->cycle < UINT32_MAX && *ret_lane < JM_LANES_MAX;
}

static int add_spans(struct input *input, struct cursor *cursor)
{
	while (cursor->at < cursor->end) {
		int64_t begin_ns = 0, duration_ns = 0;
		uint64_t lane;
		int result;

		if (!input->expected)
			return fail_damaged(input, "a layer has more spans than it says");
		if (!decode_times(input, cursor, &begin_ns, &duration_ns) ||
			!decode_place(input, cursor, &lane))
			return fail_damaged(input, "a span cannot be, in the block");
		result = jm_timeline_append_span(input->timeline, input->layer,
			(size_t)input->cycle, (unsigned)lane, begin_ns, begin_ns + duration_ns,
			input->reterr);
		if (result < 0)
			return result;
		input->first = 0;
		input->expected--;
		input->spans++;
	}
	return 0;
}

/* One block. 1 to go on, 0 behind the last one, or an error. */
static int read_block(struct input *input)
{
	const unsigned char *header = NULL;
	struct cursor cursor;
	uint32_t type, size;
	int result = look(input, JM_TIMELINE_BLOCK_HEADER_SIZE, &header);

	if (result < 0)
		return result;
	type = jm_timeline_get_u32(header);
	size = jm_timeline_get_u32(header + 4);
	if (size > JM_TIMELINE_PAYLOAD_MAX || type < JM_TIMELINE_LAYER ||
		type > JM_TIMELINE_END)
		return fail_damaged(input, "no block");
	result = look(input, JM_TIMELINE_BLOCK_HEADER_SIZE + size, &header);
	if (result < 0)
		return result;
	cursor.at = header + JM_TIMELINE_BLOCK_HEADER_SIZE;
	cursor.end = cursor.at + size;
	if (jm_timeline_get_u32(header + 8) != jm_timeline_checksum(header, cursor.at, size))
		return fail_damaged(input, "a block with a wrong checksum");
	if (type == JM_TIMELINE_LAYER)
		result = add_layer(input, &cursor);
	else if (type == JM_TIMELINE_SPANS)
		result = add_spans(input, &cursor);
	if (result < 0)
		return result;
	input->reader.position += JM_TIMELINE_BLOCK_HEADER_SIZE + size;
	return type != JM_TIMELINE_END;
}

static int read_header(struct input *input)
{
	const unsigned char *header = NULL;
	uint32_t version;
	int result = look(input, strlen(JM_TIMELINE_MAGIC) + 4, &header);

	if (result < 0)
		return result;
	if (memcmp(header, JM_TIMELINE_MAGIC, strlen(JM_TIMELINE_MAGIC)) != 0)
		return jm_fail(input->reterr, JM_EFORMAT, "'%s' is no timeline of joulemap",
			input->reader.path);
	version = jm_timeline_get_u32(header + 8);
	if (version != JM_TIMELINE_VERSION)
		return jm_fail(input->reterr, JM_EUNSUPPORTED,
			"'%s' is a timeline of version %lu, this joulemap reads version %u",
			input->reader.path, (unsigned long)version, JM_TIMELINE_VERSION);
	result = look(input, JM_TIMELINE_HEADER_SIZE, &header);
	if (result < 0)
		return result;
	if (jm_timeline_get_u32(header + 32) != crc32(0, header, 32))
		return fail_damaged(input, "a header with a wrong checksum");
	input->n_layers = jm_timeline_get_u32(header + 12);
	input->n_cycles = jm_timeline_get_u32(header + 16);
	input->n_spans = jm_timeline_get_u32(header + 24) |
			 (uint64_t)jm_timeline_get_u32(header + 28) << 32;
	input->reader.position += JM_TIMELINE_HEADER_SIZE;
	return 0;
}

/* Behind the last block. */
static int check_end(struct input *input)
{
	int result = 0;

	if (input->expected || input->spans != input->n_spans ||
		input->timeline->n_layers != input->n_layers ||
		jm_timeline_cycles(input->timeline) != input->n_cycles)
		return fail_damaged(input, "not what its header says was there");
	if (input->reader.position == input->reader.end)
		result = jm_reader_fill(&input->reader, input->reterr);
	if (result < 0)
		return result;
	if (input->reader.position < input->reader.end)
		return fail_damaged(input, "something behind its end");
	return 0;
}

static int read_all(struct input *input)
{
	int result = read_header(input);

	if (result < 0)
		return result;
	do
		result = read_block(input);
	while (result > 0);
	return result < 0 ? result : check_end(input);
}

int jm_timeline_file_read(
	const char *path, struct jm_timeline *ret_timeline, struct jm_error *reterr)
{
	struct input input = {.timeline = ret_timeline, .reterr = reterr};
	int result;

	jm_timeline_init(ret_timeline);
	result = jm_reader_open(&input.reader, path, reterr);
	if (result < 0)
		return result;
	result = read_all(&input);
	jm_reader_close(&input.reader);
	return result;
}

int jm_timeline_file_read_memory(const char *name, const void *data, size_t size,
	struct jm_timeline *ret_timeline, struct jm_error *reterr)
{
	struct input input = {.timeline = ret_timeline, .reterr = reterr};
	int result;

	jm_timeline_init(ret_timeline);
	jm_reader_open_memory(&input.reader, name, data, size);
	result = read_all(&input);
	jm_reader_close(&input.reader);
	return result;
}
