/* SPDX-License-Identifier: Apache-2.0 */
#include "engines/onnxruntime/onnxruntime.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "engines/graph.h"
#include "engines/onnxruntime/calibrate.h"
#include "engines/onnxruntime/cores.h"
#include "engines/onnxruntime/dtype.h"
#include "engines/onnxruntime/layers.h"
#include "engines/onnxruntime/library.h"
#include "engines/onnxruntime/session.h"
#include "engines/onnxruntime/shape.h"
#include "engines/onnxruntime/status.h"
#include "engines/onnxruntime/trace.h"

#define SEVERITY_FATAL 4
#define LEVEL_MAX 5

struct engine {
	struct jm_ort ort;
	struct OrtEnv *env;
	struct jm_ort_plugin plugin;
	struct jm_ort_capture capture;
	struct jm_ort_model_inputs inputs;
	struct jm_ort_session session;
	struct jm_ort_steps steps;
	struct jm_graph graph;
	const char **events; /* [n_layers], names borrowed from steps */
	struct jm_ort_trace trace;
	struct jm_ort_bias bias;
};

/* ---- Options --------------------------------------------------------------------- */

static int check_options(const struct jm_engine_options *options, struct jm_error *reterr)
{
	const struct jm_model *model = options->model;

	if (!model || !options->now_ns || !model->path == !model->bytes)
		return jm_fail(reterr, JM_EINVAL,
			"the engine needs a clock and a model with either a path or bytes");
	if (options->n_input_shape > JM_SHAPE_MAX)
		return jm_fail(reterr, JM_EINVAL, "an input has at most %d dimensions",
			JM_SHAPE_MAX);
	if (options->optimization_level < -1 || options->optimization_level > LEVEL_MAX)
		return jm_fail(reterr, JM_EINVAL,
			"optimization level %d does not exist; use 0 to %d",
			options->optimization_level, LEVEL_MAX);
	if (options->threads < 0 || options->threads > 1024)
		return jm_fail(reterr, JM_EINVAL,
			"%d threads cannot be used; use 1 to 1024, or 0 for one per core",
			options->threads);
	if (options->dtype && !jm_dtype_of_name(options->dtype))
		return jm_fail(reterr, JM_EINVAL,
			"type '%.32s' is not known; use float32, float16, bfloat16 or float64",
			options->dtype);
	return 0;
}

/* --dtype asserts the type of the first input that holds floats. */
static int check_dtype(const struct jm_ort_model_inputs *inputs, const char *wanted,
	struct jm_error *reterr)
{
	const struct jm_dtype *dtype = wanted ? jm_dtype_of_name(wanted) : NULL;

	for (size_t i = 0; dtype && i < inputs->n; i++) {
		const struct jm_ort_model_input *input = &inputs->inputs[i];
		const struct jm_dtype *has = jm_dtype_of_code(input->dtype);

		if (!has || !has->is_float)
			continue;
		if (has == dtype)
			return 0;
		return jm_fail(reterr, JM_EINVAL,
			"input '%.64s' of the model is %s, not %s; export the model in %s, or "
			"leave out --dtype", input->name ? input->name : "", has->name, dtype->name,
			dtype->name);
	}
	return dtype ? jm_fail(reterr, JM_EINVAL,
		"the model has no input of type %s; leave out --dtype", dtype->name) : 0;
}

/* TensorRT's levels 0..5 on those of this runtime: docs/engines.md. */
static int level_of(int optimization_level)
{
	static const int levels[] = {JM_ORT_DISABLE_ALL, JM_ORT_BASIC, JM_ORT_EXTENDED};

	return optimization_level >= 0 && optimization_level < 3 ? levels[optimization_level]
								  : JM_ORT_ALL;
}

/* ---- Probe ----------------------------------------------------------------------- */

static int wants_profile(void)
{
	const char *tracing = getenv("JOULEMAP_ORT_TRACING");

	return tracing && strcmp(tracing, "profile") == 0;
}

static void describe(const struct jm_ort *ort, const struct jm_engine_options *options,
	struct jm_engine_info *ret_info)
{
	int callbacks = ort->api_version >= JM_ORT_API_CALLBACKS && !wants_profile();

