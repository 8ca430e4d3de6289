/* SPDX-License-Identifier: Apache-2.0 */
/* The smaller files: benchmark, readings, mapping, engine information. */
#include "unit.h"

#include <errno.h>
#include <math.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/file.h"
#include "scratch.h"
#include "formats/benchmark_file.h"
#include "formats/csv.h"
#include "formats/engine_info_file.h"
#include "formats/mapping_csv.h"
#include "formats/readings_file.h"

#define NONE ((double)NAN)

static void expect_file(const char *path, const char *expected)
{
	char *text = scratch_read(path);

	assert_string_equal(text, expected);
	free(text);
}

/* ---- Benchmark ---------------------------------------------------------------- */

static void test_benchmark(void **state)
{
	static const double latencies[] = {0.5, 0.25, 0.0030921};
	json_t *config = json_pack("{s:s, s:[ii]}", "model", "a\nb", "input_shape", 1, 3);
	struct jm_benchmark benchmark = {config, 263.73896875, 0, latencies, 2, 3};
	const char *path = scratch_path("m_tensorrt.json");
	struct jm_error error = {0};
	double *back = NULL;
	size_t n = 0;

	(void)state;
	assert_int_equal(jm_benchmark_write(path, &benchmark, NULL), 0);
	expect_file(path,
		"{\n    \"config\": {\n        \"model\": \"a\\nb\",\n"
		"        \"input_shape\": [\n            1,\n            3\n        ]\n"
		"    },\n    \"total_time\": 263.73896875,\n"
		"    \"timestamp\": \"19700101-000000\",\n    \"latencies\": [\n"
		"        0.5,\n        0.25\n    ],\n    \"avg_latency\": 0.375,\n"
		"    \"avg_throughput\": 8.0\n}");
	benchmark.n_latencies = 3;
	assert_int_equal(jm_benchmark_write(path, &benchmark, NULL), 0);
	assert_int_equal(jm_benchmark_read(path, &back, &n, NULL), 0);
	assert_int_equal(n, 3);
	assert_memory_equal(back, latencies, sizeof(latencies));
	free(back);
	benchmark.n_latencies = 0;
	benchmark.config = NULL;
	assert_int_equal(jm_benchmark_write(path, &benchmark, NULL), 0);
	assert_int_equal(jm_benchmark_read(path, &back, &n, NULL), 0);
	assert_int_equal(n, 0);
	free(back);
	json_decref(config);
	path = scratch_write("bad.json", "{\"latencies\": [1.0, \"x\"]}");
	assert_int_equal(jm_benchmark_read(path, &back, &n, &error), JM_EFORMAT);
	assert_non_null(strstr(error.message, "latency 2"));
	path = scratch_write("bad.json", "{\"latencies\": 5}");
	assert_int_equal(jm_benchmark_read(path, &back, &n, &error), JM_EFORMAT);
	path = scratch_write("bad.json", "{\n\n");
	assert_int_equal(jm_benchmark_read(path, &back, &n, &error), JM_EFORMAT);
	assert_non_null(strstr(error.message, "line 3"));
}

/* ---- Readings ----------------------------------------------------------------- */

static void add(struct jm_power_log *log, size_t rail, int64_t at, double a, double b)
{
	struct jm_reading reading = {at - 5, at, {a, b}};

	assert_int_equal(jm_power_log_append(log, rail, &reading, NULL), 0);
}

static void expect_same_log(const struct jm_power_log *a, const struct jm_power_log *b)
{
	assert_int_equal(a->n_rails, b->n_rails);
	for (size_t i = 0; i < a->n_rails; i++) {
		assert_string_equal(a->rails[i].name, b->rails[i].name);
		assert_int_equal(a->rails[i].quantity, b->rails[i].quantity);
		assert_int_equal(a->rails[i].n_readings, b->rails[i].n_readings);
		for (size_t j = 0; j < a->rails[i].n_readings; j++) {
			const struct jm_reading *x = &a->rails[i].readings[j];
			const struct jm_reading *y = &b->rails[i].readings[j];

			assert_true(x->before_ns == y->before_ns && x->after_ns == y->after_ns);
			assert_true(x->value[0] == y->value[0] ||
				    (isnan(x->value[0]) && isnan(y->value[0])));
		}
	}
}

