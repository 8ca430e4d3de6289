/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <math.h>

#include "attribute/summary.h"
#include "report/table.h"
#include "report/text.h"
#include "scratch.h"

#define MS INT64_C(1000000)

/* ---- A run in memory: cycles of 10 ms, layers with ends as stamps ------------- */

static struct jm_timeline timeline;
static struct jm_power_log power_log;
static struct jm_summary summary;
static char *printed;

static int tear_down(void **state)
{
	(void)state;
	jm_summary_release(&summary);
	jm_timeline_release(&timeline);
	jm_power_log_release(&power_log);
	free(printed);
	printed = NULL;
	return 0;
}

static int set_up(void **state)
{
	(void)state;
	jm_timeline_init(&timeline);
	jm_power_log_init(&power_log);
	assert_int_equal(jm_power_log_add_rail(&power_log, "VDD", JM_QUANTITY_UW, NULL), 0);
	return 0;
}

/* A layer of `ms` that ends end_ms into the cycles first, first + step, ... */
static void add_layer(
	const char *name, double ms, double end_ms, int first, int step, int cycles)
{
	int layer = jm_timeline_add_layer(&timeline, name, "Conv", NULL);

	assert_true(layer >= 0);
	for (int i = first; i < cycles; i += step) {
		struct jm_execution execution = {(int64_t)((10.0 * i + end_ms) * 1e6), ms};

		assert_int_equal(
			jm_timeline_append(&timeline, (size_t)layer, execution, NULL), 0);
	}
}

/* Readings of `watts` every ms, in [from, to) ms. */
static void add_power(int from_ms, int to_ms, double watts, double swing)
{
	for (int i = from_ms; i < to_ms; i++) {
		struct jm_reading reading = {
			i * MS, i * MS, {(watts + (i % 2 ? swing : -swing)) * 1e6, 0}};

		assert_int_equal(jm_power_log_append(&power_log, 0, &reading, NULL), 0);
	}
}

static int take_row(void *context, const struct jm_cycle_power *row)
{
	(void)context;
	jm_summary_add(&summary, row);
	return 0;
}

static void summarise(enum jm_window_rules rules)
{
	assert_int_equal(jm_summary_init(&summary, &timeline, NULL), 0);
	assert_int_equal(jm_attribute_window(&power_log.rails[0], &timeline, rules, 1e6,
				 take_row, NULL, NULL),
		0);
	jm_summary_close(&summary, &timeline, &power_log.rails[0], 1e6);
}

static const char *print(void)
{
	const struct jm_table_header header = {.model = "m\x1b[31m",
		.engine = "e\xc2\x9b",
		.sensor = "s\a\xff",
		.method = "window"};
	size_t size;
	FILE *out = open_memstream(&printed, &size);

	assert_non_null(out);
	jm_table_print(out, &summary, &header);
	fclose(out);
	return printed;
}

static void expect_text(const char *part)
{
	if (!strstr(printed, part))
		fail_msg("'%s' is not in:\n%s", part, printed);
}

static void expect_no_text(const char *part)
{
	if (strstr(printed, part))
		fail_msg("'%s' is in:\n%s", part, printed);
}

/* ---- Sums over cycles ------------------------------------------------------------ */

static void test_whole_run(void **state)
{
	(void)state;
	add_layer("a", 4, 5, 0, 1, 20);
	add_layer("b", 3, 9, 0, 1, 20);
	add_power(0, 250, 5, 0.5);
	summarise(JM_WINDOW_LATER);
	assert_int_equal(summary.cycles, 20);
	assert_int_equal(summary.timeline_cycles, 20);
	assert_false(summary.log_ends_early);
	assert_float_equal(summary.cycle_ms, 10, 1e-9);
	assert_float_equal(summary.layers_ms, 7, 1e-9);
	assert_float_equal(summary.sensor_energy_mj, 50, 0.5);
	assert_float_equal(
		summary.layers[0].dynamic_power_w, summary.layers[0].power_w - 1, 1e-12);
	assert_true(summary.layers[0].power_se_w > 0);
	print();
	expect_text("20 cycles of 10.000 ms, idle 1.000 W");
	expect_no_text("power log ends");
}

