/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of the ONNX Runtime engine that need no runtime. */
#include "unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "data/graph.h"
#include "engines/onnxruntime/bias/calibrate.h"
#include "engines/onnxruntime/bias/chain.h"
#include "engines/onnxruntime/cores.h"
#include "engines/onnxruntime/library.h"
#include "onnx/dtype.h"
#include "onnx/model.h"
#include "engines/onnxruntime/naming.h"
#include "engines/onnxruntime/profile.h"
#include "onnx/shape.h"
#include "engines/onnxruntime/status.h"
#include "onnx/work.h"
#include "scratch.h"

/* ---- Graph --------------------------------------------------------------------------- */

static void test_unique_names(void **state)
{
	static const char *const given[] = {"relu", "", "relu", "relu#2", "relu", ""};
	static const char *const wanted[] = {
		"relu", "Neg", "relu#3", "relu#2", "relu#4", "Neg#2"};
	struct jm_graph graph = {.layers = calloc(6, sizeof(*graph.layers)), .n_layers = 6};

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		graph.layers[i].name = jm_text_duplicate(given[i]);
		graph.layers[i].type = jm_text_duplicate("Neg");
	}
	assert_int_equal(jm_graph_make_names_unique(&graph, NULL), 0);
	for (size_t i = 0; i < 6; i++)
		assert_string_equal(graph.layers[i].name, wanted[i]);
	jm_graph_release(&graph);
	jm_graph_release(&graph);
}

/* ---- Library ------------------------------------------------------------------------- */

/* What pip has installed, as the python3 on PATH tells it. */
static void test_library_in_python(void **state)
{
	char *path = strdup(getenv("PATH") ? getenv("PATH") : ""), *own, found[JM_PATH_MAX];
	const char *library;

	(void)state;
	assert_int_equal(jm_folder_make(scratch_path("site/onnxruntime/capi"), NULL), 0);
	scratch_write(
		"site/onnxruntime/__init__.py", "raise Exception('it must not be loaded')\n");
	scratch_write("site/onnxruntime/capi/libonnxruntime_providers_shared.so", "");
	library = scratch_write("site/onnxruntime/capi/libonnxruntime.so.1.9.9", "");
	own = realpath(scratch_path("site"), NULL);
	assert_int_equal(setenv("PYTHONPATH", own, 1), 0);
	assert_int_equal(jm_ort_library_find_in_python(found), 1);
	assert_string_equal(jm_path_name(found), jm_path_name(library));
	assert_int_equal(strncmp(found, own, strlen(own)), 0);
	/* Not from where we happen to be. */
	unsetenv("PYTHONPATH");
	assert_int_equal(chdir(own), 0);
	if (jm_ort_library_find_in_python(found))
		assert_int_not_equal(strncmp(found, own, strlen(own)), 0);
	assert_int_equal(chdir("../.."), 0);
	setenv("PATH", own, 1); /* no python3 */
	assert_int_equal(jm_ort_library_find_in_python(found), 0);
	setenv("PATH", path, 1);
	free(path);
	free(own);
}

/* ---- Work ---------------------------------------------------------------------------- */

static struct jm_tensor shaped(size_t n, int64_t a, int64_t b, int64_t c, int64_t d)
{
	return (struct jm_tensor){.dtype = "float32", .n_dims = n, .dims = {a, b, c, d}};
}

static double macs(
	const char *op, struct jm_tensor left, struct jm_tensor right, struct jm_tensor out)
{
	const struct jm_tensor *inputs[] = {&left, &right}, *outputs[] = {&out};

	return jm_onnx_macs(op, inputs, 2, outputs, 1);
}

