/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timeline.jmt: every span of a run exactly, to the ns, with its layer, cycle
 * and lane. docs/formats.md has it byte by byte.
 */
#ifndef JM_FORMATS_TIMELINE_FILE_H
#define JM_FORMATS_TIMELINE_FILE_H

#include "joulemap/joulemap.h"

/*
 * Writes the file whole or not at all. Stamps are of begins or of ends, on
 * whatever clock; durations are rounded to ns. JM_EINVAL for callbacks and for
 * what cannot be a span; errors of the file system.
 */
int jm_timeline_file_write(
	const char *path, const struct jm_timeline *timeline, struct jm_error *reterr);

/*
 * Reads it; stamps are ends. *ret_timeline is released by the caller in every
 * case. JM_EUNSUPPORTED: of another version, JM_ETRUNCATED: cut off, JM_EFORMAT:
 * damaged, or no such file at all.
 */
int jm_timeline_file_read(
	const char *path, struct jm_timeline *ret_timeline, struct jm_error *reterr);

/* The same from memory. */
int jm_timeline_file_read_memory(const char *name, const void *data, size_t size,
	struct jm_timeline *ret_timeline, struct jm_error *reterr);

#endif
