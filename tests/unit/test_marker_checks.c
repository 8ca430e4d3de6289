/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The checks of a marked network find what they are for: another answer, another
 * order, markers that cost too much.
 */
#include "unit.h"

#include <math.h>
#include <stdlib.h>

#include "engine_unit.h"
#include "engines/onnxruntime/library.h"
#include "engines/onnxruntime/markers/check.h"
#include "engines/onnxruntime/status.h"
#include "engines/onnxruntime/values.h"
#include "marker_unit.h"
#include "onnx/shape.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct jm_ort ort;
static struct OrtEnv *env;

/* The runtime, without an engine around it. */
static int set_up(void **state)
{
	(void)state;
	if (jm_ort_library_open(&ort, NULL, NULL) < 0)
		return 0;                        /* tests that need it say so */
	setenv("ORT_DISABLE_TELEMETRY", "1", 0); /* as the engine does */
	return jm_ort_ignore(&ort, jm_ort_create_env_fn(&ort)(
					   jm_ort_log_nothing, NULL, 4, "joulemap", &env))
		       ? 0
		       : -1;
}

static int tear_down(void **state)
{
	(void)state;
	if (env)
		jm_ort_release_env_fn (&ort)(env);
	jm_ort_library_close(&ort);
	return 0;
}

/* ---- Answers ------------------------------------------------------------------------- */

static void open_session(struct jm_ort_session *session, const char *path, uint64_t seed)
{
	struct jm_model model = {.path = path};
	struct jm_engine_options options = {.model = &model};
	struct jm_onnx_inputs inputs;
	struct jm_ort_session_setup setup = {.ort = &ort,
		.env = env,
		.model = &model,
		.inputs = &inputs,
		.level = JM_ORT_ALL,
		.threads = 1,
		.seed = seed};
	struct jm_error error;

	engine_unit_require(jm_engine_find("onnxruntime"));
	assert_int_equal(jm_onnx_inputs_read(&inputs, &model, NULL), 0);
	assert_int_equal(jm_onnx_shape_resolve(&inputs, &options, NULL), 0);
	if (jm_ort_session_open(session, &setup, &error) < 0)
		fail_msg("%s", error.message);
	jm_onnx_inputs_release(&inputs);
}

/* Two sessions of a model, the second with an input of its own or the same. */
static int compare_seeds(const char *path, uint64_t a, uint64_t b, struct jm_error *ret_error)
{
	struct jm_ort_session left, right;
	int result;

	open_session(&left, path, a);
	open_session(&right, path, b);
	result = jm_ort_check_answer(&left, &right, ret_error);
	jm_ort_session_close(&right);
	jm_ort_session_close(&left);
	return result;
}

/* Tensors, text, sequences, maps, optionals, tensors of no element. */
static void test_same_answers(void **state)
{
	static const char *const models[] = {MODEL("lenet"), MODEL("types"), MODEL("strings"),
		MODEL("sequence_end"), MODEL("optionals"), MODEL("optional_empty"),
		MODEL("classifier"), MODEL("empty"), MODEL("scalars"), MODEL("bfloat16"),
		MODEL("whole_numbers")};
	struct jm_error error;

	(void)state;
	for (size_t i = 0; i < COUNT(models); i++)
		if (compare_seeds(models[i], 1, 1, &error) < 0)
			fail_msg("%s: %s", models[i], error.message);
}

static void test_other_answers(void **state)
{
	static const char *const models[] = {MODEL("lenet"), MODEL("types"), MODEL("strings"),
		MODEL("sequence_end"), MODEL("optionals"), MODEL("classifier"),
		MODEL("scalars"), MODEL("bfloat16")};
	struct jm_error error;

	(void)state;
	for (size_t i = 0; i < COUNT(models); i++) {
		if (compare_seeds(models[i], 1, 2, &error) != JM_EENGINE)
			fail_msg("%s: another answer is not found", models[i]);
		assert_non_null(strstr(error.message, "with them, output '"));
		assert_non_null(strstr(error.message, "' is another one"));
	}
}

