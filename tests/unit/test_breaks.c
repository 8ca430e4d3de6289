/* SPDX-License-Identifier: Apache-2.0 */
/* Holes in a power log, told from how far apart its readings usually are. */
#include "unit.h"

#include <stdlib.h>

#include "data/breaks.h"

enum { READINGS = 30000 };

static struct jm_reading readings[READINGS];

/* One reading every 1.41 ms, stamps cut to the step, from `hole` on so much later. */
static struct jm_rail make_rail(int64_t step_ns, size_t hole, int64_t later_ns)
{
	struct jm_rail rail = {.quantity = JM_QUANTITY_UW, .readings = readings};

	for (size_t i = 0; i < READINGS; i++) {
		int64_t at_ns = (int64_t)i * 1410000 + (i >= hole ? later_ns : 0);

		readings[i].after_ns = readings[i].before_ns = at_ns / step_ns * step_ns;
		readings[i].value[0] = 1e6;
	}
	rail.n_readings = READINGS;
	return rail;
}

static void expect_breaks(struct jm_rail rail, size_t n, size_t at)
{
	struct jm_breaks breaks;

	assert_int_equal(jm_breaks_of_rail(&rail, &breaks), 0);
	assert_int_equal(breaks.n, n);
	if (n)
		assert_int_equal(breaks.item[0].end_ns, readings[at].after_ns);
	jm_breaks_release(&breaks);
}

static void test_hole(void **state)
{
	(void)state;
	expect_breaks(make_rail(1, READINGS, 0), 0, 0);
	expect_breaks(make_rail(1, 7000, INT64_C(2000000000)), 1, 7000);
	expect_breaks(make_rail(1, 7000, INT64_C(200000000)), 0, 0);
}

/* Whole ms, and whole seconds: steps of the stamps are no holes. */
static void test_coarse_stamps(void **state)
{
	(void)state;
	expect_breaks(make_rail(1000000, READINGS, 0), 0, 0);
	expect_breaks(make_rail(100000000, READINGS, 0), 0, 0);
	expect_breaks(make_rail(1000000000, READINGS, 0), 0, 0);
	expect_breaks(make_rail(1000000, 7000, INT64_C(2000000000)), 1, 7000);
	expect_breaks(make_rail(1000000000, 7000, INT64_C(60000000000)), 1, 7000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hole),
		cmocka_unit_test(test_coarse_stamps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
