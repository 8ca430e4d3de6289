/* SPDX-License-Identifier: Apache-2.0 */
/* Tables: cells that are no formulas, rows that are short, the table of layers. */
#include "unit.h"

#include <math.h>

#include "scratch.h"
#include "formats/csv.h"
#include "formats/layer_energy_file.h"
#include "formats/mapping_csv.h"
#include "formats/readings_file.h"

/* What stands in a table, and that it reads back as it was. */
static void expect_cell(const char *text, const char *cell)
{
	char row[300], formatted[256];
	struct jm_csv_reader csv;
	struct jm_reader reader;
	const char *read;
	size_t n = jm_csv_format(text, formatted);

	formatted[n] = '\0';
	assert_string_equal(formatted, cell);
	assert_true(n <= JM_CSV_TEXT_MAX(strlen(text)));
	snprintf(row, sizeof(row), "%s,1\n", formatted);
	jm_reader_open_memory(&reader, "t.csv", row, strlen(row));
	jm_csv_init(&csv, &reader);
	assert_int_equal(jm_csv_next(&csv, NULL), 1);
	assert_int_equal(jm_csv_text(&csv, 0, "name", &read, NULL), 0);
	assert_string_equal(read, text);
	jm_csv_release(&csv);
	jm_reader_close(&reader);
}

static void test_formulas(void **state)
{
	(void)state;
	expect_cell("conv1", "conv1");
	expect_cell("", "");
	expect_cell("a=b", "a=b");
	expect_cell("=1+1", "'=1+1");
	expect_cell("+1", "'+1");
	expect_cell("-5V", "'-5V");
	expect_cell("@SUM(A1)", "'@SUM(A1)");
	expect_cell("\t=1", "'\t=1");
	expect_cell("\n=1", "\"'\n=1\"");
	expect_cell("\xef\xbc\x9d"
		    "1",
		"'\xef\xbc\x9d"
		"1");
	expect_cell("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0");
	expect_cell("=HYPERLINK(\"x\",\"y\")", "\"'=HYPERLINK(\"\"x\"\",\"\"y\"\")\"");
	/* Quotes that the text has itself. */
	expect_cell("'quoted'", "'quoted'");
	expect_cell("'=1", "''=1");
	expect_cell("''-", "'''-");
}

/* In the form of the original scripts a name stays as it is. */
static void test_exact(void **state)
{
	char text[64];
	size_t n = jm_csv_format_exact("=a,\"b\"", text);

	(void)state;
	text[n] = '\0';
	assert_string_equal(text, "\"=a,\"\"b\"\"\"");
}

static void test_rail_names(void **state)
{
	const char *path = scratch_path("readings.csv");
	struct jm_reading reading = {1, 2, {-3, 0}};
	struct jm_power_log log, back;
	char *text;

	(void)state;
	jm_power_log_init(&log);
	jm_power_log_add_rail(&log, "-12V", JM_QUANTITY_UW, NULL);
	jm_power_log_append(&log, 0, &reading, NULL);
	assert_int_equal(jm_readings_write(path, &log, NULL), 0);
	text = scratch_read(path);
	assert_string_equal(text, "rail,before_ns,after_ns,uw\n'-12V,1,2,-3.0\n");
	free(text);
	assert_int_equal(jm_readings_read(path, &back, NULL), 0);
	assert_string_equal(back.rails[0].name, "-12V");
	assert_true(back.rails[0].readings[0].value[0] == -3);
	jm_power_log_release(&log);
	jm_power_log_release(&back);
}

/* ---- layer_energy.csv ------------------------------------------------------------ */

#define HEADER                                                                                 \
	"layer_index,layer_name,layer_type,executions,runtime_ms,runtime_sd_ms,power_w,"       \
	"power_sd_w,power_lo_w,power_hi_w,dynamic_power_w,energy_mj,energy_sd_mj,"             \
	"energy_share,readings,resolved,group\n"