static void test_changing_answers(void **state)
{
	struct jm_ort_session left, right;
	struct jm_error error;

	(void)state;
	open_session(&left, MODEL("random_answer"), 1);
	open_session(&right, MODEL("random_answer"), 1);
	/* Both draw the same numbers, one after the other: one has drawn some before. */
	assert_int_equal(jm_ort_session_run(&left, 0, &error), 0);
	assert_int_equal(jm_ort_check_answer(&left, &right, &error), JM_EENGINE);
	assert_string_equal(error.message, "output 'y' changes from run to run, so that they "
					   "cannot be checked");
	jm_ort_session_close(&right);
	jm_ort_session_close(&left);
}

static void test_failing_answers(void **state)
{
	struct jm_error error;

	(void)state;
	assert_true(compare_seeds(MODEL("failing"), 1, 1, &error) < 0);
	assert_non_null(strstr(error.message, "the network failed: "));
}

/* ---- Values -------------------------------------------------------------------------- */

static struct OrtValue *make_tensor(
	int dtype, const int64_t *dims, size_t n_dims, void *data, size_t size)
{
	struct OrtMemoryInfo *memory = NULL;
	struct OrtValue *value = NULL;

	assert_true(jm_ort_ignore(&ort, jm_ort_create_cpu_memory_info_fn(&ort)(0, 0, &memory)));
	assert_true(jm_ort_ignore(&ort, jm_ort_create_tensor_fn(&ort)(memory, data, size, dims,
						n_dims, dtype, &value)));
	jm_ort_release_memory_info_fn (&ort)(memory);
	return value;
}

/* Of the same eight bytes, two floats, as tensors of these types and shapes. */
static int are_equal(int left_dtype, const int64_t left_dims[2], int right_dtype,
	const int64_t right_dims[2], float last)
{
	float left_data[2] = {1, 2}, right_data[2] = {1, last};
	struct OrtValue *left = make_tensor(left_dtype, left_dims, 2, left_data, 8);
	struct OrtValue *right = make_tensor(right_dtype, right_dims, 2, right_data, 8);
	int equal = jm_ort_values_equal(&ort, left, right);

	jm_ort_release_value_fn (&ort)(left);
	jm_ort_release_value_fn (&ort)(right);
	return equal;
}

static void test_values(void **state)
{
	static const int64_t row[2] = {1, 2}, column[2] = {2, 1};
	enum { FLOAT = 1, INT32 = 6 };
	uint32_t zeros[2] = {0, 0x80000000u}, nans[2] = {0x7fc00000u, 0x7fc00001u};
	struct OrtValue *value[2];

	(void)state;
	engine_unit_require(jm_engine_find("onnxruntime"));
	assert_true(are_equal(FLOAT, row, FLOAT, row, 2));
	assert_false(are_equal(FLOAT, row, FLOAT, row, nextafterf(2, 3)));
	assert_false(are_equal(FLOAT, row, FLOAT, column, 2));
	assert_false(are_equal(FLOAT, row, INT32, row, 2));
	assert_true(jm_ort_values_equal(&ort, NULL, NULL));
	/* By bits: zeros of two signs differ, and so do numbers that are none. */
	for (int i = 0; i < 2; i++)
		value[i] = make_tensor(FLOAT, row, 0, &zeros[i], 4);
	assert_false(jm_ort_values_equal(&ort, value[0], value[1]));
	assert_true(jm_ort_values_equal(&ort, value[1], value[1]));
	assert_false(jm_ort_values_equal(&ort, value[0], NULL));
	for (int i = 0; i < 2; i++) {
		jm_ort_release_value_fn (&ort)(value[i]);
		value[i] = make_tensor(FLOAT, row, 0, &nans[i], 4);
	}
	assert_false(jm_ort_values_equal(&ort, value[0], value[1]));
	assert_true(jm_ort_values_equal(&ort, value[0], value[0]));
	for (int i = 0; i < 2; i++)
		jm_ort_release_value_fn (&ort)(value[i]);
}

