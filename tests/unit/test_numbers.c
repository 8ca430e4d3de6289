/* SPDX-License-Identifier: Apache-2.0 */
/* Random numbers, medians, and small files, as everything else takes them. */
#include "unit.h"

#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/known.h"
#include "base/random.h"
#include "base/statistics.h"
#include "base/sysfs.h"
#include "base/text.h"
#include "catalog/catalog.h"
#include "onnx/dtype.h"
#include "scratch.h"
#include "workload/load_pattern.h"

/* The published sequence of seed 1234567. */
static void test_splitmix64(void **state)
{
	static const uint64_t expected[] = {UINT64_C(6457827717110365317),
		UINT64_C(3203168211198807973), UINT64_C(9817491932198370423),
		UINT64_C(4593380528125082431), UINT64_C(16408922859458223821)};
	uint64_t seed = 1234567;

	(void)state;
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		assert_true(jm_splitmix64(&seed) == expected[i]);
	assert_true(jm_random_unit(UINT64_MAX) < 1.0 && jm_random_unit(0) == 0.0);
}

/* FNV-1a */
static uint64_t digest(const void *data, size_t size)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ ((const unsigned char *)data)[i]) * UINT64_C(0x100000001b3);
	return hash;
}

/*
 * Numbers that results hang on: weights of the catalogue's networks, inputs of
 * an inference, the load of a calibration. They never change.
 */
static void test_streams(void **state)
{
	struct jm_catalog_weight normal = {.kind = JM_WEIGHT_NORMAL, .count = 1000, .b = 1.0f};
	struct jm_catalog_weight even = {.kind = JM_WEIGHT_UNIFORM, .count = 1000, .b = 1.0f};
	struct jm_load_span *spans;
	struct jm_random random;
	uint64_t words[100], seed = 42;
	float values[1000];
	size_t n;

	(void)state;
	jm_weights_fill(&normal, 42, 7, values);
	assert_true(digest(values, sizeof(values)) == UINT64_C(0x2f95ef2e44d49390));
	jm_weights_fill(&even, 42, 7, values);
	assert_true(digest(values, sizeof(values)) == UINT64_C(0x8a8ad1555802a45a));
	jm_dtype_fill(jm_dtype_of_name("float32"), values, 1000, &seed);
	assert_true(digest(values, sizeof(values)) == UINT64_C(0xbe0515c23a2dadfc));
	jm_random_init(&random, 42, 7);
	for (size_t i = 0; i < 100; i++)
		words[i] = jm_random_next(&random);
	assert_true(digest(words, sizeof(words)) == UINT64_C(0x26fc4272fac601e8));
	assert_int_equal(jm_load_pattern(6.6, 5.0, 42, &spans, &n, NULL), 0);
	assert_int_equal(n, 266);
	assert_int_equal(spans[0].begin_ns, 1371399);
	assert_int_equal(spans[n - 1].end_ns, INT64_C(4967282219));
	free(spans);
}

static void test_median(void **state)
{
	double odd[] = {3, 1, 2}, even[] = {4, 1, 3, 2}, one[] = {5};

	(void)state;
	assert_true(jm_median(odd, 3) == 2 && odd[0] == 1 && odd[2] == 3);
	assert_true(jm_median_upper(odd, 3) == 2);
	assert_true(jm_median(even, 4) == 2.5);
	assert_true(jm_median_upper(even, 4) == 3);
	assert_true(jm_median(one, 1) == 5 && jm_median_upper(one, 1) == 5);
	assert_true(isnan(jm_median(one, 0)) && isnan(jm_median_upper(one, 0)));
}

/* A text as scanned comes out of the writer again, whatever its length. */
static void test_utf8(void **state)
{
	static const uint32_t codes[] = {
		1, 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xffff, 0x10000, 0x10ffff};
	char text[JM_UTF8_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		size_t n = jm_text_put_utf8(codes[i], text);
		uint32_t code = 0;

		assert_int_equal(jm_text_scan_utf8(text, n, &code), n);
		assert_int_equal(code, codes[i]);
		assert_int_equal(jm_text_scan_utf8(text, n - 1, &code), 0);
	}
}

static void test_sysfs_line(void **state)
{
	char text[8];

	(void)state;
	assert_int_equal(
		jm_sysfs_line(scratch_write("two", "a b\nc\n"), text, sizeof(text)), 1);
	assert_string_equal(text, "a b");
	assert_int_equal(
		jm_sysfs_line(scratch_write("long", "0123456789"), text, sizeof(text)), 1);
	assert_string_equal(text, "0123456");
	assert_int_equal(jm_sysfs_line(scratch_write("none", "\n"), text, sizeof(text)), 0);
	assert_int_equal(jm_sysfs_line(scratch_path("absent"), text, sizeof(text)), 0);
	assert_string_equal(text, "");
}

static void test_known(void **state)
{
	(void)state;
	assert_true(jm_known(6.6) == 6.6 && jm_known_or(6.6, 0) == 6.6);
	assert_true(isnan(jm_known(0)) && isnan(jm_known(-1)) && isnan(jm_known((double)NAN)));
	assert_true(jm_known_or((double)NAN, 0) == 0 && jm_known_or(-1, 20) == 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_splitmix64),
		cmocka_unit_test(test_streams),
		cmocka_unit_test(test_median),
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_sysfs_line),
	};

	return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
