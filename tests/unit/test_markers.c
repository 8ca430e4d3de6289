/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every kind of model traced by markers, against the same one without: which can
 * be, what is said of those that cannot, and that the checks find what they are for.
 */
#include "unit.h"

#include <math.h>

#include "engine_unit.h"
#include "engines/onnxruntime/api.h"
#include "engines/onnxruntime/library.h"

#define RUNS 4
#define TRIES 10

static const struct jm_engine_ops *ops;
static struct jm_ort ort; /* what the runtime can do */

static int set_up(void **state)
{
	struct jm_error error;

	(void)state;
	ops = jm_engine_find("onnxruntime");
	if (jm_ort_library_open(&ort, NULL, &error) < 0)
		memset(&ort, 0, sizeof(ort));
	return ops ? 0 : -1;
}

static void require_markers(void)
{
	engine_unit_require(ops);
	if (!ort.api_version)
		skip();
}

/* What takes over where markers cannot be used. */
static const char *second_best(void)
{
	return ort.api_version < JM_ORT_API_CALLBACKS ? "profile" : "callbacks";
}

/* ---- Every kind of model --------------------------------------------------------- */

/*
 * What is to be said of a model. Most are marked at every place and nothing needs
 * to be said; of some, more can be marked at one level of optimisation than at
 * another: then "" stands for anything.
 */
struct expectation {
	const char *path;
	const char *missing;  /* part of what is said of places without a marker */
	const char *fallback; /* part of why markers cannot be used; NULL: they are used */
	uint32_t oldest;      /* runtime that this is true of; 0: any */
};

#define JOINED "one layer with the next, as '"
#define OPEN_END "the last layer ends with the run"
#define OPEN_BEGIN "the first layer begins with the run"

static const struct expectation expectations[] = {
	{MODEL("lenet"), NULL, NULL, 0},
	{MODEL("residual"), NULL, NULL, 0},
	{MODEL("products"), NULL, NULL, 0},
	{MODEL("branches"), NULL, NULL, 0},
	{MODEL("types"), NULL, NULL, 0},
	{MODEL("names"), NULL, NULL, 0},
	{MODEL("odd_dims"), NULL, NULL, 0},
	/* Sequences and optionals are no tensors: no marker can read them. */
	{MODEL("sequence_middle"), JOINED, NULL, 0},
	{MODEL("sequence_end"), OPEN_END, NULL, 0},
	{MODEL("sequence_only"), JOINED, NULL, 0},
	{MODEL("optionals"), JOINED, NULL, 0},
	{MODEL("optional_empty"), "", NULL, 22}, /* before, profilers crash of it */
	{MODEL("classifier"), OPEN_END, NULL, 0},
	{MODEL("nested"), NULL, NULL, 0},
	{MODEL("captured"), NULL, NULL, 0},
	{MODEL("scan"), NULL, NULL, 0},
	{MODEL("data_shapes"), NULL, NULL, 0},
	{MODEL("reshaped"), NULL, NULL, 0},
	{MODEL("outputs"), NULL, NULL, 0},
	{MODEL("constant_output"), NULL, NULL, 0},
	{MODEL("qdq"), "", NULL, 0}, /* weights are put into floats first */
	{MODEL("qlinear"), NULL, NULL, 0},
	{MODEL("half"), "", NULL, 0}, /* in some runtimes, weights too */
	{MODEL("bfloat16"), NULL, NULL, 0},
	{MODEL("doubles"), NULL, NULL, 0},
	{MODEL("whole_numbers"), NULL, NULL, 0},
	{MODEL("strings"), NULL, NULL, 0},
	{MODEL("unnamed"), NULL, NULL, 0},
	{MODEL("random_first"), OPEN_BEGIN, NULL, 0},
	{MODEL("random_answer"), NULL, NULL, 0}, /* with markers it draws the same numbers */
	{MODEL("random_shape"), NULL, NULL, 0},
	{MODEL("marker_domain"), NULL, NULL, 0},
	{MODEL("recurrent"), NULL, NULL, 0},
	{MODEL("overridable"), "", NULL, 0},
	{MODEL("many_dims"), NULL, NULL, 0},
	{MODEL("empty"), NULL, NULL, 0},
	{MODEL("scalars"), NULL, NULL, 0},
	{MODEL("function"), NULL, NULL, 0},
	/* Names that markers would have. */
	{MODEL("marker_names"), NULL, "names that begin with 'joulemap-marker-'", 0},
	{MODEL("marker_nodes"), NULL, "names that begin with 'joulemap-marker-'", 0},
};

