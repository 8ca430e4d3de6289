/* SPDX-License-Identifier: Apache-2.0 */
/*
 * readings.csv: every reading of every rail, exactly as it was read. Columns
 * "rail,before_ns,after_ns" and then those of the quantities in the log:
 * "mv,ma", "uw", "uj"; a rail fills its own. A missing value is empty.
 */
#ifndef JM_FORMATS_READINGS_FILE_H
#define JM_FORMATS_READINGS_FILE_H

#include "base/file.h"
#include "joulemap/joulemap.h"

int jm_readings_write(
	const char *path, const struct jm_power_log *log, struct jm_error *reterr);

/*
 * Reads the file into `log` (initialised here, released by the caller), rails
 * in order of first appearance. `log` is empty after a failure.
 */
int jm_readings_read(const char *path, struct jm_power_log *log, struct jm_error *reterr);

/* The same from an open reader, which stays open. */
int jm_readings_read_from(
	struct jm_reader *reader, struct jm_power_log *log, struct jm_error *reterr);

#endif
