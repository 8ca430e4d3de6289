/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timeline.jmt. Checksums would keep a fuzzer out of everything behind them:
 * they are put right first, unless the first byte says otherwise.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "formats/timeline_block.h"
#include "formats/timeline_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put_checksums_right(unsigned char *data, size_t size)
{
	size_t at = JM_TIMELINE_HEADER_SIZE;

	if (size < at)
		return;
	jm_timeline_put_u32(data + 32, (uint32_t)crc32(0, data, 32));
	while (size - at >= JM_TIMELINE_BLOCK_HEADER_SIZE) {
		size_t length = jm_timeline_get_u32(data + at + 4);

		if (length > size - at - JM_TIMELINE_BLOCK_HEADER_SIZE)
			return;
		jm_timeline_put_u32(data + at + 8,
			jm_timeline_checksum(
				data + at, data + at + JM_TIMELINE_BLOCK_HEADER_SIZE, length));
		at += JM_TIMELINE_BLOCK_HEADER_SIZE + length;
	}
}

/* What could be read has spans that can be, and no more than fit in the file. */
static void check(const struct jm_timeline *timeline, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < timeline->n_layers; i++) {
		const struct jm_layer *layer = &timeline->layers[i];

		n += layer->n_executions;
		for (size_t j = 0; j < layer->n_executions; j++)
			if (!(layer->executions[j].duration_ms >= 0) ||
				(j && jm_execution_cycle(layer, j) <
						jm_execution_cycle(layer, j - 1)))
				abort();
	}
	if (n > size / 2 || timeline->n_layers > size / JM_TIMELINE_BLOCK_HEADER_SIZE)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct jm_timeline timeline;
	unsigned char *copy;
	struct jm_error error;

	if (!size)
		return 0;
	copy = malloc(size);
	if (!copy)
		return 0;
	memcpy(copy, data + 1, size - 1);
	if (data[0] != '!')
		put_checksums_right(copy, size - 1);
	if (jm_timeline_file_read_memory("fuzz", copy, size - 1, &timeline, &error) == 0)
		check(&timeline, size);
	jm_timeline_release(&timeline);
	free(copy);
	return 0;
}
