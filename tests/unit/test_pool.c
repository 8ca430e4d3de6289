/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdatomic.h>
#include <string.h>

#include "base/pool.h"

enum { TASKS = 1000 };

struct work {
	int times[TASKS]; /* that each was done */
	atomic_size_t all;
	size_t calls, last; /* of done() */
};

static void do_task(void *context, size_t task)
{
	struct work *work = context;

	work->times[task]++;
	work->all++;
}

static void count_done(void *context, size_t done)
{
	struct work *work = context;

	assert_true(done > work->last);
	assert_true(done <= work->all);
	work->calls++;
	work->last = done;
}

static void expect_all_done(struct jm_pool *pool, size_t n)
{
	struct work work;

	memset(&work, 0, sizeof(work));
	jm_pool_run(pool, n, do_task, count_done, &work);
	for (size_t i = 0; i < TASKS; i++)
		assert_int_equal(work.times[i], i < n);
	assert_int_equal(work.last, n);
	assert_true(work.calls <= n);
}

static void test_pool(void **state)
{
	(void)state;
	for (unsigned threads = 0; threads < 6; threads++) {
		struct jm_pool *pool = jm_pool_new(threads);

		assert_true(jm_pool_threads(pool) >= 1);
		assert_true(jm_pool_threads(pool) <= (threads ? threads : 1));
		for (size_t n = 0; n < 20; n++)
			expect_all_done(pool, n);
		expect_all_done(pool, TASKS);
		jm_pool_run(pool, 0, do_task, NULL, NULL);
		jm_pool_free(pool);
	}
	assert_true(jm_pool_processors() >= 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_pool)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
