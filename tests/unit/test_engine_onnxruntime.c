/* SPDX-License-Identifier: Apache-2.0 */
/* What only this engine promises: names, counts, shapes, messages, clean-up. */
#include "unit.h"

#include <dirent.h>
#include <math.h>
#include <unistd.h>

#include "base/file.h"
#include "engine_unit.h"

static const struct jm_engine_ops *ops;

static int set_up(void **state)
{
	(void)state;
	ops = jm_engine_find("onnxruntime");
	return ops ? 0 : -1;
}

static void open_model(struct engine_unit *unit, const char *path, int level)
{
	engine_unit_require(ops);
	engine_unit_init(unit, ops, path);
	unit->options.optimization_level = level;
	engine_unit_open(unit);
}

/* Before 1.23 the runtime does not show the graph: less is known then. */
static void require_graph(struct engine_unit *unit)
{
	for (size_t i = 0; i < unit->graph->n_layers; i++) {
		const struct jm_graph_layer *layer = &unit->graph->layers[i];

		if (layer->n_inputs && *layer->inputs[0].name)
			return;
	}
	engine_unit_close(unit);
	skip();
}

static void expect_layer(const struct engine_unit *unit, const char *name, const char *type,
	double macs, double parameters)
{
	const struct jm_graph_layer *layer =
		&unit->graph->layers[engine_unit_layer(unit, name)];

	assert_string_equal(layer->type, type);
	if (layer->macs != macs || layer->parameters != parameters)
		fail_msg("%s has %.0f MAC and %.0f parameters, not %.0f and %.0f", name,
			layer->macs, layer->parameters, macs, parameters);
}

/* ---- Names and counts -------------------------------------------------------------- */

static void test_lenet_unoptimised(void **state)
{
	struct engine_unit unit;
	const struct jm_graph_layer *layer;

	(void)state;
	open_model(&unit, MODEL("lenet"), 0);
	require_graph(&unit);
	assert_int_equal(unit.graph->n_layers, 10);
	expect_layer(&unit, "conv1", "Conv", 28 * 28 * 4 * 25, 104);
	expect_layer(&unit, "relu1", "Relu", 0, 0);
	expect_layer(&unit, "conv2", "Conv", 10 * 10 * 8 * 100, 808);
	expect_layer(&unit, "fc1", "Gemm", 2000, 2010);
	expect_layer(&unit, "fc2", "Gemm", 100, 110);
	layer = &unit.graph->layers[engine_unit_layer(&unit, "conv1")];
	assert_int_equal(layer->n_inputs, 1);
	assert_string_equal(layer->inputs[0].name, "image");
	assert_string_equal(layer->inputs[0].dtype, "float32");
	assert_string_equal(layer->outputs[0].name, "c1");
	assert_int_equal(layer->outputs[0].dims[1], 4);
	assert_int_equal(layer->window.n_spatial, 2);
	assert_int_equal(layer->window.kernel[0], 5);
	assert_int_equal(layer->window.pad_begin[1], 2);
	assert_int_equal(layer->window.groups, 1);
	assert_true(layer->bytes == 4.0 * (28 * 28 + 104 + 28 * 28 * 4));
	layer = &unit.graph->layers[engine_unit_layer(&unit, "pool1")];
	assert_int_equal(layer->window.stride[0], 2);
	engine_unit_close(&unit);
}

static void test_residual_optimised(void **state)
{
	struct engine_unit unit;
	const struct jm_graph_layer *layer;
	double macs[4] = {0};

	(void)state;
	for (int level = 0; level < 4; level++) {
		open_model(&unit, MODEL("residual"), level);
		require_graph(&unit);
		assert_int_equal(unit.info.optimization_level, level);
		for (size_t i = 0; i < unit.graph->n_layers; i++)
			macs[level] += unit.graph->layers[i].macs;
		engine_unit_layer(&unit, "block/conv1");
		engine_unit_layer(&unit, "classifier");
		engine_unit_close(&unit);
	}
	/* What is computed does not depend on how it is arranged. */
	assert_true(macs[0] == macs[1] && macs[1] == macs[2] && macs[2] == macs[3]);
	assert_true(macs[0] == 112.0 * 112 * (16 * 27 + 16 * 9 + 16 * 16) + 80);
	open_model(&unit, MODEL("residual"), -1);
	assert_int_equal(unit.info.optimization_level, 3);
	expect_layer(&unit, "stem", "Conv+Relu", 112.0 * 112 * 16 * 27, 16 * 27 + 16);
	layer = &unit.graph->layers[engine_unit_layer(&unit, "block/conv1")];
	assert_int_equal(layer->window.groups, 16);
	engine_unit_close(&unit);
}

