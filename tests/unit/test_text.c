/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"

static uint64_t next_random(uint64_t *state)
{
	*state += UINT64_C(0x9e3779b97f4a7c15);
	uint64_t z = *state;

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static void expect_text(double value, const char *expected)
{
	char text[JM_DOUBLE_TEXT_MAX];
	size_t length = jm_text_format_double(value, text);

	assert_string_equal(text, expected);
	assert_int_equal(length, strlen(expected));
}

/* What Python's repr gives. */
static void test_format_known(void **state)
{
	(void)state;
	expect_text(5750000.0, "5750000.0");
	expect_text(0.03, "0.03");
	expect_text(0.1 + 0.2, "0.30000000000000004");
	expect_text(1.0, "1.0");
	expect_text(0.5, "0.5");
	expect_text(-0.0625, "-0.0625");
	expect_text(-2.5, "-2.5");
	expect_text(0.0, "0.0");
	expect_text(-0.0, "-0.0");
	expect_text(1e16, "1e+16");
	expect_text(1e15, "1000000000000000.0");
	expect_text(123456789012345680.0, "1.2345678901234568e+17");
	expect_text(1e-4, "0.0001");
	expect_text(1e-5, "1e-05");
	expect_text(1.5e-7, "1.5e-07");
	expect_text(5e-324, "5e-324");
	expect_text(1.7976931348623157e308, "1.7976931348623157e+308");
	expect_text(0.06115392595529556, "0.06115392595529556");
	expect_text(4234600.0, "4234600.0");
	/* 17 digits, exactly halfway between two decimals: the even one. */
	expect_text(0x1.724ap-3, "0.18080520629882812");
	expect_text(0x1.7edap-3, "0.18693923950195312");
	expect_text(NAN, "nan");
	expect_text(-INFINITY, "-inf");
}

/* The shortest text that reads back, checked against the C library. */
static void expect_shortest(double value)
{
	char text[JM_DOUBLE_TEXT_MAX], reference[40];
	double back;
	int precision;
	size_t digits = 0, length = jm_text_format_double(value, text);

	assert_true(strtod(text, NULL) == value);
	assert_int_equal(jm_text_scan_double(text, length, &back), length);
	assert_true(back == value);
	for (precision = 1; precision < 17; precision++) {
		snprintf(reference, sizeof(reference), "%.*g", precision, value);
		if (strtod(reference, NULL) == value)
			break;
	}
	for (const char *c = text; *c && *c != 'e'; c++)
		if (*c >= '0' && *c <= '9' && (digits || *c != '0'))
			digits++;
	if (!strchr(text, 'e') && strcmp(text + length - 2, ".0") == 0)
		return; /* zeros before the point do not count */
	assert_true(digits <= (size_t)precision);
}

static void test_format_random(void **state)
{
	uint64_t seed = 1;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		uint64_t bits = next_random(&seed);
		double value;

		memcpy(&value, &bits, sizeof(value));
		if (isfinite(value) && i % 16 == 0)
			expect_shortest(value);
		expect_shortest((double)(bits >> 11) * 0x1p-53);        /* 0..1 */
		expect_shortest((double)(bits >> 40) * 1e-6);           /* few digits */
		expect_shortest((double)(float)(bits >> 40) * 0x1p-27); /* float32 ms */
		expect_shortest((double)(bits % 4000) * (double)(bits >> 32 & 4095));
	}
}

static void expect_scan(const char *text, size_t used, double expected)
{
	double value = -1;

	assert_int_equal(jm_text_scan_double(text, strlen(text), &value), used);
	if (used)
		assert_true(value == expected);
}

static void test_scan_known(void **state)
{
	(void)state;
	expect_scan("0.061,", 5, 0.061);
	expect_scan("5032.0", 6, 5032.0);
	expect_scan("-1.5e3]", 6, -1500.0);
	expect_scan("1e400", 5, INFINITY);
	expect_scan("7", 1, 7.0);
	expect_scan("7.", 1, 7.0);
	expect_scan("1e", 1, 1.0);
	expect_scan("1e+", 1, 1.0);
	expect_scan("", 0, 0);
	expect_scan("-", 0, 0);
	expect_scan(".5", 0, 0);
	expect_scan("NaN", 0, 0);
	expect_scan("-0.0", 4, 0.0);
	expect_scan("0.00000000000000000000000001", 28, 1e-26);
	expect_scan("123456789012345678901234567890", 30, 123456789012345678901234567890.0);
}

