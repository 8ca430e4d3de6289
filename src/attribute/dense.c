/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "attribute/dense.h"
#include "attribute/dense_lanes.h"

enum {
	ROWS = 8,             /* added to a matrix at once, */
	TILE = JM_GRAM_LINES, /* to this many of its lines, */
	TILED_MIN = 96,       /* from this one on */
	SPARSE_MIN = 32       /* columns; zeros of shorter rows are not looked for */
};

/* Row by row is slower, but worth it where no more than this share is to be done. */
#define SPARSE 0.4

WIDE static double dot_wide(const double *a, const double *b, size_t n)
{
	return lanes_dot(a, b, n);
}

double jm_dot(const double *a, const double *b, size_t n)
{
	return n >= JM_LANES && has_wide() ? dot_wide(a, b, n) : lanes_dot(a, b, n);
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

/* Columns [from, n): to += the sum of ROWS rows, each times its factor. */
BODY void add_rows(double *restrict to, const double *rows, size_t stride, const double *factor,
	size_t from, size_t n)
{
	for (size_t j = from; j < n; j++) {
		double sum = to[j];

		for (size_t r = 0; r < ROWS; r++)
			sum += factor[r] * rows[r * stride + j];
		to[j] = sum;
	}
}

/* The same for JM_LANES columns of TILE lines. */
BODY void add_tile(double *to, size_t to_stride, const double *rows, size_t stride,
	const double factor[TILE][ROWS])
{
	lanes sum[TILE];

	for (size_t t = 0; t < TILE; t++)
		sum[t] = *(const lanes *)(to + t * to_stride);
	for (size_t r = 0; r < ROWS; r++)
		for (size_t t = 0; t < TILE; t++)
			sum[t] += *(const lanes *)(rows + r * stride) * factor[t][r];
	for (size_t t = 0; t < TILE; t++)
		*(lanes *)(to + t * to_stride) = sum[t];
}

/* Columns [from, i] of line i. */
BODY void add_line(double *line, const double *rows, size_t stride, size_t i, size_t from)
{
	double factor[ROWS];

	for (size_t r = 0; r < ROWS; r++)
		factor[r] = rows[r * stride + i];
	add_rows(line, rows, stride, factor, from, i + 1);
}

/* Lines [i, i + TILE). */
BODY void add_lines(
	double *lines, size_t gram_stride, const double *rows, size_t stride, size_t i)
{
	size_t whole = lanes_whole(i + 1);
	double factor[TILE][ROWS];

	for (size_t t = 0; t < TILE; t++)
		for (size_t r = 0; r < ROWS; r++)
			factor[t][r] = rows[r * stride + i + t];
	for (size_t j = 0; j < whole; j += JM_LANES)
		add_tile(lines + j, gram_stride, rows + j, stride,
			(const double(*)[ROWS])factor);
	for (size_t t = 0; t < TILE; t++)
		add_line(lines + t * gram_stride, rows, stride, i + t, whole);
}

BODY void gram_add(
	double *gram, size_t gram_stride, size_t from, size_t to, const struct jm_rows *rows)
{
	size_t r = 0, stride = rows->stride;

	for (; r + ROWS <= rows->n; r += ROWS) {
		const double *first = rows->row + r * stride;
		size_t i = from;

		for (; i < to && i < TILED_MIN; i++)
			add_line(gram + i * gram_stride, first, stride, i, 0);
		for (; i + TILE <= to; i += TILE)
			add_lines(gram + i * gram_stride, gram_stride, first, stride, i);
		for (; i < to; i++)
			add_line(gram + i * gram_stride, first, stride, i, 0);
	}
	for (; r < rows->n; r++)
		for (size_t i = from; i < to; i++)
			add_scaled(gram + i * gram_stride, rows->row + r * stride,
				rows->row[r * stride + i], i + 1);
}

/* ---- Rows that are mostly 0: what a conversion does not see -------------------------- */

enum { RUNS_MAX = 24 };

/* Columns [begin, end) of a row, between columns that are 0. */
struct run {
	size_t begin, end;
};

BODY int is_zero(const double *x, size_t n)
{
	int any = 0;

	for (size_t i = 0; i < n; i++)
		any |= x[i] != 0;
	return !any;
}

/* In steps of JM_LANES columns; the last run takes the rest where there are too many. */
BODY size_t find_runs(const double *row, size_t n, struct run runs[RUNS_MAX])
{
	size_t n_runs = 0;

	for (size_t i = 0; i < n; i += JM_LANES) {
		size_t end = i + JM_LANES < n ? i + JM_LANES : n;

		if (is_zero(row + i, end - i))
			continue;
		if (n_runs && (runs[n_runs - 1].end == i || n_runs == RUNS_MAX))
			runs[n_runs - 1].end = end;
		else
			runs[n_runs++] = (struct run){i, end};
	}
	return n_runs;
}

BODY void add_runs(double *line, size_t i, const double *row, const struct run *runs)
{
	for (size_t r = 0; runs[r].begin <= i; r++) {
		size_t begin = runs[r].begin, end = runs[r].end;

		add_scaled(
			line + begin, row + begin, row[i], (end < i + 1 ? end : i + 1) - begin);
		if (end > i)
			break;
	}
}

BODY void add_row(double *gram, size_t gram_stride, size_t from, size_t to, const double *row)
{
	struct run runs[RUNS_MAX];
	size_t n_runs = find_runs(row, to, runs);

	for (size_t own = 0; own < n_runs; own++) {
		size_t i = runs[own].begin > from ? runs[own].begin : from;

		for (; i < runs[own].end; i++)
			add_runs(gram + i * gram_stride, i, row, runs);
	}
}

/* Share of the products that are of runs, worth to be found where it is small. */
BODY double share_of_runs(const struct jm_rows *rows, size_t n)
{
	struct run runs[RUNS_MAX];
	double sum = 0;

	for (size_t r = 0; r < rows->n; r++) {
		size_t n_runs = find_runs(rows->row + r * rows->stride, n, runs);
		double length = 0;

		for (size_t i = 0; i < n_runs; i++)
			length += (double)(runs[i].end - runs[i].begin);
		sum += length * length;
	}
	return sum / ((double)n * (double)n * (double)rows->n);
}

BODY void gram_add_any(double *gram, size_t gram_stride, size_t n, size_t from, size_t to,
	const struct jm_rows *rows)
{
	if (n < SPARSE_MIN || share_of_runs(rows, n) > SPARSE) {
		gram_add(gram, gram_stride, from, to, rows);
		return;
	}
	for (size_t r = 0; r < rows->n; r++)
		add_row(gram, gram_stride, from, to, rows->row + r * rows->stride);
}

static void gram_add_narrow(double *gram, size_t gram_stride, size_t n, size_t from, size_t to,
	const struct jm_rows *rows)
{
	gram_add_any(gram, gram_stride, n, from, to, rows);
}

WIDE static void gram_add_wide(double *gram, size_t gram_stride, size_t n, size_t from,
	size_t to, const struct jm_rows *rows)
{
	gram_add_any(gram, gram_stride, n, from, to, rows);
}

WIDEST static void gram_add_widest(double *gram, size_t gram_stride, size_t n, size_t from,
	size_t to, const struct jm_rows *rows)
{
	gram_add_any(gram, gram_stride, n, from, to, rows);
}

void jm_gram_add(double *gram, size_t gram_stride, size_t n, size_t from, size_t to,
	const struct jm_rows *rows)
{
	if (n >= 2 * (size_t)TILED_MIN && has_widest())
		gram_add_widest(gram, gram_stride, n, from, to, rows);
	else if (has_wide())
		gram_add_wide(gram, gram_stride, n, from, to, rows);
	else
		gram_add_narrow(gram, gram_stride, n, from, to, rows);
}
