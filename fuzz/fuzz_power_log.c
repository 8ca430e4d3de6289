/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "formats/power_log_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct jm_power_log_notes notes;
	struct jm_power_log log;
	struct jm_reader reader;
	struct jm_error error;
	int64_t before_ns = INT64_MIN;

	jm_reader_open_memory(&reader, "fuzz", data, size);
	if (jm_power_log_read_from(&reader, &log, &notes, &error) == 0) {
		/* What was let in is in order and is a measurement. */
		for (size_t i = 0; i < log.rails[0].n_readings; i++) {
			const struct jm_reading *reading = &log.rails[0].readings[i];

			if (reading->after_ns < before_ns ||
				!(fabs(jm_reading_power_uw(reading, JM_QUANTITY_MV_MA)) <=
					1e12))
				abort();
			before_ns = reading->after_ns;
		}
		if (!log.rails[0].n_readings || notes.readings != log.rails[0].n_readings)
			abort();
	}
	jm_power_log_release(&log);
	jm_reader_close(&reader);
	return 0;
}
