/* SPDX-License-Identifier: Apache-2.0 */
/* The window method against tables made by the original scripts. */
#include "unit.h"

#include <dirent.h>
#include <math.h>

#include "scratch.h"
#include "formats/engine_info_file.h"
#include "formats/idle_file.h"
#include "formats/latency_file.h"
#include "formats/mapping_csv.h"
#include "formats/power_log_file.h"

struct run {
	struct jm_power_log log;
	struct jm_timeline timeline;
	struct jm_idle_record idle;
};

static void read_run(struct run *run, const char *folder)
{
	struct jm_error error = {0};
	char path[4][640];

	snprintf(path[0], sizeof(path[0]), "%s/power.log", folder);
	snprintf(path[1], sizeof(path[1]), "%s/latency.json", folder);
	snprintf(path[2], sizeof(path[2]), "%s/engine_info.json", folder);
	snprintf(path[3], sizeof(path[3]), "%s/idling_power.json", folder);
	if (jm_power_log_read(path[0], &run->log, NULL, &error) < 0 ||
		jm_latency_read(path[1], &run->timeline, NULL, &error) < 0 ||
		jm_engine_info_read(path[2], &run->timeline, NULL, &error) < 0 ||
		jm_idle_read(path[3], &run->idle, &error) < 0)
		fail_msg("%s", error.message);
}

static void release_run(struct run *run)
{
	jm_power_log_release(&run->log);
	jm_timeline_release(&run->timeline);
}

static void expect_table(
	const struct run *run, enum jm_window_rules rules, const char *expected)
{
	const char *path = scratch_path("table.csv");
	struct jm_mapping_writer writer;

	assert_int_equal(jm_mapping_writer_open(&writer, path, &run->timeline, NULL), 0);
	assert_int_equal(jm_attribute_window(&run->log.rails[0], &run->timeline, rules,
				 run->idle.average_uw, jm_mapping_writer_row, &writer, NULL),
		0);
	assert_int_equal(jm_mapping_writer_commit(&writer, NULL), 0);
	assert_same_files(path, expected);
}

static void test_golden(void **state)
{
	DIR *stream = opendir(JM_TEST_DATA "/window");
	const struct dirent *entry;
	int folders = 0;

	(void)state;
	assert_non_null(stream);
	while ((entry = readdir(stream)) != NULL) {
		char folder[512], expected[600];
		struct run run;

		snprintf(folder, sizeof(folder), "%s/window/%s", JM_TEST_DATA, entry->d_name);
		if (entry->d_name[0] == '.' || !jm_path_is_folder(folder))
			continue;
		read_run(&run, folder);
		snprintf(expected, sizeof(expected), "%s/later.csv", folder);
		expect_table(&run, JM_WINDOW_LATER, expected);
		snprintf(expected, sizeof(expected), "%s/first.csv", folder);
		expect_table(&run, JM_WINDOW_FIRST, expected);
		release_run(&run);
		folders++;
	}
	closedir(stream);
	assert_true(folders >= 20);
}

/* ---- Built by hand ------------------------------------------------------------ */

struct rows {
	struct jm_cycle_power row[16];
	size_t n, stop_at;
};

static int take_row(void *context, const struct jm_cycle_power *row)
{
	struct rows *rows = context;

	rows->row[rows->n++] = *row;
	return rows->n == rows->stop_at ? -77 : 0;
}

static void add_sample(struct run *run, int64_t us, double uw)
{
	struct jm_reading reading = {us * 1000, us * 1000, {uw, 0}};

	assert_int_equal(jm_power_log_append(&run->log, 0, &reading, NULL), 0);
}

static void add_span(struct run *run, size_t layer, int64_t stamp_us, double ms)
{
	struct jm_execution execution = {stamp_us * 1000, ms};

	assert_int_equal(jm_timeline_append(&run->timeline, layer, execution, NULL), 0);
}

static void init_run(struct run *run, size_t layers)
{
	jm_power_log_init(&run->log);
	jm_timeline_init(&run->timeline);
	assert_int_equal(jm_power_log_add_rail(&run->log, "r", JM_QUANTITY_UW, NULL), 0);
	for (size_t i = 0; i < layers; i++)
		assert_int_equal(jm_timeline_add_layer(&run->timeline, "layer", NULL, NULL), i);
	run->idle.average_uw = 1;
}

static int walk(const struct run *run, enum jm_window_rules rules, struct rows *rows)
{
	rows->n = 0;
	return jm_attribute_window(&run->log.rails[0], &run->timeline, rules,
		run->idle.average_uw, take_row, rows, NULL);
}

