/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <math.h>

#include "base/clock.h"
#include "scratch.h"
#include "data/clock_change.h"
#include "formats/latency_file.h"

#define S "\"20241121-00:00:0"

static int read_text(const char *text, struct jm_timeline *timeline,
	struct jm_latency_notes *notes, struct jm_error *error)
{
	struct jm_reader reader;
	int result;

	jm_reader_open_memory(&reader, "l.json", text, strlen(text));
	result = jm_latency_read_from(&reader, timeline, notes, error);
	jm_reader_close(&reader);
	return result;
}

static void expect_failure(const char *text, int code, const char *part)
{
	struct jm_error error = {0};
	struct jm_timeline timeline;

	assert_int_equal(read_text(text, &timeline, NULL, &error), code);
	assert_int_equal(error.code, code);
	assert_int_equal(timeline.n_layers, 0);
	if (!strstr(error.message, part))
		fail_msg("'%s' is not in '%s'", part, error.message);
}

static void expect_good(
	const char *text, struct jm_timeline *timeline, struct jm_latency_notes *notes)
{
	struct jm_error error = {0};

	if (read_text(text, timeline, notes, &error) < 0)
		fail_msg("%s", error.message);
}

static void test_good(void **state)
{
	int64_t day = jm_civil_from_date_ns(2024, 11, 21);
	struct jm_latency_notes notes;
	struct jm_timeline timeline;

	(void)state;
	expect_good("{\"a\": [[0.5, " S "1.000001\"], [5, " S "2.5\"]], \"b\":[]}", &timeline,
		&notes);
	assert_int_equal(timeline.n_layers, 2);
	assert_string_equal(timeline.layers[0].name, "a");
	assert_string_equal(timeline.layers[0].type, "Unknown");
	assert_true(isnan(timeline.layers[0].macs));
	assert_int_equal(timeline.layers[0].n_executions, 2);
	assert_int_equal(timeline.layers[1].n_executions, 0);
	assert_true(timeline.layers[0].executions[0].duration_ms == 0.5);
	assert_true(timeline.layers[0].executions[0].stamp_ns == day + 1000001000);
	assert_true(timeline.layers[0].executions[1].duration_ms == 5);
	assert_true(timeline.layers[0].executions[1].stamp_ns == day + 2500000000);
	assert_int_equal(timeline.stamp, JM_STAMP_END);
	assert_int_equal(jm_timeline_cycles(&timeline), 2);
	assert_true(notes.executions == 2 && notes.unequal && !notes.repeated_names);
	jm_timeline_release(&timeline);
	/* Any white space. */
	expect_good("\r\n{ \"a\"\t:\n[\n  [\n 0.5\n,\n" S "1.0\"\n]\n,\n[1e-1 ," S
		    "1.5\" ] ] }\n\n",
		&timeline, &notes);
	assert_int_equal(timeline.layers[0].n_executions, 2);
	assert_true(timeline.layers[0].executions[1].duration_ms == 0.1);
	assert_int_equal(notes.unequal, 0);
	jm_timeline_release(&timeline);
}

static void test_names(void **state)
{
	static const char text[] =
		"{\"q\\\"\\\\\\/\\b\\f\\n\\r\\t\": [[1.0, " S "1.0\"]],"
		"\"\\u00b5\\u5c42\\ud83d\\ude00]\": [], \"\\ud83d x \\ude00\": [],"
		"\"\xc2\xb5\xe5\xb1\x82\xf0\x9f\x98\x80\": [], \"\": []}";
	static const char *const names[] = {"q\"\\/\b\f\n\r\t",
		"\xc2\xb5\xe5\xb1\x82\xf0\x9f\x98\x80]", "\xef\xbf\xbd x \xef\xbf\xbd",
		"\xc2\xb5\xe5\xb1\x82\xf0\x9f\x98\x80", ""};
	struct jm_timeline timeline;

	(void)state;
	expect_good(text, &timeline, NULL);
	assert_int_equal(timeline.n_layers, 5);
	for (size_t i = 0; i < 5; i++)
		assert_string_equal(timeline.layers[i].name, names[i]);
	jm_timeline_release(&timeline);
	expect_failure("{\"\\u0000\": []}", JM_EFORMAT, "a layer name has a zero character");
	expect_failure("{\"\\x\": []}", JM_EFORMAT, "a layer name has an unknown escape");
	expect_failure("{\"\\u12g4\": []}", JM_EFORMAT, "a layer name has an unknown escape");
	expect_failure("{\"\xff\": []}", JM_EFORMAT, "a layer name is not UTF-8");
	expect_failure("{\"\xc0\x80\": []}", JM_EFORMAT, "a layer name is not UTF-8");
	expect_failure("{\"\xed\xa0\x80\": []}", JM_EFORMAT, "a layer name is not UTF-8");
	expect_failure("{\"a\nb\": []}", JM_EFORMAT, "a layer name has a control character");
}

