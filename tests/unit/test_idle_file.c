/* SPDX-License-Identifier: Apache-2.0 */
/* Idle power: both files, and what is no idle power. */
#include "unit.h"

#include <math.h>

#include "base/clock.h"
#include "scratch.h"
#include "formats/idle_file.h"

#define NONE ((double)NAN)

static void expect_file(const char *path, const char *expected)
{
	char *text = scratch_read(path);

	assert_string_equal(text, expected);
	free(text);
}

static void expect_idle(const char *text, double expected)
{
	struct jm_error error = {0};
	struct jm_idle_record record;

	if (jm_idle_parse("i", text, strlen(text), &record, &error) < 0)
		fail_msg("%s", error.message);
	assert_true(record.average_uw == expected);
}

static void refuse_idle(const char *text, const char *part)
{
	struct jm_error error = {0};
	struct jm_idle_record record;

	assert_int_equal(jm_idle_parse("i", text, strlen(text), &record, &error), JM_EFORMAT);
	if (!strstr(error.message, part))
		fail_msg("'%s' is not in '%s'", part, error.message);
}

static void test_idle(void **state)
{
	int64_t now = jm_civil_from_date_ns(2024, 11, 21) + 19063 * JM_NS_PER_S;
	struct jm_idle_record record = {4234560.155322008, now, NONE, 60.2, "", 0}, back;
	char folder[128];

	(void)state;
	snprintf(folder, sizeof(folder), "%s", scratch_path("idle"));
	assert_int_equal(jm_folder_make(folder, NULL), 0);
	record.seconds = 0;
	assert_int_equal(jm_idle_write(folder, &record, NULL), 0);
	expect_file(scratch_path("idle/0_seconds_idling_power_log_20241121-051743.log"),
		"The average idling power measured: 4234560.155322008 muW");
	expect_file(scratch_path("idle/idling_power.json"),
		"{\n    \"timestamp\": \"20241121-051743\",\n"
		"    \"avg_idle_power\": 4234560.155322008\n}");
	record = (struct jm_idle_record){4234560.155322008, now, 1885.5, 60.2, "a:\"b\"", 1};
	assert_int_equal(jm_idle_write(folder, &record, NULL), 0);
	expect_file(scratch_path("idle/60_seconds_idling_power_log_20241121-051743.log"),
		"The average idling power measured: 4234560.155322008 muW");
	assert_int_equal(jm_idle_read(scratch_path("idle/idling_power.json"), &back, NULL), 0);
	assert_true(back.average_uw == 4234560.155322008 && back.civil_ns == now);
	assert_true(back.error_uw == 1885.5 && back.seconds == 60.2 && back.simulated);
	assert_string_equal(back.sensor, "a:\"b\"");
	assert_int_equal(jm_idle_write("no/such/folder", &record, NULL), JM_ENOTFOUND);
	record.average_uw = NONE;
	assert_int_equal(jm_idle_write(folder, &record, NULL), JM_EINVAL);
	record.average_uw = (double)INFINITY;
	assert_int_equal(jm_idle_write(folder, &record, NULL), JM_EINVAL);
}

static void test_idle_forms(void **state)
{
	(void)state;
	expect_idle("The average idling power measured: 4234600.0 muW", 4234600);
	expect_idle("The average idling power measured: 4234560.155322008 muW\r\n",
		4234560.155322008);
	expect_idle("The average idling power measured: -96000.0 muW", -96000);
	expect_idle("The average idling power measured: 0.0 muW", 0);
	expect_idle("The average idling power measured: 1e6 \xc2\xb5W\n", 1e6);
	expect_idle("The average idling power measured: 4234.5 mW\n", 4234500);
	expect_idle("The average idling power measured: 4.5 W.", 4500000);
	expect_idle(" {\"avg_idle_power\": 5}", 5);
	expect_idle("\xef\xbb\xbf{\"avg_idle_power\": 5}", 5);
	expect_idle("{\"avg_idle_power\": -3}", -3);
	/* What a program said around it, and the same twice. */
	expect_idle("\xef\xbb\xbfINFO 2024-11-21 Idling for 60 s\n"
		    "The average idling power measured: 20.0 muW\nsaved 3 files\n",
		20);
	expect_idle("The average idling power measured: 20.0 muW\n"
		    "root:The average idling power measured: 20.0 muW\n",
		20);
}

/* Other texts have numbers too. */
static void test_idle_refused(void **state)
{
#define SAYS "The average idling power measured: "
	(void)state;
	refuse_idle("", "run 'joulemap idle'");
	refuse_idle("nothing here", "'i' holds no idle power, but 'nothing here'");
	refuse_idle("7.5\n", "but '7.5'");
	refuse_idle("60 s\n", "but '60 s'");
	refuse_idle("20250301 4.1 W", "but '20250301 4.1 W'");
	refuse_idle("power: -3.0 muW", "but 'power: -3.0 muW'");
	refuse_idle("20241121-05:20:04.131398,5032.0,840.0\n", "but '20241121-05:20:04.131398");
	refuse_idle("{\"avg_idle_power\": \"3\"}", "no number \"avg_idle_power\"");
	refuse_idle("{\"avg_idle_power\": NaN}", "line 1");
	refuse_idle("{\"avg_idle_power\": 1e13}", "1e+13 uW is no idle power");
	refuse_idle("{\"idle\": 4}", "no number \"avg_idle_power\"");
	refuse_idle("[4234560.0]", "but '[4234560.0]'");
	refuse_idle(SAYS "4,234,600.0 muW", "'4,234,600.0 muW' is no idle power of the form");
	refuse_idle(SAYS "4 234 600.0 muW", "'4 234 600.0 muW' is no idle power");
	refuse_idle(SAYS "4'234'600 muW", "without separators");
	refuse_idle(SAYS "4_234_600 muW", "without separators");
	refuse_idle(SAYS "4.234.600,0 muW", "without separators");
	refuse_idle(SAYS "4234600.0 muWh", "is no idle power of the form");
	refuse_idle(SAYS "nan muW", "'nan muW' is no idle power");
	refuse_idle(SAYS "42346", "has no unit behind it, the file is cut off");
	refuse_idle(SAYS, "is no idle power");
	refuse_idle(SAYS "1e300 muW", "1e+300 uW is no idle power");
	refuse_idle(SAYS "2.0 muW\n" SAYS "3.0 muW\n", "several idle powers, 2 and 3 uW");
	refuse_idle("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 64\n",
		"'i' is only the pointer of Git LFS to the file: fetch it with 'git lfs pull'");
	refuse_idle("outs:\n- md5: 0123456789abcdef\n  size: 64\n  path: idling_power.json\n",
		"pointer of DVC");
	refuse_idle("Traceback (most recent call last):\n  File \"a.py\", line 20\n",
		"error message of a Python program");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_idle_forms),
		cmocka_unit_test(test_idle_refused),
	};

	return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