static void test_bounds_belong(void **state)
{
	struct run run;
	struct rows rows = {0};

	(void)state;
	init_run(&run, 2);
	for (int i = 0; i <= 6; i++)
		add_sample(&run, 100 * i, i + 1);
	add_span(&run, 0, 300, 0.2); /* 100..300: samples 100, 200, 300 */
	add_span(&run, 1, 500, 0.2); /* 300..500: 300 is used already */
	assert_int_equal(walk(&run, JM_WINDOW_LATER, &rows), 0);
	assert_int_equal(rows.n, 2);
	assert_int_equal(rows.row[0].n_samples, 3);
	assert_true(rows.row[0].power_uw == 3);
	assert_true(rows.row[0].dynamic_power_uw == 2);
	assert_int_equal(rows.row[1].n_samples, 2);
	assert_true(rows.row[1].power_uw == 5.5);
	release_run(&run);
}

static void test_readings_without_value(void **state)
{
	struct run run;
	struct rows rows = {0};

	(void)state;
	init_run(&run, 1);
	add_sample(&run, 100, 5);
	add_sample(&run, 200, (double)NAN);
	add_sample(&run, 300, 7);
	add_sample(&run, 400, 7);
	add_span(&run, 0, 300, 0.2);
	assert_int_equal(walk(&run, JM_WINDOW_LATER, &rows), 0);
	assert_int_equal(rows.row[0].n_samples, 2);
	assert_true(rows.row[0].power_uw == 6);
	release_run(&run);
}

static void test_refusals(void **state)
{
	struct jm_error error = {0};
	struct run run;
	struct rows rows = {0};

	(void)state;
	init_run(&run, 1);
	add_span(&run, 0, 300, 0.2);
	assert_int_equal(walk(&run, JM_WINDOW_LATER, &rows), JM_EINVAL);
	assert_int_equal(walk(&run, JM_WINDOW_FIRST, &rows), 0);
	assert_true(rows.row[0].power_uw == 0 && rows.row[0].dynamic_power_uw == -1);
	add_sample(&run, 100, 5);
	add_sample(&run, 900, 5);
	assert_int_equal(walk(&run, (enum jm_window_rules)9, &rows), JM_EINVAL);
	add_span(&run, 0, 500, 0.1);
	rows.stop_at = 1;
	assert_int_equal(walk(&run, JM_WINDOW_LATER, &rows), -77);
	assert_int_equal(walk(&run, JM_WINDOW_FIRST, &rows), -77);
	add_span(&run, 0, 600, (double)NAN);
	assert_int_equal(jm_attribute_window(&run.log.rails[0], &run.timeline, JM_WINDOW_LATER,
				 0, take_row, &rows, &error),
		JM_EINVAL);
	assert_non_null(strstr(error.message, "cycle 3"));
	run.log.rails[0].quantity = JM_QUANTITY_UJ;
	assert_int_equal(walk(&run, JM_WINDOW_LATER, &rows), JM_EINVAL);
	release_run(&run);
}

/* Whatever the input: every execution once, samples never shared. */
static void test_properties(void **state)
{
	uint64_t seed = 5;

	(void)state;
	for (int round = 0; round < 300; round++) {
		size_t executions = 1 + scratch_random(&seed) % 16, used = 0;
		struct run run;
		struct rows rows = {0};
		int64_t us = 0;

		init_run(&run, 1);
		for (int i = 0; i < 40; i++)
			add_sample(&run, us += (int64_t)(scratch_random(&seed) % 50), 1);
		us = 0;
		for (size_t i = 0; i < executions; i++)
			add_span(&run, 0, us += (int64_t)(scratch_random(&seed) % 90),
				scratch_uniform(&seed, 0, 0.2));
		assert_int_equal(walk(&run, JM_WINDOW_LATER, &rows), 0);
		assert_true(rows.n >= 1 && rows.n <= executions);
		for (size_t i = 0; i < rows.n; i++) {
			assert_int_equal(rows.row[i].cycle, i);
			assert_true(rows.row[i].n_samples ? rows.row[i].power_uw == 1
							  : isnan(rows.row[i].power_uw));
			used += rows.row[i].n_samples;
		}
		assert_true(used <= 40);
		assert_int_equal(walk(&run, JM_WINDOW_FIRST, &rows), 0);
		assert_int_equal(rows.n, executions);
		release_run(&run);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_bounds_belong),
		cmocka_unit_test(test_readings_without_value),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_properties),
	};

	return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
