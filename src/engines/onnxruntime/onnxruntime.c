/* SPDX-License-Identifier: Apache-2.0 */
#include "engines/onnxruntime/onnxruntime.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "data/graph.h"
#include "engines/onnxruntime/bias/bias.h"
#include "engines/onnxruntime/choices.h"
#include "engines/onnxruntime/cores.h"
#include "engines/onnxruntime/layers.h"
#include "engines/onnxruntime/library.h"
#include "engines/onnxruntime/markers/joined.h"
#include "engines/onnxruntime/network.h"
#include "engines/onnxruntime/status.h"
#include "onnx/dtype.h"
#include "onnx/shape.h"

#define SEVERITY_FATAL 4
#define LEVEL_MAX 5

struct engine {
	struct jm_ort ort;
	struct jm_ort_choices choices; /* .library is the caller's, for open only */
	struct OrtEnv *env;
	struct jm_ort_plugin plugin;
	struct jm_ort_capture capture;
	struct jm_onnx_inputs inputs;
	struct jm_model model; /* lives as long as sessions are opened from it */
	struct jm_ort_network network;
	struct jm_graph graph;
	struct jm_ort_layer_bias *bias;  /* [n_layers], owned */
	const struct jm_span_sink *sink; /* the caller's, while a call lasts */
	void *copies[3];                 /* what `model` points to, if ours; owned */
};

/* ---- Options --------------------------------------------------------------------- */