static void test_work(void **state)
{
	struct jm_tensor unknown = shaped(4, -1, 8, 8, 8);

	(void)state;
	assert_true(macs("Conv", shaped(4, 1, 32, 112, 112), shaped(4, 32, 1, 3, 3),
			    shaped(4, 1, 32, 112, 112)) == 32.0 * 112 * 112 * 9);
	assert_true(macs("ConvTranspose", shaped(4, 1, 3, 4, 4), shaped(4, 3, 5, 2, 2),
			    shaped(4, 1, 5, 8, 8)) == 16.0 * 3 * 5 * 4);
	assert_true(macs("MatMul", shaped(3, 2, 4, 8, 0), shaped(2, 8, 16, 0, 0),
			    shaped(3, 2, 4, 16, 0)) == 2 * 4 * 16 * 8);
	assert_true(macs("MatMul", shaped(1, 8, 0, 0, 0), shaped(1, 8, 0, 0, 0),
			    shaped(0, 0, 0, 0, 0)) == 8);
	/* The left factor of these may be transposed. */
	assert_true(macs("Gemm", shaped(2, 6, 3, 0, 0), shaped(2, 6, 7, 0, 0),
			    shaped(2, 3, 7, 0, 0)) == 126);
	assert_true(macs("FusedMatMul", shaped(4, 1, 12, 64, 197), shaped(4, 1, 12, 64, 197),
			    shaped(4, 1, 12, 197, 197)) == 12.0 * 197 * 197 * 64);
	assert_true(macs("Relu", unknown, unknown, unknown) == 0);
	assert_true(isnan(macs("LSTM", unknown, unknown, unknown)));
	assert_true(isnan(macs("Conv", unknown, shaped(4, 8, 8, 3, 3), unknown)));
}

/* ---- Names --------------------------------------------------------------------------- */

/* A graph for naming: nodes with one input, or two, and one output. */
struct line {
	const char *name, *op, *in, *also, *out;
};

static void build(struct jm_ort_capture *capture, const struct line *lines, size_t n)
{
	capture->nodes = calloc(n, sizeof(*capture->nodes));
	capture->n = n;
	for (size_t i = 0; i < n; i++) {
		struct jm_ort_node *node = &capture->nodes[i];
		const char *inputs[] = {lines[i].in, lines[i].also};

		node->name = jm_text_duplicate(lines[i].name);
		node->op = jm_text_duplicate(lines[i].op);
		node->inputs = calloc(2, sizeof(*node->inputs));
		node->outputs = calloc(1, sizeof(*node->outputs));
		node->n_inputs = lines[i].also ? 2 : 1;
		node->n_outputs = 1;
		for (size_t j = 0; j < node->n_inputs; j++)
			node->inputs[j].tensor.name = jm_text_duplicate(inputs[j]);
		node->outputs[0].tensor.name = jm_text_duplicate(lines[i].out);
	}
}

static void add_step(
	struct jm_ort_steps *steps, const char *event, const char *op, const char *shapes)
{
	struct jm_ort_step_texts texts = {
		.event = event, .op = op, .input_shapes = shapes, .output_shapes = shapes};

	assert_int_equal(jm_ort_steps_append(steps, &texts, 0), 0);
}

static void expect_name(const struct jm_ort_steps *steps, size_t i,
	const struct jm_ort_capture *capture, const struct jm_ort_origin *origins,
	const char *wanted, size_t n_fused)
{
	char *name = jm_ort_origin_name(&steps->steps[i], capture, &origins[i]);

	assert_string_equal(name, wanted);
	assert_int_equal(origins[i].n_fused, n_fused);
	free(name);
}