/* Casts of the runtime hide no layer of the model, whatever it names after them. */
static void test_halves(void **state)
{
	struct engine_unit unit;

	(void)state;
	for (int level = 0; level < 4; level++) {
		double macs = 0, parameters = 0;

		open_model(&unit, MODEL("halves"), level);
		require_graph(&unit);
		for (size_t i = 0; i < unit.graph->n_layers; i++) {
			assert_null(strstr(unit.graph->layers[i].name, "Inserted"));
			macs += unit.graph->layers[i].macs;
			parameters += unit.graph->layers[i].parameters;
		}
		assert_true(macs == 256.0 * (288 + 576) + 80);
		assert_true(parameters == 288 + 576 + 90);
		engine_unit_layer(&unit, "stem");
		engine_unit_layer(&unit, "block/conv");
		engine_unit_layer(&unit, "fc");
		engine_unit_close(&unit);
	}
}

/* Weights behind DequantizeLinear are weights, wherever that is computed. */
static void test_quantised(void **state)
{
	struct engine_unit unit;

	(void)state;
	for (int level = 0; level < 4; level++) {
		const struct jm_graph_layer *layer;

		open_model(&unit, MODEL("quantised"), level);
		require_graph(&unit);
		layer = &unit.graph->layers[engine_unit_layer(&unit, "stem")];
		assert_true(layer->parameters == 288 && layer->macs == 256.0 * 288);
		assert_int_equal(layer->n_inputs, 1);
		layer = &unit.graph->layers[engine_unit_layer(&unit, "conv")];
		assert_true(layer->parameters == 576 && layer->macs == 256.0 * 576);
		assert_int_equal(layer->n_inputs, 1);
		engine_unit_close(&unit);
	}
}

static void test_products(void **state)
{
	struct engine_unit unit;
	const struct jm_window_attributes *window;

	(void)state;
	open_model(&unit, MODEL("products"), 0);
	require_graph(&unit);
	expect_layer(&unit, "batched", "MatMul", 2 * 4 * 16 * 8, 128);
	expect_layer(&unit, "pairwise", "MatMul", 2 * 4 * 4 * 16, 0);
	expect_layer(&unit, "gemm_ta", "Gemm", 3 * 7 * 6, 42);
	expect_layer(&unit, "upsample", "ConvTranspose", 16 * 3 * 5 * 4, 60);
	expect_layer(&unit, "same", "Conv", 16 * 4 * 5 * 9, 180);
	expect_layer(&unit, "line", "Conv", 16 * 2 * 2 * 3, 12);
	window = &unit.graph->layers[engine_unit_layer(&unit, "line")].window;
	assert_int_equal(window->n_spatial, 1);
	assert_int_equal(window->dilation[0], 2);
	/* SAME_UPPER: 8 to 4 by 3x3 with stride 2 takes one more row at the end. */
	window = &unit.graph->layers[engine_unit_layer(&unit, "same")].window;
	assert_int_equal(window->pad_begin[0], 0);
	assert_int_equal(window->pad_end[0], 1);
	engine_unit_close(&unit);
}

/* The body of a branch or a loop belongs to the node that has it. */
static void test_branches(void **state)
{
	struct engine_unit unit;

	(void)state;
	for (int profile = 0; profile < 2; profile++) {
		if (profile)
			setenv("JOULEMAP_ORT_TRACING", "profile", 1);
		open_model(&unit, MODEL("branches"), 0);
		assert_int_equal(unit.graph->n_layers, 4);
		assert_string_equal(unit.graph->layers[0].name, "before");
		assert_string_equal(unit.graph->layers[1].name, "choose");
		assert_string_equal(unit.graph->layers[1].type, "If");
		assert_string_equal(unit.graph->layers[2].name, "repeat");
		assert_string_equal(unit.graph->layers[3].name, "after");
		assert_true(isnan(unit.graph->layers[2].macs));
		engine_unit_close(&unit);
	}
	unsetenv("JOULEMAP_ORT_TRACING");
}