	memset(ret_info, 0, sizeof(*ret_info));
	jm_text_copy(ret_info->version, sizeof(ret_info->version), ort->version);
	jm_text_copy(ret_info->library, sizeof(ret_info->library), ort->path);
	jm_text_copy(ret_info->tracing, sizeof(ret_info->tracing),
		callbacks ? "callbacks" : "profile");
	ret_info->threads = options->threads ? options->threads : jm_physical_cores();
	ret_info->optimization_level = options->optimization_level;
	ret_info->trace_bias_us = NAN;
	ret_info->trace_bias_sd_us = NAN;
}

static int engine_probe(const struct jm_engine_options *options, struct jm_engine_info *ret_info,
	struct jm_error *reterr)
{
	struct jm_ort ort;
	char module[JM_PATH_MAX];
	int result = jm_ort_library_open(&ort, options->library, reterr);

	if (result < 0)
		return result;
	describe(&ort, options, ret_info);
	if (strcmp(ret_info->tracing, "callbacks") == 0)
		result = jm_ort_module_find(module, reterr);
	jm_ort_library_close(&ort);
	return result;
}

/* ---- Open ------------------------------------------------------------------------ */

static int open_runtime(struct engine *engine, const struct jm_engine_options *options,
	struct jm_error *reterr)
{
	const struct jm_ort *ort = &engine->ort;
	int result = jm_ort_library_open(&engine->ort, options->library, reterr);

	if (result < 0)
		return result;
	/* The runtime reports home by default: a privacy matter, and a thread
	 * that burns power while we measure. The user's own word stands. */
	setenv("ORT_DISABLE_TELEMETRY", "1", 0);
	result = jm_ort_check(ort, jm_ort_create_env_fn(ort)(jm_ort_log_nothing, NULL,
		SEVERITY_FATAL, "joulemap", &engine->env), reterr, "cannot start ONNX Runtime");
	if (result < 0)
		return result;
	return jm_ort_plugin_open(&engine->plugin, ort, engine->env, reterr);
}

static int open_session(struct engine *engine, const struct jm_engine_options *options, int threads,
	struct jm_error *reterr)
{
	struct jm_ort_session_setup setup = {.ort = &engine->ort, .env = engine->env,
		.model = options->model, .inputs = &engine->inputs, .plugin = &engine->plugin,
		.level = level_of(options->optimization_level), .threads = threads,
		.seed = options->seed};
	int result = jm_ort_model_inputs_read(&engine->inputs, options->model, reterr);

	if (result == 0)
		result = check_dtype(&engine->inputs, options->dtype, reterr);
	if (result == 0)
		result = jm_ort_shape_resolve(&engine->inputs, options, reterr);
	if (result < 0)
		return result;
	engine->plugin.capture = &engine->capture;
	result = jm_ort_session_open(&engine->session, &setup, reterr);
	engine->plugin.capture = NULL;
	return result;
}

static int copy_tensors(struct jm_tensor **ret_tensors, size_t *ret_n,
	const struct jm_tensor *tensors, size_t n, struct jm_error *reterr)
{
	*ret_tensors = calloc(n + 1, sizeof(**ret_tensors));
	for (size_t i = 0; *ret_tensors && i < n; i++) {
		if (jm_tensor_copy(&(*ret_tensors)[i], &tensors[i]) < 0)
			return jm_fail_memory(reterr, "the graph");
		*ret_n = i + 1;
	}
	return *ret_tensors ? 0 : jm_fail_memory(reterr, "the graph");
}

static int traced_run(struct engine *engine, struct jm_error *reterr)
{
	int result;

	jm_ort_trace_begin(&engine->trace);
	result = jm_ort_session_run(&engine->session, 1, reterr);
	jm_ort_trace_end(&engine->trace);
	return result;
}

/* Runs once to see which nodes execute, and makes layers of them. */
static int discover(struct engine *engine, struct jm_error *reterr)
{
	struct jm_ort_trace *trace = &engine->trace;
	const struct jm_ort_session *session = &engine->session;
	int result = jm_ort_session_run(&engine->session, 0, reterr);

	trace->steps = &engine->steps;
	if (result == 0)
		result = traced_run(engine, reterr);
	trace->steps = NULL;
	if (result < 0)
		return result;
	if (trace->out_of_memory || engine->capture.out_of_memory)
		return jm_fail_memory(reterr, "the graph of layers");
	jm_ort_steps_keep_outermost(&engine->steps);
	if (!engine->steps.n)
		return jm_fail(reterr, JM_EENGINE, "the network runs no layer at all; check the model");
	result = jm_ort_layers_build(&engine->graph, &engine->steps, &engine->capture, reterr);
	if (result == 0)
		result = copy_tensors(&engine->graph.inputs, &engine->graph.n_inputs,
			session->inputs, session->n_inputs, reterr);
	if (result == 0)
		result = copy_tensors(&engine->graph.outputs, &engine->graph.n_outputs,
			session->outputs, session->n_outputs, reterr);
	jm_ort_capture_release(&engine->capture);
	return result;
}