static void test_readings(void **state)
{
	const char *path = scratch_path("readings.csv");
	struct jm_power_log log, back;

	(void)state;
	jm_power_log_init(&log);
	jm_power_log_add_rail(&log, "VDD_IN", JM_QUANTITY_MV_MA, NULL);
	add(&log, 0, 10, 5032, 840);
	add(&log, 0, 20, NONE, NONE);
	assert_int_equal(jm_readings_write(path, &log, NULL), 0);
	expect_file(path, "rail,before_ns,after_ns,mv,ma\nVDD_IN,5,10,5032.0,840.0\n"
			  "VDD_IN,15,20,,\n");
	jm_power_log_add_rail(&log, "gpu, \"0\"", JM_QUANTITY_UJ, NULL);
	jm_power_log_add_rail(&log, "cpu", JM_QUANTITY_UW, NULL);
	jm_power_log_add_rail(&log, "lost", JM_QUANTITY_UW, NULL);
	add(&log, 1, 11, NONE, 0);
	add(&log, 1, 21, 7.5, 0);
	add(&log, 2, 12, 0.1, 0);
	add(&log, 3, 13, NONE, 0);
	add(&log, 3, 23, 1, 0);
	assert_int_equal(jm_readings_write(path, &log, NULL), 0);
	expect_file(path, "rail,before_ns,after_ns,mv,ma,uw,uj\nVDD_IN,5,10,5032.0,840.0,,\n"
			  "VDD_IN,15,20,,,,\n\"gpu, \"\"0\"\"\",6,11,,,,\n"
			  "\"gpu, \"\"0\"\"\",16,21,,,,7.5\ncpu,7,12,,,0.1,\n"
			  "lost,8,13,,,,\nlost,18,23,,,1.0,\n");
	assert_int_equal(jm_readings_read(path, &back, NULL), 0);
	expect_same_log(&log, &back);
	jm_power_log_release(&log);
	jm_power_log_release(&back);
}

static void refuse_readings(const char *text, const char *part)
{
	struct jm_error error = {0};
	struct jm_power_log log;

	assert_int_equal(
		jm_readings_read(scratch_write("r.csv", text), &log, &error), JM_EFORMAT);
	assert_int_equal(log.n_rails, 0);
	if (!strstr(error.message, part))
		fail_msg("'%s' is not in '%s'", part, error.message);
}

static void test_readings_refused(void **state)
{
	(void)state;
	refuse_readings("", "no table of readings");
	refuse_readings("rail,before_ns,after_ns,mv\na,1,2,3\n", "no table of readings");
	refuse_readings("rail,before_ns,after_ns,uw\na,1,x,3\n",
		"line 2: column 'after_ns' holds 'x', not a number");
	refuse_readings(
		"rail,before_ns,after_ns,uw\na,1,2,3\na,1\n", "line 3: column 'after_ns'");
	refuse_readings(
		"rail,before_ns,after_ns,uw\na,1,2,3\na,1,2,inf\n", "line 3: column 'uw'");
	refuse_readings("rail,before_ns,after_ns,uw,uj\na,1,2,3,\na,1,2,,3\n",
		"line 3: rail 'a' has values of two quantities");
	refuse_readings("rail,before_ns,after_ns,uw\na,1,99999999999999999999,3\n", "line 2");
}

/* ---- Mapping ------------------------------------------------------------------ */

static int check_row(void *context, const struct jm_mapping_row *row)
{
	size_t *n = context;

	assert_int_equal(row->cycle, *n / 2);
	assert_string_equal(row->layer_name, *n % 2 ? "a, \"b\"\nc" : "plain");
	assert_string_equal(row->layer_type, *n % 2 ? "Unknown" : "Conv");
	assert_true(*n % 2 ? isnan(row->power_uw) : row->power_uw == 5750000);
	assert_true(*n % 2 ? isnan(row->dynamic_power_uw) : row->dynamic_power_uw == -0.5);
	assert_true(row->duration_ms == 5e-5);
	++*n;
	return *n == 99 ? -7 : 0;
}

