/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Factor and inverse, four rows at a time. Each number is the sum that a loop
 * over single rows would make, in its order: blocks change no bit.
 */
#include <math.h>
#include <string.h>

#include "attribute/dense.h"
#include "attribute/dense_lanes.h"

enum {
	TILE = 4,   /* rows whose sums are made at once */
	STRIP = 8,  /* rows that they meet one after the other, from a near cache */
	BLOCK = 32, /* rows, whole tiles, that share what comes from a far one */
};

/* Of x and TILE rows; `whole` products, which fill lanes. */
BODY void dots(const double *x, const double *rows, size_t stride, size_t whole, lanes *sum)
{
	lanes own[TILE];

	for (size_t r = 0; r < TILE; r++)
		lanes_clear(&own[r]);
	for (size_t k = 0; k < whole; k += JM_LANES)
		for (size_t r = 0; r < TILE; r++)
			lanes_add(&own[r], x + k, rows + r * stride + k);
	for (size_t r = 0; r < TILE; r++)
		sum[r] = own[r];
}

/* Columns [from, to) of rows [first, first + TILE), to <= first. */
BODY void factor_rows(double *a, size_t n, size_t first, size_t from, size_t to)
{
	double *rows = a + first * n;

	for (size_t j = from; j < to; j++) {
		const double *other = a + j * n;
		size_t whole = lanes_whole(j);
		lanes sum[TILE];

		dots(other, rows, n, whole, sum);
		for (size_t r = 0; r < TILE; r++) {
			double *row = rows + r * n;
			double dot = lanes_finish(&sum[r], row, other, whole, j);

			row[j] = (row[j] - dot) / other[j];
		}
	}
}

/* Columns [first, i] of row i. */
BODY int factor_row(double *a, size_t n, size_t first, size_t i)
{
	double *row = a + i * n;

	for (size_t j = first; j < i; j++) {
		const double *other = a + j * n;

		row[j] = (row[j] - lanes_dot(row, other, j)) / other[j];
	}
	row[i] -= lanes_square(row, i);
	if (!(row[i] > 0))
		return -1;
	row[i] = sqrt(row[i]);
	return 0;
}

/* Columns [0, block) of the whole tiles of rows [block, last). */
BODY void factor_block(double *a, size_t n, size_t block, size_t last)
{
	for (size_t j = 0; j < block; j += STRIP) /* BLOCK is a multiple of STRIP */
		for (size_t first = block; first + TILE <= last; first += TILE)
			factor_rows(a, n, first, j, j + STRIP);
}

BODY int cholesky(double *a, size_t n)
{
	for (size_t block = 0; block < n; block += BLOCK) {
		size_t last = block + BLOCK < n ? block + BLOCK : n;

		factor_block(a, n, block, last);
		for (size_t i = block; i < last; i++) {
			size_t first = i - (i - block) % TILE;
			int whole = first + TILE <= last;

			if (i == first && whole)
				factor_rows(a, n, first, block, first);
			if (factor_row(a, n, whole ? first : 0, i) < 0)
				return -1;
		}
	}
	return 0;
}

static int cholesky_any(double *a, size_t n)
{
	return cholesky(a, n);
}

WIDE static int cholesky_wide(double *a, size_t n)
{
	return cholesky(a, n);
}

WIDEST static int cholesky_widest(double *a, size_t n)
{
	return cholesky(a, n);
}

int jm_cholesky(double *a, size_t n)
{
	if (has_widest())
		return cholesky_widest(a, n);
	return has_wide() ? cholesky_wide(a, n) : cholesky_any(a, n);
}

/* Elements [first, first + TILE) of column j of the inverse, j < first. */
BODY void invert_rows(const double *l, size_t n, size_t first, size_t j, double *column)
{
	const double *rows = l + first * n;
	size_t whole = lanes_whole(first - j);
	lanes sum[TILE];

	dots(column + j, rows + j, n, whole, sum);
	for (size_t r = 0; r < TILE; r++) {
		const double *row = rows + r * n;
		size_t i = first + r, own = lanes_whole(i - j);

		if (own > whole) /* by one step: these are known by now */
			lanes_add(&sum[r], row + j + whole, column + j + whole);
		column[i] = -lanes_finish(&sum[r], row + j, column + j, own, i - j) / row[i];
	}
}

