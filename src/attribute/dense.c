/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "attribute/dense.h"

/*
 * Most of a fit's time is spent in these loops. They are compiled twice, for
 * any machine and for one with wide vectors, and chosen when called.
 */
#if defined(__x86_64__) && defined(__GNUC__)
#define WIDE __attribute__((target("avx2,fma")))
#define BODY static inline __attribute__((always_inline))

static int has_wide(void)
{
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
#else
#define WIDE
#define BODY static inline

static int has_wide(void)
{
	return 0;
}
#endif

enum {
	LANES = 8, /* sums side by side */
	ROWS = 8   /* added to a matrix at once */
};

BODY double dot(const double *a, const double *b, size_t n)
{
	double sum[LANES] = {0};
	size_t i = 0;

	for (; i + LANES <= n; i += LANES)
		for (size_t j = 0; j < LANES; j++)
			sum[j] += a[i + j] * b[i + j];
	for (; i < n; i++)
		sum[0] += a[i] * b[i];
	for (size_t j = LANES / 2; j > 0; j /= 2)
		for (size_t k = 0; k < j; k++)
			sum[k] += sum[k + j];
	return sum[0];
}

WIDE static double dot_wide(const double *a, const double *b, size_t n)
{
	return dot(a, b, n);
}

double jm_dot(const double *a, const double *b, size_t n)
{
	return n >= LANES && has_wide() ? dot_wide(a, b, n) : dot(a, b, n);
}

BODY void add_scaled(double *restrict to, const double *restrict x, double factor, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] += factor * x[i];
}

WIDE static void add_scaled_wide(double *to, const double *x, double factor, size_t n)
{
	add_scaled(to, x, factor, n);
}

void jm_add_scaled(double *to, const double *x, double factor, size_t n)
{
	if (has_wide())
		add_scaled_wide(to, x, factor, n);
	else
		add_scaled(to, x, factor, n);
}

BODY int cholesky(double *a, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		double *row = a + i * n;

		for (size_t j = 0; j < i; j++) {
			const double *other = a + j * n;

			row[j] = (row[j] - dot(row, other, j)) / other[j];
		}
		row[i] -= dot(row, row, i);
		if (!(row[i] > 0))
			return -1;
		row[i] = sqrt(row[i]);
	}
	return 0;
}

WIDE static int cholesky_wide(double *a, size_t n)
{
	return cholesky(a, n);
}

int jm_cholesky(double *a, size_t n)
{
	return has_wide() ? cholesky_wide(a, n) : cholesky(a, n);
}

double jm_cholesky_log_det(const double *l, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += log(l[i * n + i]);
	return 2 * sum;
}

void jm_cholesky_solve(const double *l, size_t n, double *b)
{
	for (size_t i = 0; i < n; i++)
		b[i] = (b[i] - jm_dot(l + i * n, b, i)) / l[i * n + i];
	for (size_t i = n; i-- > 0;) {
		b[i] /= l[i * n + i];
		for (size_t j = 0; j < i; j++)
			b[j] -= l[i * n + j] * b[i];
	}
}

/* Inverse of a lower triangle, stored transposed: row j of the result is column j. */
BODY void invert_triangle(const double *l, size_t n, double *ret_transposed)
{
	for (size_t j = 0; j < n; j++) {
		double *column = ret_transposed + j * n;

		memset(column, 0, j * sizeof(*column));
		column[j] = 1 / l[j * n + j];
		for (size_t i = j + 1; i < n; i++)
			column[i] = -dot(l + i * n + j, column + j, i - j) / l[i * n + i];
	}
}

BODY void invert(double *l, size_t n, double *ret_inverse)
{
	invert_triangle(l, n, ret_inverse);
	memcpy(l, ret_inverse, n * n * sizeof(*l));
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j <= i; j++) {
			double sum = dot(l + i * n + i, l + j * n + i, n - i);

			ret_inverse[i * n + j] = sum;
			ret_inverse[j * n + i] = sum;
		}
}

WIDE static void invert_wide(double *l, size_t n, double *ret_inverse)
{
	invert(l, n, ret_inverse);
}

void jm_cholesky_invert(double *l, size_t n, double *ret_inverse)
{
	if (has_wide())
		invert_wide(l, n, ret_inverse);
	else
		invert(l, n, ret_inverse);
}

/* to += the sum of ROWS rows, each times its factor. */
BODY void add_rows(
	double *restrict to, const double *rows, size_t stride, const double *factor, size_t n)
{
	for (size_t j = 0; j < n; j++) {
		double sum = to[j];

		for (size_t r = 0; r < ROWS; r++)
			sum += factor[r] * rows[r * stride + j];
		to[j] = sum;
	}
}

BODY void gram_add(double *gram, size_t n, size_t gram_stride, const double *rows,
	size_t n_rows, size_t stride)
{
	size_t r = 0;

	for (; r + ROWS <= n_rows; r += ROWS) {
		const double *first = rows + r * stride;

		for (size_t i = 0; i < n; i++) {
			double factor[ROWS];

			for (size_t j = 0; j < ROWS; j++)
				factor[j] = first[j * stride + i];
			add_rows(gram + i * gram_stride, first, stride, factor, i + 1);
		}
	}
	for (; r < n_rows; r++)
		for (size_t i = 0; i < n; i++)
			add_scaled(gram + i * gram_stride, rows + r * stride,
				rows[r * stride + i], i + 1);
}

WIDE static void gram_add_wide(double *gram, size_t n, size_t gram_stride, const double *rows,
	size_t n_rows, size_t stride)
{
	gram_add(gram, n, gram_stride, rows, n_rows, stride);
}

void jm_gram_add(double *gram, size_t n, size_t gram_stride, const double *rows, size_t n_rows,
	size_t stride)
{
	if (has_wide())
		gram_add_wide(gram, n, gram_stride, rows, n_rows, stride);
	else
		gram_add(gram, n, gram_stride, rows, n_rows, stride);
}