/* ---- Order --------------------------------------------------------------------------- */

/* Neg | Split, Insert, At | Add |, with two markers behind At. */
static const struct marker_unit_node nodes[] = {
	{"neg", "Neg", {NULL}, {NULL}, NULL, NULL},
	{"split", "SplitToSequence", {NULL}, {NULL}, NULL, NULL},
	{"insert", "SequenceInsert", {NULL}, {NULL}, NULL, NULL},
	{"at", "SequenceAt", {NULL}, {NULL}, NULL, NULL},
	{"add", "Add", {NULL}, {NULL}, NULL, NULL},
};

#define NO_VALUE JM_ORT_NO_VALUE
static uint32_t plan_reads[] = {0, 1, NO_VALUE, NO_VALUE, 2, 3};
#define TWIN 4
#define N_MARKERS 5
#define N_MARKED (COUNT(nodes) + N_MARKERS)

/* What a run of the marked network should report. */
static const char *const in_order[N_MARKED] = {"joulemap-marker-0", "neg", "joulemap-marker-1",
	"split", "insert", "at", "joulemap-marker-2", "joulemap-marker-3", "add",
	"joulemap-marker-4"};

static const char *op_of(const char *name)
{
	for (size_t i = 0; i < COUNT(nodes); i++)
		if (strcmp(nodes[i].name, name) == 0)
			return nodes[i].op;
	return "Marker_1";
}

static int check_order(const char *const *names, size_t n, struct jm_error *ret_error)
{
	const struct jm_ort_plan plan = {.reads = plan_reads,
		.n = COUNT(nodes),
		.n_marks = N_MARKERS - 1,
		.twin = TWIN,
		.n_markers = N_MARKERS};
	struct jm_ort_steps steps, marked = {0};
	int result;

	assert_int_equal(marker_unit_steps(&steps, nodes, NULL, COUNT(nodes)), 0);
	for (size_t i = 0; i < n; i++) {
		char event[64];
		struct jm_ort_step_texts texts = {.event = event, .op = op_of(names[i])};

		snprintf(event, sizeof(event), "%s_kernel_time", names[i]);
		assert_int_equal(jm_ort_steps_append(&marked, &texts, 0), 0);
	}
	result = jm_ort_check_order(&plan, &steps, &marked, ret_error);
	jm_ort_steps_release(&steps);
	jm_ort_steps_release(&marked);
	return result;
}

/* Between two stamps, which are one layer, the order is of no account. */
static void test_order(void **state)
{
	struct jm_error error;

	(void)state;
	assert_int_equal(check_order(in_order, N_MARKED, &error), 0);
	for (size_t i = 0; i + 1 < N_MARKED; i++) {
		int is_one_layer = i >= 3 && i + 1 <= 5;
		const char *swapped[N_MARKED];

		memcpy(swapped, in_order, sizeof(swapped));
		swapped[i] = in_order[i + 1];
		swapped[i + 1] = in_order[i];
		if (is_one_layer) {
			assert_int_equal(check_order(swapped, N_MARKED, &error), 0);
			continue;
		}
		assert_int_equal(check_order(swapped, N_MARKED, &error), JM_EENGINE);
		assert_non_null(strstr(error.message, "the order is another one, from node "));
	}
}

