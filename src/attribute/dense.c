/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "attribute/dense.h"

double jm_dot(const double *a, const double *b, size_t n)
{
	double sum[4] = {0, 0, 0, 0};
	size_t i = 0;

	for (; i + 4 <= n; i += 4)
		for (size_t j = 0; j < 4; j++)
			sum[j] += a[i + j] * b[i + j];
	for (; i < n; i++)
		sum[0] += a[i] * b[i];
	return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

int jm_cholesky(double *a, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		double *row = a + i * n;

		for (size_t j = 0; j < i; j++) {
			const double *other = a + j * n;

			row[j] = (row[j] - jm_dot(row, other, j)) / other[j];
		}
		row[i] -= jm_dot(row, row, i);
		if (!(row[i] > 0))
			return -1;
		row[i] = sqrt(row[i]);
	}
	return 0;
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
static void invert_triangle(const double *l, size_t n, double *ret_transposed)
{
	for (size_t j = 0; j < n; j++) {
		double *column = ret_transposed + j * n;

		memset(column, 0, j * sizeof(*column));
		column[j] = 1 / l[j * n + j];
		for (size_t i = j + 1; i < n; i++)
			column[i] = -jm_dot(l + i * n + j, column + j, i - j) / l[i * n + i];
	}
}

void jm_cholesky_invert(double *l, size_t n, double *ret_inverse)
{
	invert_triangle(l, n, ret_inverse);
	memcpy(l, ret_inverse, n * n * sizeof(*l));
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j <= i; j++) {
			double sum = jm_dot(l + i * n + i, l + j * n + i, n - i);

			ret_inverse[i * n + j] = sum;
			ret_inverse[j * n + i] = sum;
		}
}

static void add_four(double *restrict to, const double *a, const double *b, const double *c,
	const double *d, const double *factor, size_t n)
{
	for (size_t j = 0; j < n; j++)
		to[j] += factor[0] * a[j] + factor[1] * b[j] + factor[2] * c[j] + factor[3] * d[j];
}

void jm_gram_add(double *gram, size_t n, size_t gram_stride, const double *rows, size_t n_rows,
	size_t stride)
{
	size_t r = 0;

	for (; r + 4 <= n_rows; r += 4) {
		const double *a = rows + r * stride, *b = a + stride;
		const double *c = b + stride, *d = c + stride;

		for (size_t i = 0; i < n; i++) {
			double factor[4] = {a[i], b[i], c[i], d[i]};

			add_four(gram + i * gram_stride, a, b, c, d, factor, i + 1);
		}
	}
	for (; r < n_rows; r++) {
		const double *row = rows + r * stride;

		for (size_t i = 0; i < n; i++)
			for (size_t j = 0; j <= i; j++)
				gram[i * gram_stride + j] += row[i] * row[j];
	}
}
