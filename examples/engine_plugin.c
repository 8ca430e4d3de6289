/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An engine from outside: skeleton to copy. Its "network" is three layers of
 * real work for one core: a product of matrices, a walk through memory, and
 * square roots. A real engine would load the model it is given; this one takes
 * any model for its own.
 *
 *     cc -shared -fPIC engine_plugin.c $(pkg-config --cflags joulemap) -lm -o engine_plugin.so
 *     joulemap measure --plugin ./engine_plugin.so --engine threelayers --model lenet \
 *         --engine-option size=128 --runs 2000
 */
#include <joulemap/plugin.h>

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LAYERS 3

/* Everything of one open engine: joulemap gives the storage, zeroed. */
struct engine {
	struct jm_graph graph;
	struct jm_graph_layer layers[LAYERS];
	struct jm_tensor edges[LAYERS + 1]; /* between the layers, and at both ends */
	double *matrices;                   /* [3][size][size] */
	double *memory;                     /* [n_memory] */
	size_t size, n_memory, repeats;
	uint32_t cycle;
	int64_t (*now_ns)(void *clock);
	void *clock;
};

/* Code and words of a failure; reterr may be NULL. */
static int fail(struct jm_error *reterr, int code, const char *format, ...)
{
	va_list arguments;

	if (reterr) {
		reterr->code = code;
		reterr->sys_errno = 0;
		va_start(arguments, format);
		vsnprintf(reterr->message, sizeof(reterr->message), format, arguments);
		va_end(arguments);
	}
	return code;
}

/* ---- The layers ---------------------------------------------------------------- */

static void multiply(struct engine *engine)
{
	size_t n = engine->size;
	const double *a = engine->matrices, *b = a + n * n;
	double *c = engine->matrices + 2 * n * n;

	memset(c, 0, n * n * sizeof(*c));
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < n; k++)
			for (size_t j = 0; j < n; j++)
				c[i * n + j] += a[i * n + k] * b[k * n + j];
}

static void walk(struct engine *engine)
{
	for (size_t i = 0; i < engine->n_memory; i++)
		engine->memory[i] = 1 - engine->memory[i];
}

static void root(struct engine *engine)
{
	double x = 1 + engine->matrices[0];

	for (size_t i = 0; i < engine->size * 1000; i++)
		x = sqrt(x + 1);
	engine->memory[0] = x;
}

static char input_name[] = "input", output_name[] = "output";
static char product_name[] = "product", copy_name[] = "copy";
static char *const edge_names[LAYERS + 1] = {input_name, product_name, copy_name, output_name};
static char multiply_name[] = "multiply", walk_name[] = "walk", root_name[] = "root";
static char product_type[] = "MatMul", walk_type[] = "Sub", root_type[] = "Sqrt";

static const struct {
	char *name, *type;
	void (*run)(struct engine *engine);
} steps[LAYERS] = {
	{multiply_name, product_type, multiply},
	{walk_name, walk_type, walk},
	{root_name, root_type, root},
};

/* What a layer computes and moves; NaN would say that nobody knows. */
static void describe(struct engine *engine)
{
	double n = (double)engine->size, repeats = (double)engine->repeats;
	const double macs[LAYERS] = {repeats * n * n * n, 0, 0};
	const double bytes[LAYERS] = {
		repeats * 24 * n * n, repeats * 16 * (double)engine->n_memory, repeats * 8};

	for (size_t i = 0; i <= LAYERS; i++) {
		engine->edges[i].name = edge_names[i];
		engine->edges[i].dtype = "float64";
		engine->edges[i].n_dims = 2;
		engine->edges[i].dims[0] = engine->edges[i].dims[1] = (int64_t)engine->size;
	}
	for (size_t i = 0; i < LAYERS; i++) {
		struct jm_graph_layer *layer = &engine->layers[i];

		layer->name = steps[i].name;
		layer->type = steps[i].type;
		layer->inputs = &engine->edges[i];
		layer->outputs = &engine->edges[i + 1];
		layer->n_inputs = layer->n_outputs = 1;
		layer->macs = macs[i];
		layer->parameters = 0;
		layer->bytes = bytes[i];
	}
	engine->graph.layers = engine->layers;
	engine->graph.n_layers = LAYERS;
	engine->graph.inputs = &engine->edges[0];
	engine->graph.outputs = &engine->edges[LAYERS];
	engine->graph.n_inputs = engine->graph.n_outputs = 1;
}

/* ---- What joulemap calls ---------------------------------------------------------- */

static const struct jm_engine_option own_options[] = {
	{"size", "N", "rows of the matrices, 8 to 2048 (default 96)"},
	{"repeats", "N", "how often each layer does its work, 1 to 1000\n(default 1)"},
};

/* Value of an own option; 0: out of its range. */
static size_t number(const struct jm_engine_options *options, const char *name, size_t least,
	size_t most, size_t otherwise)
{
	for (size_t i = 0; i < options->n_settings; i++) {
		char *end;
		unsigned long value;

		if (strcmp(options->settings[i].name, name) != 0)
			continue;
		value = strtoul(options->settings[i].value, &end, 10);
		return *end || value < least || value > most ? 0 : value;
	}
	return otherwise;
}

