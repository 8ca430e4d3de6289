/* SPDX-License-Identifier: Apache-2.0 */
#include "engines/onnxruntime/session.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "data/graph.h"
#include "engines/onnxruntime/status.h"
#include "onnx/dtype.h"
#include "onnx/shape.h"

#define SEVERITY_FATAL 4
#define DATA_ALIGNMENT 64
/* What an error says itself, before what was chosen for the inputs. */
#define ROOM_FOR_CHOICES 250
/* A profile that cannot be opened is not written: only the callbacks remain. */
#define NO_PROFILE_PREFIX "/dev/null/joulemap"

static const char *model_name(const struct jm_model *model)
{
	return model->path ? model->path : model->name ? model->name : "(in memory)";
}

/* ---- Options ------------------------------------------------------------------- */

static int set_threads(const struct jm_ort_session_setup *setup,
	struct OrtSessionOptions *options, struct jm_error *reterr)
{
	const struct jm_ort *ort = setup->ort;
	struct OrtStatus *status;

	status = jm_ort_set_execution_mode_fn(ort)(options, 0);
	if (!status)
		status = jm_ort_set_intra_op_threads_fn(ort)(options, setup->threads);
	if (!status)
		status = jm_ort_set_inter_op_threads_fn(ort)(options, 1);
	/* Spinning workers burn power that no layer asked for: docs/engines.md. */
	if (!status)
		status = jm_ort_add_session_config_fn(ort)(options,
			"session.intra_op.allow_spinning", setup->spinning ? "1" : "0");
	return jm_ort_check(ort, status, reterr, "cannot use %d threads", setup->threads);
}

static int add_weights(const struct jm_ort_session_setup *setup,
	struct OrtSessionOptions *options, struct jm_error *reterr)
{
	const struct jm_ort *ort = setup->ort;
	const char *name = setup->weights_name ? setup->weights_name : "weights";
	char *data = setup->model->weights;
	size_t size = setup->model->n_weights_bytes;

	if (!data)
		return 0;
	if (ort->api_version < 18)
		return jm_fail(reterr, JM_EUNSUPPORTED,
			"ONNX Runtime %s cannot take weights from memory, 1.18 or later can; "
			"name "
			"another one with --ort-library PATH",
			ort->version);
	return jm_ort_check(ort,
		jm_ort_add_external_files_fn(ort)(options, &name, &data, &size, 1), reterr,
		"cannot hand over the weights of model '%s'", model_name(setup->model));
}

/* Has the optimised model saved; its weights go into the model's file or another. */
static int save_model(const struct jm_ort_session_setup *setup,
	struct OrtSessionOptions *options, struct jm_error *reterr)
{
	const struct jm_ort *ort = setup->ort;
	struct OrtStatus *status;

	if (!setup->save_path)
		return 0;
	status = jm_ort_save_optimized_model_fn(ort)(options, setup->save_path);
	if (!status && setup->save_weights)
		status = jm_ort_add_session_config_fn(ort)(options,
			"session.optimized_model_external_initializers_file_name",
			setup->save_weights);
	return jm_ort_check(ort, status, reterr, "cannot save the optimised model");
}

/* Tells the runtime the values of the symbols of resolved inputs. */
static int fix_dimensions(const struct jm_ort *ort, struct OrtSessionOptions *session_options,
	const struct jm_onnx_inputs *inputs, struct jm_error *reterr)
{
	int result = 0;

	for (size_t i = 0; i < inputs->n; i++)
		for (size_t j = 0; j < inputs->inputs[i].n_dims && result == 0; j++) {
			const struct jm_onnx_dim *dim = &inputs->inputs[i].dims[j];

			if (dim->symbol[0])
				result = jm_ort_check(ort,
					jm_ort_override_free_dimension_fn(ort)(
						session_options, dim->symbol, dim->value),
					reterr, "cannot fix dimension '%s'", dim->symbol);
		}
	return result;
}

/*
 * At any level the runtime gives each reader of what is dequantised its own
 * node, also a marker: it must leave alone what it has optimised before.
 */
static int add_operators(const struct jm_ort_session_setup *setup,
	struct OrtSessionOptions *options, struct jm_error *reterr)
{
	const struct jm_ort *ort = setup->ort;
	struct OrtStatus *status = jm_ort_add_op_domain_fn(ort)(options, setup->domain);

