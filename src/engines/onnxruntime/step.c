/* SPDX-License-Identifier: Apache-2.0 */
#include "engines/onnxruntime/step.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "data/graph.h"
#include "onnx/dtype.h"

#define EVENT_SUFFIX "_kernel_time"

size_t jm_ort_event_name_length(const char *event)
{
	size_t n = strlen(event), tail = strlen(EVENT_SUFFIX);

	return n > tail && strcmp(event + n - tail, EVENT_SUFFIX) == 0 ? n - tail : n;
}

/* Length of the name without the number that makes it unique. */
static size_t stem_length(const char *event)
{
	const char *token = strstr(event, JM_ORT_TOKEN);

	return token ? (size_t)(token - event) : jm_ort_event_name_length(event);
}

static int is_alike(const struct jm_ort_step *a, const struct jm_ort_step *b)
{
	size_t n = stem_length(a->event);

	if (n != stem_length(b->event) || memcmp(a->event, b->event, n) != 0 ||
		strcmp(a->op, b->op) != 0 || a->n_inputs != b->n_inputs)
		return 0;
	for (size_t i = 0; i < a->n_inputs; i++) {
		const struct jm_tensor *left = &a->inputs[i], *right = &b->inputs[i];

		if (left->n_dims != right->n_dims ||
			memcmp(left->dims, right->dims, left->n_dims * sizeof(left->dims[0])) !=
				0)
			return 0;
	}
	return 1;
}

int jm_ort_steps_match(const struct jm_ort_steps *steps, const struct jm_ort_steps *reference,
	size_t *ret_found)
{
	unsigned char *taken;
	int result = 0;

	if (steps->n != reference->n)
		return JM_ENOTFOUND;
	taken = calloc(reference->n + 1, 1);
	if (!taken)
		return JM_ENOMEM;
	for (size_t i = 0; i < steps->n && result == 0; i++) {
		size_t at = 0;

		while (at < reference->n &&
			(taken[at] || !is_alike(&steps->steps[i], &reference->steps[at])))
			at++;
		if (at == reference->n)
			result = JM_ENOTFOUND;
		else
			taken[at] = 1;
		ret_found[i] = at;
	}
	free(taken);
	return result;
}

static void read_tensor(const json_t *object, struct jm_tensor *ret_tensor)
{
	const char *type;
	json_t *dims;

	ret_tensor->dtype = "";
	json_object_foreach((json_t *)(uintptr_t)object, type, dims)
	{
		const struct jm_dtype *dtype = jm_dtype_of_name(type);

		if (dtype)
			ret_tensor->dtype = dtype->name;
		ret_tensor->n_dims = json_array_size(dims);
		if (ret_tensor->n_dims > JM_DIMS_MAX)
			ret_tensor->n_dims = JM_DIMS_MAX;
		for (size_t i = 0; i < ret_tensor->n_dims; i++)
			ret_tensor->dims[i] = json_integer_value(json_array_get(dims, i));
		return;
	}
}

/* [{"float":[1,3,224,224]},{"float":[32]}]. A text that is none gives none. */
static int read_shapes(const char *text, struct jm_tensor **ret_tensors, size_t *ret_n)
{
	json_t *array = text ? json_loads(text, 0, NULL) : NULL;
	size_t n = json_array_size(array);
	int result = 0;

	*ret_tensors = calloc(n ? n : 1, sizeof(**ret_tensors));
	if (!*ret_tensors)
		result = JM_ENOMEM;
	for (size_t i = 0; i < n && result == 0; i++) {
		struct jm_tensor tensor = {0};

		read_tensor(json_array_get(array, i), &tensor);
		result = jm_tensor_copy(&(*ret_tensors)[i], &tensor);
		*ret_n = i + 1;
	}
	json_decref(array);
	return result;
}

static double read_bytes(const char *text)
{
	double value;

	if (!text || !jm_text_scan_double(text, strlen(text), &value))
		return (double)NAN;
	return value;
}

static void release_step(struct jm_ort_step *step)
{
	free(step->event);
	free(step->op);
	jm_tensors_free(step->inputs, step->n_inputs);
	jm_tensors_free(step->outputs, step->n_outputs);
	memset(step, 0, sizeof(*step));
}

static int grow(struct jm_ort_steps *steps)
{
	size_t capacity = steps->capacity ? steps->capacity * 2 : 64;
	struct jm_ort_step *grown;

	if (steps->n < steps->capacity)
		return 0;
	grown = realloc(steps->steps, capacity * sizeof(*grown));
	if (!grown)
		return JM_ENOMEM;
	steps->steps = grown;
	steps->capacity = capacity;
	return 0;
}

int jm_ort_steps_append(
	struct jm_ort_steps *steps, const struct jm_ort_step_texts *texts, unsigned depth)
{
	struct jm_ort_step step = {.depth = depth};

	step.event = jm_text_duplicate(texts->event);
	step.op = jm_text_duplicate(texts->op);
	step.activation_bytes = read_bytes(texts->activation);
	step.parameter_bytes = read_bytes(texts->parameter);
	step.output_bytes = read_bytes(texts->output);
	if (!step.event || !step.op || grow(steps) < 0 ||
		read_shapes(texts->input_shapes, &step.inputs, &step.n_inputs) < 0 ||
		read_shapes(texts->output_shapes, &step.outputs, &step.n_outputs) < 0) {
		release_step(&step);
		return JM_ENOMEM;
	}
	steps->steps[steps->n++] = step;
	return 0;
}

void jm_ort_steps_keep_outermost(struct jm_ort_steps *steps)
{
	unsigned outermost = ~0u;
	size_t kept = 0, nested = 0;

	for (size_t i = 0; i < steps->n; i++)
		if (steps->steps[i].depth < outermost)
			outermost = steps->steps[i].depth;
	for (size_t i = 0; i < steps->n; i++) {
		if (steps->steps[i].depth != outermost) {
			release_step(&steps->steps[i]);
			nested++;
			continue;
		}
		steps->steps[kept] = steps->steps[i];
		steps->steps[kept++].n_nested = nested;
		nested = 0;
	}
	steps->n = kept;
}

void jm_ort_steps_release(struct jm_ort_steps *steps)
{
	for (size_t i = 0; i < steps->n; i++)
		release_step(&steps->steps[i]);
	free(steps->steps);
	memset(steps, 0, sizeof(*steps));
}