/* Says what this engine is. Called often: keeps nothing. */
static int probe(const struct jm_engine_options *options, struct jm_engine_info *ret_info,
	struct jm_error *reterr)
{
	if (!options->now_ns)
		return fail(reterr, JM_EINVAL, "the engine needs a clock");
	if (!number(options, "size", 8, 2048, 96))
		return fail(reterr, JM_EUSAGE, "option size must be 8 to 2048");
	if (!number(options, "repeats", 1, 1000, 1))
		return fail(reterr, JM_EUSAGE, "option repeats must be 1 to 1000");
	if (options->threads < 0 || options->threads > 1)
		return fail(reterr, JM_EINVAL, "this engine has 1 thread, not %d threads",
			options->threads);
	if (options->optimization_level < -1 || options->optimization_level > 5)
		return fail(reterr, JM_EINVAL, "there is no optimisation level %d: use 0 to 5",
			options->optimization_level);
	memset(ret_info, 0, sizeof(*ret_info));
	snprintf(ret_info->version, sizeof(ret_info->version), "1.0");
	snprintf(ret_info->library, sizeof(ret_info->library), "engine_plugin.so");
	snprintf(ret_info->tracing, sizeof(ret_info->tracing), "callbacks");
	ret_info->scope = JM_SCOPE_CPU;
	ret_info->threads = 1;
	ret_info->optimization_level = options->optimization_level;
	return 0;
}

static int check_model(const struct jm_model *model, struct jm_error *reterr)
{
	FILE *file;

	if (!model || !model->path == !model->bytes)
		return fail(reterr, JM_EINVAL, "a model has either a path or bytes");
	if (!model->path)
		return 0;
	file = fopen(model->path, "rb"); /* here a real engine loads it */
	if (!file)
		return fail(reterr, JM_ENOTFOUND, "cannot read model '%.200s': %s", model->path,
			strerror(errno));
	fclose(file);
	return 0;
}

static int open_engine(void *state, const struct jm_engine_options *options,
	struct jm_engine_info *ret_info, struct jm_error *reterr)
{
	struct engine *engine = state;
	int result = probe(options, ret_info, reterr);

	if (result == 0)
		result = check_model(options->model, reterr);
	if (result < 0)
		return result;
	engine->size = number(options, "size", 8, 2048, 96);
	engine->repeats = number(options, "repeats", 1, 1000, 1);
	engine->n_memory = engine->size * 4096;
	engine->now_ns = options->now_ns;
	engine->clock = options->clock;
	engine->matrices = calloc(3 * engine->size * engine->size, sizeof(double));
	engine->memory = calloc(engine->n_memory, sizeof(double));
	if (!engine->matrices || !engine->memory)
		return fail(reterr, JM_ENOMEM, "out of memory for the matrices");
	srand((unsigned)options->seed);
	for (size_t i = 0; i < 2 * engine->size * engine->size; i++)
		engine->matrices[i] = rand() / (double)RAND_MAX;
	describe(engine);
	return 0;
}

static const struct jm_graph *graph(const void *state)
{
	return &((const struct engine *)state)->graph;
}

/* One inference: the layers in order, and when each of them ran. */
static int run(void *state, const struct jm_span_sink *sink, struct jm_error *reterr)
{
	struct engine *engine = state;
	struct jm_span span;

	(void)reterr; /* nothing here can fail */
	memset(&span, 0, sizeof(span));
	span.cycle = engine->cycle;
	for (uint32_t i = 0; i < LAYERS; i++) {
		span.layer = i;
		span.begin_ns = engine->now_ns(engine->clock);
		for (size_t j = 0; j < engine->repeats; j++)
			steps[i].run(engine);
		span.end_ns = engine->now_ns(engine->clock);
		if (sink)
			sink->span(sink->context, &span);
	}
	engine->cycle += sink != NULL;
	return 0;
}

static void close_engine(void *state)
{
	struct engine *engine = state;

	free(engine->matrices);
	free(engine->memory);
}

/* ---- The table and the plug-in ------------------------------------------------------ */

static const struct jm_engine_ops three_layers = {
	.abi = JM_ENGINE_ABI,
	.size = sizeof(struct jm_engine_ops),
	.name = "threelayers",
	.summary = "three layers of work for one core",
	.state_size = sizeof(struct engine),
	.options = own_options,
	.n_options = sizeof(own_options) / sizeof(own_options[0]),
	.probe = probe,
	.open = open_engine,
	.graph = graph,
	.run = run,
	.close = close_engine,
};

static const struct jm_engine_ops *const engines[] = {&three_layers};

const struct jm_plugin *joulemap_plugin(void)
{
	static const struct jm_plugin plugin = {
		.abi = JM_PLUGIN_ABI,
		.size = sizeof(struct jm_plugin),
		.name = "engine_plugin",
		.version = "1.0",
		.engines = engines,
		.n_engines = 1,
	};

	return &plugin;
}