static void test_mapping(void **state)
{
	const char *path = scratch_path("mapping.csv");
	struct jm_cycle_power full = {0, 0, 5750000, -0.5, 5e-5, 3};
	struct jm_cycle_power empty = {0, 1, NONE, NONE, 5e-5, 0};
	struct jm_mapping_writer writer = {0};
	struct jm_timeline timeline;
	size_t n = 0;

	(void)state;
	jm_mapping_writer_abandon(&writer);
	jm_timeline_init(&timeline);
	jm_timeline_add_layer(&timeline, "plain", "Conv", NULL);
	jm_timeline_add_layer(&timeline, "a, \"b\"\nc", NULL, NULL);
	assert_int_equal(jm_mapping_writer_open(&writer, path, &timeline, NULL), 0);
	for (size_t i = 0; i < 2; i++) {
		full.cycle = empty.cycle = i;
		assert_int_equal(jm_mapping_writer_row(&writer, &full), 0);
		assert_int_equal(jm_mapping_writer_row(&writer, &empty), 0);
	}
	assert_int_equal(writer.rows, 4);
	assert_int_equal(jm_mapping_writer_commit(&writer, NULL), 0);
	jm_mapping_writer_abandon(&writer);
	expect_file(path, "cycle,layer_name,layer_type,"
			  "layer_power_including_idle_power_micro_watt,"
			  "layer_power_excluding_idle_power_micro_watt,layer_run_time\n"
			  "1,plain,Conv,5750000.0,-0.5,5e-05\n"
			  "1,\"a, \"\"b\"\"\nc\",Unknown,,,5e-05\n"
			  "2,plain,Conv,5750000.0,-0.5,5e-05\n"
			  "2,\"a, \"\"b\"\"\nc\",Unknown,,,5e-05\n");
	assert_int_equal(jm_mapping_read(path, check_row, &n, NULL), 4);
	n = 98;
	assert_int_equal(jm_mapping_writer_open(&writer, path, &timeline, NULL), 0);
	full.cycle = 49;
	jm_mapping_writer_row(&writer, &full);
	jm_mapping_writer_commit(&writer, NULL);
	assert_int_equal(jm_mapping_read(path, check_row, &n, NULL), -7);
	jm_timeline_release(&timeline);
}

static void refuse_mapping(const char *text, int code, const char *part)
{
	struct jm_error error = {0};
	size_t n = 0;

	assert_int_equal(
		jm_mapping_read(scratch_write("m.csv", text), check_row, &n, &error), code);
	if (!strstr(error.message, part))
		fail_msg("'%s' is not in '%s'", part, error.message);
}

#define HEADER                                                                                 \
	"cycle,layer_name,layer_type,layer_power_including_idle_power_micro_watt,"             \
	"layer_power_excluding_idle_power_micro_watt,layer_run_time\n"

static void test_mapping_refused(void **state)
{
	(void)state;
	refuse_mapping("", JM_EFORMAT, "is empty");
	refuse_mapping("a,b\n", JM_EFORMAT, "has no column 'cycle'");
	refuse_mapping(HEADER "0,plain,Conv,1.0,1.0,1.0\n", JM_EFORMAT, "cycles count from 1");
	refuse_mapping(
		HEADER "1,plain,Conv,x,1.0,1.0\n", JM_EFORMAT, "line 2: column 'layer_power");
	refuse_mapping(HEADER "1,plain\n", JM_EFORMAT, "line 2");
	refuse_mapping(
		HEADER "1,\"plain\n", JM_ETRUNCATED, "line 2: a quoted field does not end");
}

/* ---- Engine information ------------------------------------------------------- */

