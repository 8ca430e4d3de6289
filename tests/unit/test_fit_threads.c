/* SPDX-License-Identifier: Apache-2.0 */
/* No bit of a result depends on how many threads made it. */
#include "unit.h"

#include "fit_checks.h"

static void fit_by(const struct board *board, unsigned threads, struct jm_fit_result *ret)
{
	struct jm_fit_input input;

	board_input(board, &input);
	input.threads = threads;
	assert_int_equal(jm_attribute_fit(&input, ret, NULL), 0);
}

static void expect_same_bits(const struct jm_fit_result *a, const struct jm_fit_result *b)
{
	assert_int_equal(a->n_layers, b->n_layers);
	assert_int_equal(a->n_resolved, b->n_resolved);
	assert_memory_equal(a->layers, b->layers, a->n_layers * sizeof(*a->layers));
	assert_memory_equal(&a->gap, &b->gap, sizeof(a->gap));
	assert_memory_equal(&a->between, &b->between, sizeof(a->between));
	assert_memory_equal(&a->response, &b->response, sizeof(a->response));
	assert_memory_equal(&a->closure, &b->closure, sizeof(a->closure));
	assert_memory_equal(&a->diagnostics, &b->diagnostics, sizeof(a->diagnostics));
}

static void expect_same_by_any(struct board *board)
{
	struct jm_fit_result one, other;

	board_make(board);
	fit_by(board, 1, &one);
	assert_true(one.n_resolved > 0);
	for (unsigned threads = 2; threads < 8; threads += 5) {
		fit_by(board, threads, &other);
		expect_same_bits(&one, &other);
		jm_fit_result_release(&other);
	}
	jm_fit_result_release(&one);
	board_release(board);
}

static void test_few_layers(void **state)
{
	struct board board;

	(void)state;
	board_init(&board, 5, 8, 3000);
	expect_same_by_any(&board);
}

/* An overshoot, which is searched for from more starts. */
static void test_overshoot(void **state)
{
	struct board board;

	(void)state;
	board_init(&board, 4, 8, 3000);
	board.tau_s = 0.25e-3;
	board.shape = 1.2;
	expect_same_by_any(&board);
}

/* Conversions and layers enough for threads to share the normal equations too. */
static void test_many_layers(void **state)
{
	struct board board;

	(void)state;
	board_init(&board, 6, BOARD_LAYERS_MAX, 16000);
	expect_same_by_any(&board);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_few_layers),
		cmocka_unit_test(test_overshoot),
		cmocka_unit_test(test_many_layers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