static void test_naming(void **state)
{
	static const struct line lines[] = {
		{"conv1", "Conv", "x", NULL, "a"},
		{"relu1", "Relu", "a", NULL, "b"},
		{"down", "Conv", "b", NULL, "c"},
		{"conv2", "Conv", "b", NULL, "d"},
		{"add", "Add", "c", "d", "e"},
		{"relu2", "Relu", "e", NULL, "f"},
		{"norm", "BatchNormalization", "f", NULL, "g"},
		{"act", "Relu", "g", NULL, "h"},
		{"fc/MatMul/MatMulAddFusion", "Gemm", "h", NULL, "i"},
		{"ln/Mul", "Mul", "i", NULL, "j"},
		{"fc2", "Gemm", "j", NULL, "k"},
		{"relu3", "Relu", "k", NULL, "y"},
	};
	static const char shapes[] = "[{\"float\":[1,64,56,56]}]";
	struct jm_ort_capture capture = {0};
	struct jm_ort_steps steps = {0};
	struct jm_ort_origin origins[9];

	(void)state;
	build(&capture, lines, sizeof(lines) / sizeof(lines[0]));
	add_step(&steps, "b_nchwc_kernel_time", "Conv", shapes);
	add_step(&steps, "c_nchwc_kernel_time", "Conv", shapes);
	add_step(&steps, "d_nchwc_kernel_time", "Conv", shapes);
	add_step(&steps, "g_bn_nchwc_kernel_time", "Conv", shapes);
	add_step(&steps, "ReorderOutput_token_17_kernel_time", "ReorderOutput", shapes);
	add_step(&steps, "fc/MatMul/MatMulAddFusion_kernel_time", "Gemm", shapes);
	add_step(&steps, "ln/Mul/LayerNormFusion/_kernel_time", "LayerNormalization", shapes);
	add_step(&steps, "fused fc2_kernel_time", "FusedGemm", shapes);
	add_step(&steps, "Gelu_kernel_time", "Gelu", NULL);
	jm_ort_origins_find(&steps, &capture, origins);
	expect_name(&steps, 0, &capture, origins, "conv1", 1);
	expect_name(&steps, 1, &capture, origins, "down", 0);
	expect_name(&steps, 2, &capture, origins, "conv2", 2); /* the later one adds */
	expect_name(&steps, 3, &capture, origins, "norm", 1);
	expect_name(&steps, 4, &capture, origins, "ReorderOutput[1x64x56x56]", 0);
	expect_name(&steps, 5, &capture, origins, "fc/MatMul", 0);
	expect_name(&steps, 6, &capture, origins, "ln/Mul", 0);
	expect_name(&steps, 7, &capture, origins, "fc2", 1);
	expect_name(&steps, 8, &capture, origins, "Gelu", 0);
	assert_false(origins[6].same_kind);
	jm_ort_steps_release(&steps);
	jm_ort_capture_release(&capture);
}

/* Where casts are inserted, tensors have their names; numbers are not only inserted ones'. */
static void test_naming_of_casts(void **state)
{
	static const struct line lines[] = {
		{"conv1", "Conv", "x", NULL, "a"},
		{"relu1", "Relu", "a", NULL, "b"},
		{"conv2", "Conv", "b", NULL, "c"},
		{"add", "Add", "c", "b", "d"},
		{"relu2", "Relu", "d", NULL, "e"},
		{"fc", "MatMul", "e", NULL, "y"},
		{"reshape_token_3", "Reshape", "y", NULL, "z"},
	};
	static const char shapes[] = "[{\"float\":[1,8]}]";
	struct jm_ort_capture capture = {0};
	struct jm_ort_steps steps = {0};
	struct jm_ort_origin origins[7];

	(void)state;
	build(&capture, lines, sizeof(lines) / sizeof(lines[0]));
	add_step(&steps, "InsertedPrecisionFreeCast_x_kernel_time", "Cast", shapes);
	add_step(&steps, "InsertedPrecisionFreeCast_b_nchwc_kernel_time", "Conv", shapes);
	add_step(&steps, "InsertedPrecisionFreeCast_c_nchwc_kernel_time", "Conv", shapes);
	add_step(&steps, "fc_token_12_kernel_time", "MatMulNBits", shapes);
	add_step(&steps, "reshape_token_3_kernel_time", "Reshape", shapes);
	add_step(&steps, "InsertedCast_y_token_4_kernel_time", "Cast", NULL);
	add_step(&steps, "InsertedCast_kernel_time", "Cast", NULL);
	jm_ort_origins_find(&steps, &capture, origins);
	expect_name(&steps, 0, &capture, origins, "Cast_x[1x8]", 0);
	expect_name(&steps, 1, &capture, origins, "conv1", 1);
	expect_name(&steps, 2, &capture, origins, "conv2", 2);
	expect_name(&steps, 3, &capture, origins, "fc", 0);
	expect_name(&steps, 4, &capture, origins, "reshape[1x8]", 0);
	expect_name(&steps, 5, &capture, origins, "Cast_y", 0);
	expect_name(&steps, 6, &capture, origins, "Cast", 0);
	assert_true(origins[3].same_kind);
	assert_true(jm_ort_is_inserted_cast(&steps.steps[0]));
	assert_false(jm_ort_is_inserted_cast(&steps.steps[1]));
	jm_ort_steps_release(&steps);
	jm_ort_capture_release(&capture);
}