static void test_odd_names(void **state)
{
	struct engine_unit unit;

	(void)state;
	for (int profile = 0; profile < 2; profile++) {
		if (profile)
			setenv("JOULEMAP_ORT_TRACING", "profile", 1);
		open_model(&unit, MODEL("names"), -1);
		assert_int_equal(unit.graph->n_layers, 6);
		engine_unit_layer(&unit, "odd \"name\", with \\ and {\xc3\xbcn\xc3\xaf"
					 "code}");
		engine_unit_layer(&unit, "x_kernel_time");
		engine_unit_close(&unit);
	}
	unsetenv("JOULEMAP_ORT_TRACING");
}

/* ---- Own options ----------------------------------------------------------------------- */

static void test_options(void **state)
{
	struct jm_engine_setting profile = {"tracing", "profile"}, bad = {"tracing", "magic"};
	struct jm_engine_setting spinning[2] = {{"spinning", "1"}, {"tracing", "profile"}};
	struct jm_engine_setting loud = {"spinning", "loud"};
	struct engine_unit unit;

	(void)state;
	engine_unit_require(ops);
	engine_unit_init(&unit, ops, MODEL("lenet"));
	unit.options.settings = &profile;
	unit.options.n_settings = 1;
	engine_unit_open(&unit);
	assert_string_equal(unit.info.tracing, "profile");
	assert_int_equal(unit.info.scope, JM_SCOPE_CPU);
	engine_unit_close(&unit);
	engine_unit_init(&unit, ops, MODEL("lenet"));
	unit.options.settings = spinning;
	unit.options.n_settings = 2;
	engine_unit_open(&unit);
	assert_string_equal(unit.info.tracing, "profile");
	engine_unit_close(&unit);
	engine_unit_init(&unit, ops, MODEL("lenet"));
	unit.options.settings = &bad;
	unit.options.n_settings = 1;
	engine_unit_expect_failure(&unit, JM_EUSAGE, "use auto, markers, callbacks or profile");
	engine_unit_init(&unit, ops, MODEL("lenet"));
	unit.options.settings = &loud;
	unit.options.n_settings = 1;
	engine_unit_expect_failure(&unit, JM_EUSAGE, "use 0 or 1");
}

/* ---- Shapes and types ----------------------------------------------------------------- */

static void expect_input(const char *path, const int64_t *wanted, size_t n, const int64_t *dims)
{
	struct engine_unit unit;

	engine_unit_require(ops);
	engine_unit_init(&unit, ops, path);
	unit.options.n_input_shape = wanted ? n : 0;
	for (size_t i = 0; wanted && i < n; i++)
		unit.options.input_shape[i] = wanted[i];
	engine_unit_open(&unit);
	assert_int_equal(unit.graph->inputs[0].n_dims, n);
	assert_memory_equal(unit.graph->inputs[0].dims, dims, n * sizeof(*dims));
	assert_memory_equal(unit.graph->layers[0].inputs[0].dims, dims, n * sizeof(*dims));
	engine_unit_close(&unit);
}

static void test_free_dimensions(void **state)
{
	static const int64_t image[] = {1, 3, 224, 224}, small[] = {2, 3, 32, 48};
	static const int64_t ones[] = {1, 1, 4}, tokens[] = {2, 7, 4};

	(void)state;
	expect_input(MODEL("residual"), NULL, 4, image);
	expect_input(MODEL("residual"), small, 4, small);
	expect_input(MODEL("odd_dims"), NULL, 3, ones);
	expect_input(MODEL("odd_dims"), tokens, 3, tokens);
}

/* Indices fit whatever the dimension is, and the choice is told. */
static void test_index_input(void **state)
{
	struct engine_unit unit;

	(void)state;
	open_model(&unit, MODEL("lookup"), -1);
	assert_string_equal(unit.info.input_note,
		"free dimensions of input 'x' (tokens) were taken as 1, --input-shape gives "
		"them; the integers of input 'index' are all 0");
	engine_unit_close(&unit);
	open_model(&unit, MODEL("lenet"), -1);
	assert_string_equal(unit.info.input_note, "");
	engine_unit_close(&unit);
}

static void refuse_shape(const char *path, const int64_t *shape, size_t n, const char *text)
{
	struct engine_unit unit;

	engine_unit_require(ops);
	engine_unit_init(&unit, ops, path);
	unit.options.n_input_shape = n;
	memcpy(unit.options.input_shape, shape, n * sizeof(*shape));
	engine_unit_expect_failure(&unit, JM_EINVAL, text);
}

