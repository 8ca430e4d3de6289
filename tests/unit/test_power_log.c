/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <math.h>

#include "base/clock.h"
#include "data/possible.h"
#include "scratch.h"
#include "formats/power_log_file.h"

static int read_text(const char *text, struct jm_power_log *log,
	struct jm_power_log_notes *notes, struct jm_error *error)
{
	struct jm_reader reader;
	int result;

	jm_reader_open_memory(&reader, "p.log", text, strlen(text));
	result = jm_power_log_read_from(&reader, log, notes, error);
	jm_reader_close(&reader);
	return result;
}

static void expect_failure(const char *text, int code, const char *part)
{
	struct jm_error error = {0};
	struct jm_power_log log;

	assert_int_equal(read_text(text, &log, NULL, &error), code);
	assert_int_equal(error.code, code);
	assert_int_equal(log.n_rails, 0);
	if (!strstr(error.message, part))
		fail_msg("'%s' is not in '%s'", part, error.message);
}

/* Reads a log that is good and returns its n-th reading. */
static struct jm_reading expect_readings(
	const char *text, size_t n, size_t which, struct jm_power_log_notes *notes)
{
	struct jm_error error = {0};
	struct jm_power_log log;
	struct jm_reading reading;

	if (read_text(text, &log, notes, &error) < 0)
		fail_msg("%s", error.message);
	assert_int_equal(log.n_rails, 1);
	assert_string_equal(log.rails[0].name, "power");
	assert_int_equal(log.rails[0].quantity, JM_QUANTITY_MV_MA);
	assert_int_equal(log.rails[0].n_readings, n);
	reading = log.rails[0].readings[which];
	jm_power_log_release(&log);
	return reading;
}

static void test_good(void **state)
{
	struct jm_power_log_notes notes;
	struct jm_reading reading;
	int64_t day = jm_civil_from_date_ns(2024, 11, 21);

	(void)state;
	reading = expect_readings("20241121-00:00:01.5,5000.0,1100.0\n", 1, 0, &notes);
	assert_true(
		reading.before_ns == day + 1500000000 && reading.after_ns == reading.before_ns);
	assert_true(reading.value[0] == 5000 && reading.value[1] == 1100);
	assert_true(notes.readings == 1 && !notes.torn_last_line && !notes.clock_changes);
	reading = expect_readings("20241121-00:00:01.000123,5032.0,840.0\r\n"
				  "20241121-00:00:01.25 , 5e3 ,\t7\r\n\r\n",
		2, 1, &notes);
	assert_true(reading.after_ns == day + 1250000000);
	assert_true(reading.value[0] == 5000 && reading.value[1] == 7);
	/* Equal stamps, no fraction, no line end. */
	expect_readings("20241121-00:00:01,1,2\n20241121-00:00:01,1,2", 2, 1, &notes);
	assert_int_equal(notes.torn_last_line, 0);
	/* A clock that was never set, west of UTC. */
	reading = expect_readings(
		"19691231-19:00:01.5,5.0,1.0\n19700101-00:00:00.0,5.0,1.0\n", 2, 0, &notes);
	assert_true(reading.after_ns == INT64_C(-17998500000000));
	/* Over midnight, and over new year. */
	reading = expect_readings(
		"20241231-23:59:59.999,1.0,1.0\n20250101-00:00:00.001,1.0,1.0\n", 2, 1, &notes);
	assert_true(reading.after_ns == jm_civil_from_date_ns(2025, 1, 1) + 1000000);
	assert_int_equal(notes.clock_changes, 0);
}

/* How many readings a cut log still has. */
static size_t whole_lines(const char *text)
{
	const char *line = text, *end;
	size_t n = 0;

	for (; (end = strchr(line, '\n')) != NULL; line = end + 1)
		n++;
	/* A last line counts from the first decimal of its last value on. */
	return n + (strlen(line) > 37);
}