#define FIGURES "1,0,2,0.1,1.8,2.2,1,2,0.1,0.5,7"
#define ROW(index, name, rest) index "," name ",Conv,9," FIGURES "," rest "\n"

static int keep_last(void *context, const struct jm_layer_energy_row *row)
{
	*(struct jm_layer_energy_row *)context = *row;
	return 0;
}

static int read_table(
	const char *text, struct jm_layer_energy_row *last, struct jm_error *error)
{
	struct jm_reader reader;
	int result;

	jm_reader_open_memory(&reader, "e.csv", text, strlen(text));
	result = jm_layer_energy_read_from(&reader, keep_last, last, error);
	jm_reader_close(&reader);
	return result;
}

static void refuse_table(const char *text, const char *part)
{
	struct jm_layer_energy_row last;
	struct jm_error error = {0};

	assert_int_equal(read_table(text, &last, &error), JM_EFORMAT);
	if (!strstr(error.message, part))
		fail_msg("'%s' is not in '%s'", part, error.message);
}

static void test_layers(void **state)
{
	struct jm_layer_energy_row last;
	struct jm_error error = {0};

	(void)state;
	assert_int_equal(read_table(HEADER ROW("0", "a", "yes,"), &last, &error), 1);
	assert_true(last.index == 0 && last.layer.group == -1);
	assert_true(last.layer.executions == 9 && last.layer.power_w == 2);
	assert_int_equal(last.layer.resolved, JM_RESOLVED_YES);
	assert_int_equal(read_table(HEADER ROW("0", "a", "yes,") ROW("1", "'=1+1", "group,4"),
				 &last, &error),
		2);
	assert_string_equal(last.name, "=1+1");
	assert_true(last.layer.resolved == JM_RESOLVED_GROUP && last.layer.group == 4);
	assert_int_equal(read_table(HEADER ROW("", "(gap)", "no,"), &last, &error), 1);
	assert_int_equal(last.index, -1);
	assert_int_equal(read_table(HEADER ROW("", "(total)", "no,"), &last, &error), 1);
	assert_int_equal(last.index, -2);
}

/* Rows that end early, also behind longer ones whose memory has moved. */
static void test_layers_refused(void **state)
{
	char *text = malloc(300000);
	size_t n = 0;

	(void)state;
	refuse_table("", "has no column 'layer_index'");
	refuse_table(HEADER "0,a,Conv,9\n", "line 2: column 'runtime_ms'");
	refuse_table(HEADER "0,a\n", "line 2: column");
	refuse_table(HEADER "0,a,Conv,9," FIGURES "\n", "line 2: column 'resolved' is missing");
	refuse_table(HEADER ROW("-3", "a", "yes,"), "column 'layer_index' holds -3");
	refuse_table(HEADER ROW("x", "a", "yes,"), "column 'layer_index' holds 'x'");
	refuse_table(HEADER "0,a,Conv,-1," FIGURES ",yes,\n", "column 'executions' holds -1");
	refuse_table(HEADER "0,a,Conv,," FIGURES ",yes,\n", "column 'executions'");
	refuse_table(HEADER ROW("0", "a", "group,9999999999"), "column 'group' holds");
	/* The columns of text come last here, so that short rows lack only them. */
	n = (size_t)sprintf(text,
		"executions,runtime_ms,runtime_sd_ms,power_w,power_sd_w,power_lo_w,power_hi_w,"
		"dynamic_power_w,energy_mj,energy_sd_mj,energy_share,readings,resolved,group,"
		"layer_index,layer_type,layer_name\n9," FIGURES ",yes,,0,Conv,a\n9," FIGURES);
	memset(text + n, '0', 200000);
	strcpy(text + n + 200000, "\n");
	refuse_table(text, "line 3: column 'layer_name' is missing");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_formulas),
		cmocka_unit_test(test_exact),
		cmocka_unit_test(test_rail_names),
		cmocka_unit_test(test_layers),
		cmocka_unit_test(test_layers_refused),
	};

	return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