static void test_wrong_shape(void **state)
{
	static const int64_t channels[] = {1, 4, 224, 224}, zero[] = {0, 3, 8, 8};

	(void)state;
	refuse_shape(MODEL("residual"), channels, 4,
		"input shape 1x4x224x224 does not fit input 'input' of the model, which is "
		"Nx3xHxW");
	refuse_shape(MODEL("residual"), channels, 3, "input shape 1x4x224 does not fit");
	refuse_shape(MODEL("residual"), zero, 4, "does not fit");
	refuse_shape(MODEL("lenet"), channels, 4, "which is 1x1x28x28");
}

static void refuse_dtype(const char *path, const char *dtype, const char *text)
{
	struct engine_unit unit;

	engine_unit_require(ops);
	engine_unit_init(&unit, ops, path);
	unit.options.dtype = dtype;
	engine_unit_expect_failure(&unit, JM_EINVAL, text);
}

static void test_dtype(void **state)
{
	struct engine_unit unit;

	(void)state;
	refuse_dtype(MODEL("lenet"), "float16", "is float32, not float16; export the model in");
	refuse_dtype(MODEL("lenet"), "floot", "type 'floot' is not known");
	engine_unit_require(ops);
	engine_unit_init(&unit, ops, MODEL("types"));
	unit.options.dtype = "fp16"; /* of the first input that holds floats */
	engine_unit_open(&unit);
	assert_int_equal(unit.graph->n_inputs, 9);
	engine_unit_close(&unit);
}

/* ---- Models -------------------------------------------------------------------------- */

static void refuse_bytes(const void *bytes, size_t n, int code, const char *text)
{
	struct engine_unit unit;

	engine_unit_require(ops);
	engine_unit_init(&unit, ops, NULL);
	unit.model.name = "tested";
	unit.model.bytes = bytes;
	unit.model.n_bytes = n;
	engine_unit_expect_failure(&unit, code, text);
}

static void refuse_model(const char *path, int code, const char *text)
{
	struct engine_unit unit;

	engine_unit_require(ops);
	engine_unit_init(&unit, ops, path);
	engine_unit_expect_failure(&unit, code, text);
}

static void test_bad_models(void **state)
{
	char *data;
	size_t size;

	(void)state;
	assert_int_equal(jm_file_read(MODEL("lenet"), 1 << 20, &data, &size, NULL), 0);
	refuse_bytes(data, size / 2, JM_ETRUNCATED, "model 'tested' ends too early, after");
	refuse_bytes("hello, world: this is no model at all", 37, JM_EFORMAT,
		"'tested' is not an ONNX model");
	refuse_bytes("", 0, JM_EFORMAT, "is not an ONNX model");
	free(data);
	refuse_model("/no/such.onnx", JM_ENOTFOUND, "cannot open model '/no/such.onnx'");
	refuse_model(JM_TEST_DATA, JM_EFORMAT, "is a folder, not an ONNX model");
	refuse_model(MODEL("unsupported"), JM_EUNSUPPORTED, "com.example:Teleport");
	refuse_model(MODEL("repeated"), JM_EFORMAT, "two nodes with same node name (twice)");
	refuse_model(MODEL("external"), JM_ENOTFOUND, "put that file beside the model");
}

static void count_span(void *context, const struct jm_span *span)
{
	size_t *counts = context;

	assert_int_equal(span->cycle, counts[span->layer]);
	counts[span->layer]++;
}

static void test_external_weights(void **state)
{
	struct engine_unit unit;
	float *weights = calloc(216, sizeof(*weights));
	size_t counts[8] = {0};
	struct jm_span_sink sink = {count_span, counts};
	char *data;
	size_t size;

	(void)state;
	for (int profile = 0; profile < 2; profile++) {
		if (profile)
			setenv("JOULEMAP_ORT_TRACING", "profile", 1);
		engine_unit_require(ops);
		assert_int_equal(
			jm_file_read(MODEL("external"), 1 << 20, &data, &size, NULL), 0);
		engine_unit_init(&unit, ops, NULL);
		unit.model = (struct jm_model){.name = "external",
			.bytes = data,
			.n_bytes = size,
			.weights = weights,
			.n_weights_bytes = 864};
		engine_unit_open(&unit);
		/* Nothing of the model is needed any more. */
		memset(data, 0, size);
		free(data);
		expect_layer(&unit, "conv", "Conv", 222.0 * 222 * 8 * 27, 216);
		assert_int_equal(ops->run(unit.state, &sink, NULL), 0);
		assert_int_equal(ops->flush(unit.state, &sink, NULL), 0);
		assert_int_equal(ops->run(unit.state, &sink, NULL), 0);
		assert_int_equal(ops->flush(unit.state, &sink, NULL), 0);
		assert_int_equal(counts[engine_unit_layer(&unit, "conv")], 2);
		memset(counts, 0, sizeof(counts));
		engine_unit_close(&unit);
	}
	unsetenv("JOULEMAP_ORT_TRACING");
	free(weights);
}