/* Correct rounding of long numbers, ties included, as strtod does it. */
static void test_scan_random(void **state)
{
	uint64_t seed = 7;

	(void)state;
	for (int i = 0; i < 300000; i++) {
		char text[48];
		int scale = (int)(next_random(&seed) % 20);
		uint64_t digits = next_random(&seed) >> (next_random(&seed) % 40);
		int n = snprintf(text, sizeof(text), "%020llu", (unsigned long long)digits);
		double value;

		memmove(text + n - scale + 1, text + n - scale, (size_t)scale + 1);
		text[n - scale] = '.';
		if (scale == 0)
			text[n] = '\0';
		assert_true(jm_text_scan_double(text, strlen(text), &value) == strlen(text));
		assert_true(value == strtod(text, NULL));
	}
}

static void test_distance(void **state)
{
	(void)state;
	assert_int_equal(jm_text_distance("resnet18", "resnet18"), 0);
	assert_int_equal(jm_text_distance("resnet18", "resent18"), 1);
	assert_int_equal(jm_text_distance("resnet18", "resnet50"), 2);
	assert_int_equal(jm_text_distance("", "abc"), 3);
}

static void test_scan_utf8(void **state)
{
	static const char *wrong[] = {"", "\x80", "\xc0\x80", "\xc1\xbf", "\xe9", "\xe9o",
		"\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
		"\xf5\x80\x80\x80", "\xe2\x82"};
	uint32_t code = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(jm_text_scan_utf8(wrong[i], JM_UTF8_MAX, &code), 0);
	assert_int_equal(jm_text_scan_utf8("ab", JM_UTF8_MAX, &code), 1);
	assert_int_equal(code, 'a');
	assert_int_equal(jm_text_scan_utf8("\xc2\x9b", JM_UTF8_MAX, &code), 2);
	assert_int_equal(code, 0x9b);
	assert_int_equal(jm_text_scan_utf8("\xe2\x82\xac", JM_UTF8_MAX, &code), 3);
	assert_int_equal(code, 0x20ac);
	assert_int_equal(jm_text_scan_utf8("\xf0\x9f\x98\x80!", JM_UTF8_MAX, &code), 4);
	assert_int_equal(code, 0x1f600);
}

static void test_sanitize(void **state)
{
	static const char text[] = "r\xe9s/\xc3\xa9";
	char clean[32];

	(void)state;
	assert_int_equal(jm_text_sanitize(NULL, 0, text), 9);
	assert_int_equal(jm_text_sanitize(clean, sizeof(clean), text), 9);
	assert_string_equal(clean, "r\\xe9s/\xc3\xa9");
	/* Never half a character, never half an escape. */
	assert_int_equal(jm_text_sanitize(clean, 9, text), 7);
	assert_string_equal(clean, "r\\xe9s/");
	assert_int_equal(jm_text_sanitize(clean, 5, text), 1);
	assert_string_equal(clean, "r");
}

static void test_json_values(void **state)
{
	json_t *text = jm_json_text("r\xe9s"), *none = jm_json_text(NULL);
	json_t *nan = jm_json_number((double)NAN), *number = jm_json_number(0.5);

	(void)state;
	assert_string_equal(json_string_value(text), "r\\xe9s");
	assert_true(json_is_null(none));
	assert_true(json_is_null(nan));
	assert_true(json_real_value(number) == 0.5);
	json_decref(text);
	json_decref(none);
	json_decref(nan);
	json_decref(number);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_format_known),
		cmocka_unit_test(test_format_random),
		cmocka_unit_test(test_scan_known),
		cmocka_unit_test(test_scan_random),
		cmocka_unit_test(test_distance),
		cmocka_unit_test(test_scan_utf8),
		cmocka_unit_test(test_sanitize),
		cmocka_unit_test(test_json_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
