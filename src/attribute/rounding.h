/* SPDX-License-Identifier: Apache-2.0 */
/* Taking the rounding of time stamps out of spans. */
#ifndef JM_ATTRIBUTE_ROUNDING_H
#define JM_ATTRIBUTE_ROUNDING_H

#include <stddef.h>
#include <stdint.h>

struct jm_fit_span {
	double begin_s, end_s;
	uint32_t layer, cycle;
};

/*
 * Stamps rounded to `quantum_s` place neighbouring boundaries with errors that
 * hide short layers, while durations are exact. Where the spans of a cycle
 * follow each other as evenly as rounding allows, all of them are placed from
 * durations and mean gaps, and only the common position comes from the stamps.
 * Spans are in order of time. Returns 0, or -1: out of memory.
 */
int jm_spans_unround(struct jm_fit_span *spans, size_t n, size_t n_layers, double quantum_s);

/*
 * Layers of one stream cannot overlap. Where they do, all by the same share of
 * their durations, durations are reported too long: they are multiplied by
 * what makes them fit: *ret_scale, 1 when nothing is wrong. Returns 0, or -1:
 * out of memory.
 */
int jm_spans_shorten(struct jm_fit_span *spans, size_t n, size_t n_layers, int keep_begin,
	double *ret_scale);

#endif