/* Power is high while the log lasts; layers, bounds and mean are those cycles'. */
static void test_log_shorter_than_run(void **state)
{
	(void)state;
	add_layer("a", 4, 5, 0, 1, 100);
	add_layer("b", 5, 10, 0, 1, 100);
	add_power(0, 203, 5, 0.5);
	summarise(JM_WINDOW_LATER);
	assert_int_equal(summary.cycles, 20);
	assert_int_equal(summary.timeline_cycles, 100);
	assert_true(summary.log_ends_early);
	assert_float_equal(summary.cycle_ms, 10, 1e-9);
	assert_float_equal(summary.layers_ms, 9, 1e-9);
	assert_float_equal(summary.sensor_energy_mj, 50, 0.5);
	assert_float_equal(summary.layers_energy_mj, 45, 0.5);
	print();
	expect_text("power log ends after 20 of 100 cycles");
	expect_text("20 cycles of 10.000 ms");
}

/* The first version's rules go on with rows where there are no readings. */
static void test_log_shorter_than_run_first_rules(void **state)
{
	(void)state;
	add_layer("a", 4, 5, 0, 1, 100);
	add_power(0, 203, 5, 0.5);
	summarise(JM_WINDOW_FIRST);
	assert_int_equal(summary.cycles, 20);
	print();
	expect_text("power log ends after 20 of 100 cycles");
}

/* The mean of the sensor is over those cycles: not what came long before them. */
static void test_sensor_mean_within_run(void **state)
{
	(void)state;
	add_layer("a", 4, 5, 0, 1, 10);
	add_power(-500, 0, 1, 0.1);
	add_power(0, 100, 5, 0.5);
	add_power(100, 500, 1, 0.1);
	summarise(JM_WINDOW_LATER);
	assert_float_equal(summary.sensor_power_w, 5, 0.1);
}

/* A layer in every ninth cycle only, and the first of the file. */
static void test_layer_in_some_cycles(void **state)
{
	double sum = 0;

	(void)state;
	add_layer("seldom", 1, 1, 0, 9, 90);
	add_layer("always", 6, 9, 0, 1, 90);
	add_power(0, 1000, 5, 0.5);
	summarise(JM_WINDOW_FIRST);
	assert_float_equal(summary.cycle_ms, 10, 1e-9);
	assert_float_equal(summary.layers[0].per_cycle, 1.0 / 9, 1e-9);
	assert_float_equal(summary.layers[1].per_cycle, 1, 1e-12);
	assert_float_equal(summary.layers_ms, 6 + 1.0 / 9, 1e-9);
	for (size_t i = 0; i < summary.n_layers; i++)
		sum += summary.layers[i].runtime_ms * summary.layers[i].per_cycle;
	assert_float_equal(sum, summary.layers_ms, 1e-9);
	print();
	expect_text("1.0000    1.1 "); /* 1 ms, 1/9 of 10 % */
	expect_text("6.0000   60.0 ");
	expect_text("3.8889   38.9 "); /* gaps */
}

/* ---- No number where there is no data ---------------------------------------------- */

static void test_single_cycle(void **state)
{
	(void)state;
	add_layer("a", 4, 5, 0, 1, 1);
	add_power(0, 20, 5, 0.5);
	summarise(JM_WINDOW_LATER);
	assert_int_equal(summary.cycles, 1);
	assert_true(isnan(summary.cycle_ms));
	print();
	expect_no_text("nan");
	expect_text("closure: not known, the length of a cycle takes two of them");
	expect_text("\n1 cycle, idle");
}

static void test_no_reading_in_run(void **state)
{
	(void)state;
	add_layer("a", 0.01, 5.5, 0, 1, 2);
	add_power(0, 4, 5, 0.5);
	add_power(20, 24, 5, 0.5);
	summarise(JM_WINDOW_LATER);
	assert_true(isnan(summary.sensor_power_w));
	print();
	expect_no_text("nan");
	expect_text("closure: not known, the sensor has no reading inside the run");
	expect_text("1 of 1 layers have no sample");
}

