/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Idle power: idling_power.json {"timestamp": "...", "avg_idle_power": uW} and
 * the earlier log "The average idling power measured: {uW} muW".
 */
#ifndef JM_TRACE_IDLE_FILE_H
#define JM_TRACE_IDLE_FILE_H

#include <stdint.h>

#include "joulemap/joulemap.h"

/*
 * Writes both files into a folder that exists: idling_power.json and
 * {seconds}_seconds_idling_power_log_{YYYYmmdd-HHMMSS}.log, the stamp being
 * that of civil_ns.
 */
int jm_idle_write(const char *folder, int seconds, double average_uw, int64_t civil_ns,
	struct jm_error *reterr);

/* Reads either form, told apart by content. */
int jm_idle_read(const char *path, double *ret_average_uw, struct jm_error *reterr);

/* The same from memory; text[size] is '\0'. */
int jm_idle_parse(const char *name, const char *text, size_t size, double *ret_average_uw,
	struct jm_error *reterr);

#endif
