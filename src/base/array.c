/* SPDX-License-Identifier: Apache-2.0 */
#include "base/array.h"

#include <stdint.h>
#include <stdlib.h>

#define FIRST_CAPACITY 16u

void *jm_array_grow(void *array, size_t *capacity, size_t needed, size_t element_size)
{
	size_t wanted = *capacity;
	void *larger;

	if (needed <= wanted && array)
		return array;
	wanted = wanted < FIRST_CAPACITY / 2 ? FIRST_CAPACITY
		 : wanted > SIZE_MAX / 2     ? needed
					     : wanted * 2;
	if (wanted < needed)
		wanted = needed;
	if (wanted > (size_t)PTRDIFF_MAX / element_size)
		return NULL;
	larger = realloc(array, wanted * element_size);
	if (larger)
		*capacity = wanted;
	return larger;
}

int jm_compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}
