/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trt_layer_latency.json: {"layer name": [[milliseconds, "stamp"], ...], ...},
 * one pair per cycle, stamps "YYYYmmdd-HH:MM:SS.ffffff" in naive local time.
 */
#ifndef JM_FORMATS_LATENCY_FILE_H
#define JM_FORMATS_LATENCY_FILE_H

#include "base/file.h"
#include "data/clock_change.h"
#include "joulemap/joulemap.h"

/* What a reader should be told about a file that could be read. */
struct jm_latency_notes {
	size_t executions;      /* of all layers */
	size_t repeated_names;  /* a name written again replaces the earlier one */
	int unequal;            /* layers were not executed equally often */
	size_t clock_changes;   /* layers with daylight saving time taken out */
	int64_t clock_shift_ns; /* the largest sum added to the written time */
};

/*
 * Reads the file into `timeline` (initialised here, released by the caller):
 * layers in order of first appearance, types "Unknown", stamps on the civil
 * axis. timeline->stamp is JM_STAMP_END: jm_timeline_detect_stamp() finds out
 * what they mean. Fails with line and byte, and what to do; `timeline` is
 * empty then. ret_notes may be NULL.
 */
int jm_latency_read(const char *path, struct jm_timeline *timeline,
	struct jm_latency_notes *ret_notes, struct jm_error *reterr);

/*
 * The same, but time that runs back is no error: a list goes on, and it is told by
 * how much stamps were moved. *ret_steps is zeroed; jm_clock_steps_release.
 */
int jm_latency_read_stepping(const char *path, struct jm_timeline *timeline,
	struct jm_latency_notes *ret_notes, struct jm_clock_steps *ret_steps,
	struct jm_error *reterr);
int jm_latency_read_steps(struct jm_reader *reader, struct jm_timeline *timeline,
	struct jm_latency_notes *ret_notes, struct jm_clock_steps *ret_steps,
	struct jm_error *reterr);

/* The same as the first from an open reader, which stays open. */
int jm_latency_read_from(struct jm_reader *reader, struct jm_timeline *timeline,
	struct jm_latency_notes *ret_notes, struct jm_error *reterr);

/*
 * Whether a well-formed file has the layers of a timeline and as many
 * executions. Much faster than reading it.
 */
int jm_latency_matches(const char *path, const struct jm_timeline *timeline, int *ret_matches,
	struct jm_error *reterr);

/*
 * Writes the executions with their stamps as they are; civil time = stamp +
 * civil_offset_ns. The later scripts expect stamps that are ends.
 */
int jm_latency_write(const char *path, const struct jm_timeline *timeline,
	int64_t civil_offset_ns, struct jm_error *reterr);

#endif