static void test_other_nodes(void **state)
{
	const char *other[N_MARKED];
	struct jm_error error;

	(void)state;
	for (size_t i = 0; i < N_MARKED; i++) {
		memcpy(other, in_order, sizeof(other));
		other[i] = i ? other[0] : "neg";
		assert_int_equal(check_order(other, N_MARKED, &error), JM_EENGINE);
		other[i] = "joulemap-marker-10";
		assert_int_equal(check_order(other, N_MARKED, &error), JM_EENGINE);
		other[i] = "new";
		assert_int_equal(check_order(other, N_MARKED, &error), JM_EENGINE);
	}
	assert_int_equal(check_order(in_order, N_MARKED - 1, &error), JM_EENGINE);
	assert_string_equal(error.message, "with them 9 nodes run instead of 5 and 5 markers");
	assert_int_equal(check_order(in_order, 0, &error), JM_EENGINE);
}

/* ---- Cost ---------------------------------------------------------------------------- */

/* A network of 1 ms with 10 markers. */
static int check_cost(
	double twin_ns, double extra_ns, double fastest_extra_ns, struct jm_error *ret_error)
{
	const struct jm_ort_cost cost = {.plain_ns = 1e6,
		.marked_ns = 1e6 + extra_ns,
		.extra_ns = extra_ns,
		.extra_sd_ns = 100,
		.fastest_extra_ns = fastest_extra_ns,
		.twin_ns = twin_ns,
		.twin_sd_ns = 10};

	return jm_ort_check_cost(&cost, 10, ret_error);
}

static void test_cost(void **state)
{
	struct jm_error error;

	(void)state;
	assert_int_equal(check_cost(500, 5000, 5000, &error), 0);
	/* 5 % of the network and 1 us each are allowed. */
	assert_int_equal(check_cost(5900, 59000, 59000, &error), 0);
	assert_int_equal(check_cost(6100, 61000, 61000, &error), JM_EENGINE);
	assert_string_equal(
		error.message, "they cost too much, 6.1 us each in a network of 1000.0 us");
	/* The network as a whole may take a quarter longer, in its fastest run. */
	assert_int_equal(check_cost(500, 250000, 250000, &error), 0);
	assert_int_equal(check_cost(500, 300000, 300000, &error), JM_EENGINE);
	assert_string_equal(
		error.message, "with them the network takes 1300.0 us instead of 1000.0 us");
	assert_int_equal(check_cost(500, 300000, 10000, &error), 0);
	assert_int_equal(check_cost((double)NAN, 5000, 5000, &error), 0);
	assert_int_equal(check_cost((double)NAN, 300000, 300000, &error), JM_EENGINE);
}

static void test_cost_of_marker(void **state)
{
	struct jm_ort_cost cost = {.plain_ns = 1e6,
		.marked_ns = 1.005e6,
		.extra_ns = 5000,
		.extra_sd_ns = 100,
		.twin_ns = 500};
	double sd_ns, alone_sd_ns;

	(void)state;
	/* Both say the same. */
	assert_true(fabs(jm_ort_cost_of_marker(&cost, 10, &sd_ns) - 500) < 1e-6);
	assert_true(sd_ns > 0);
	/* In between, nearer to the one that is surer. */
	cost.extra_ns = 10000;
	assert_true(jm_ort_cost_of_marker(&cost, 10, &sd_ns) > 500);
	assert_true(jm_ort_cost_of_marker(&cost, 10, &sd_ns) < 750);
	/* Never below nothing. */
	cost.extra_ns = -5000;
	assert_true(jm_ort_cost_of_marker(&cost, 10, &sd_ns) >= 0);
	/* Without twins there is only the network, and more doubt. */
	cost.extra_ns = 5000;
	cost.twin_ns = (double)NAN;
	assert_true(fabs(jm_ort_cost_of_marker(&cost, 10, &alone_sd_ns) - 500) < 1e-6);
	assert_true(alone_sd_ns > sd_ns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_answers),
		cmocka_unit_test(test_other_answers),
		cmocka_unit_test(test_changing_answers),
		cmocka_unit_test(test_failing_answers),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_other_nodes),
		cmocka_unit_test(test_cost),
		cmocka_unit_test(test_cost_of_marker),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
