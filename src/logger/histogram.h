/* SPDX-License-Identifier: Apache-2.0 */
/* Quantiles of a stream of durations in constant memory. */
#ifndef JM_LOGGER_HISTOGRAM_H
#define JM_LOGGER_HISTOGRAM_H

#include <stdint.h>

/* Steps of 1/16 of an octave and less: a quantile is at most 6.3 % too large. */
#define JM_HISTOGRAM_STEPS 16
#define JM_HISTOGRAM_BUCKETS (61 * JM_HISTOGRAM_STEPS)

/* Zeroed: empty. */
struct jm_histogram {
	uint64_t buckets[JM_HISTOGRAM_BUCKETS];
	uint64_t n;
	int64_t max_ns;
};

/* Adds a duration; a negative one counts as 0. */
void jm_histogram_add(struct jm_histogram *histogram, int64_t duration_ns);

/*
 * The duration that a part q (0..1) of all does not exceed: upper end of its
 * bucket, at most the largest seen. NaN when empty.
 */
double jm_histogram_quantile_ns(const struct jm_histogram *histogram, double q);

#endif