/* From now on spans are recorded under the numbers of the layers. */
static int prepare_trace(struct engine *engine, struct jm_error *reterr)
{
	size_t n = engine->steps.n;

	engine->events = calloc(n, sizeof(*engine->events));
	engine->trace.spans = calloc(n, sizeof(*engine->trace.spans));
	if (!engine->events || !engine->trace.spans)
		return jm_fail_memory(reterr, "the spans of a run");
	for (size_t i = 0; i < n; i++)
		engine->events[i] = engine->steps.steps[i].event;
	engine->trace.events = engine->events;
	engine->trace.n_layers = n;
	engine->trace.depth = engine->steps.steps[0].depth;
	return 0;
}

static int engine_open(void *state, const struct jm_engine_options *options,
	struct jm_engine_info *ret_info, struct jm_error *reterr)
{
	struct engine *engine = state;
	int result = check_options(options, reterr);

	if (result == 0)
		result = open_runtime(engine, options, reterr);
	if (result < 0)
		return result;
	describe(&engine->ort, options, ret_info);
	engine->trace.ort = &engine->ort;
	engine->trace.now_ns = options->now_ns;
	engine->trace.clock = options->clock;
	result = open_session(engine, options, ret_info->threads, reterr);
	if (result == 0)
		result = discover(engine, reterr);
	if (result == 0)
		result = prepare_trace(engine, reterr);
	if (result == 0)
		result = jm_ort_calibrate(&engine->bias, &engine->plugin, ret_info->threads, reterr);
	if (result < 0)
		return result;
	ret_info->optimization_level = options->optimization_level < 0 ? 3
		: options->optimization_level;
	ret_info->trace_bias_us = engine->bias.mean_ns / 1e3;
	ret_info->trace_bias_sd_us = engine->bias.sd_ns / 1e3;
	return 0;
}

/* ---- The rest -------------------------------------------------------------------- */

static const struct jm_graph *engine_graph(const void *state)
{
	return &((const struct engine *)state)->graph;
}

static int deliver(struct engine *engine, const struct jm_span_sink *sink, struct jm_error *reterr)
{
	const struct jm_ort_trace *trace = &engine->trace;

	if (trace->n_strange || trace->n_spans != trace->n_layers)
		return jm_fail(reterr, JM_EENGINE,
			"%zu layers ran instead of %zu; the network changes from run to run, which "
			"cannot be measured", trace->n_spans + trace->n_strange, trace->n_layers);
	for (size_t i = 0; i < trace->n_spans; i++) {
		struct jm_ort_span span = trace->spans[i];

		jm_ort_bias_remove(&engine->bias, &span.begin_ns, &span.end_ns);
		sink->span(sink->context, span.layer, span.begin_ns, span.end_ns);
	}
	return 0;
}

static int engine_run(void *state, const struct jm_span_sink *sink, struct jm_error *reterr)
{
	struct engine *engine = state;
	int result;

	if (!sink)
		return jm_ort_session_run(&engine->session, 0, reterr);
	result = traced_run(engine, reterr);
	return result < 0 ? result : deliver(engine, sink, reterr);
}

static void engine_close(void *state)
{
	struct engine *engine = state;

	jm_ort_session_close(&engine->session);
	jm_ort_plugin_close(&engine->plugin);
	if (engine->env)
		jm_ort_release_env_fn(&engine->ort)(engine->env);
	jm_ort_model_inputs_release(&engine->inputs);
	jm_ort_capture_release(&engine->capture);
	jm_ort_steps_release(&engine->steps);
	jm_graph_release(&engine->graph);
	free(engine->events);
	free(engine->trace.spans);
	jm_ort_library_close(&engine->ort);
	memset(engine, 0, sizeof(*engine));
}

const struct jm_engine_ops jm_engine_onnxruntime = {
	.abi = JM_ENGINE_ABI,
	.size = sizeof(struct jm_engine_ops),
	.name = "onnxruntime",
	.summary = "ONNX models on the CPU, by ONNX Runtime",
	.state_size = sizeof(struct engine),
	.probe = engine_probe,
	.open = engine_open,
	.graph = engine_graph,
	.run = engine_run,
	.close = engine_close,
};