#define N_EXPECTATIONS (sizeof(expectations) / sizeof(expectations[0]))

static void open_traced(
	struct engine_unit *unit, const char *path, const char *tracing, int level)
{
	struct jm_engine_setting setting = {"tracing", tracing};

	engine_unit_init(unit, ops, path);
	unit->options.optimization_level = level;
	unit->options.settings = &setting;
	unit->options.n_settings = 1;
	engine_unit_open(unit);
	unit->options.settings = NULL;
}

/*
 * What markers cost is measured, so that a busy machine may refuse them; then once
 * more.
 */
static int is_refused_for_time(const struct engine_unit *unit)
{
	return strstr(unit->info.tracing_note, "they cost too much") ||
	       strstr(unit->info.tracing_note, "with them the network takes");
}

static void open_marked(struct engine_unit *unit, const char *path, int level)
{
	open_traced(unit, path, "auto", level);
	for (int i = 1; i < TRIES && is_refused_for_time(unit); i++) {
		engine_unit_close(unit);
		open_traced(unit, path, "auto", level);
	}
}

static void expect_tracing(const struct engine_unit *unit, const struct expectation *expected)
{
	const char *note = unit->info.tracing_note;
	const char *part = expected->fallback ? expected->fallback : expected->missing;

	if (strcmp(unit->info.tracing, expected->fallback ? second_best() : "markers") != 0)
		fail_msg("%s is traced by %s: %s", expected->path, unit->info.tracing, note);
	if (part ? !strstr(note, part) : note[0])
		fail_msg("of %s is said: \"%s\", not \"%s\"", expected->path, note,
			part ? part : "");
	assert_null(strchr(note, '\n'));
	if (expected->fallback)
		assert_non_null(strstr(note, "because markers cannot be used: "));
}

static int is_same_number(double a, double b)
{
	return isnan(a) ? isnan(b) : a == b;
}

/*
 * A layer is one of the reference's, or several of them from *next on: then it
 * has the last one's name and everyone's types and work.
 */
static void expect_layer(const char *path, const struct jm_graph_layer *layer,
	const struct jm_graph *reference, size_t *next)
{
	char type[512] = "";
	double macs = 0;

	while (*next < reference->n_layers) {
		const struct jm_graph_layer *part = &reference->layers[(*next)++];
		size_t used = strlen(type);

		snprintf(type + used, sizeof(type) - used, "%s%s", used ? "+" : "", part->type);
		macs += part->macs;
		if (strcmp(type, layer->type) != 0)
			continue;
		assert_string_equal(layer->name, part->name);
		assert_true(is_same_number(layer->macs, macs));
		return;
	}
	fail_msg("%s: layer '%s' (%s) is none of those without markers", path, layer->name,
		layer->type);
}

static void expect_same_layers(
	const char *path, const struct jm_graph *graph, const struct jm_graph *reference)
{
	size_t next = 0;

	for (size_t i = 0; i < graph->n_layers; i++)
		expect_layer(path, &graph->layers[i], reference, &next);
	assert_int_equal(next, reference->n_layers);
	assert_int_equal(graph->n_inputs, reference->n_inputs);
	assert_int_equal(graph->n_outputs, reference->n_outputs);
	for (size_t i = 0; i < graph->n_outputs; i++)
		assert_string_equal(graph->outputs[i].name, reference->outputs[i].name);
}

struct watcher {
	size_t n;
	int64_t last_ns;
	uint32_t cycle;
};

