/* SPDX-License-Identifier: Apache-2.0 */
/* Order statistics of numbers in memory. */
#ifndef JM_BASE_STATISTICS_H
#define JM_BASE_STATISTICS_H

#include <stddef.h>

/*
 * Middle of values [n], which are sorted in place. Of an even number the mean
 * of the two in the middle, so that it need not be one of them. n 0: NaN.
 */
double jm_median(double *values, size_t n);

/* The same, but of an even number the larger of the two: always one of them. */
double jm_median_upper(double *values, size_t n);

#endif
