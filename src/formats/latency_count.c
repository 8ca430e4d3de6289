/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a latency file has as many executions as a timeline, without reading
 * them: each begins with a bracket, and so do each layer's list and some names.
 */
#include <string.h>

#include "formats/latency_file.h"

#define EACH_BYTE UINT64_C(0x0101010101010101)
#define LOW_BITS (EACH_BYTE * 0x7f)

/* Eight bytes at a time: this is the only thing that all of the file is read for. */
static size_t count_brackets(const char *text, size_t size)
{
	size_t n = 0, at = 0;

	for (; size - at >= 8; at += 8) {
		uint64_t word, zero_low;

		memcpy(&word, text + at, 8);
		word ^= EACH_BYTE * '['; /* what was a bracket is 0 */
		zero_low = (word & LOW_BITS) + LOW_BITS;
		zero_low = ~(zero_low | word | LOW_BITS) >> 7; /* 1 where a byte is 0 */
		n += (size_t)(zero_low * EACH_BYTE >> 56);
	}
	for (; at < size; at++)
		n += text[at] == '[';
	return n;
}

int jm_latency_matches(const char *path, const struct jm_timeline *timeline, int *ret_matches,
	struct jm_error *reterr)
{
	struct jm_reader reader;
	size_t expected = 0, found = 0;
	int result = jm_reader_open(&reader, path, reterr);

	*ret_matches = 0;
	if (result < 0)
		return result;
	for (size_t i = 0; i < timeline->n_layers; i++) {
		const struct jm_layer *layer = &timeline->layers[i];

		expected += layer->n_executions + 1 +
			    count_brackets(layer->name, strlen(layer->name));
	}
	while ((result = jm_reader_fill(&reader, reterr)) > 0) {
		found += count_brackets(
			reader.data + reader.position, reader.end - reader.position);
		reader.position = reader.end;
	}
	jm_reader_close(&reader);
	*ret_matches = found == expected;
	return result;
}
