/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "run/spool.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int take_block(void *context, enum jm_spool_type type, const void *payload, size_t size,
	struct jm_error *reterr)
{
	unsigned char *sum = context;
	const unsigned char *bytes = payload;

	(void)type;
	(void)reterr;
	for (size_t i = 0; i < size; i++)
		*sum = (unsigned char)(*sum ^ bytes[i]);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct jm_spool_report report;
	struct jm_error error;
	unsigned char sum = 0;

	if (jm_spool_read_memory("fuzz", data, size, take_block, &sum, &report, &error) == 0 &&
		report.bytes_dropped > size)
		abort();
	return 0;
}