/* The later one counts, where the first one stood. */
static void test_repeated_names(void **state)
{
	struct jm_latency_notes notes;
	struct jm_timeline timeline;

	(void)state;
	expect_good("{\"a\": [[1.0, " S "1.0\"]], \"b\": [[2.0, " S "1.5\"]],"
		    "\"a\": [[3.0, " S "2.0\"]], \"c\": [], \"a\": [[4.0, " S "3.0\"]]}",
		&timeline, &notes);
	assert_int_equal(timeline.n_layers, 3);
	assert_string_equal(timeline.layers[0].name, "a");
	assert_string_equal(timeline.layers[1].name, "b");
	assert_string_equal(timeline.layers[2].name, "c");
	assert_int_equal(timeline.layers[0].n_executions, 1);
	assert_true(timeline.layers[0].executions[0].duration_ms == 4);
	assert_true(notes.repeated_names == 2 && notes.executions == 2);
	jm_timeline_release(&timeline);
}

static void test_refused(void **state)
{
	(void)state;
	expect_failure("", JM_ETRUNCATED, "'l.json' ends too early, at line 1, byte 0");
	expect_failure("[]", JM_EFORMAT, "line 1, byte 1: no JSON object begins");
	expect_failure("{}", JM_EFORMAT, "holds no execution of any layer");
	expect_failure("{\"a\": []}", JM_EFORMAT, "the profiler was not on");
	expect_failure("{\n\n\"a\" 1", JM_EFORMAT, "line 3, byte 8: a ':' is missing");
	expect_failure(
		"{\"a\": [[NaN, " S "1.0\"]]}", JM_EFORMAT, "byte 9: the duration is not a");
	expect_failure("{\"a\": [[Infinity, " S "1.0\"]]}", JM_EFORMAT, "is not a number");
	expect_failure(
		"{\"a\": [[1e999, " S "1.0\"]]}", JM_EFORMAT, "between 0 ms and an hour");
	expect_failure("{\"a\": [[-0.1, " S "1.0\"]]}", JM_EFORMAT, "between 0 ms and an hour");
	expect_failure("{\"a\": [[null, " S "1.0\"]]}", JM_EFORMAT, "is not a number");
	expect_failure(
		"{\"a\": [[1.0 " S "1.0\"]]}", JM_EFORMAT, "a ',' is missing after the dur");
	expect_failure("{\"a\": [[1.0, 5]]}", JM_EFORMAT, "the time stamp is missing");
	expect_failure("{\"a\": [\n[1.0,\n \"2024\"]]}", JM_EFORMAT,
		"line 3, byte 16: the time stamp is not of the form");
	expect_failure("{\"a\": [[1.0, " S "1.0\", 3]]}", JM_EFORMAT, "a ']' is missing");
	expect_failure(
		"{\"a\": [[1.0, " S "1.0\"] [2.0]]}", JM_EFORMAT, "missing after a pair");
	expect_failure("{\"a\": [[1.0, " S "1.0\"],]}", JM_EFORMAT, "a pair [milliseconds");
	expect_failure("{\"a\": [[1.0, " S "1.0\"]],}", JM_EFORMAT, "a layer name in quotes");
	expect_failure("{\"a\": [[1.0, " S "1.0\"]]} x", JM_EFORMAT, "text follows the data");
	expect_failure("{\"a\": [[1.0, " S "1.5\"], [1.0, " S "1.4\"]]}", JM_EFORMAT,
		"time runs back by 0.100000 s in cycle 2 of layer 'a'");
	expect_failure("{\"a\": {}}", JM_EFORMAT, "a '[' is missing after the name");
}

static void test_truncated(void **state)
{
	static const char text[] = "{\"a\\\"\": [[0.5, " S "1.0\"], [0.25, " S "1.5\"]],\n"
				   " \"b\": []}";
	char cut[sizeof(text)];
	struct jm_timeline timeline;

	(void)state;
	for (size_t n = 0; n + 1 < sizeof(text); n++) {
		struct jm_error error = {0};

		memcpy(cut, text, n);
		cut[n] = '\0';
		assert_int_equal(read_text(cut, &timeline, NULL, &error), JM_ETRUNCATED);
		assert_non_null(strstr(error.message, "copy it again or measure again"));
	}
	expect_good(text, &timeline, NULL);
	jm_timeline_release(&timeline);
}