static void test_match(void **state)
{
	static const char small[] = "[{\"float\":[1,8]}]", large[] = "[{\"float\":[1,9]}]";
	struct jm_ort_steps one = {0}, two = {0};
	size_t found[3];

	(void)state;
	add_step(&one, "ReorderOutput_token_1_kernel_time", "ReorderOutput", small);
	add_step(&one, "ReorderOutput_kernel_time", "ReorderOutput", large);
	add_step(&one, "conv_kernel_time", "Conv", small);
	add_step(&two, "conv_kernel_time", "Conv", small);
	add_step(&two, "ReorderOutput_token_7_kernel_time", "ReorderOutput", large);
	add_step(&two, "ReorderOutput_token_8_kernel_time", "ReorderOutput", small);
	assert_int_equal(jm_ort_steps_match(&two, &one, found), 0);
	assert_int_equal(found[0], 2);
	assert_int_equal(found[1], 1);
	assert_int_equal(found[2], 0);
	two.steps[0].event[0] = 'k';
	assert_int_equal(jm_ort_steps_match(&two, &one, found), JM_ENOTFOUND);
	jm_ort_steps_release(&one);
	jm_ort_steps_release(&two);
}

/* ---- Bias ---------------------------------------------------------------------------- */

static void expect_span(struct jm_ort_layer_bias bias, int64_t begin, int64_t end,
	int64_t wanted_begin, int64_t wanted_end)
{
	jm_ort_bias_remove(bias, &begin, &end);
	assert_int_equal(begin, wanted_begin);
	assert_int_equal(end, wanted_end);
}

static void test_bias(void **state)
{
	struct jm_ort_bias bias = {.head_ns = 1000,
		.head_per_input_ns = 200,
		.tail_ns = 3000,
		.tail_cold_ns = 5000};
	struct jm_ort_step step = {.n_inputs = 3};
	struct jm_ort_layer_bias layer = jm_ort_bias_of(&bias, &step, (double)(1 << 19));

	(void)state;
	assert_int_equal(layer.head_ns, 1400);
	assert_int_equal(layer.tail_ns, 4000);
	assert_int_equal(jm_ort_bias_of(&bias, &step, 1e12).tail_ns, 5000);
	assert_int_equal(jm_ort_bias_of(&bias, &step, (double)NAN).tail_ns, 3000);
	step.n_nested = 2;
	assert_int_equal(jm_ort_bias_of(&bias, &step, 0).tail_ns, 11000);
	expect_span(layer, 100000, 110000, 101400, 106000);
	expect_span(layer, 100000, 105400, 101400, 101400);
	expect_span(layer, 100000, 102700, 100700, 100700); /* a moment within */
	expect_span(layer, 100000, 100000, 100000, 100000);
	expect_span((struct jm_ort_layer_bias){0, 0}, 5, 9, 5, 9);
}