	if (!status)
		status = jm_ort_add_session_config_fn(ort)(
			options, "session.disable_quant_qdq", "1");
	return jm_ort_check(ort, status, reterr, "cannot add operators");
}

static int build_options(const struct jm_ort_session_setup *setup,
	struct OrtSessionOptions *options, struct jm_error *reterr)
{
	const struct jm_ort *ort = setup->ort;
	struct OrtStatus *status = jm_ort_set_log_severity_fn(ort)(options, SEVERITY_FATAL);
	int result;

	if (!status)
		status = jm_ort_set_optimization_level_fn(ort)(options, setup->level);
	if (!status && setup->profile_prefix)
		status = jm_ort_enable_profiling_fn(ort)(options, setup->profile_prefix);
	result = jm_ort_check(ort, status, reterr, "cannot set the options of ONNX Runtime");
	if (result == 0)
		result = set_threads(setup, options, reterr);
	if (result == 0)
		result = fix_dimensions(ort, options, setup->inputs, reterr);
	if (result == 0)
		result = add_weights(setup, options, reterr);
	if (result == 0)
		result = save_model(setup, options, reterr);
	if (result == 0 && setup->domain)
		result = add_operators(setup, options, reterr);
	if (result == 0 && setup->plugin)
		result = jm_ort_plugin_append(setup->plugin, options, reterr);
	return result;
}

/* ---- Session ------------------------------------------------------------------- */

static int create(struct jm_ort_session *session, const struct jm_ort_session_setup *setup,
	struct jm_error *reterr)
{
	const struct jm_ort *ort = setup->ort;
	const struct jm_model *model = setup->model;
	struct OrtSessionOptions *options = NULL;
	struct OrtStatus *status = jm_ort_create_session_options_fn(ort)(&options);
	int result = jm_ort_check(ort, status, reterr, "cannot create session options");

	if (result < 0)
		return result;
	result = build_options(setup, options, reterr);
	if (setup->plugin)
		setup->plugin->capture = setup->capture;
	if (result == 0) {
		status = model->path ? jm_ort_create_session_fn(ort)(setup->env, model->path,
					       options, &session->session)
				     : jm_ort_create_session_from_array_fn(ort)(setup->env,
					       model->bytes, model->n_bytes, options,
					       &session->session);
		result = jm_ort_check_model(ort, status, reterr, model_name(model));
	}
	if (setup->plugin)
		setup->plugin->capture = NULL;
	jm_ort_release_session_options_fn(ort)(options);
	return result;
}

/* Copies a name that the runtime allocated and frees it. */
static int take_name(const struct jm_ort *ort, struct OrtAllocator *allocator, char *name,
	struct jm_tensor *tensor)
{
	tensor->name = jm_text_duplicate(name);
	jm_ort_ignore(ort, jm_ort_allocator_free_fn(ort)(allocator, name));
	return tensor->name ? 0 : JM_ENOMEM;
}

static int read_end(struct jm_ort_session *session, int output, size_t i,
	struct jm_tensor *tensor, struct jm_error *reterr)
{
	const struct jm_ort *ort = session->ort;
	const struct OrtSession *s = session->session;
	struct OrtAllocator *allocator = NULL;
	struct OrtTypeInfo *type = NULL;
	char *name = NULL;
	struct OrtStatus *status = jm_ort_default_allocator_fn(ort)(&allocator);

	if (!status)
		status = output ? jm_ort_session_output_name_fn(ort)(s, i, allocator, &name)
				: jm_ort_session_input_name_fn(ort)(s, i, allocator, &name);
	if (!status && take_name(ort, allocator, name, tensor) < 0)
		return jm_fail_memory(reterr, "the model's inputs and outputs");
	if (!status)
		status = output ? jm_ort_session_output_type_fn(ort)(s, i, &type)
				: jm_ort_session_input_type_fn(ort)(s, i, &type);
	if (status)
		return jm_ort_check(
			ort, status, reterr, "cannot read the model's inputs and outputs");
	jm_ort_tensor_info_read(ort, type, tensor);
	jm_ort_release_type_info_fn(ort)(type);
	return 0;
}