/* A log cut at any byte reads, and never with a value far off. */
static void test_torn(void **state)
{
	static const char text[] = "20241121-00:00:01.000000,5000.0,1100.5\n"
				   "20241121-00:00:01.001000,5000.0,1200.25\n"
				   "20241121-00:00:01.002000,5000.0,1300.0\n";
	struct jm_power_log_notes notes;
	struct jm_power_log log;
	char cut[sizeof(text)];

	(void)state;
	for (size_t n = 1; n < sizeof(text); n++) {
		struct jm_power_log_notes none = {0};
		size_t whole;

		memcpy(cut, text, n);
		cut[n] = '\0';
		whole = whole_lines(cut);
		notes = none;
		assert_int_equal(read_text(cut, &log, &notes, NULL), whole ? 0 : JM_ETRUNCATED);
		if (!whole)
			continue;
		assert_int_equal(log.rails[0].n_readings, whole);
		if (strchr(cut, '\n'))
			assert_int_equal(
				notes.torn_last_line, strlen(strrchr(cut, '\n')) > 1 &&
							      strlen(strrchr(cut, '\n')) < 39);
		for (size_t i = 0; i < whole; i++)
			assert_true(fabs(log.rails[0].readings[i].value[1] - 1100 -
					    100 * (double)i) <= 0.5);
		jm_power_log_release(&log);
	}
	/* What a file system leaves after a loss of power. */
	expect_readings("20241121-00:00:01.0,5000.0,1.0\n20241121-0", 1, 0, &notes);
	assert_int_equal(notes.torn_last_line, 1);
	expect_readings("20241121-00:00:01.0,5000.0,1.0\n20241121-0\n\n", 1, 0, &notes);
	assert_int_equal(notes.torn_last_line, 1);
}

static void test_refused(void **state)
{
	(void)state;
	expect_failure("", JM_EFORMAT, "'p.log' holds no reading");
	expect_failure("\n\n", JM_EFORMAT, "measure again");
	expect_failure("hello\n", JM_EFORMAT, "line 1: 'hello' is not of the form");
	expect_failure("stamp,mv,ma\n20241121-00:00:01.0,5000.0,1.0\n", JM_EFORMAT, "line 1");
	expect_failure("20241121-00:00:01.0,5000.0,1.0\n20241121-00:00:0\n"
		       "20241121-00:00:01.0,5000.0,1.0\n",
		JM_EFORMAT,
		"line 2: '20241121-00:00:0' is not of the form "
		"'YYYYmmdd-HH:MM:SS.ffffff,millivolts,milliamperes'");
	expect_failure("20241121-00:00:01.0,5000.0\n20241121-00:00:01.0,5.0,1.0\n", JM_EFORMAT,
		"line 1");
	expect_failure("20241121-00:00:01.0,5000.0,1.0,2\n20241121-00:00:01.0,5.0,1.0\n",
		JM_EFORMAT, "line 1");
	expect_failure("20241321-00:00:01.0,5000.0,1.0\n", JM_EFORMAT, "line 1");
	expect_failure("20241121-00:00:01.5,5000.0,1.0\n20241121-00:00:01.499,5000.0,1.0\n",
		JM_EFORMAT, "line 2: time runs back by 0.001000 s");
	expect_failure("20241121-02:00:01.5,5000.0,1.0\n20241121-01:30:01.5,5000.0,1.0\n",
		JM_EFORMAT, "line 2: time runs back by 1800.");
	expect_failure("99991121-00:00:01.0,5000.0,1.0\n", JM_EFORMAT, "line 1");
}

