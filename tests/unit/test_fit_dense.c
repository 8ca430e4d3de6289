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
	size_t half = n / 2 - n / 2 % JM_GRAM_LINES;

	for (size_t i = 0; i < ROWS_MAX * ROOM; i++) /* what is not a row is not read */
		rows[i] = i / stride < n_rows && i % stride < n ? small(board) : (double)NAN;
	for (size_t i = 0; i < N_MAX * ROOM; i++)
		expected[i] = gram[i] = GUARD;
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j <= i; j++)
			for (size_t r = 0; r < n_rows; r++)
				expected[i * gram_stride + j] +=
					rows[r * stride + i] * rows[r * stride + j];
	jm_gram_add(gram, gram_stride, n, 0, half, &(struct jm_rows){rows, n_rows, stride});
	jm_gram_add(gram, gram_stride, n, half, n, &(struct jm_rows){rows, n_rows, stride});
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

/* Rows of which only `seen` columns in a row, all around, are not 0. */
static void check_wide_gram(struct board *board, size_t n, size_t seen)
{
	double *rows = calloc(ROWS_MAX * n, sizeof(*rows));
	double *gram = calloc(n * n, sizeof(*gram));

	for (size_t r = 0; r < ROWS_MAX; r++)
		for (size_t i = 0; i < seen; i++)
			rows[r * n + (i + 29 * r) % n] = small(board);
	jm_gram_add(gram, n, n, 0, n, &(struct jm_rows){rows, ROWS_MAX, n});
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++) {
			double sum = 0;

			for (size_t r = 0; r < ROWS_MAX; r++)
				sum += j <= i ? rows[r * n + i] * rows[r * n + j] : 0;
			assert_true(gram[i * n + j] == sum);
		}
	free(rows);
	free(gram);
}

static void test_wide_gram(void **state)
{
	static const size_t sizes[] = {31, 32, 33, 95, 97, 101, 130, 191, 192, 195, 230};
	struct board board = {.seed = 5};

	(void)state;
	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++)
		for (size_t seen = 0; seen <= sizes[s]; seen += seen < 40 ? 13 : 61)
			check_wide_gram(&board, sizes[s], seen);
}

/*
 * A factor's first rows are the factor of the first rows, to the bit, wherever
 * blocks end; and factor times inverse is 1.
 */
static void test_blocks(void **state)
{
	enum { N = 150 };
	struct board board = {.seed = 6};
	double *a = malloc(N * N * sizeof(*a)), *whole = malloc(N * N * sizeof(*a));
	double *own = malloc(N * N * sizeof(*a)), *inverse = malloc(N * N * sizeof(*a));

	(void)state;
	for (size_t i = 0; i < N; i++)
		for (size_t j = 0; j <= i; j++)
			a[i * N + j] = a[j * N + i] =
				i == j ? 9 + (double)i / 9 : board_uniform(&board) - 0.5;
	memcpy(whole, a, N * N * sizeof(*a));
	assert_int_equal(jm_cholesky(whole, N), 0);
	for (size_t n = 1; n < N; n++) {
		for (size_t i = 0; i < n; i++)
			memcpy(own + i * n, a + i * N, n * sizeof(*a));
		assert_int_equal(jm_cholesky(own, n), 0);
		for (size_t i = 0; i < n; i++)
			assert_memory_equal(own + i * n, whole + i * N, (i + 1) * sizeof(*a));
		jm_cholesky_invert(own, n, inverse);
		for (size_t i = 0; i < n; i++)
			for (size_t j = 0; j < n; j++) {
				double sum = 0;

				for (size_t k = 0; k < n; k++)
					sum += a[i * N + k] * inverse[k * n + j];
				assert_true(fabs(sum - (i == j)) < 1e-12);
				assert_true(inverse[i * n + j] == inverse[j * n + i]);
			}
	}
	a[70 * N + 70] = -1;
	assert_int_equal(jm_cholesky(a, N), -1);
	free(a);
	free(whole);
	free(own);
	free(inverse);
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
		cmocka_unit_test(test_wide_gram),
		cmocka_unit_test(test_cholesky),
		cmocka_unit_test(test_blocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