static struct jm_tensor tensor(char *name, size_t n, const int64_t *dims)
{
	struct jm_tensor own = {name, "float32", n, {0}};

	memcpy(own.dims, dims, n * sizeof(*dims));
	return own;
}

static void expect_array(const json_t *object, const char *key, const int64_t *values, size_t n)
{
	const json_t *array = json_object_get(object, key);

	assert_int_equal(json_array_size(array), n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(json_integer_value(json_array_get(array, i)), values[i]);
}

static void check_tensors(const json_t *layer)
{
	static const int64_t expected[6][4] = {{1, 1}, {1, 1000}, {2, 1000}, {1, 197, 768, 1},
		{1, 3, 224, 224}, {1, 2, 3, 20}};
	static const size_t n[] = {2, 2, 2, 4, 4, 4};

	for (size_t i = 0; i < 6; i++) {
		const json_t *own = json_array_get(json_object_get(layer, "Inputs"), i);

		expect_array(own, "Dimensions", expected[i], n[i]);
		assert_int_equal(json_object_get(own, "Shape") != NULL, i != 2 && i != 4);
		assert_string_equal(
			json_string_value(json_object_get(own, "Location")), "Host");
		assert_string_equal(
			json_string_value(json_object_get(own, "Format/Datatype")), "float32");
	}
}

static struct jm_graph_layer make_layer(
	char *name, char *type, struct jm_tensor *inputs, size_t n_inputs)
{
	struct jm_graph_layer layer = {name, type, inputs, inputs + 4, n_inputs, 1,
		{2, {7, 5}, {2, 1}, {1, 1}, {3, 2}, {3, 2}, 1}, 118013952, 9408, NONE};

	return layer;
}

static void test_engine_info_write(void **state)
{
	static const int64_t dims[][5] = {
		{0}, {1000}, {2, 1000}, {1, 197, 768}, {1, 3, 224, 224}, {1, 2, 3, 4, 5}};
	static const int64_t two[][2] = {{7, 5}, {3, 2}, {2, 1}, {1, 1}};
	struct jm_tensor inputs[6];
	struct jm_graph_layer layers[2];
	struct jm_graph graph = {layers, 2, inputs, inputs + 4, 1, 1};
	struct jm_timeline timeline;
	json_t *root, *conv, *pool;
	size_t unknown = 9;
	char *text;

	(void)state;
	for (size_t i = 0; i < 6; i++)
		inputs[i] = tensor("x\xff", i, dims[i]);
	layers[0] = make_layer("/conv1", "Conv", inputs, 6);
	layers[1] = make_layer("/pool", "MaxPool", inputs, 1);
	layers[1].window.n_spatial = 1;
	text = jm_engine_info_format(&graph, NULL);
	assert_non_null(text);
	root = json_loads(text, 0, NULL);
	assert_int_equal(json_array_size(json_object_get(root, "Bindings")), 2);
	conv = json_array_get(json_object_get(root, "Layers"), 0);
	pool = json_array_get(json_object_get(root, "Layers"), 1);
	check_tensors(conv);
	expect_array(conv, "Kernel", two[0], 2);
	expect_array(conv, "PrePadding", two[1], 2);
	expect_array(conv, "PostPadding", two[1], 2);
	expect_array(conv, "Stride", two[2], 2);
	expect_array(conv, "Dilation", two[3], 2);
	assert_string_equal(json_string_value(json_object_get(conv, "LayerType")), "Conv");
	assert_int_equal(json_integer_value(json_object_get(conv, "Groups")), 1);
	assert_int_equal(json_integer_value(json_object_get(conv, "MACs")), 118013952);
	assert_null(json_object_get(conv, "BytesMoved"));
	assert_null(json_object_get(pool, "Kernel"));
	expect_array(pool, "WindowSize", (const int64_t[]){7, 1}, 2);
	expect_array(pool, "PrePadding", (const int64_t[]){3, 0}, 2);
	json_decref(root);
	jm_timeline_init(&timeline);
	assert_int_equal(
		jm_engine_info_add_layers("t", text, strlen(text), &timeline, NULL), 0);
	assert_int_equal(timeline.n_layers, 2);
	assert_string_equal(timeline.layers[1].name, "/pool");
	assert_string_equal(timeline.layers[1].type, "MaxPool");
	assert_true(
		timeline.layers[1].macs == 118013952 && timeline.layers[0].parameters == 9408);
	assert_true(isnan(timeline.layers[1].bytes));
	assert_int_equal(jm_engine_info_write(scratch_path("e.json"), &graph, NULL), 0);
	jm_timeline_add_layer(&timeline, "other", NULL, NULL);
	assert_int_equal(
		jm_engine_info_read(scratch_path("e.json"), &timeline, &unknown, NULL), 0);
	assert_int_equal(unknown, 1);
	jm_timeline_release(&timeline);
	free(text);
}

static int apply(
	const char *text, struct jm_timeline *timeline, size_t *unknown, struct jm_error *error)
{
	return jm_engine_info_apply("e.json", text, strlen(text), timeline, unknown, error);
}

static void test_engine_info_read(void **state)
{
	static const char text[] =
		"{\"Layers\": [{\"Name\": \"a\", \"LayerType\": \"Old\"}, \"b\","
		"{\"Name\": \"x\", \"LayerType\": \"X\"}, 5, {\"LayerType\": \"Y\"}, "
		"{\"Name\": 7},"
		"{\"Name\": \"c\"}, {\"Name\": \"a\", \"LayerType\": \"Conv\", \"MACs\": 12,"
		"\"BytesMoved\": 1.5, \"Parameters\": \"many\"}], \"Bindings\": []}";
	struct jm_timeline timeline;
	struct jm_error error = {0};
	size_t unknown = 9;

	(void)state;
	jm_timeline_init(&timeline);
	jm_timeline_add_layer(&timeline, "d", NULL, NULL);
	jm_timeline_add_layer(&timeline, "c", NULL, NULL);
	jm_timeline_add_layer(&timeline, "b", NULL, NULL);
	jm_timeline_add_layer(&timeline, "a", NULL, NULL);
	assert_int_equal(apply(text, &timeline, &unknown, NULL), 0);
	assert_int_equal(unknown, 1);
	assert_string_equal(timeline.layers[0].type, "Unknown");
	assert_string_equal(timeline.layers[1].type, "Unknown");
	assert_string_equal(timeline.layers[2].type, "Unknown");
	assert_string_equal(timeline.layers[3].type, "Conv");
	assert_true(timeline.layers[3].macs == 12 && timeline.layers[3].bytes == 1.5);
	assert_true(isnan(timeline.layers[3].parameters));
	assert_int_equal(apply("{\"Layers\": 1}", &timeline, NULL, &error), JM_EFORMAT);
	assert_non_null(strstr(error.message, "'e.json' has no array \"Layers\""));
	assert_int_equal(apply("[]", &timeline, NULL, &error), JM_EFORMAT);
	assert_int_equal(apply("{\n\"Lay", &timeline, NULL, &error), JM_EFORMAT);
	assert_non_null(strstr(error.message, "line 2"));
	assert_int_equal(jm_engine_info_add_layers("e", text, strlen(text), &timeline, &error),
		JM_EFORMAT);
	assert_non_null(strstr(error.message, "layer 4 has no \"Name\""));
	jm_timeline_release(&timeline);
}

/* The types of "a" and "b" after a text; `part` of the failure, "" where there is none. */
static void expect_types(const char *text, const char *a, const char *b, const char *part)
{
	struct jm_timeline timeline;
	struct jm_error error = {0};
	size_t unknown = 9;

	jm_timeline_init(&timeline);
	jm_timeline_add_layer(&timeline, "a", NULL, NULL);
	jm_timeline_add_layer(&timeline, "b", NULL, NULL);
	assert_int_equal(apply(text, &timeline, &unknown, &error), *part ? JM_EFORMAT : 0);
	if (!strstr(error.message, part))
		fail_msg("'%s' is not in '%s'", part, error.message);
	assert_string_equal(timeline.layers[0].type, a);
	assert_string_equal(timeline.layers[1].type, b);
	assert_int_equal(unknown, (strcmp(a, "Unknown") == 0) + (strcmp(b, "Unknown") == 0));
	jm_timeline_release(&timeline);
}

#define A "{\"Name\": \"a\", \"LayerType\": \"Conv\""
#define B "{\"LayerType\": \"Pool\", \"Name\": \"b\""
#define AROUND(more) "{\"Layers\": [" A more "}, " B "}], \"Bindings\": [\"x\"]}"

/* What nobody needs may be anything. */
static void test_engine_info_loose(void **state)
{
	(void)state;
	expect_types(AROUND(""), "Conv", "Pool", "");
	expect_types("\xef\xbb\xbf" AROUND(""), "Conv", "Pool", "");
	expect_types(AROUND(", \"x\": NaN, \"y\": -Infinity"), "Conv", "Pool", "");
	expect_types(AROUND(", \"x\": 18446744073709551616, \"y\": 1e999"), "Conv", "Pool", "");
	expect_types(AROUND(", \"x\": \"caf\xe9 \x1b[2J \x01\n\""), "Conv", "Pool", "");
	expect_types(AROUND(", \"x\": \"\\u0000 \\ud800 \\q \\\"\""), "Conv", "Pool", "");
	expect_types(
		AROUND(", \"x\": [1, {\"Name\": \"z\"}, []], \"y\": {}"), "Conv", "Pool", "");
	expect_types(AROUND(","), "Conv", "Pool", "");
	expect_types("{\"Layers\": [" A "}," B "},],}", "Conv", "Pool", "");
	expect_types("{\"Layers\": [{\"LayerType\": \"\\u0043onv\\n\", \"Name\": \"\\u0061\"},"
		     "{\"Name\": \"b\", \"LayerType\": \"\xe9\\u0000\\x\"}]}",
		"Conv\n", "\xef\xbf\xbd\xef\xbf\xbd\\x", "");
	/* Damaged: what stands before the damage counts. */
	expect_types("{\"Layers\": [" A "}, " B ", \"x", "Conv", "Unknown", "ends too early");
	expect_types("{\"Layers\": [" A "},\n" B "}", "Conv", "Pool", "line 2: the text ends");
	expect_types("{\"Layers\": [" A "} " B "}]}", "Conv", "Unknown", "a ',' is missing");
	expect_types("{\"Layers\": [" A " \"x\": 1}]}", "Unknown", "Unknown", "',' is missing");
	expect_types(
		"{\"Layers\": [" A "}, {\"Name\"}]}", "Conv", "Unknown", "a ':' is missing");
	expect_types("{\"Layers\": [" A "}, {\"Name\": }]}", "Conv", "Unknown",
		"a value is missing");
	expect_types("{\"Layers\": [" A "}, {7: 1}]}", "Conv", "Unknown", "a name in quotes");
	expect_types("version https://git-lfs.github.com/spec/v1\n", "Unknown", "Unknown",
		"Git LFS");
	expect_types("", "Unknown", "Unknown", "ends too early");
}

/* The reason is that of the failure, not of what was looked at behind it. */
static void test_folder_refused(void **state)
{
	struct jm_error error = {0};

	(void)state;
	assert_int_not_equal(jm_folder_make("/sys/joulemap-test/folder", &error), 0);
	assert_int_not_equal(error.sys_errno, ENOENT);
	assert_int_not_equal(error.sys_errno, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_folder_refused),
		cmocka_unit_test(test_benchmark),
		cmocka_unit_test(test_readings),
		cmocka_unit_test(test_readings_refused),
		cmocka_unit_test(test_mapping),
		cmocka_unit_test(test_mapping_refused),
		cmocka_unit_test(test_engine_info_write),
		cmocka_unit_test(test_engine_info_read),
		cmocka_unit_test(test_engine_info_loose),
	};

	return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