static void test_constant_sensor(void **state)
{
	(void)state;
	add_layer("a", 4, 5, 0, 1, 20);
	add_power(0, 250, 5, 0);
	summarise(JM_WINDOW_LATER);
	assert_float_equal(summary.layers[0].power_w, 5, 1e-9);
	assert_true(isnan(summary.layers[0].power_se_w));
	print();
	expect_text("NOT RESOLVED: the sensor showed one and the same value all the time");
	expect_no_text(" 0.000");
}

/* Sums of layers have no samples of their own. */
static void test_rows_of_sums(void **state)
{
	const char *row;

	(void)state;
	add_layer("a", 4, 5, 0, 1, 20);
	add_power(0, 250, 5, 0.5);
	summarise(JM_WINDOW_LATER);
	print();
	row = strstr(printed, "\n(gaps)");
	assert_non_null(row);
	assert_int_equal(strchr(row + 1, '\n')[-1], '-');
	row = strstr(printed, "\n(total)");
	assert_non_null(row);
	assert_int_equal(strchr(row + 1, '\n')[-1], '-');
}

/* ---- Text -------------------------------------------------------------------------- */

static void expect_cut(const char *text, size_t width, const char *expected)
{
	char *result = NULL;
	size_t size;
	FILE *out = open_memstream(&result, &size);

	assert_non_null(out);
	jm_text_print_cut(out, text, width);
	fclose(out);
	assert_string_equal(result, expected);
	free(result);
}

static void test_print_cut(void **state)
{
	(void)state;
	expect_cut("short", 8, "short   ");
	expect_cut("features.12.conv.3", 10, "feat..nv.3");
	expect_cut("\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9",
		8, "\xc3\xa9\xc3\xa9\xc3\xa9..\xc3\xa9\xc3\xa9\xc3\xa9");
	/* Control characters of both sets, line breaks, and what is not UTF-8. */
	expect_cut("a\x1b[2Jb", 8, "a?[2Jb  ");
	expect_cut("a\xc2\x9b\x7f\xc2\x80z", 8, "a???z   ");
	expect_cut("a\nb\tc", 8, "a b c   ");
	expect_cut("r\xe9s", 8, "r\\xe9s  ");
	expect_cut("\xff\xff\xff", 8, "   ..   ");
	assert_int_equal(jm_text_columns("r\xe9\xc3\xa9"), 6);
}

static void test_table_is_harmless(void **state)
{
	(void)state;
	add_layer("evil\x1b]0;title\a", 4, 5, 0, 1, 20);
	free(timeline.layers[0].type);
	timeline.layers[0].type = strdup("\x1b[8mhidden\xc2\x9bJ and long");
	add_power(0, 250, 5, 0.5);
	summarise(JM_WINDOW_LATER);
	print();
	expect_no_text("\x1b");
	expect_no_text("\a");
	expect_no_text("\xc2\x9b");
	expect_text("m?[31m, e?, sensor s?\\xff\n");
}

/* ---- JSON and CSV ------------------------------------------------------------------- */

static void test_json_of_any_bytes(void **state)
{
	const struct jm_table_header header = {.model = "r\xe9", .method = "window"};
	size_t size;
	FILE *out = open_memstream(&printed, &size);

	(void)state;
	add_layer("a\xff", 4, 5, 0, 1, 20);
	add_power(0, 250, 5, 0.5);
	summarise(JM_WINDOW_LATER);
	assert_int_equal(jm_table_print_json(out, &summary, &header, NULL), 0);
	fclose(out);
	expect_text("\"model\": \"r\\\\xe9\"");
	expect_text("\"name\": \"a\\\\xff\"");
	expect_text("\"engine\": null");
	expect_text("\"timeline_cycles\": 20");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_whole_run, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_log_shorter_than_run, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_log_shorter_than_run_first_rules, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_sensor_mean_within_run, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_layer_in_some_cycles, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_single_cycle, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_reading_in_run, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_constant_sensor, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rows_of_sums, set_up, tear_down),
		cmocka_unit_test(test_print_cut),
		cmocka_unit_test_setup_teardown(test_table_is_harmless, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_json_of_any_bytes, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