/* Negative values are data; what cannot be is no value, and counted. */
static void test_values(void **state)
{
	static const char *const impossible[] = {"nan,1.0", "5000.0,NaN", "inf,1.0",
		"5000.0,-Infinity", "1000.0,4294967295.0", "1000.0,-4294967295.0", "1e300,8.0",
		"8.0,1e999", "1000001.0,1.0", "1000000.0,1000001.0"};
	struct jm_power_log_notes notes;
	struct jm_reading reading;
	char text[200];

	(void)state;
	reading = expect_readings("20241121-00:00:01.0,12000.0,-8.0\n", 1, 0, &notes);
	assert_true(reading.value[0] == 12000 && reading.value[1] == -8);
	reading = expect_readings("20241121-00:00:01.0,-5.0,-0.0\n", 1, 0, &notes);
	assert_true(reading.value[0] == -5 && notes.impossible == 0);
	for (size_t i = 0; i < sizeof(impossible) / sizeof(impossible[0]); i++) {
		snprintf(text, sizeof(text),
			"20241121-00:00:01.0,5000.0,1.0\n20241121-00:00:02.0,%s\n"
			"20241121-00:00:03.0,%s\n20241121-00:00:04.0,5000.0,2.0\n",
			impossible[i], impossible[i]);
		reading = expect_readings(text, 2, 1, &notes);
		assert_true(reading.value[1] == 2);
		assert_true(notes.impossible == 2 && notes.impossible_line == 2);
	}
	expect_failure("20241121-00:00:01.0,1000.0,4294967295.0\n", JM_EFORMAT,
		"holds no value that can be in 1 readings");
	expect_failure("20241121-00:00:01.0,nano,1.0\n20241121-00:00:01.0,1.0,1.0\n",
		JM_EFORMAT, "line 1");
}

/* The bound of a rail is of its current or power; a counter has none. */
static void test_leave_out(void **state)
{
	struct jm_power_log log;
	size_t n;

	(void)state;
	jm_power_log_init(&log);
	jm_power_log_add_rail(&log, "a", JM_QUANTITY_MV_MA, NULL);
	for (int i = 0; i < 5; i++) {
		static const double ma[] = {32760, 32759, -32760, -8, NAN};
		struct jm_reading reading = {i, i, {5000, ma[i]}};

		jm_power_log_append(&log, 0, &reading, NULL);
	}
	n = jm_rail_leave_out(&log.rails[0], 32760);
	assert_int_equal(n, 2);
	assert_true(isnan(log.rails[0].readings[0].value[0]));
	assert_true(log.rails[0].readings[1].value[1] == 32759);
	assert_true(isnan(log.rails[0].readings[2].value[1]));
	assert_true(log.rails[0].readings[3].value[1] == -8);
	assert_int_equal(jm_rail_leave_out(&log.rails[0], 0), 0);
	log.rails[0].quantity = JM_QUANTITY_UJ;
	assert_int_equal(jm_rail_leave_out(&log.rails[0], 4), 0);
	jm_power_log_release(&log);
}

/* Marks of encodings, and line ends of all kinds. */
static void test_encodings(void **state)
{
	struct jm_power_log_notes notes;
	struct jm_reading reading;

	(void)state;
	reading = expect_readings("\xef\xbb\xbf"
				  "20241121-00:00:01.0,5000.0,1.0\n"
				  "20241121-00:00:02.0,5000.0,2.0\n",
		2, 1, &notes);
	assert_true(reading.value[1] == 2);
	reading = expect_readings("20241121-00:00:01.0,5000.0,1.0\r"
				  "20241121-00:00:02.0,5000.0,2.0\r",
		2, 1, &notes);
	assert_true(reading.value[1] == 2 && !notes.torn_last_line);
	expect_readings(
		"20241121-00:00:01.0,5000.0,1.0\r20241121-00:00:02.0,500", 1, 0, &notes);
	assert_int_equal(notes.torn_last_line, 1);
	expect_failure("\xff\xfe"
		       "2",
		JM_EFORMAT, "'p.log' is in UTF-16, not in UTF-8: convert it with 'iconv");
	expect_failure("\x1f\x8b\x08 zipped", JM_EFORMAT, "is compressed by gzip");
	expect_failure("<!doctype html>\n<html>", JM_EFORMAT, "is a page of the web");
}

