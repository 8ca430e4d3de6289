/* SPDX-License-Identifier: Apache-2.0 */
/* The tables that are read back: mapping, energy of layers, readings. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "formats/layer_energy_file.h"
#include "formats/mapping_csv.h"
#include "formats/readings_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int take_row(void *context, const struct jm_mapping_row *row)
{
	size_t *bytes = context;

	*bytes += strlen(row->layer_name) + strlen(row->layer_type);
	return 0;
}

static int take_layer(void *context, const struct jm_layer_energy_row *row)
{
	size_t *bytes = context;

	*bytes += strlen(row->name) + strlen(row->type);
	if (row->index < -2 || row->layer.group < -1)
		abort();
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
	bytes = 0;
	jm_reader_open_memory(&reader, "fuzz", data, size);
	jm_layer_energy_read_from(&reader, take_layer, &bytes, &error);
	jm_reader_close(&reader);
	if (bytes > size)
		abort();
	jm_reader_open_memory(&reader, "fuzz", data, size);
	jm_readings_read_from(&reader, &log, &error);
	jm_reader_close(&reader);
	jm_power_log_release(&log);
	return 0;
}