static int check_options(const struct jm_engine_options *options, struct jm_error *reterr)
{
	const struct jm_model *model = options->model;

	if (!model || !options->now_ns || !model->path == !model->bytes)
		return jm_fail(reterr, JM_EINVAL,
			"the engine needs a clock and a model with either a path or bytes");
	if (options->n_input_shape > JM_SHAPE_MAX)
		return jm_fail(
			reterr, JM_EINVAL, "an input has at most %d dimensions", JM_SHAPE_MAX);
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
static int check_dtype(
	const struct jm_onnx_inputs *inputs, const char *wanted, struct jm_error *reterr)
{
	const struct jm_dtype *dtype = wanted ? jm_dtype_of_name(wanted) : NULL;

	for (size_t i = 0; dtype && i < inputs->n; i++) {
		const struct jm_onnx_input *input = &inputs->inputs[i];
		const struct jm_dtype *has = jm_dtype_of_code(input->dtype);

		if (!has || !has->is_float)
			continue;
		if (has == dtype)
			return 0;
		return jm_fail(reterr, JM_EINVAL,
			"input '%.64s' of the model is %s, not %s; export the model in %s, or "
			"leave out --dtype",
			input->name ? input->name : "", has->name, dtype->name, dtype->name);
	}
	return dtype ? jm_fail(reterr, JM_EINVAL,
			       "the model has no input of type %s; leave out --dtype",
			       dtype->name)
		     : 0;
}

/*
 * The default is what gets deployed, all optimisations, if the model's names
 * can be found again afterwards, which takes the graph; else the level below.
 */
static int effective_level(const struct engine *engine, int wanted)
{
	if (wanted >= 0)
		return wanted;
	return engine->plugin.registered ? 3 : 2;
}

/* TensorRT's levels 0..5 on those of this runtime: docs/engines.md. */
static int level_of(int effective)
{
	static const int levels[] = {JM_ORT_DISABLE_ALL, JM_ORT_BASIC, JM_ORT_EXTENDED};

	return effective < 3 ? levels[effective] : JM_ORT_ALL;
}

/* ---- Probe ----------------------------------------------------------------------- */

static int uses_callbacks(const struct jm_ort *ort, const struct jm_ort_choices *choices)
{
	return ort->api_version >= JM_ORT_API_CALLBACKS &&
	       choices->tracing != JM_ORT_TRACING_PROFILE;
}

/* Loads the runtime that the options choose, and sees whether it does as they say. */
static int open_library(struct jm_ort *ort, const struct jm_engine_options *options,
	struct jm_ort_choices *ret_choices, struct jm_error *reterr)
{
	int result = jm_ort_choices_read(options, ret_choices, reterr);

	if (result == 0)
		result = jm_ort_library_open(ort, ret_choices->library, reterr);
	if (result < 0)
		return result;
	if (ret_choices->tracing == JM_ORT_TRACING_CALLBACKS &&
		ort->api_version < JM_ORT_API_CALLBACKS)
		result = jm_fail(reterr, JM_EUNSUPPORTED,
			"ONNX Runtime %s has no callbacks, 1.%d or later has; leave out "
			"--trace callbacks",
			ort->version, JM_ORT_API_CALLBACKS);
	return result;
}

static int uses_markers(const struct jm_ort_choices *choices)
{
	return choices->tracing == JM_ORT_TRACING_AUTO ||
	       choices->tracing == JM_ORT_TRACING_MARKERS;
}

static void describe(const struct jm_ort *ort, const struct jm_ort_choices *choices,
	const struct jm_engine_options *options, struct jm_engine_info *ret_info)
{
	memset(ret_info, 0, sizeof(*ret_info));
	jm_text_copy(ret_info->version, sizeof(ret_info->version), ort->version);
	jm_text_copy(ret_info->library, sizeof(ret_info->library), ort->path);
	jm_text_copy(ret_info->tracing, sizeof(ret_info->tracing),
		uses_markers(choices)          ? "markers"
		: uses_callbacks(ort, choices) ? "callbacks"
					       : "profile");
	ret_info->scope = JM_SCOPE_CPU;
	ret_info->threads = options->threads ? options->threads : jm_physical_cores();
	ret_info->optimization_level = options->optimization_level;
	ret_info->trace_bias_us = (double)NAN;
	ret_info->trace_bias_sd_us = (double)NAN;
	ret_info->network_untraced_ms = (double)NAN;
	ret_info->network_traced_ms = (double)NAN;
}

static int engine_probe(const struct jm_engine_options *options,
	struct jm_engine_info *ret_info, struct jm_error *reterr)
{
	struct jm_ort ort = {0};
	struct jm_ort_choices choices;
	char module[JM_PATH_MAX];
	int result = open_library(&ort, options, &choices, reterr);

	if (result == 0)
		describe(&ort, &choices, options, ret_info);
	if (result == 0 && uses_callbacks(&ort, &choices))
		result = jm_ort_module_find(module, reterr);
	jm_ort_library_close(&ort);
	return result;
}

/* ---- Open ------------------------------------------------------------------------ */

static int open_runtime(
	struct engine *engine, const struct jm_engine_options *options, struct jm_error *reterr)
{
	const struct jm_ort *ort = &engine->ort;
	int result = open_library(&engine->ort, options, &engine->choices, reterr);

	if (result < 0)
		return result;
	/* The runtime reports home by default: a privacy matter, and a thread
	 * that burns power while we measure. The user's own word stands. */
	setenv("ORT_DISABLE_TELEMETRY", "1", 0);
	result = jm_ort_check(ort,
		jm_ort_create_env_fn(ort)(
			jm_ort_log_nothing, NULL, SEVERITY_FATAL, "joulemap", &engine->env),
		reterr, "cannot start ONNX Runtime");
	if (result < 0)
		return result;
	if (uses_callbacks(ort, &engine->choices))
		return jm_ort_plugin_open(&engine->plugin, ort, engine->env, 1, reterr);
	/* Profiles do without; then names and attributes are fewer. */
	if (ort->api_version >= JM_ORT_API_GRAPH &&
		jm_ort_plugin_open(&engine->plugin, ort, engine->env, 0, NULL) < 0)
		jm_ort_plugin_close(&engine->plugin);
	return 0;
}

static int copy_bytes(void **ret_copy, const void *data, size_t size)
{
	*ret_copy = malloc(size + 1);
	if (!*ret_copy)
		return JM_ENOMEM;
	memcpy(*ret_copy, data, size);
	return 0;
}

/*
 * Profiles need a new session now and then, long after the caller's model is
 * gone: then it is copied. (A file is read again from its path.)
 */
static int keep_model(
	struct engine *engine, const struct jm_model *model, struct jm_error *reterr)
{
	int result = 0;

	engine->model = *model;
	if (uses_callbacks(&engine->ort, &engine->choices))
		return 0;
	if (model->path) {
		result = copy_bytes(&engine->copies[0], model->path, strlen(model->path) + 1);
		engine->model.path = engine->copies[0];
	} else {
		result = copy_bytes(&engine->copies[0], model->bytes, model->n_bytes);
		engine->model.bytes = engine->copies[0];
	}
	if (result == 0 && model->weights) {
		result = copy_bytes(&engine->copies[1], model->weights, model->n_weights_bytes);
		engine->model.weights = engine->copies[1];
	}
	if (result == 0 && model->name) {
		result = copy_bytes(&engine->copies[2], model->name, strlen(model->name) + 1);
		engine->model.name = engine->copies[2];
	}
	return result < 0 ? jm_fail_memory(reterr, "a copy of the model") : 0;
}

/* No more sessions are opened; without copies it is the caller's. */
static void forget_model(struct engine *engine)
{
	for (size_t i = 0; i < sizeof(engine->copies) / sizeof(engine->copies[0]); i++) {
		free(engine->copies[i]);
		engine->copies[i] = NULL;
	}
	memset(&engine->model, 0, sizeof(engine->model));
}

/* Reads the model's inputs and settles the shape in which it will run. */
static int settle_inputs(
	struct engine *engine, const struct jm_engine_options *options, struct jm_error *reterr)
{
	int result = keep_model(engine, options->model, reterr);

	if (result == 0)
		result = jm_onnx_inputs_read(&engine->inputs, &engine->model, reterr);
	if (result == 0)
		result = check_dtype(&engine->inputs, options->dtype, reterr);
	if (result == 0)
		result = jm_onnx_shape_resolve(&engine->inputs, options, reterr);
	return result;
}

static int build_graph(struct engine *engine, struct jm_error *reterr)
{
	struct jm_ort_network *network = &engine->network;
	struct jm_graph *graph = &engine->graph;
	int result;

	if (engine->capture.out_of_memory)
		return jm_fail_memory(reterr, "the graph of layers");
	result = jm_ort_layers_build(graph, &network->steps, &engine->capture, reterr);
	if (result == 0 && (jm_tensors_copy(&graph->inputs, &graph->n_inputs, network->inputs,
				    network->n_inputs) < 0 ||
				   jm_tensors_copy(&graph->outputs, &graph->n_outputs,
					   network->outputs, network->n_outputs) < 0))
		result = jm_fail_memory(reterr, "the graph of layers");
	jm_ort_capture_release(&engine->capture);
	return result;
}

/* Markers say what they cost; of the other ways the bias is found. */
static int settle_tracing(
	struct engine *engine, struct jm_engine_info *ret_info, struct jm_error *reterr)
{
	struct jm_ort_network *network = &engine->network;

	if (network->way == JM_ORT_BY_MARKERS)
		return jm_ort_joined_describe(
			&network->marked, &engine->graph, ret_info, reterr);
	jm_text_copy(ret_info->tracing, sizeof(ret_info->tracing),
		network->way == JM_ORT_BY_CALLBACKS ? "callbacks" : "profile");
	if (network->why_not.message[0])
		snprintf(ret_info->tracing_note, sizeof(ret_info->tracing_note),
			"layers are timed by %s, because markers cannot be used: %.320s",
			ret_info->tracing, network->why_not.message);
	return jm_ort_bias_find(network, &engine->graph, &engine->bias, ret_info, reterr);
}

static int open_network(struct engine *engine, const struct jm_engine_options *options,
	const struct jm_engine_info *info, struct jm_error *reterr)
{
	const struct jm_ort *ort = &engine->ort;
	const struct jm_ort_choices *choices = &engine->choices;
	struct jm_ort_session_setup setup = {.ort = ort,
		.env = engine->env,
		.model = &engine->model,
		.inputs = &engine->inputs,
		.plugin = engine->plugin.registered ? &engine->plugin : NULL,
		.capture = &engine->capture,
		.level = level_of(info->optimization_level),
		.threads = info->threads,
		.spinning = choices->spinning,
		.seed = options->seed};
	struct jm_ort_clock clock = {options->now_ns, options->clock};
	struct jm_ort_ways ways = {uses_markers(choices), uses_callbacks(ort, choices)};
	int result = jm_ort_network_open(&engine->network, &setup, ways, clock, reterr);

	engine->network.setup.capture = NULL; /* of later sessions nothing new is learnt */
	if (result == 0 && choices->tracing == JM_ORT_TRACING_MARKERS &&
		engine->network.way != JM_ORT_BY_MARKERS)
		return jm_fail(reterr, JM_EENGINE,
			"markers cannot be used: %s; leave out --trace markers",
			engine->network.why_not.message);
	return result;
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
	describe(&engine->ort, &engine->choices, options, ret_info);
	ret_info->optimization_level = effective_level(engine, options->optimization_level);
	result = settle_inputs(engine, options, reterr);
	jm_onnx_choices_describe(
		&engine->inputs, ret_info->input_note, sizeof(ret_info->input_note));
	if (result == 0)
		result = open_network(engine, options, ret_info, reterr);
	if (result == 0)
		result = build_graph(engine, reterr);
	if (result == 0)
		result = settle_tracing(engine, ret_info, reterr);
	engine->network.cycle = 0; /* calibrating ran it too */
	if (result == 0 && engine->network.way != JM_ORT_BY_PROFILE)
		forget_model(engine);
	return result;
}

/* ---- The rest -------------------------------------------------------------------- */

static const struct jm_graph *engine_graph(const void *state)
{
	return &((const struct engine *)state)->graph;
}

static void take_span(void *context, const struct jm_span *measured)
{
	const struct engine *engine = context;
	struct jm_span span = *measured;

	jm_ort_bias_remove(engine->bias[span.layer], &span.begin_ns, &span.end_ns);
	engine->sink->span(engine->sink->context, &span);
}

static int engine_run(void *state, const struct jm_span_sink *sink, struct jm_error *reterr)
{
	struct engine *engine = state;
	struct jm_span_sink inner = {take_span, engine};

	if (!sink || !engine->bias)
		return jm_ort_network_run(&engine->network, sink, reterr);
	engine->sink = sink;
	return jm_ort_network_run(&engine->network, &inner, reterr);
}

static int engine_flush(void *state, const struct jm_span_sink *sink, struct jm_error *reterr)
{
	struct engine *engine = state;
	struct jm_span_sink inner = {take_span, engine};

	engine->sink = sink;
	return jm_ort_network_flush(&engine->network, &inner, reterr);
}

static void engine_close(void *state)
{
	struct engine *engine = state;

	jm_ort_network_close(&engine->network);
	jm_ort_plugin_close(&engine->plugin);
	if (engine->env)
		jm_ort_release_env_fn (&engine->ort)(engine->env);
	jm_onnx_inputs_release(&engine->inputs);
	jm_ort_capture_release(&engine->capture);
	jm_graph_release(&engine->graph);
	free(engine->bias);
	forget_model(engine);
	jm_ort_library_close(&engine->ort);
	memset(engine, 0, sizeof(*engine));
}

const struct jm_engine_ops jm_engine_onnxruntime = {
	.abi = JM_ENGINE_ABI,
	.size = sizeof(struct jm_engine_ops),
	.name = "onnxruntime",
	.summary = "ONNX models on the CPU, by ONNX Runtime",
	.state_size = sizeof(struct engine),
	.options = jm_ort_options,
	.n_options = JM_ORT_N_OPTIONS,
	.probe = engine_probe,
	.open = engine_open,
	.graph = engine_graph,
	.run = engine_run,
	.flush = engine_flush,
	.close = engine_close,
};