static void test_clock_changes(void **state)
{
	int64_t day = jm_civil_from_date_ns(2024, 10, 27), second = JM_NS_PER_S;
	struct jm_latency_notes notes;
	struct jm_timeline timeline;

	(void)state;
	/* Back, between the two layers of the second cycle. */
	expect_good(
		"{\"a\": [[1.0, \"20241027-02:59:59.990\"], [1.0, \"20241027-02:59:59.999\"],"
		"[1.0, \"20241027-02:00:00.008\"]],"
		"\"b\": [[1.0, \"20241027-02:59:59.991\"], [1.0, \"20241027-02:00:00.000\"],"
		"[1.0, \"20241027-02:00:00.009\"]]}",
		&timeline, &notes);
	for (size_t i = 0; i < 2; i++)
		for (size_t j = 0; j < 3; j++)
			assert_true(timeline.layers[i].executions[j].stamp_ns ==
				    day + 10800 * second +
					    (-10 + (int64_t)i + 9 * (int64_t)j) * 1000000);
	assert_true(notes.clock_changes == 2 && notes.clock_shift_ns == 3600 * second);
	jm_timeline_release(&timeline);
	/* Forward, between the two layers of the first cycle. */
	expect_good(
		"{\"a\": [[1.0, \"20240331-01:59:59.999\"], [1.0, \"20240331-03:00:00.008\"],"
		"[1.0, \"20240331-03:00:00.017\"]],"
		"\"b\": [[1.0, \"20240331-03:00:00.000\"]]}",
		&timeline, &notes);
	day = jm_civil_from_date_ns(2024, 3, 31);
	assert_true(timeline.layers[1].executions[0].stamp_ns == day + 7200 * second);
	jm_timeline_release(&timeline);
	expect_good(
		"{\"a\": [[1.0, \"20240331-01:59:59.980\"], [1.0, \"20240331-01:59:59.990\"],"
		"[1.0, \"20240331-03:00:00.017\"]]}",
		&timeline, &notes);
	assert_true(
		timeline.layers[0].executions[2].stamp_ns == day + 7200 * second + 17000000);
	assert_true(notes.clock_changes == 1 && notes.clock_shift_ns == -3600 * second);
	jm_timeline_release(&timeline);
}

/* The logger saw the change, the first inference came after it. */
static void test_reconcile(void **state)
{
	struct jm_reading reading = {0, 0, {1, 1}};
	struct jm_execution execution = {0, 1};
	struct jm_timeline timeline;
	struct jm_power_log log;
	int64_t hour = 3600 * JM_NS_PER_S;

	(void)state;
	jm_power_log_init(&log);
	jm_timeline_init(&timeline);
	jm_power_log_add_rail(&log, "r", JM_QUANTITY_MV_MA, NULL);
	jm_timeline_add_layer(&timeline, "l", NULL, NULL);
	for (int i = 0; i < 100; i++) {
		reading.before_ns = reading.after_ns = i * JM_NS_PER_S;
		jm_power_log_append(&log, 0, &reading, NULL);
	}
	assert_int_equal(jm_clock_reconcile(&timeline, &log.rails[0]), 0);
	execution.stamp_ns = 50 * JM_NS_PER_S - hour;
	jm_timeline_append(&timeline, 0, execution, NULL);
	assert_true(jm_clock_reconcile(&timeline, &log.rails[0]) == hour);
	assert_true(timeline.layers[0].executions[0].stamp_ns == 50 * JM_NS_PER_S);
	assert_true(jm_clock_reconcile(&timeline, &log.rails[0]) == 0);
	timeline.layers[0].executions[0].stamp_ns += hour;
	assert_true(jm_clock_reconcile(&timeline, &log.rails[0]) == -hour);
	timeline.layers[0].executions[0].stamp_ns += 2 * hour;
	assert_true(jm_clock_reconcile(&timeline, &log.rails[0]) == 0);
	jm_power_log_release(&log);
	jm_timeline_release(&timeline);
}

