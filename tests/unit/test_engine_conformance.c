/* SPDX-License-Identifier: Apache-2.0 */
/* The contract of engine.h, over every engine of the registry. */
#include "unit.h"

#include "engine_unit.h"
#include "plugin_unit.h"

#define RUNS 6

static const char *const models[] = {MODEL("lenet"), MODEL("residual"), MODEL("products"),
	MODEL("branches"), MODEL("types"), MODEL("names"), MODEL("odd_dims"), MODEL("nested"),
	MODEL("captured"), MODEL("scan"), MODEL("sequence_middle"), MODEL("optionals"),
	MODEL("classifier"), MODEL("data_shapes"), MODEL("reshaped"), MODEL("outputs"),
	MODEL("constant_output"), MODEL("qdq"), MODEL("qlinear"), MODEL("half"),
	MODEL("bfloat16"), MODEL("doubles"), MODEL("whole_numbers"), MODEL("strings"),
	MODEL("unnamed"), MODEL("random_first"), MODEL("random_answer"), MODEL("random_shape"),
	MODEL("marker_names"), MODEL("recurrent"), MODEL("overridable"), MODEL("many_dims"),
	MODEL("empty"), MODEL("scalars"), MODEL("function")};

#define N_MODELS (sizeof(models) / sizeof(models[0]))

typedef void engine_test(const struct jm_engine_ops *ops);

/* Old runtimes have no callbacks. */
static int can_be_used(const struct jm_engine_ops *ops)
{
	struct jm_engine_options options = {
		.optimization_level = -1, .now_ns = jm_clock_monotonic_ns};
	struct jm_engine_info info;

	return ops->probe(&options, &info, NULL) == 0;
}

/* Every engine, and ONNX Runtime all ways it can trace. */
static void over_engines(engine_test *test)
{
	static const char *const ways[] = {"callbacks", "profile"};
	size_t n;
	const struct jm_engine_ops *const *engines = jm_engines(&n);

	assert_true(n >= 1);
	for (size_t i = 0; i < n; i++) {
		engine_unit_require(engines[i]);
		test(engines[i]); /* by markers, if the runtime can */
		for (size_t j = 0; j < sizeof(ways) / sizeof(ways[0]); j++) {
			setenv("JOULEMAP_ORT_TRACING", ways[j], 1);
			if (can_be_used(engines[i]))
				test(engines[i]);
			unsetenv("JOULEMAP_ORT_TRACING");
		}
	}
}

struct recorded {
	struct jm_span *spans; /* in order of delivery */
	size_t n, capacity;
};

static void record(void *context, const struct jm_span *span)
{
	struct recorded *recorded = context;

	assert_true(recorded->n < recorded->capacity);
	recorded->spans[recorded->n] = *span;
	recorded->n++;
}

static void test_registry(void **state)
{
	size_t n;
	const struct jm_engine_ops *const *engines = jm_engines(&n);

	(void)state;
	assert_true(n >= 2);
	assert_non_null(jm_engine_find("threelayers"));
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(engines[i]->abi, JM_ENGINE_ABI);
		assert_int_equal(engines[i]->size, sizeof(struct jm_engine_ops));
		assert_ptr_equal(jm_engine_find(engines[i]->name), engines[i]);
		assert_true(strlen(engines[i]->summary) > 0);
		assert_non_null(engines[i]->probe);
		assert_non_null(engines[i]->open);
		assert_non_null(engines[i]->graph);
		assert_non_null(engines[i]->run);
		assert_non_null(engines[i]->close);
	}
	assert_null(jm_engine_find("no such engine"));
}

static void check_tensors(const struct jm_tensor *tensors, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		assert_non_null(tensors[i].name);
		assert_non_null(tensors[i].dtype);
		assert_true(tensors[i].n_dims <= JM_DIMS_MAX);
	}
}

static void check_graph(const struct jm_graph *graph)
{
	assert_true(graph->n_layers > 0);
	assert_true(graph->n_inputs > 0 && graph->n_outputs > 0);
	check_tensors(graph->inputs, graph->n_inputs);
	check_tensors(graph->outputs, graph->n_outputs);
	for (size_t i = 0; i < graph->n_layers; i++) {
		const struct jm_graph_layer *layer = &graph->layers[i];

		assert_true(strlen(layer->name) > 0 && strlen(layer->type) > 0);
		check_tensors(layer->inputs, layer->n_inputs);
		check_tensors(layer->outputs, layer->n_outputs);
		assert_false(layer->macs < 0 || layer->parameters < 0 || layer->bytes < 0);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(layer->name, graph->layers[j].name);
	}
}

/* All layers once per run, in order, none inside another, all in [from, to]. */
static void check_spans(const struct jm_graph *graph, const struct recorded *recorded,
	size_t runs, int64_t from_ns, int64_t to_ns)
{
	unsigned char *seen = calloc(graph->n_layers, 1);
	int64_t last_ns = from_ns;

	assert_int_equal(recorded->n, runs * graph->n_layers);
	for (size_t i = 0; i < recorded->n; i++) {
		if (i % graph->n_layers == 0)
			memset(seen, 0, graph->n_layers);
		const struct jm_span *span = &recorded->spans[i];

		assert_true(span->layer < graph->n_layers);
		assert_false(seen[span->layer]);
		seen[span->layer] = 1;
		assert_true(span->begin_ns >= last_ns);
		assert_true(span->end_ns >= span->begin_ns);
		assert_int_equal(span->cycle, i / graph->n_layers);
		last_ns = span->end_ns;
	}
	assert_true(last_ns <= to_ns);
	free(seen);
}