/* ---- Profiles ------------------------------------------------------------------------ */

static size_t files_in(const char *folder)
{
	DIR *dir = opendir(folder);
	size_t n = 0;

	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir));)
		n += entry->d_name[0] != '.';
	closedir(dir);
	return n;
}

/* Many sessions one after the other lose no run, and leave no file. */
static void test_rotation(void **state)
{
	char folder[] = "/tmp/joulemap-unit-XXXXXX";
	struct engine_unit unit;
	size_t *counts;
	struct jm_span_sink sink = {count_span, NULL};

	(void)state;
	assert_non_null(mkdtemp(folder));
	setenv("TMPDIR", folder, 1);
	setenv("JOULEMAP_ORT_TRACING", "profile", 1);
	setenv("JOULEMAP_ORT_PROFILE_EVENTS", "60", 1);
	open_model(&unit, MODEL("residual"), -1);
	assert_string_equal(unit.info.tracing, "profile");
	counts = calloc(unit.graph->n_layers, sizeof(*counts));
	sink.context = counts;
	for (int i = 0; i < 25; i++) {
		assert_int_equal(ops->run(unit.state, &sink, &unit.error), 0);
		assert_int_equal(files_in(folder), 0);
	}
	assert_true(counts[0] > 0 && counts[0] < 25); /* it did rotate */
	assert_int_equal(ops->flush(unit.state, &sink, &unit.error), 0);
	for (size_t i = 0; i < unit.graph->n_layers; i++)
		assert_int_equal(counts[i], 25);
	engine_unit_close(&unit);
	free(counts);
	assert_int_equal(files_in(folder), 0);
	assert_int_equal(rmdir(folder), 0);
	unsetenv("TMPDIR");
	unsetenv("JOULEMAP_ORT_TRACING");
	unsetenv("JOULEMAP_ORT_PROFILE_EVENTS");
}

/* ---- The environment ------------------------------------------------------------------- */

static void test_telemetry(void **state)
{
	struct engine_unit unit;

	(void)state;
	unsetenv("ORT_DISABLE_TELEMETRY");
	open_model(&unit, MODEL("odd_dims"), -1);
	assert_string_equal(getenv("ORT_DISABLE_TELEMETRY"), "1");
	engine_unit_close(&unit);
}

static void test_module(void **state)
{
	struct engine_unit unit;

	(void)state;
	engine_unit_require(ops);
	engine_unit_init(&unit, ops, MODEL("lenet"));
	assert_int_equal(ops->probe(&unit.options, &unit.info, NULL), 0);
	setenv("JOULEMAP_LIB_DIR", "/no/such/folder", 1);
	if (strcmp(unit.info.tracing, "profile") == 0) { /* does without */
		engine_unit_open(&unit);
		engine_unit_close(&unit);
		unsetenv("JOULEMAP_LIB_DIR");
		return;
	}
	engine_unit_expect_failure(&unit, JM_ENOTFOUND, "JOULEMAP_LIB_DIR '/no/such/folder'");
	unsetenv("JOULEMAP_LIB_DIR");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lenet_unoptimised),
		cmocka_unit_test(test_residual_optimised),
		cmocka_unit_test(test_halves),
		cmocka_unit_test(test_quantised),
		cmocka_unit_test(test_products),
		cmocka_unit_test(test_branches),
		cmocka_unit_test(test_odd_names),
		cmocka_unit_test(test_free_dimensions),
		cmocka_unit_test(test_index_input),
		cmocka_unit_test(test_wrong_shape),
		cmocka_unit_test(test_dtype),
		cmocka_unit_test(test_bad_models),
		cmocka_unit_test(test_external_weights),
		cmocka_unit_test(test_rotation),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_telemetry),
		cmocka_unit_test(test_module),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