/* ---- Files --------------------------------------------------------------------------- */

static int read_image(struct jm_onnx_inputs *inputs, const void *bytes, size_t n)
{
	struct jm_model model = {.name = "image", .bytes = bytes, .n_bytes = n};

	return jm_onnx_inputs_read(inputs, &model, NULL);
}

static void test_model_inputs(void **state)
{
	struct jm_model model = {.path = JM_TEST_DATA "/models/residual.onnx"};
	struct jm_onnx_inputs inputs;

	(void)state;
	assert_int_equal(jm_onnx_inputs_read(&inputs, &model, NULL), 0);
	assert_int_equal(inputs.n, 1);
	assert_string_equal(inputs.inputs[0].name, "input");
	assert_int_equal(inputs.inputs[0].dtype, 1);
	assert_int_equal(inputs.inputs[0].n_dims, 4);
	assert_string_equal(inputs.inputs[0].dims[0].symbol, "N");
	assert_int_equal(inputs.inputs[0].dims[1].value, 3);
	assert_int_equal(inputs.inputs[0].dims[2].value, -1);
	jm_onnx_inputs_release(&inputs);
}

/* No image, however it is cut or changed, is read past its end (sanitizers). */
static void test_model_damaged(void **state)
{
	struct jm_proto_writer image = {0};
	struct jm_onnx_inputs inputs;
	uint64_t seed = 1;

	(void)state;
	jm_ort_chain_write(&image, "d", "Op", 5, 2);
	assert_false(image.failed);
	assert_int_equal(read_image(&inputs, image.data, image.size), 0);
	assert_int_equal(inputs.n, 1);
	jm_onnx_inputs_release(&inputs);
	for (size_t n = 0; n < image.size; n++) {
		unsigned char *part = malloc(n + 1);

		memcpy(part, image.data, n);
		if (read_image(&inputs, part, n) == 0)
			jm_onnx_inputs_release(&inputs);
		free(part);
	}
	for (int i = 0; i < 20000; i++) {
		unsigned char noise[2], *copy = malloc(image.size);

		memcpy(copy, image.data, image.size);
		jm_dtype_fill(jm_dtype_of_name("uint8"), noise, 2, &seed);
		copy[(noise[0] * 7u) % image.size] = noise[1];
		if (read_image(&inputs, copy, image.size) == 0)
			jm_onnx_inputs_release(&inputs);
		free(copy);
	}
	jm_proto_writer_release(&image);
}

/* ---- Profile ------------------------------------------------------------------------- */

static const char profile[] =
	"[\n"
	"{\"cat\" : \"Session\",\"pid\" :1,\"tid\" :1,\"dur\" :9,\"ts\" :1,\"ph\" : \"X\","
	"\"name\" :\"session_initialization\",\"args\" : {}},\n"
#define NODE(name, ts, dur)                                                                    \
	"{\"cat\" : \"Node\",\"pid\" :1,\"tid\" :1,\"dur\" :" #dur ",\"ts\" :" #ts             \
	",\"ph\" : \"X\",\"name\" :\"" name "\",\"args\" : {\"op_name\" : \"Op\","             \
	"\"input_type_shape\" : [{\"float\":[2,3]}],\"output_size\" : \"24\"}},\n"
#define SESSION(name, ts, dur)                                                                 \
	"{\"cat\" : \"Session\",\"pid\" :1,\"tid\" :1,\"dur\" :" #dur ",\"ts\" :" #ts          \
	",\"ph\" : \"X\",\"name\" :\"" name "\",\"args\" : {}},\n"
	NODE("a_fence_before", 99, 0) NODE("a_kernel_time", 100, 10) NODE(
		"odd \"ts\" :7, name_kernel_time", 115, 0) NODE("inner1_kernel_time", 121,
		1) NODE("inner2_kernel_time", 123, 1) SESSION("SequentialExecutor::Execute",
		121, 4) NODE("inner1_kernel_time", 126,
		1) SESSION("SequentialExecutor::Execute", 126, 2) NODE("outer_kernel_time", 120,
		10) NODE("b_kernel_time", 130, 5) SESSION("SequentialExecutor::Execute", 98, 40)
		SESSION("model_run", 97, 45) NODE("a_kernel_time", 200, 3) SESSION(
			"SequentialExecutor::Execute", 199, 5) SESSION("model_run", 198, 7)
			NODE("a_kernel_time", 300, 3) /* a run that is not whole */
	"{\"cat\" : \"Node\",\"pid\" :1,\"ti";

