/* SPDX-License-Identifier: Apache-2.0 */
/* Growing arrays whose sizes cannot overflow, and the order of numbers in them. */
#ifndef JM_BASE_ARRAY_H
#define JM_BASE_ARRAY_H

#include <stddef.h>

/*
 * Makes room for `needed` elements of `element_size` bytes, at least doubling
 * *capacity when it grows. Returns the array, perhaps moved; NULL when out of
 * memory, and then the old array is still valid.
 */
void *jm_array_grow(void *array, size_t *capacity, size_t needed, size_t element_size);

/* For qsort() of doubles, smallest first. */
int jm_compare_doubles(const void *a, const void *b);

#endif
