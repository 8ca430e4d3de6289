/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Idle power: idling_power.json {"timestamp": "...", "avg_idle_power": uW} and
 * the earlier log "The average idling power measured: {uW} muW".
 */
#ifndef JM_FORMATS_IDLE_FILE_H
#define JM_FORMATS_IDLE_FILE_H

#include <stdint.h>

#include "joulemap/joulemap.h"

/* Idle power as the files hold it. */
struct jm_idle_record {
	double average_uw;
	int64_t civil_ns; /* when; 0: the file does not tell */
	/* What joulemap adds to the original's two keys. */
	double error_uw;              /* standard error; NaN: unknown */
	double seconds;               /* 0: unknown */
	char sensor[4 * JM_NAME_MAX]; /* id, of several joined by '+'; "": unknown */
	int simulated;
};

/*
 * Writes both files into a folder that exists: idling_power.json and
 * {S}_seconds_idling_power_log_{YYYYmmdd-HHMMSS}.log, S being the seconds
 * rounded and the stamp that of civil_ns.
 */
int jm_idle_write(
	const char *folder, const struct jm_idle_record *record, struct jm_error *reterr);

/* Reads either form, told apart by content. */
int jm_idle_read(const char *path, struct jm_idle_record *ret_record, struct jm_error *reterr);

/* The same from memory; text[size] is '\0'. */
int jm_idle_parse(const char *name, const char *text, size_t size,
	struct jm_idle_record *ret_record, struct jm_error *reterr);

#endif
