/* SPDX-License-Identifier: Apache-2.0 */
/* Dense symmetric linear algebra, row-major, for some hundred unknowns. */
#ifndef JM_ATTRIBUTE_DENSE_H
#define JM_ATTRIBUTE_DENSE_H

#include <stddef.h>

/*
 * Factors the symmetric matrix a[n * n] (lower triangle read) as L Lᵀ, L in
 * its lower triangle. Returns 0, or -1 when it is not positive definite.
 */
int jm_cholesky(double *a, size_t n);

/* ln det of the matrix whose factor is `l`. */
double jm_cholesky_log_det(const double *l, size_t n);

/* Solves L Lᵀ x = b in place. */
void jm_cholesky_solve(const double *l, size_t n, double *b);

/* Inverse of L Lᵀ, whole matrix; `l` is overwritten with the inverse of L. */
void jm_cholesky_invert(double *l, size_t n, double *ret_inverse);

struct jm_rows {
	const double *row; /* [n * stride] */
	size_t n, stride;
};

/* Lines that are worked on together. */
enum { JM_GRAM_LINES = 4 };

/*
 * gram[n * gram_stride] (lower triangle) += sum over rows of row rowᵀ, in lines
 * [from, to) of it. Each number is a sum in the order of the rows. With `from` and
 * `to` multiples of JM_GRAM_LINES, or the end, no bit depends on them.
 */
void jm_gram_add(double *gram, size_t gram_stride, size_t n, size_t from, size_t to,
	const struct jm_rows *rows);

/* sum of a[i] * b[i]. */
double jm_dot(const double *a, const double *b, size_t n);

/* to += factor x, both [n] and apart. */
void jm_add_scaled(double *to, const double *x, double factor, size_t n);

#endif