static int read_ends(struct jm_ort_session *session, struct jm_error *reterr)
{
	const struct jm_ort *ort = session->ort;
	size_t n_in = 0, n_out = 0;
	int result = 0;

	jm_ort_ignore(ort, jm_ort_session_input_count_fn(ort)(session->session, &n_in));
	jm_ort_ignore(ort, jm_ort_session_output_count_fn(ort)(session->session, &n_out));
	session->inputs = calloc(n_in + 1, sizeof(*session->inputs));
	session->outputs = calloc(n_out + 1, sizeof(*session->outputs));
	session->input_names = calloc(n_in + 1, sizeof(*session->input_names));
	session->output_names = calloc(n_out + 1, sizeof(*session->output_names));
	session->input_data = calloc(n_in + 1, sizeof(*session->input_data));
	session->input_values = calloc(n_in + 1, sizeof(*session->input_values));
	session->output_values = calloc(n_out + 1, sizeof(*session->output_values));
	if (!session->inputs || !session->outputs || !session->input_names ||
		!session->output_names || !session->input_data || !session->input_values ||
		!session->output_values)
		return jm_fail_memory(reterr, "the model's inputs and outputs");
	session->n_inputs = n_in;
	session->n_outputs = n_out;
	for (size_t i = 0; i < n_in && result == 0; i++) {
		result = read_end(session, 0, i, &session->inputs[i], reterr);
		session->input_names[i] = session->inputs[i].name;
	}
	for (size_t i = 0; i < n_out && result == 0; i++) {
		result = read_end(session, 1, i, &session->outputs[i], reterr);
		session->output_names[i] = session->outputs[i].name;
	}
	return result;
}

/* ---- Inputs -------------------------------------------------------------------- */

static void resolve_dims(struct jm_tensor *tensor, const struct jm_onnx_inputs *inputs)
{
	for (size_t i = 0; i < inputs->n; i++) {
		const struct jm_onnx_input *input = &inputs->inputs[i];

		if (!input->name || !tensor->name || strcmp(input->name, tensor->name) != 0 ||
			input->n_dims != tensor->n_dims)
			continue;
		for (size_t j = 0; j < tensor->n_dims; j++)
			tensor->dims[j] = input->dims[j].value;
	}
	for (size_t j = 0; j < tensor->n_dims; j++)
		if (tensor->dims[j] < 0)
			tensor->dims[j] = 1;
}

static int fill_input(struct jm_ort_session *session, size_t i, struct OrtMemoryInfo *memory,
	uint64_t *seed, struct jm_error *reterr)
{
	const struct jm_ort *ort = session->ort;
	struct jm_tensor *tensor = &session->inputs[i];
	const struct jm_dtype *dtype = jm_dtype_of_name(tensor->dtype);
	double elements = jm_tensor_elements(tensor);
	size_t bytes;

	if (!dtype || !dtype->size)
		return jm_fail(reterr, JM_EUNSUPPORTED,
			"input '%s' is no tensor of numbers; such a model cannot be measured",
			tensor->name);
	if (elements * (double)dtype->size > (double)(SIZE_MAX / 4))
		return jm_fail(reterr, JM_EINVAL,
			"input '%s' is too large; give a smaller "
			"--input-shape",
			tensor->name);
	bytes = (size_t)elements * dtype->size;
	session->input_data[i] =
		aligned_alloc(DATA_ALIGNMENT, (bytes / DATA_ALIGNMENT + 1) * DATA_ALIGNMENT);
	if (!session->input_data[i])
		return jm_fail_memory(reterr, "the input");
	jm_dtype_fill(dtype, session->input_data[i], (size_t)elements, seed);
	return jm_ort_check(ort,
		jm_ort_create_tensor_fn(ort)(memory, session->input_data[i], bytes,
			tensor->dims, tensor->n_dims, dtype->code, &session->input_values[i]),
		reterr, "cannot make input '%s'", tensor->name);
}

static int fill_inputs(struct jm_ort_session *session, const struct jm_ort_session_setup *setup,
	struct jm_error *reterr)
{
	const struct jm_ort *ort = session->ort;
	struct OrtMemoryInfo *memory = NULL;
	uint64_t seed = setup->seed;
	int result = jm_ort_check(ort, jm_ort_create_cpu_memory_info_fn(ort)(0, 0, &memory),
		reterr, "cannot describe memory");

