/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/histogram.h"

#include <math.h>
#include <stddef.h>

#define LOG2_STEPS 4 /* of JM_HISTOGRAM_STEPS */

/* Values below 16 have a bucket each; above, the top 5 bits count. */
static size_t bucket_of(uint64_t value)
{
	unsigned shift;

	if (value < JM_HISTOGRAM_STEPS)
		return (size_t)value;
	shift = 63u - (unsigned)__builtin_clzll(value) - LOG2_STEPS;
	return (size_t)(shift * JM_HISTOGRAM_STEPS + (value >> shift));
}

/* The largest value of a bucket. */
static uint64_t bucket_end(size_t bucket)
{
	size_t shift;

	if (bucket < JM_HISTOGRAM_STEPS)
		return bucket;
	shift = bucket / JM_HISTOGRAM_STEPS - 1;
	return ((bucket - shift * JM_HISTOGRAM_STEPS + 1) << shift) - 1;
}

void jm_histogram_add(struct jm_histogram *histogram, int64_t duration_ns)
{
	if (duration_ns < 0)
		duration_ns = 0;
	histogram->buckets[bucket_of((uint64_t)duration_ns)]++;
	histogram->n++;
	if (duration_ns > histogram->max_ns)
		histogram->max_ns = duration_ns;
}

double jm_histogram_quantile_ns(const struct jm_histogram *histogram, double q)
{
	double wanted = ceil(q * (double)histogram->n);
	uint64_t seen = 0;

	if (!histogram->n)
		return (double)NAN;
	for (size_t i = 0; i < JM_HISTOGRAM_BUCKETS; i++) {
		seen += histogram->buckets[i];
		if (seen && (double)seen >= wanted)
			return fmin((double)bucket_end(i), (double)histogram->max_ns);
	}
	return (double)histogram->max_ns;
}