static void watch(void *context, const struct jm_span *span)
{
	struct watcher *watcher = context;

	assert_int_equal(span->layer, watcher->n);
	assert_int_equal(span->cycle, watcher->cycle);
	assert_true(span->begin_ns >= watcher->last_ns);
	assert_true(span->end_ns >= span->begin_ns);
	watcher->last_ns = span->end_ns;
	watcher->n++;
}

/* Spans of layers in their order, none over another, all within their run. */
static void expect_spans(struct engine_unit *unit)
{
	for (uint32_t run = 0; run < RUNS; run++) {
		struct watcher watcher = {0, jm_clock_monotonic_ns(NULL), run};
		struct jm_span_sink sink = {watch, &watcher};

		if (ops->run(unit->state, &sink, &unit->error) < 0)
			fail_msg("%s", unit->error.message);
		assert_int_equal(watcher.n, unit->graph->n_layers);
		assert_true(watcher.last_ns <= jm_clock_monotonic_ns(NULL));
		assert_int_equal(ops->run(unit->state, NULL, &unit->error), 0);
	}
}

static void check_model(const struct expectation *expected, int level)
{
	struct engine_unit marked, reference;

	if (ort.api_version < expected->oldest)
		return;
	open_marked(&marked, expected->path, level);
	expect_tracing(&marked, expected);
	open_traced(&reference, expected->path, second_best(), level);
	expect_same_layers(expected->path, marked.graph, reference.graph);
	engine_unit_close(&reference);
	if (!expected->fallback) {
		expect_spans(&marked);
		assert_true(marked.info.network_untraced_ms > 0);
		assert_true(marked.info.network_traced_ms > 0);
		assert_true(marked.info.trace_bias_us >= 0);
		assert_false(isnan(marked.info.trace_bias_sd_us));
	}
	engine_unit_close(&marked);
}

static void test_models_as_deployed(void **state)
{
	(void)state;
	require_markers();
	for (size_t i = 0; i < N_EXPECTATIONS; i++)
		check_model(&expectations[i], -1);
}

static void test_models_unoptimised(void **state)
{
	(void)state;
	require_markers();
	for (size_t i = 0; i < N_EXPECTATIONS; i++) {
		struct expectation expected = expectations[i];

		/* More nodes, and constants are computed: more that cannot be marked. */
		if (!expected.missing && !expected.fallback)
			expected.missing = "";
		check_model(&expected, 0);
	}
}

/* ---- Markers or nothing ------------------------------------------------------------ */

static void refuse(const char *path, int code, const char *text)
{
	static const struct jm_engine_setting markers = {"tracing", "markers"};
	struct engine_unit unit;

	engine_unit_init(&unit, ops, path);
	unit.options.settings = &markers;
	unit.options.n_settings = 1;
	engine_unit_expect_failure(&unit, code, text);
}

static void test_markers_only(void **state)
{
	struct engine_unit unit;

	(void)state;
	require_markers();
	open_traced(&unit, MODEL("lenet"), "markers", -1);
	assert_string_equal(unit.info.tracing, "markers");
	assert_string_equal(unit.info.tracing_note, "");
	engine_unit_close(&unit);
	for (size_t i = 0; i < N_EXPECTATIONS; i++)
		if (expectations[i].fallback)
			refuse(expectations[i].path, JM_EENGINE, expectations[i].fallback);
	refuse(MODEL("marker_names"), JM_EENGINE, "leave out --trace markers");
}

/* ---- What fails in the network itself ------------------------------------------------ */

static void test_failing_operator(void **state)
{
	static const char *const ways[] = {"auto", "markers", "profile"};

	(void)state;
	require_markers();
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct jm_engine_setting setting = {"tracing", ways[i]};
		struct engine_unit unit;

		engine_unit_init(&unit, ops, MODEL("failing"));
		unit.options.settings = &setting;
		unit.options.n_settings = 1;
		engine_unit_expect_failure(&unit, JM_EENGINE, "the network failed: ");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_models_as_deployed),
		cmocka_unit_test(test_models_unoptimised),
		cmocka_unit_test(test_markers_only),
		cmocka_unit_test(test_failing_operator),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
