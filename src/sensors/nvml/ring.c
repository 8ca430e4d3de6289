/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the driver's ring of samples, stamped by the wall clock, to readings on
 * the monotonic one. Pure: no clock is read here.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "sensors/nvml/nvml.h"

/* The difference of the two clocks moves by this when the wall clock is set. */
#define STEP_NS (5 * JM_NS_PER_MS)
/* A sample that is newer than the fetch by more than this is none. */
#define AHEAD_NS (20 * JM_NS_PER_MS)
/* Closer to the last one it is the same, by clocks compared a little differently. */
#define APART_NS (JM_NS_PER_MS / 5)
#define TIME_MAX_US UINT64_C(9000000000000000)
#define SPACING_SAMPLES_MIN 8

static int is_stale(const struct jm_nvml_ring *ring, unsigned long long time_us)
{
	for (size_t i = 0; i < ring->n_stale; i++)
		if (ring->stale_us[i] == time_us)
			return 1;
	return 0;
}

static void remember_stale(struct jm_nvml_ring *ring, const struct jm_nvml_samples *samples)
{
	for (size_t i = 0; i < samples->n; i++)
		ring->stale_us[i] = samples->list[i].time_us;
	ring->n_stale = samples->n;
}

/* The rhythm of samples that one wall clock stamped: 1 when there is one. */
static int find_rhythm(const struct jm_nvml_ring *ring, const struct jm_nvml_samples *samples,
	struct jm_nvml_rhythm *ret_rhythm)
{
	struct jm_nvml_samples fresh;

	if (!ring->n_stale)
		return jm_nvml_rhythm_find(samples, ret_rhythm);
	fresh.n = 0;
	fresh.type = samples->type;
	for (size_t i = 0; i < samples->n; i++)
		if (!is_stale(ring, samples->list[i].time_us))
			fresh.list[fresh.n++] = samples->list[i];
	return jm_nvml_rhythm_find(&fresh, ret_rhythm);
}

static void push(struct jm_nvml_ring *ring, int64_t at_ns, double uw)
{
	size_t i;

	if (at_ns <= ring->moment_ns)
		at_ns = ring->moment_ns + 1;
	ring->moment_ns = at_ns;
	if (ring->n == JM_NVML_QUEUE_MAX) {
		ring->first = (ring->first + 1) % JM_NVML_QUEUE_MAX;
		ring->n--;
	}
	i = (ring->first + ring->n++) % JM_NVML_QUEUE_MAX;
	ring->queue[i].at_ns = at_ns;
	ring->queue[i].uw = uw;
}

void jm_nvml_ring_put(struct jm_nvml_ring *ring, const struct jm_nvml_samples *samples,
	int64_t monotonic_ns, int64_t realtime_ns)
{
	int64_t offset_ns = realtime_ns - monotonic_ns, late_ns = 0;
	struct jm_nvml_rhythm rhythm;
	size_t n_stale = 0;
	int rhythmic;

	if (ring->has_offset && llabs(offset_ns - ring->offset_ns) > STEP_NS)
		remember_stale(ring, samples);
	ring->offset_ns = offset_ns;
	ring->has_offset = 1;
	rhythmic = find_rhythm(ring, samples, &rhythm);
	for (size_t i = 0; i < samples->n && samples->list[i].time_us < TIME_MAX_US; i++) {
		const struct jm_nvml_sample *sample = &samples->list[i];
		int64_t at_ns = (int64_t)sample->time_us * JM_NS_PER_US - offset_ns;

		if (is_stale(ring, sample->time_us))
			n_stale++;
		else if (at_ns > ring->last_ns + APART_NS && at_ns <= monotonic_ns + AHEAD_NS) {
			ring->last_ns = at_ns;
			if (!rhythmic ||
				jm_nvml_rhythm_place(&rhythm, sample->time_us, &late_ns))
				push(ring, at_ns - late_ns,
					jm_nvml_value_uw(&sample->value, samples->type));
		}
	}
	if (samples->n && !n_stale)
		ring->n_stale = 0; /* the ring has gone round */
}

int jm_nvml_ring_take(struct jm_nvml_ring *ring, int64_t *ret_at_ns, double *ret_uw)
{
	if (!ring->n)
		return 0;
	*ret_at_ns = ring->queue[ring->first].at_ns;
	*ret_uw = ring->queue[ring->first].uw;
	ring->first = (ring->first + 1) % JM_NVML_QUEUE_MAX;
	ring->n--;
	return 1;
}

void jm_nvml_ring_keep_newest(struct jm_nvml_ring *ring)
{
	if (ring->n < 2)
		return;
	ring->first = (ring->first + ring->n - 1) % JM_NVML_QUEUE_MAX;
	ring->n = 1;
}

static int compare_times(const void *a, const void *b)
{
	unsigned long long first = *(const unsigned long long *)a;
	unsigned long long second = *(const unsigned long long *)b;

	return (first > second) - (first < second);
}

double jm_nvml_spacing_ms(const struct jm_nvml_samples *samples)
{
	unsigned long long steps_us[JM_NVML_SAMPLES_MAX];
	struct jm_nvml_rhythm rhythm;
	size_t n = 0;

	for (size_t i = 1; i < samples->n; i++)
		steps_us[n++] = samples->list[i].time_us - samples->list[i - 1].time_us;
	if (n + 1 < SPACING_SAMPLES_MIN)
		return 0.0;
	if (jm_nvml_rhythm_find(samples, &rhythm))
		return rhythm.period_us * 1e-3;
	qsort(steps_us, n, sizeof(steps_us[0]), compare_times);
	return (double)steps_us[n / 2] * 1e-3;
}
