/* SPDX-License-Identifier: Apache-2.0 */
/* The two tables that are read back: mapping and readings. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "formats/mapping_csv.h"
#include "formats/readings_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int take_row(void *context, const struct jm_mapping_row *row)
{
	size_t *bytes = context;

	*bytes += strlen(row->layer_name) + strlen(row->layer_type);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct jm_power_log log;
	struct jm_reader reader;
	struct jm_error error;
	size_t bytes = 0;

	jm_reader_open_memory(&reader, "fuzz", data, size);
	jm_mapping_read_from(&reader, take_row, &bytes, &error);
	jm_reader_close(&reader);
	if (bytes > size)
		abort();
	jm_reader_open_memory(&reader, "fuzz", data, size);
	jm_readings_read_from(&reader, &log, &error);
	jm_reader_close(&reader);
	jm_power_log_release(&log);
	return 0;
}
