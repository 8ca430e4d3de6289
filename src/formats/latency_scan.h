/* SPDX-License-Identifier: Apache-2.0 */
/* The scanner under latency_file.c: tokens, and the pairs of a layer. */
#ifndef JM_FORMATS_LATENCY_SCAN_H
#define JM_FORMATS_LATENCY_SCAN_H

#include "base/clock.h"
#include "data/clock_change.h"
#include "formats/latency_file.h"

#define JM_LATENCY_TOKEN_MAX ((size_t)1 << 16)
#define JM_LATENCY_AT_END 256
#define JM_LATENCY_SECOND_LENGTH 17 /* "YYYYmmdd-HH:MM:SS" */

struct jm_latency_scan {
	struct jm_reader *reader;
	struct jm_timeline *timeline;
	struct jm_civil_cache cache;
	char second_text[JM_LATENCY_SECOND_LENGTH]; /* of the last stamp, and its time */
	int64_t second_ns;
	struct jm_clock_series clock;
	struct jm_clock_steps *steps; /* NULL: time that runs back is an error */
	int64_t first_ns;             /* first stamp of the layer before */
	int has_first;
	size_t line;
	size_t layer;
	struct jm_latency_notes notes;
	struct jm_error *reterr;
};

/* JM_EFORMAT at a position of the reader's buffer, and JM_ETRUNCATED. */
int jm_latency_fail_at(
	const struct jm_latency_scan *scan, size_t position, const char *problem);
int jm_latency_fail_truncated(const struct jm_latency_scan *scan);

/* Skips white space. Returns the next character (not taken), AT_END or < 0. */
int jm_latency_next(struct jm_latency_scan *scan);

/* Takes the character `wanted` after white space. 0 or an error. */
int jm_latency_take(struct jm_latency_scan *scan, char wanted, const char *problem);

/* Takes `closing` (returns 0) or "," (returns 1) after white space. */
int jm_latency_take_separator(struct jm_latency_scan *scan, char closing, const char *problem);

/* Takes "[pair, ...]" into layer `scan->layer` of the timeline. */
int jm_latency_take_pairs(struct jm_latency_scan *scan);

#endif