static void test_clock_changes(void **state)
{
	struct jm_power_log_notes notes;
	struct jm_reading reading;
	int64_t day = jm_civil_from_date_ns(2024, 10, 27), second = JM_NS_PER_S;

	(void)state;
	/* Back by an hour: 02:59:59.999 is followed by 02:00:00.001. */
	reading = expect_readings(
		"20241027-02:59:59.998,1.0,1.0\n20241027-02:59:59.999,1.0,1.0\n"
		"20241027-02:00:00.001,1.0,1.0\n20241027-02:00:00.002,1.0,1.0\n",
		4, 3, &notes);
	assert_true(reading.after_ns == day + 10800 * second + 2000000);
	assert_true(notes.clock_changes == 1 && notes.clock_change_line == 3);
	assert_true(notes.clock_shift_ns == 3600 * second);
	/* Forward: 01:59:59.999 is followed by 03:00:00.001. */
	reading =
		expect_readings("20240331-01:59:59.998,1.0,1.0\n20240331-01:59:59.999,1.0,1.0\n"
				"20240331-03:00:00.001,1.0,1.0\n",
			3, 2, &notes);
	assert_true(reading.after_ns ==
		    jm_civil_from_date_ns(2024, 3, 31) + 7200 * second + 1000000);
	assert_true(notes.clock_changes == 1 && notes.clock_shift_ns == -3600 * second);
	/* An honest pause of some minutes, or of two hours, is none. */
	expect_readings("20240331-01:00:00.0,1.0,1.0\n20240331-01:00:00.1,1.0,1.0\n"
			"20240331-01:20:00.0,1.0,1.0\n20240331-03:20:01.0,1.0,1.0\n",
		4, 3, &notes);
	assert_int_equal(notes.clock_changes, 0);
	/* Both in one log (a run of half a year), and back again. */
	expect_readings("20240331-01:59:59.998,1.0,1.0\n20240331-01:59:59.999,1.0,1.0\n"
			"20240331-03:00:00.0,1.0,1.0\n20240331-03:00:00.1,1.0,1.0\n"
			"20240331-02:00:00.2,1.0,1.0\n",
		5, 4, &notes);
	assert_true(notes.clock_changes == 2 && notes.clock_shift_ns == 0);
}

static struct jm_rail *make_rail(struct jm_power_log *log, enum jm_quantity quantity)
{
	jm_power_log_init(log);
	assert_int_equal(jm_power_log_add_rail(log, "rail", quantity, NULL), 0);
	return &log->rails[0];
}

static void append(struct jm_power_log *log, int64_t after_ns, double a, double b)
{
	struct jm_reading reading = {after_ns - 10, after_ns, {a, b}};

	assert_int_equal(jm_power_log_append(log, 0, &reading, NULL), 0);
}

static void test_write(void **state)
{
	int64_t offset = jm_civil_from_date_ns(2024, 11, 21) - 1000;
	const char *path = scratch_path("w.log");
	struct jm_power_log log;
	char *text;

	(void)state;
	make_rail(&log, JM_QUANTITY_MV_MA);
	append(&log, 1000, 5032, 840);
	append(&log, 2000, (double)NAN, 840);
	append(&log, 1001999, 5000.5, 0.1);
	assert_int_equal(jm_power_log_write(path, &log.rails[0], offset, NULL), 0);
	text = scratch_read(path);
	assert_string_equal(text, "20241121-00:00:00.000000,5032.0,840.0\n"
				  "20241121-00:00:00.001000,5000.5,0.1\n");
	free(text);
	jm_power_log_release(&log);

	make_rail(&log, JM_QUANTITY_UW);
	append(&log, 1000, 700e6, 0);
	assert_int_equal(jm_power_log_write(path, &log.rails[0], offset, NULL), 0);
	text = scratch_read(path);
	assert_string_equal(text, "20241121-00:00:00.000000,1000.0,700000.0\n");
	free(text);
	jm_power_log_release(&log);

	/* A counter: mean power between its updates. */
	make_rail(&log, JM_QUANTITY_UJ);
	append(&log, 1000, 100, 0);
	append(&log, 1001000, 100, 0);
	append(&log, 2001000, 10100, 0);
	append(&log, 3001000, 10100, 0);
	append(&log, 4001000, 10110, 0);
	assert_int_equal(jm_power_log_write(path, &log.rails[0], offset, NULL), 0);
	text = scratch_read(path);
	assert_string_equal(text, "20241121-00:00:00.002000,1000.0,5000.0\n"
				  "20241121-00:00:00.004000,1000.0,5.0\n");
	free(text);
	jm_power_log_release(&log);
}

