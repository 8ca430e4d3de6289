/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The vector loops against plain ones: all lengths around those of vectors and
 * blocks. Numbers are small integers, so that sums are exact in any order.
 */
#include "unit.h"

#include "attribute/dense.h"
#include "fit_board.h"

enum {
	N_MAX = 21,
	ROWS_MAX = 20,
	ROOM = 40, /* of a line */
	GUARD = 12345
};

static double small(struct board *board)
{
	return floor(41 * board_uniform(board)) - 20;
}

static void test_dot(void **state)
{
	struct board board = {.seed = 1};
	double a[80], b[80];

	(void)state;
	for (size_t i = 0; i < 80; i++) {
		a[i] = small(&board);
		b[i] = small(&board);
	}
	for (size_t n = 0; n <= 70; n++)
		for (size_t offset = 0; offset < 4; offset++) { /* of any alignment */
			double sum = 0;

			for (size_t i = 0; i < n; i++)
				sum += a[offset + i] * b[1 + i];
			assert_true(jm_dot(a + offset, b + 1, n) == sum);
		}
}

static void test_add_scaled(void **state)
{
	struct board board = {.seed = 2};

	(void)state;
	for (size_t n = 0; n <= 70; n++) { /* what is around stays */
		double x[80], to[80], expected[80], factor = small(&board);

		for (size_t i = 0; i < 80; i++) {
			x[i] = small(&board);
			expected[i] = to[i] = small(&board);
			if (i >= 1 && i < 1 + n)
				expected[i] += factor * x[i];
		}
		jm_add_scaled(to + 1, x + 1, factor, n);
		for (size_t i = 0; i < 80; i++)
			assert_true(to[i] == expected[i]);
	}
}

static void check_gram(
	struct board *board, size_t n, size_t n_rows, size_t stride, size_t gram_stride)
{
	double rows[ROWS_MAX * ROOM], gram[N_MAX * ROOM], expected[N_MAX * ROOM];

	for (size_t i = 0; i < ROWS_MAX * ROOM; i++) /* what is not a row is not read */
		rows[i] = i / stride < n_rows && i % stride < n ? small(board) : (double)NAN;
	for (size_t i = 0; i < N_MAX * ROOM; i++)
		expected[i] = gram[i] = GUARD;
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j <= i; j++)
			for (size_t r = 0; r < n_rows; r++)
				expected[i * gram_stride + j] +=
					rows[r * stride + i] * rows[r * stride + j];
	jm_gram_add(gram, n, gram_stride, rows, n_rows, stride);
	for (size_t i = 0; i < N_MAX * ROOM; i++)
		assert_true(gram[i] == expected[i]); /* nor is what is above the diagonal */
}

static void test_gram(void **state)
{
	struct board board = {.seed = 3};

	(void)state;
	for (size_t n = 1; n <= N_MAX; n++)
		for (size_t n_rows = 0; n_rows <= ROWS_MAX; n_rows++)
			for (size_t wider = 0; wider < 4; wider++)
				check_gram(&board, n, n_rows, n + wider, n + 3 * wider);
}

/* Factor and inverse of all sizes; L Lt is exact in integers, roots are not. */
static void test_cholesky(void **state)
{
	struct board board = {.seed = 4};

	(void)state;
	for (size_t n = 1; n <= N_MAX; n++) {
		double a[N_MAX * N_MAX], l[N_MAX * N_MAX], inverse[N_MAX * N_MAX], log_det = 0;

		memset(a, 0, sizeof(a));
		for (size_t i = 0; i < n; i++)
			for (size_t j = 0; j <= i; j++)
				l[i * n + j] = i == j ? 1 + floor(3 * board_uniform(&board))
						      : floor(3 * board_uniform(&board)) - 1;
		for (size_t i = 0; i < n; i++)
			for (size_t j = 0; j < n; j++)
				for (size_t k = 0; k <= (i < j ? i : j); k++)
					a[i * n + j] += l[i * n + k] * l[j * n + k];
		for (size_t i = 0; i < n; i++)
			log_det += 2 * log(l[i * n + i]);
		memcpy(inverse, a, sizeof(a));
		assert_int_equal(jm_cholesky(inverse, n), 0);
		for (size_t i = 0; i < n; i++)
			for (size_t j = 0; j <= i; j++)
				assert_true(fabs(inverse[i * n + j] - l[i * n + j]) < 1e-8);
		assert_true(fabs(jm_cholesky_log_det(inverse, n) - log_det) < 1e-8);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dot),
		cmocka_unit_test(test_add_scaled),
		cmocka_unit_test(test_gram),
		cmocka_unit_test(test_cholesky),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