static void run_model(const struct jm_engine_ops *ops, const char *path)
{
	struct engine_unit unit;
	struct recorded recorded = {0};
	struct jm_span_sink sink = {record, &recorded};
	int64_t from_ns, to_ns, slack_ns = 0;

	engine_unit_init(&unit, ops, path);
	engine_unit_open(&unit);
	check_graph(unit.graph);
	assert_true(strlen(unit.info.version) > 0 && strlen(unit.info.library) > 0);
	assert_true(unit.info.threads == 1 && unit.info.trace_bias_us >= 0);
	assert_true(unit.info.scope >= JM_SCOPE_BOARD && unit.info.scope <= JM_SCOPE_OTHER);
	/* Profiles count in us, on another clock. */
	if (strcmp(unit.info.tracing, "profile") == 0)
		slack_ns = 100 * JM_NS_PER_US;
	recorded.capacity = RUNS * unit.graph->n_layers;
	recorded.spans = calloc(recorded.capacity, sizeof(*recorded.spans));
	from_ns = jm_clock_monotonic_ns(NULL);
	for (int i = 0; i < RUNS; i++) {
		assert_int_equal(unit.ops->run(unit.state, &sink, &unit.error), 0);
		assert_int_equal(unit.ops->run(unit.state, NULL, &unit.error), 0);
		if (i == RUNS / 2 && unit.ops->flush)
			assert_int_equal(unit.ops->flush(unit.state, &sink, &unit.error), 0);
	}
	if (unit.ops->flush) {
		assert_int_equal(unit.ops->flush(unit.state, &sink, &unit.error), 0);
		assert_int_equal(unit.ops->flush(unit.state, &sink, &unit.error), 0);
	}
	to_ns = jm_clock_monotonic_ns(NULL);
	check_spans(unit.graph, &recorded, RUNS, from_ns - slack_ns, to_ns + slack_ns);
	free(recorded.spans);
	engine_unit_close(&unit);
}

static void run_models(const struct jm_engine_ops *ops)
{
	for (size_t i = 0; i < N_MODELS; i++)
		run_model(ops, models[i]);
}

static void test_run(void **state)
{
	(void)state;
	over_engines(run_models);
}

/* Two at a time, closed in the order in which they were opened. */
static void open_two(const struct jm_engine_ops *ops)
{
	struct engine_unit one, two;

	engine_unit_init(&one, ops, MODEL("lenet"));
	engine_unit_init(&two, ops, MODEL("residual"));
	engine_unit_open(&one);
	engine_unit_open(&two);
	assert_int_equal(one.ops->run(one.state, NULL, NULL), 0);
	assert_int_equal(two.ops->run(two.state, NULL, NULL), 0);
	engine_unit_close(&one);
	assert_int_equal(two.ops->run(two.state, NULL, NULL), 0);
	engine_unit_close(&two);
}

static void test_two(void **state)
{
	(void)state;
	over_engines(open_two);
}

static void expect_failure(const struct jm_engine_ops *ops, void (*spoil)(struct engine_unit *),
	int code, const char *text)
{
	struct engine_unit unit;

	engine_unit_init(&unit, ops, MODEL("lenet"));
	spoil(&unit);
	engine_unit_expect_failure(&unit, code, text);
}

static void spoil_level(struct engine_unit *unit)
{
	unit->options.optimization_level = 6;
}

static void spoil_threads(struct engine_unit *unit)
{
	unit->options.threads = -1;
}

static void spoil_model(struct engine_unit *unit)
{
	unit->model.path = NULL;
}

static void spoil_both(struct engine_unit *unit)
{
	unit->model.bytes = "x";
	unit->model.n_bytes = 1;
}

static void spoil_path(struct engine_unit *unit)
{
	unit->model.path = "/no/such/model.onnx";
}

static void spoil_library(struct engine_unit *unit)
{
	static const struct jm_engine_setting setting = {"library", "/no/such/library.so"};

	unit->options.settings = &setting;
	unit->options.n_settings = 1;
}

static void spoil_clock(struct engine_unit *unit)
{
	unit->options.now_ns = NULL;
}

static int has_option(const struct jm_engine_ops *ops, const char *name)
{
	for (size_t i = 0; i < ops->n_options; i++)
		if (strcmp(ops->options[i].name, name) == 0)
			return 1;
	return 0;
}

static void refuse(const struct jm_engine_ops *ops)
{
	void *zeroed = calloc(1, ops->state_size);

	ops->close(zeroed);
	free(zeroed);
	expect_failure(ops, spoil_level, JM_EINVAL, "use 0 to 5");
	expect_failure(ops, spoil_threads, JM_EINVAL, "threads");
	expect_failure(ops, spoil_model, JM_EINVAL, "either a path or bytes");
	expect_failure(ops, spoil_both, JM_EINVAL, "either a path or bytes");
	expect_failure(ops, spoil_clock, JM_EINVAL, "clock");
	expect_failure(ops, spoil_path, JM_ENOTFOUND, "'/no/such/model.onnx'");
	if (has_option(ops, "library"))
		expect_failure(ops, spoil_library, JM_ENOTFOUND, "make deps");
}

static void test_refuse(void **state)
{
	(void)state;
	over_engines(refuse);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_registry),
		cmocka_unit_test(test_run),
		cmocka_unit_test(test_two),
		cmocka_unit_test(test_refuse),
	};

	return cmocka_run_group_tests(tests, plugin_unit_load_all, NULL);
}