	jm_onnx_choices_describe(setup->inputs, session->choices, sizeof(session->choices));
	for (size_t i = 0; i < session->n_inputs && result == 0; i++) {
		resolve_dims(&session->inputs[i], setup->inputs);
		result = fill_input(session, i, memory, &seed, reterr);
	}
	if (memory)
		jm_ort_release_memory_info_fn(ort)(memory);
	return result;
}

static int make_traced_options(struct jm_ort_session *session, struct jm_error *reterr)
{
	const struct jm_ort *ort = session->ort;
	struct OrtStatus *status = jm_ort_create_run_options_fn(ort)(&session->traced);

	if (!status)
		status =
			jm_ort_enable_run_profiling_fn(ort)(session->traced, NO_PROFILE_PREFIX);
	if (!status)
		status = jm_ort_set_run_log_severity_fn(ort)(session->traced, SEVERITY_FATAL);
	return jm_ort_check(ort, status, reterr, "cannot turn tracing on");
}

/* ---- Life ---------------------------------------------------------------------- */

int jm_ort_session_open(struct jm_ort_session *session,
	const struct jm_ort_session_setup *setup, struct jm_error *reterr)
{
	int result;

	memset(session, 0, sizeof(*session));
	session->ort = setup->ort;
	result = create(session, setup, reterr);
	if (result == 0)
		result = read_ends(session, reterr);
	if (result == 0)
		result = fill_inputs(session, setup, reterr);
	if (result == 0 && setup->plugin && setup->plugin->callbacks)
		result = make_traced_options(session, reterr);
	if (result < 0)
		jm_ort_session_close(session);
	return result;
}

static void release_values(const struct jm_ort *ort, struct OrtValue **values, size_t n)
{
	for (size_t i = 0; values && i < n; i++) {
		if (values[i])
			jm_ort_release_value_fn(ort)(values[i]);
		values[i] = NULL;
	}
}

void jm_ort_session_close(struct jm_ort_session *session)
{
	const struct jm_ort *ort = session->ort;

	release_values(ort, session->input_values, session->n_inputs);
	release_values(ort, session->output_values, session->n_outputs);
	if (session->traced)
		jm_ort_release_run_options_fn(ort)(session->traced);
	if (session->session)
		jm_ort_release_session_fn(ort)(session->session);
	for (size_t i = 0; session->input_data && i < session->n_inputs; i++)
		free(session->input_data[i]);
	jm_tensors_free(session->inputs, session->n_inputs);
	jm_tensors_free(session->outputs, session->n_outputs);
	free(session->input_names);
	free(session->output_names);
	free(session->input_data);
	free(session->input_values);
	free(session->output_values);
	memset(session, 0, sizeof(*session));
}

static int run(struct jm_ort_session *session, const struct OrtRunOptions *options,
	struct jm_error *reterr)
{
	const struct jm_ort *ort = session->ort;
	struct OrtStatus *status;
	struct jm_error error;
	int result;

	release_values(ort, session->output_values, session->n_outputs);
	status = jm_ort_run_fn(ort)(session->session, options, session->input_names,
		(const struct OrtValue *const *)session->input_values, session->n_inputs,
		session->output_names, session->n_outputs, session->output_values);
	if (!status || !session->choices[0])
		return jm_ort_check(ort, status, reterr, "the network failed");
	/* That the network refuses what we chose for it is not the command line's fault. */
	result = jm_ort_check(ort, status, &error, "the network failed");
	return jm_fail(reterr, result == JM_EINVAL ? JM_EENGINE : (enum jm_code)result,
		"%.*s; %s", ROOM_FOR_CHOICES, error.message, session->choices);
}

int jm_ort_session_run(struct jm_ort_session *session, int traced, struct jm_error *reterr)
{
	int result = run(session, traced ? session->traced : NULL, reterr);

	if (result == 0)
		release_values(session->ort, session->output_values, session->n_outputs);
	return result;
}

int jm_ort_session_answer(struct jm_ort_session *session, struct jm_error *reterr)
{
	return run(session, NULL, reterr);
}
