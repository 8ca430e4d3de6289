/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The power log of the original scripts: lines
 * "YYYYmmdd-HH:MM:SS.ffffff,{mV},{mA}" in naive local time.
 */
#ifndef JM_FORMATS_POWER_LOG_FILE_H
#define JM_FORMATS_POWER_LOG_FILE_H

#include "base/file.h"
#include "data/clock_change.h"
#include "joulemap/joulemap.h"

/* What a reader should be told about a log that could be read. */
struct jm_power_log_notes {
	size_t readings;
	int torn_last_line;       /* the last line was cut, and left out */
	size_t impossible;        /* readings without a value that can be, left out */
	size_t impossible_line;   /* of the first one */
	size_t clock_changes;     /* daylight saving time, taken out */
	size_t clock_change_line; /* of the first one */
	int64_t clock_shift_ns;   /* sum of what was added to the written time */
};

/*
 * Reads a log into `log` (initialised here, released by the caller): one rail
 * "power" in mV and mA, before = after = the stamp on the civil axis. Fails
 * with the line and what to do; `log` is empty then. ret_notes may be NULL.
 */
int jm_power_log_read(const char *path, struct jm_power_log *log,
	struct jm_power_log_notes *ret_notes, struct jm_error *reterr);

/*
 * The same, but time that runs back is no error: the log goes on, and it is told by
 * how much stamps were moved. *ret_steps is zeroed; jm_clock_steps_release.
 */
int jm_power_log_read_stepping(const char *path, struct jm_power_log *log,
	struct jm_power_log_notes *ret_notes, struct jm_clock_steps *ret_steps,
	struct jm_error *reterr);
int jm_power_log_read_steps(struct jm_reader *reader, struct jm_power_log *log,
	struct jm_power_log_notes *ret_notes, struct jm_clock_steps *ret_steps,
	struct jm_error *reterr);

/* The same as the first from an open reader, which stays open. */
int jm_power_log_read_from(struct jm_reader *reader, struct jm_power_log *log,
	struct jm_power_log_notes *ret_notes, struct jm_error *reterr);

/* The stamp of its first line, on the civil axis. JM_EFORMAT: there is none. */
int jm_power_log_begin(const char *path, int64_t *ret_begin_ns, struct jm_error *reterr);

/*
 * Writes one rail in this form; civil time of a line = after_ns +
 * civil_offset_ns. A rail in uW is written as 1000.0 mV and a current that
 * gives the power; an energy counter as its mean power since the last update,
 * at each update. Readings without a value (NaN) are left out.
 */
int jm_power_log_write(const char *path, const struct jm_rail *rail, int64_t civil_offset_ns,
	struct jm_error *reterr);

#endif
