/* SPDX-License-Identifier: Apache-2.0 */
/* Times of something that runs again and again, by turns with other things. */
#ifndef JM_BENCH_TIMES_H
#define JM_BENCH_TIMES_H

#include <stddef.h>
#include <stdint.h>

/* Groups of turns, whose differences tell the error: the least number of turns. */
#define TIMES_GROUPS 8

/* A row per run, whose last column is the whole run; us. Zeroed, but for n_columns. */
struct times {
	size_t n_columns;
	double *us;    /* [n][n_columns], owned */
	size_t *turns; /* [n], owned: when each ran */
	size_t n, capacity, turns_capacity;
};

struct estimate {
	double us, error_us;
};

/* Row of one more run, of zeros; the last one's begins anew with `again`. NULL: no memory. */
double *times_next(struct times *times, size_t turn, int again);

void times_release(struct times *times);

/* Quantile (0 to 1) of a column over the turns that are `group` modulo n_groups. */
double times_quantile(const struct times *times, size_t column, double quantile, size_t group,
	size_t n_groups);

/*
 * The same over all turns, with its standard error; `less`: the same of that
 * one's runs is taken off (NULL: nothing is).
 */
struct estimate times_estimate(
	const struct times *times, size_t column, const struct times *less, double quantile);

/* Processor time of the process, as a clock of engines. */
int64_t times_cpu_ns(void *context);

#endif
