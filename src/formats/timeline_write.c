/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/file.h"
#include "formats/timeline_block.h"
#include "formats/timeline_file.h"

#define BLOCK_SIZE ((size_t)1 << 16)
#define SPAN_MAX 40u /* four numbers of up to ten bytes */

struct output {
	struct jm_writer writer;
	unsigned char *data; /* [BLOCK_SIZE], spans of the pending block */
	size_t used;
};

static void put_varint(unsigned char **at, uint64_t value)
{
	while (value >= 0x80) {
		*(*at)++ = (unsigned char)(value | 0x80);
		value >>= 7;
	}
	*(*at)++ = (unsigned char)value;
}

/* A block; its payload may be empty. */
static void put_block(
	struct output *output, enum jm_timeline_block type, const void *payload, size_t size)
{
	unsigned char header[JM_TIMELINE_BLOCK_HEADER_SIZE];

	jm_timeline_put_u32(header, (uint32_t)type);
	jm_timeline_put_u32(header + 4, (uint32_t)size);
	jm_timeline_put_u32(header + 8, jm_timeline_checksum(header, payload, size));
	jm_writer_put(&output->writer, header, sizeof(header));
	if (size)
		jm_writer_put(&output->writer, payload, size);
}

static void flush_spans(struct output *output)
{
	if (output->used)
		put_block(output, JM_TIMELINE_SPANS, output->data, output->used);
	output->used = 0;
}

static void put_file_header(struct output *output, const struct jm_timeline *timeline)
{
	unsigned char header[JM_TIMELINE_HEADER_SIZE] = JM_TIMELINE_MAGIC;
	uint64_t n_spans = 0;

	for (size_t i = 0; i < timeline->n_layers; i++)
		n_spans += timeline->layers[i].n_executions;
	jm_timeline_put_u32(header + 8, JM_TIMELINE_VERSION);
	jm_timeline_put_u32(header + 12, (uint32_t)timeline->n_layers);
	jm_timeline_put_u32(header + 16, (uint32_t)jm_timeline_cycles(timeline));
	jm_timeline_put_u32(header + 20, 0);
	jm_timeline_put_u32(header + 24, (uint32_t)n_spans);
	jm_timeline_put_u32(header + 28, (uint32_t)(n_spans >> 32));
	jm_timeline_put_u32(header + 32, (uint32_t)crc32(0, header, 32));
	jm_writer_put(&output->writer, header, sizeof(header));
}

static int put_layer(
	struct output *output, const struct jm_layer *layer, struct jm_error *reterr)
{
	size_t name_length = strlen(layer->name), type_length = strlen(layer->type);
	unsigned char *payload, *at;

	if (name_length + type_length > JM_TIMELINE_PAYLOAD_MAX - SPAN_MAX)
		return jm_fail(reterr, JM_EINVAL, "the name '%.60s...' of a layer is too long",
			layer->name);
	payload = at = malloc(name_length + type_length + SPAN_MAX);
	if (!payload)
		return jm_fail_memory(reterr, "the name of a layer");
	put_varint(&at, (layer->cycles ? JM_TIMELINE_HAS_CYCLES : 0u) |
				(layer->lanes ? JM_TIMELINE_HAS_LANES : 0u));
	put_varint(&at, layer->n_executions);
	put_varint(&at, name_length);
	memcpy(at, layer->name, name_length);
	at += name_length;
	put_varint(&at, type_length);
	memcpy(at, layer->type, type_length);
	at += type_length;
	put_block(output, JM_TIMELINE_LAYER, payload, (size_t)(at - payload));
	free(payload);
	return 0;
}

static int span_of(const struct jm_timeline *timeline, const struct jm_layer *layer, size_t i,
	int64_t *ret_begin_ns, int64_t *ret_duration_ns, struct jm_error *reterr)
{
	const struct jm_execution *execution = &layer->executions[i];
	double ns = execution->duration_ms * 1e6;

	if (!(ns >= 0 && ns <= (double)JM_TIMELINE_DURATION_MAX_NS) ||
		execution->stamp_ns < -JM_TIMELINE_STAMP_MAX_NS ||
		execution->stamp_ns > JM_TIMELINE_STAMP_MAX_NS)
		return jm_fail(reterr, JM_EINVAL,
			"layer '%.100s' has no valid stamp or duration in cycle %zu",
			layer->name, jm_execution_cycle(layer, i) + 1);
	*ret_duration_ns = (int64_t)llround(ns);
	*ret_begin_ns = execution->stamp_ns;
	if (timeline->stamp != JM_STAMP_BEGIN)
		*ret_begin_ns -= *ret_duration_ns;
	return 0;
}

static int put_spans(struct output *output, const struct jm_timeline *timeline,
	const struct jm_layer *layer, struct jm_error *reterr)
{
	struct jm_timeline_guess guess = {0};
	size_t cycle = 0;

	for (size_t i = 0; i < layer->n_executions; i++) {
		int64_t begin_ns = 0, duration_ns = 0;
		int result = span_of(timeline, layer, i, &begin_ns, &duration_ns, reterr);
		unsigned char *at;

		if (result < 0)
			return result;
		if (BLOCK_SIZE - output->used < SPAN_MAX)
			flush_spans(output);
		at = output->data + output->used;
		put_varint(&at, jm_timeline_zigzag(
					(uint64_t)begin_ns - guess.begin_ns - guess.step_ns));
		put_varint(&at, jm_timeline_zigzag((uint64_t)duration_ns - guess.duration_ns));
		if (layer->cycles) {
			put_varint(&at, layer->cycles[i] - cycle);
			cycle = layer->cycles[i];
		}
		if (layer->lanes)
			put_varint(&at, layer->lanes[i]);
		jm_timeline_learn(&guess, (uint64_t)begin_ns, (uint64_t)duration_ns, i == 0);
		output->used = (size_t)(at - output->data);
	}
	flush_spans(output);
	return 0;
}

static int check(const struct jm_timeline *timeline, struct jm_error *reterr)
{
	if (timeline->stamp == JM_STAMP_CALLBACK)
		return jm_fail(reterr, JM_EINVAL,
			"stamps of callbacks do not tell spans: resolve them first");
	if (jm_timeline_cycles(timeline) > UINT32_MAX)
		return jm_fail(reterr, JM_EINVAL, "a timeline holds at most %lu cycles",
			(unsigned long)UINT32_MAX);
	return 0;
}

int jm_timeline_file_write(
	const char *path, const struct jm_timeline *timeline, struct jm_error *reterr)
{
	struct output output = {0};
	int result = check(timeline, reterr);

	if (result < 0)
		return result;
	output.data = malloc(BLOCK_SIZE);
	if (!output.data)
		return jm_fail_memory(reterr, "a block of the timeline");
	result = jm_writer_open(&output.writer, path, reterr);
	if (result < 0)
		goto out;
	put_file_header(&output, timeline);
	for (size_t i = 0; i < timeline->n_layers && result == 0; i++) {
		result = put_layer(&output, &timeline->layers[i], reterr);
		if (result == 0)
			result = put_spans(&output, timeline, &timeline->layers[i], reterr);
	}
	put_block(&output, JM_TIMELINE_END, NULL, 0);
	if (result == 0)
		result = jm_writer_commit(&output.writer, reterr);
	else
		jm_writer_abandon(&output.writer);
out:
	free(output.data);
	return result;
}