static void test_round_trip(void **state)
{
	const char *path = scratch_path("r.log");
	int64_t now = jm_civil_from_date_ns(2024, 2, 28) + 86390 * JM_NS_PER_S;
	struct jm_power_log log, back;
	uint64_t seed = 3;

	(void)state;
	make_rail(&log, JM_QUANTITY_MV_MA);
	for (int i = 0; i < 20000; i++) {
		now += (int64_t)(scratch_random(&seed) % 3000) * 1000;
		append(&log, now, (double)(scratch_random(&seed) % 40000),
			scratch_uniform(&seed, 0, 5000));
	}
	assert_int_equal(jm_power_log_write(path, &log.rails[0], 0, NULL), 0);
	assert_int_equal(jm_power_log_read(path, &back, NULL, NULL), 0);
	assert_int_equal(back.rails[0].n_readings, log.rails[0].n_readings);
	for (size_t i = 0; i < log.rails[0].n_readings; i++) {
		const struct jm_reading *a = &log.rails[0].readings[i];
		const struct jm_reading *b = &back.rails[0].readings[i];

		assert_true(a->after_ns == b->after_ns && a->value[0] == b->value[0] &&
			    a->value[1] == b->value[1]);
	}
	jm_power_log_release(&log);
	jm_power_log_release(&back);
}

static void test_files(void **state)
{
	struct jm_error error = {0};
	struct jm_power_log log;

	(void)state;
	assert_int_equal(jm_power_log_read("no/such.log", &log, NULL, &error), JM_ENOTFOUND);
	assert_non_null(strstr(error.message, "no/such.log"));
	assert_int_equal(jm_power_log_read("/", &log, NULL, &error), JM_EIO);
	jm_power_log_release(&log);
}

static void test_log(void **state)
{
	struct jm_reading reading = {1, 2, {3, 4}};
	struct jm_power_log log;
	char name[200];

	(void)state;
	jm_power_log_init(&log);
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (int i = 0; i < 40; i++)
		assert_int_equal(jm_power_log_add_rail(&log, name, JM_QUANTITY_UJ, NULL), i);
	assert_int_equal(strlen(log.rails[39].name), JM_NAME_MAX - 1);
	assert_int_equal(jm_power_log_append(&log, 40, &reading, NULL), JM_EINVAL);
	assert_int_equal(jm_power_log_append(&log, 7, &reading, NULL), 0);
	assert_int_equal(log.rails[7].n_readings, 1);
	assert_true(jm_reading_power_uw(&reading, JM_QUANTITY_MV_MA) == 12);
	assert_true(jm_reading_power_uw(&reading, JM_QUANTITY_UW) == 3);
	assert_true(isnan(jm_reading_power_uw(&reading, JM_QUANTITY_UJ)));
	jm_power_log_release(&log);
	jm_power_log_release(&log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_torn),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_leave_out),
		cmocka_unit_test(test_encodings),
		cmocka_unit_test(test_clock_changes),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_log),
	};

	return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