static void test_write(void **state)
{
	const char *path = scratch_path("w.json");
	struct jm_execution execution = {0, 0.06115392595529556};
	struct jm_timeline timeline;
	char *text;

	(void)state;
	jm_timeline_init(&timeline);
	jm_timeline_add_layer(
		&timeline, "q\"\\\n\x01\x7f\xc2\xb5\xf0\x9f\x98\x80\xff", NULL, NULL);
	jm_timeline_add_layer(&timeline, "b", NULL, NULL);
	jm_timeline_append(&timeline, 0, execution, NULL);
	execution.stamp_ns = 1500001999;
	execution.duration_ms = 1e-5;
	jm_timeline_append(&timeline, 0, execution, NULL);
	assert_int_equal(
		jm_latency_write(path, &timeline, jm_civil_from_date_ns(2024, 11, 21), NULL),
		0);
	text = scratch_read(path);
	assert_string_equal(text,
		"{\"q\\\"\\\\\\n\\u0001\\u007f\\u00b5\\ud83d\\ude00\\ufffd\": "
		"[[0.06115392595529556, \"20241121-00:00:00.000000\"], "
		"[1e-05, \"20241121-00:00:01.500001\"]], \"b\": []}");
	free(text);
	timeline.layers[0].executions[0].duration_ms = (double)NAN;
	assert_int_equal(jm_latency_write(path, &timeline, 0, NULL), JM_EINVAL);
	jm_timeline_release(&timeline);
}

/* Longer than the reader's buffer, so that pairs lie across its end. */
static void test_round_trip(void **state)
{
	const char *path = scratch_path("r.json");
	int64_t now = jm_civil_from_date_ns(2023, 12, 31) + 86399 * JM_NS_PER_S;
	struct jm_execution execution;
	struct jm_timeline timeline, back;
	uint64_t seed = 3;
	char name[3000];

	(void)state;
	memset(name, 'n', sizeof(name));
	jm_timeline_init(&timeline);
	for (size_t i = 0; i < 40; i++) {
		name[500 + 50 * i] = '\0';
		jm_timeline_add_layer(&timeline, name, NULL, NULL);
		name[500 + 50 * i] = 'x';
	}
	for (size_t j = 0; j < 1000; j++)
		for (size_t i = 0; i < 40; i++) {
			now += (int64_t)(scratch_random(&seed) % 500) * 1000;
			execution.stamp_ns = now;
			execution.duration_ms = (double)(float)scratch_uniform(&seed, 0, 0.4);
			jm_timeline_append(&timeline, i, execution, NULL);
		}
	assert_int_equal(jm_latency_write(path, &timeline, 0, NULL), 0);
	assert_int_equal(jm_latency_read(path, &back, NULL, NULL), 0);
	assert_int_equal(back.n_layers, 40);
	for (size_t i = 0; i < 40; i++) {
		assert_string_equal(back.layers[i].name, timeline.layers[i].name);
		assert_int_equal(back.layers[i].n_executions, 1000);
		assert_memory_equal(back.layers[i].executions, timeline.layers[i].executions,
			1000 * sizeof(execution));
	}
	jm_timeline_release(&timeline);
	jm_timeline_release(&back);
}

static void test_files(void **state)
{
	struct jm_error error = {0};
	struct jm_timeline timeline;

	(void)state;
	assert_int_equal(
		jm_latency_read("no/such.json", &timeline, NULL, &error), JM_ENOTFOUND);
	jm_timeline_release(&timeline);
	/* A pair, a name, and white space without end. */
	for (int i = 0; i < 2; i++) {
		char *text = malloc(200001);

		memset(text, 'a', 200000);
		text[200000] = '\0';
		memcpy(text, i ? "{\"" : "{\"a\":[[1", i ? 2 : 8);
		assert_int_equal(jm_latency_read(scratch_write("long.json", text), &timeline,
					 NULL, &error),
			JM_EFORMAT);
		assert_non_null(strstr(error.message, "does not end"));
		free(text);
	}
}

/* Names with brackets, and one execution more or less. */
static void test_matches(void **state)
{
	struct jm_execution execution = {1000, 0.5};
	struct jm_timeline timeline;
	const char *path = scratch_path("m.json");
	int matches;

	(void)state;
	jm_timeline_init(&timeline);
	jm_timeline_add_layer(&timeline, "[a]-[b[\"]", NULL, NULL);
	jm_timeline_add_layer(&timeline, "never", NULL, NULL);
	jm_timeline_add_layer(&timeline, "c", NULL, NULL);
	for (size_t i = 0; i < 1000; i++)
		jm_timeline_append(&timeline, i % 2 * 2, execution, NULL);
	assert_int_equal(jm_latency_write(path, &timeline, 0, NULL), 0);
	assert_int_equal(jm_latency_matches(path, &timeline, &matches, NULL), 0);
	assert_true(matches);
	timeline.layers[2].n_executions--;
	assert_int_equal(jm_latency_matches(path, &timeline, &matches, NULL), 0);
	assert_false(matches);
	jm_timeline_release(&timeline);
	assert_true(jm_latency_matches(scratch_path("none"), &timeline, &matches, NULL) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_repeated_names),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_clock_changes),
		cmocka_unit_test(test_reconcile),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_matches),
	};

	return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