/* Elements [from, to) of column j, one by one. */
BODY void invert_column(
	const double *l, size_t n, size_t j, size_t from, size_t to, double *column)
{
	for (size_t i = from; i < to; i++)
		column[i] = -lanes_dot(l + i * n + j, column + j, i - j) / l[i * n + i];
}

/* Elements [first, last) of columns [from, to), to <= first. */
BODY void invert_strip(const double *l, size_t n, size_t first, size_t last, size_t from,
	size_t to, double *ret_transposed)
{
	for (; first + TILE <= last; first += TILE)
		for (size_t j = from; j < to; j++)
			invert_rows(l, n, first, j, ret_transposed + j * n);
	for (size_t j = from; j < to; j++)
		invert_column(l, n, j, first, last, ret_transposed + j * n);
}

/* Inverse of a lower triangle, stored transposed: row j of the result is column j. */
BODY void invert_triangle(const double *l, size_t n, double *ret_transposed)
{
	for (size_t block = 0; block < n; block += BLOCK) {
		size_t last = block + BLOCK < n ? block + BLOCK : n;

		for (size_t j = 0; j < block; j += STRIP)
			invert_strip(l, n, block, last, j, j + STRIP, ret_transposed);
		for (size_t j = block; j < last; j++) {
			double *column = ret_transposed + j * n;
			size_t next = block + ((j - block) / TILE + 1) * TILE;

			next = next < last ? next : last;
			memset(column, 0, j * sizeof(*column));
			column[j] = 1 / l[j * n + j];
			invert_column(l, n, j, j + 1, next, column);
			invert_strip(l, n, next, last, j, j + 1, ret_transposed);
		}
	}
}

BODY void put_both(double *matrix, size_t n, size_t i, size_t j, double value)
{
	matrix[i * n + j] = value;
	matrix[j * n + i] = value;
}

/* Products of rows i and [first, first + TILE) of a triangle stored transposed. */
BODY void multiply_rows(const double *l, size_t n, size_t i, size_t first, double *ret)
{
	const double *row = l + i * n + i, *rows = l + first * n + i;
	size_t whole = lanes_whole(n - i);
	lanes sum[TILE];

	dots(row, rows, n, whole, sum);
	for (size_t r = 0; r < TILE; r++)
		put_both(ret, n, i, first + r,
			lanes_finish(&sum[r], row, rows + r * n, whole, n - i));
}

/* Of rows [from, to) and [block, last). */
BODY void multiply_strip(const double *l, size_t n, size_t from, size_t to, size_t block,
	size_t last, double *ret)
{
	for (size_t first = block; first < last; first += TILE)
		for (size_t i = from > first ? from : first; i < to; i++) {
			if (first + TILE <= last && first + TILE <= i + 1) {
				multiply_rows(l, n, i, first, ret);
				continue;
			}
			for (size_t j = first; j <= i && j < first + TILE; j++)
				put_both(ret, n, i, j,
					lanes_dot(l + i * n + i, l + j * n + i, n - i));
		}
}

BODY void invert(double *l, size_t n, double *ret_inverse)
{
	invert_triangle(l, n, ret_inverse);
	memcpy(l, ret_inverse, n * n * sizeof(*l));
	for (size_t block = 0; block < n; block += BLOCK)
		for (size_t i = block; i < n; i += STRIP)
			multiply_strip(l, n, i, i + STRIP < n ? i + STRIP : n, block,
				block + BLOCK < n ? block + BLOCK : n, ret_inverse);
}

static void invert_any(double *l, size_t n, double *ret_inverse)
{
	invert(l, n, ret_inverse);
}

WIDE static void invert_wide(double *l, size_t n, double *ret_inverse)
{
	invert(l, n, ret_inverse);
}

WIDEST static void invert_widest(double *l, size_t n, double *ret_inverse)
{
	invert(l, n, ret_inverse);
}

void jm_cholesky_invert(double *l, size_t n, double *ret_inverse)
{
	if (has_widest())
		invert_widest(l, n, ret_inverse);
	else if (has_wide())
		invert_wide(l, n, ret_inverse);
	else
		invert_any(l, n, ret_inverse);
}
