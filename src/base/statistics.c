/* SPDX-License-Identifier: Apache-2.0 */
#include "base/statistics.h"

#include <math.h>
#include <stdlib.h>

#include "base/array.h"

double jm_median(double *values, size_t n)
{
	double upper = jm_median_upper(values, n);

	return n == 0 || n % 2 ? upper : 0.5 * (values[n / 2 - 1] + upper);
}

double jm_median_upper(double *values, size_t n)
{
	if (!n)
		return (double)NAN;
	qsort(values, n, sizeof(*values), jm_compare_doubles);
	return values[n / 2];
}
