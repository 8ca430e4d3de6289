/* SPDX-License-Identifier: Apache-2.0 */
#include "times.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/array.h"
#include "base/clock.h"

double *times_next(struct times *times, size_t turn, int again)
{
	size_t width = times->n_columns;
	double *us;
	size_t *turns;

	if (again && times->n)
		times->n--;
	us = jm_array_grow(times->us, &times->capacity, times->n + 1, width * sizeof(*us));
	if (us)
		times->us = us;
	turns = jm_array_grow(
		times->turns, &times->turns_capacity, times->n + 1, sizeof(*turns));
	if (turns)
		times->turns = turns;
	if (!us || !turns)
		return NULL;
	turns[times->n] = turn;
	us += times->n++ * width;
	memset(us, 0, width * sizeof(*us));
	return us;
}

void times_release(struct times *times)
{
	free(times->us);
	free(times->turns);
	memset(times, 0, sizeof(*times));
}

double times_quantile(const struct times *times, size_t column, double quantile, size_t group,
	size_t n_groups)
{
	double *values = malloc((times->n + 1) * sizeof(*values)), found = (double)NAN;
	size_t n = 0;

	for (size_t i = 0; values && i < times->n; i++)
		if (times->turns[i] % n_groups == group)
			values[n++] = times->us[i * times->n_columns + column];
	if (n) {
		double at = quantile * (double)(n - 1);
		size_t below = (size_t)at, above = below + 1 < n ? below + 1 : below;

		qsort(values, n, sizeof(*values), jm_compare_doubles);
		found = values[below] + (at - (double)below) * (values[above] - values[below]);
	}
	free(values);
	return found;
}

static double difference(const struct times *times, size_t column, const struct times *less,
	double quantile, size_t group, size_t n_groups)
{
	double us = times_quantile(times, column, quantile, group, n_groups);

	return less ? us - times_quantile(less, less->n_columns - 1, quantile, group, n_groups)
		    : us;
}

struct estimate times_estimate(
	const struct times *times, size_t column, const struct times *less, double quantile)
{
	struct estimate found = {difference(times, column, less, quantile, 0, 1), 0};
	double sum = 0;

	for (size_t i = 0; i < TIMES_GROUPS; i++) {
		double off =
			difference(times, column, less, quantile, i, TIMES_GROUPS) - found.us;

		sum += off * off;
	}
	found.error_us = sqrt(sum / TIMES_GROUPS / (TIMES_GROUPS - 1));
	return found;
}

int64_t times_cpu_ns(void *context)
{
	struct timespec now;

	(void)context;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (int64_t)now.tv_sec * JM_NS_PER_S + now.tv_nsec;
}
