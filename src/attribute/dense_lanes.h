/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Vector loops. Most of a fit's time is spent in them. They are compiled for any
 * machine, for one with wide vectors and for one with the widest, and chosen when
 * called. A sum has eight lanes, whatever the machine: the second and the third
 * give the same bits.
 */
#ifndef JM_ATTRIBUTE_DENSE_LANES_H
#define JM_ATTRIBUTE_DENSE_LANES_H

#include <stddef.h>

#define BODY static inline __attribute__((always_inline))

#if defined(__x86_64__) && defined(__GNUC__)
#define WIDE __attribute__((target("avx2,fma")))
#define WIDEST __attribute__((target("avx512f,avx2,fma")))

BODY int has_wide(void)
{
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

BODY int has_widest(void)
{
	return __builtin_cpu_supports("avx512f") && has_wide();
}
#else
#define WIDE
#define WIDEST

BODY int has_wide(void)
{
	return 0;
}

BODY int has_widest(void)
{
	return 0;
}
#endif

enum { JM_LANES = 8 }; /* sums side by side */

typedef double lanes __attribute__((vector_size(64), aligned(8), may_alias));

/* As many products as fill lanes. */
BODY size_t lanes_whole(size_t n)
{
	return n / JM_LANES * JM_LANES;
}

BODY void lanes_clear(lanes *sum)
{
	*sum = (lanes){0, 0, 0, 0, 0, 0, 0, 0};
}

BODY void lanes_add(lanes *sum, const double *a, const double *b)
{
	*sum += *(const lanes *)a * *(const lanes *)b;
}

typedef double pair __attribute__((vector_size(16), aligned(8), may_alias));

/* `first` is what the first of the lanes has become. */
BODY double lanes_sum(const lanes *lane, double first)
{
	return ((first + (*lane)[4]) + ((*lane)[2] + (*lane)[6])) +
	       (((*lane)[1] + (*lane)[5]) + ((*lane)[3] + (*lane)[7]));
}

/*
 * Products that do not fill lanes follow one by one. Which of them are rounded
 * before they are added, and which are fused, is written down here (those of pairs
 * are rounded): compilers would choose, each for itself, and results with them.
 */
BODY double lanes_add_pair(double sum, const double *a, const double *b)
{
	pair product = *(const pair *)a * *(const pair *)b;

	sum += product[0];
	return sum + product[1];
}

/* The sum of all lanes, and of the products from `from` on. */
BODY double lanes_finish(
	const lanes *lane, const double *a, const double *b, size_t from, size_t n)
{
	double first = (*lane)[0];

	for (; from + 2 <= n; from += 2)
		first = lanes_add_pair(first, a + from, b + from);
	if (from < n)
		first += a[from] * b[from];
	return lanes_sum(lane, first);
}

BODY double lanes_square(const double *a, size_t n)
{
	size_t i = 0;
	double first;
	lanes sum;

	lanes_clear(&sum);
	for (; i + JM_LANES <= n; i += JM_LANES)
		lanes_add(&sum, a + i, a + i);
	first = sum[0];
	if (i + 4 <= n) {
		first = lanes_add_pair(first, a + i, a + i);
		first = lanes_add_pair(first, a + i + 2, a + i + 2);
		i += 4;
	}
	for (; i < n; i++)
		first += a[i] * a[i];
	return lanes_sum(&sum, first);
}

BODY double lanes_dot(const double *a, const double *b, size_t n)
{
	size_t whole = lanes_whole(n);
	lanes sum;

	lanes_clear(&sum);
	for (size_t i = 0; i < whole; i += JM_LANES)
		lanes_add(&sum, a + i, b + i);
	return lanes_finish(&sum, a, b, whole, n);
}

#endif