static int take_run(void *context, size_t run, const struct jm_ort_profile_node *nodes,
	size_t n, struct jm_error *reterr)
{
	struct jm_ort_steps *steps = context;

	(void)reterr;
	if (run == 1) {
		assert_int_equal(n, 1);
		assert_null(nodes[0].line);
		assert_int_equal(nodes[0].begin_us, 200);
		return 0;
	}
	assert_int_equal(run, 0);
	assert_int_equal(n, 4);
	assert_string_equal(nodes[0].name, "a_kernel_time");
	assert_string_equal(nodes[1].name, "odd \"ts\" :7, name_kernel_time");
	assert_int_equal(nodes[1].begin_us, 115);
	assert_int_equal(nodes[1].duration_us, 0);
	assert_string_equal(nodes[2].name, "outer_kernel_time");
	assert_int_equal(nodes[3].duration_us, 5);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(jm_ort_profile_describe(&nodes[i], steps), 0);
	return 0;
}

static void test_profile(void **state)
{
	char path[] = "/tmp/joulemap-unit-XXXXXX";
	int fd = mkstemp(path);
	struct jm_ort_steps steps = {0};
	size_t n_events = 0;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, profile, strlen(profile)), strlen(profile));
	close(fd);
	assert_int_equal(jm_ort_profile_read(path, 1, take_run, &steps, &n_events, NULL), 0);
	unlink(path);
	assert_int_equal(n_events, 18);
	assert_int_equal(steps.n, 4);
	assert_string_equal(steps.steps[1].op, "Op");
	assert_int_equal(steps.steps[1].inputs[0].dims[1], 3);
	assert_true(steps.steps[1].output_bytes == 24);
	assert_true(isnan(steps.steps[1].activation_bytes));
	jm_ort_steps_release(&steps);
	assert_int_equal(jm_ort_profile_read("/no/such", 1, take_run, NULL, &n_events, NULL),
		JM_ENOTFOUND);
}

/* ---- Small ones ------------------------------------------------------------------------ */

static void test_dtype(void **state)
{
	uint64_t seed = 5, same = 5;
	float values[1000], again[1000];
	uint16_t halves[1000];
	int64_t integers[100];
	double sum = 0;

	(void)state;
	assert_string_equal(jm_dtype_of_name("torch.float16")->name, "float16");
	assert_string_equal(jm_dtype_of_name("half")->name, "float16");
	assert_string_equal(jm_dtype_of_name("double")->name, "float64");
	assert_null(jm_dtype_of_name("complex64"));
	assert_null(jm_dtype_of_code(0));
	jm_dtype_fill(jm_dtype_of_name("float32"), values, 1000, &seed);
	jm_dtype_fill(jm_dtype_of_name("float32"), again, 1000, &same);
	assert_memory_equal(values, again, sizeof(values));
	for (size_t i = 0; i < 1000; i++) {
		assert_true(values[i] >= -1 && values[i] < 1);
		sum += (double)values[i];
	}
	assert_true(fabs(sum) < 60);
	jm_dtype_fill(jm_dtype_of_name("float16"), halves, 1000, &seed);
	for (size_t i = 0; i < 1000; i++)
		assert_true((halves[i] & 0x7fff) <= 0x3c00); /* at most 1 */
	jm_dtype_fill(jm_dtype_of_name("int64"), integers, 100, &seed);
	for (size_t i = 0; i < 100; i++)
		assert_int_equal(integers[i], 0); /* as an index it always fits */
}

