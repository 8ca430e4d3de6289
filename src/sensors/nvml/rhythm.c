/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The GPU takes samples in a strict rhythm; the driver stamps each when it gets
 * to it: mostly at once, often 2 to 3 ms later, seldom much later. Where the ring
 * shows such a rhythm, a late stamp is put back on it. On an H100 the readings of
 * a known load then scatter as those stamped at once do, by 1.5 W instead of 7 to
 * 16 W. Of stamps that are further off the samples were late as well, by 1 to 10
 * ms: those are left out.
 */
#include <math.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/statistics.h"
#include "sensors/nvml/nvml.h"

enum { SAMPLES_MIN = 32 };

/* Stamps this close to the rhythm, as a share of its period, keep it. */
#define CLOSE 0.01
/* So many of them have to; and next to none may be early. */
#define KEEPING_MIN 0.5
#define EARLY_MAX 0.05
/* Later than this the sample itself was late, and nobody knows by how much. */
#define LATE_MAX 0.2
/* Stamps are early only as far as the rhythm is not known, in CLOSE. */
#define EARLY_CLOSE 3.0

/* Of sample i after sample `from`; unsigned stamps that are sorted. */
static double after_us(const struct jm_nvml_samples *samples, size_t i, size_t from)
{
	return (double)(int64_t)(samples->list[i].time_us - samples->list[from].time_us);
}

/* Over as many periods as can be had; missing samples count by their time. */
static double find_period_us(const struct jm_nvml_samples *samples)
{
	double scratch[JM_NVML_SAMPLES_MAX] = {0}, period_us;
	size_t n = samples->n, apart = n / 2, m = 0;

	for (size_t i = 1; i < n; i++)
		scratch[i - 1] = after_us(samples, i, i - 1);
	period_us = jm_median_upper(scratch, n - 1);
	if (!(period_us > 0.0))
		return 0.0;
	for (size_t i = apart; i < n; i++) {
		double time_us = after_us(samples, i, i - apart);

		if (time_us > 0.5 * period_us)
			scratch[m++] = time_us / round(time_us / period_us);
	}
	return m ? jm_median_upper(scratch, m) : 0.0;
}

/* How much later than the rhythm, in (-period / 2, period / 2]. */
static double lateness_us(const struct jm_nvml_rhythm *rhythm, unsigned long long time_us)
{
	double after = (double)(int64_t)(time_us - rhythm->origin_us) - rhythm->phase_us;

	return after - rhythm->period_us * ceil(after / rhythm->period_us - 0.5);
}

/* The phase that most stamps share; returns how many. */
static size_t find_phase(const struct jm_nvml_samples *samples, struct jm_nvml_rhythm *rhythm)
{
	double late[2 * JM_NVML_SAMPLES_MAX] = {0}, width = 2 * CLOSE * rhythm->period_us;
	size_t n = samples->n, most = 0, first = 0;

	rhythm->phase_us = 0.0;
	for (size_t i = 0; i < n; i++)
		late[i] = lateness_us(rhythm, samples->list[i].time_us);
	qsort(late, n, sizeof(*late), jm_compare_doubles);
	for (size_t i = 0; i < n; i++) /* the phase may be at the border */
		late[n + i] = late[i] + rhythm->period_us;
	for (size_t i = 0, end = 0; i < n; i++) {
		while (end < i + n && late[end] - late[i] <= width)
			end++;
		if (end - i > most) {
			most = end - i;
			first = i;
		}
	}
	rhythm->phase_us = late[first + most / 2];
	return most;
}

int jm_nvml_rhythm_find(
	const struct jm_nvml_samples *samples, struct jm_nvml_rhythm *ret_rhythm)
{
	size_t n = samples->n, keeping, early = 0;

	if (n < SAMPLES_MIN)
		return 0;
	/* The newest ones matter, and errors of the period grow from here. */
	ret_rhythm->origin_us = samples->list[n - 1].time_us;
	ret_rhythm->period_us = find_period_us(samples);
	if (!(ret_rhythm->period_us > 0.0))
		return 0;
	keeping = find_phase(samples, ret_rhythm);
	for (size_t i = 0; i < n; i++) {
		double late = lateness_us(ret_rhythm, samples->list[i].time_us);

		early += late < -EARLY_CLOSE * CLOSE * ret_rhythm->period_us &&
			 late > -LATE_MAX * ret_rhythm->period_us;
	}
	return (double)keeping >= KEEPING_MIN * (double)n &&
	       (double)early <= EARLY_MAX * (double)n;
}

int jm_nvml_rhythm_place(
	const struct jm_nvml_rhythm *rhythm, unsigned long long time_us, int64_t *ret_late_ns)
{
	double late = lateness_us(rhythm, time_us), close = CLOSE * rhythm->period_us;

	*ret_late_ns = late > close ? (int64_t)(late * 1e3) : 0;
	return late >= -EARLY_CLOSE * close && late <= LATE_MAX * rhythm->period_us;
}
