/* SPDX-License-Identifier: Apache-2.0 */
/* When the calibration's load is on: a square wave of random widths. */
#ifndef JM_WORKLOAD_LOAD_PATTERN_H
#define JM_WORKLOAD_LOAD_PATTERN_H

#include <stddef.h>
#include <stdint.h>

#include "joulemap/joulemap.h"

/* The load is on in [begin, end); times after the pattern's start. */
struct jm_load_span {
	int64_t begin_ns;
	int64_t end_ns;
};

/*
 * Spans until `seconds` are full, for a sensor with conversions every round_ms
 * (0: unknown, 20 ms are assumed). Widths of spans and pauses are drawn from
 * `seed`, evenly on a logarithmic scale from an eighth of the round to three
 * rounds and never below 0.5 ms, so that edges meet every phase of every
 * conversion; one in sixteen is longer, so that slow supplies settle.
 * *ret_spans [*ret_n] is freed with free(). JM_EINVAL, JM_ENOMEM.
 */
int jm_load_pattern(double round_ms, double seconds, uint64_t seed,
	struct jm_load_span **ret_spans, size_t *ret_n, struct jm_error *reterr);

#endif