/* What is said of inputs that nobody gave. */
static void expect_choices(struct jm_onnx_input *input, size_t n, const int64_t *shape,
	size_t n_shape, const char *wanted)
{
	struct jm_onnx_inputs inputs = {input, n};
	struct jm_engine_options options = {.n_input_shape = n_shape};
	char text[256];

	if (n_shape)
		memcpy(options.input_shape, shape, n_shape * sizeof(*shape));
	assert_int_equal(jm_onnx_shape_resolve(&inputs, &options, NULL), 0);
	jm_onnx_choices_describe(&inputs, text, sizeof(text));
	assert_string_equal(text, wanted);
}

static void test_choices(void **state)
{
	static const int64_t given[] = {1, 3, 640, 480};
	struct jm_onnx_input image = {.name = (char[]){"image"},
		.dtype = jm_dtype_of_name("float32")->code,
		.n_dims = 4,
		.dims = {{-1, "N", 0}, {3, "", 0}, {-1, "image_height", 0}, {-1, "", 0}}};
	struct jm_onnx_input usual = {.name = image.name,
		.dtype = image.dtype,
		.n_dims = 4,
		.dims = {{-1, "N", 0}, {3, "", 0}, {-1, "H", 0}, {-1, "W", 0}}};
	struct jm_onnx_input text[] = {{.name = (char[]){"ids"},
					       .dtype = jm_dtype_of_name("int64")->code,
					       .n_dims = 2,
					       .dims = {{-1, "batch", 0}, {-1, "tokens", 0}}},
		{.name = (char[]){"flags"},
			.dtype = jm_dtype_of_name("bool")->code,
			.n_dims = 1,
			.dims = {{-1, "flags", 0}}}};
	struct jm_onnx_input again = image;

	(void)state;
	expect_choices(&image, 1, NULL, 0,
		"free dimensions of input 'image' (image_height, 4) were taken as 1, "
		"--input-shape gives them");
	expect_choices(&again, 1, given, 4, "");
	expect_choices(&usual, 1, NULL, 0, "");
	expect_choices(text, 2, NULL, 0,
		"free dimensions of input 'ids' (tokens) were taken as 1, --input-shape gives "
		"them; free dimensions of input 'flags' (flags) were taken as 1; the integers "
		"of input 'ids' are all 0");
}

static void test_small(void **state)
{
	static const int64_t dims[] = {1, -1, 224};
	char text[32], lines[] = "  two\n\tlines \n";

	(void)state;
	jm_onnx_shape_format(dims, 3, text, sizeof(text));
	assert_string_equal(text, "1x?x224");
	jm_onnx_shape_format(dims, 0, text, sizeof(text));
	assert_string_equal(text, "scalar");
	jm_onnx_shape_format(dims, 3, text, 4);
	assert_int_equal(strlen(text), 3);
	assert_int_equal(jm_onnx_default_dim("W"), 224);
	assert_int_equal(jm_onnx_default_dim("N"), 1);
	jm_ort_one_line(lines);
	assert_string_equal(lines, "two lines");
	assert_true(jm_physical_cores() >= 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unique_names),
		cmocka_unit_test(test_library_in_python),
		cmocka_unit_test(test_work),
		cmocka_unit_test(test_naming),
		cmocka_unit_test(test_naming_of_casts),
		cmocka_unit_test(test_match),
		cmocka_unit_test(test_bias),
		cmocka_unit_test(test_model_inputs),
		cmocka_unit_test(test_model_damaged),
		cmocka_unit_test(test_profile),
		cmocka_unit_test(test_dtype),
		cmocka_unit_test(test_choices),
		cmocka_unit_test(test_small),
	};

	return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
