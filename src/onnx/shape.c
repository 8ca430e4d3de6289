/* SPDX-License-Identifier: Apache-2.0 */
#include "onnx/shape.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/text.h"
#include "onnx/dtype.h"

#define IMAGE_SIDE 224

int64_t jm_onnx_default_dim(const char *symbol)
{
	static const char *const sides[] = {"H", "W", "height", "width"};

	for (size_t i = 0; i < sizeof(sides) / sizeof(sides[0]); i++)
		if (strcasecmp(symbol, sides[i]) == 0)
			return IMAGE_SIDE;
	return 1;
}

void jm_onnx_shape_format(const int64_t *dims, size_t n, char *ret_text, size_t size)
{
	size_t used = 0;

	snprintf(ret_text, size, "scalar");
	for (size_t i = 0; i < n && used < size; i++) {
		int length;

		if (dims[i] < 0)
			length = snprintf(ret_text + used, size - used, "%s?", i ? "x" : "");
		else
			length = snprintf(ret_text + used, size - used, "%s%lld", i ? "x" : "",
				(long long)dims[i]);
		used += length > 0 ? (size_t)length : 0;
	}
}

/* "Nx3xHxW": what the model says about its input. */
static void format_declared(const struct jm_onnx_input *input, char *ret_text, size_t size)
{
	size_t used = 0;

	snprintf(ret_text, size, "scalar");
	for (size_t i = 0; i < input->n_dims && used < size; i++) {
		const struct jm_onnx_dim *dim = &input->dims[i];
		char number[24];
		int length;

		snprintf(number, sizeof(number), "%lld", (long long)dim->value);
		length = snprintf(ret_text + used, size - used, "%s%.16s", i ? "x" : "",
			dim->symbol[0]   ? dim->symbol
			: dim->value < 0 ? "?"
					 : number);
		used += length > 0 ? (size_t)length : 0;
	}
}

static int does_not_fit(const struct jm_onnx_input *input,
	const struct jm_engine_options *options, struct jm_error *reterr)
{
	char wanted[96], declared[128];

	jm_onnx_shape_format(
		options->input_shape, options->n_input_shape, wanted, sizeof(wanted));
	format_declared(input, declared, sizeof(declared));
	return jm_fail(reterr, JM_EINVAL,
		"input shape %s does not fit input '%.64s' of the model, which is %s; leave "
		"out "
		"--input-shape, or give one that fits",
		wanted, input->name ? input->name : "", declared);
}

/* Gives a symbol its value wherever it stands; a second value is an error. */
static int give(struct jm_onnx_inputs *inputs, const char *symbol, int64_t value)
{
	for (size_t i = 0; i < inputs->n; i++)
		for (size_t j = 0; j < inputs->inputs[i].n_dims; j++) {
			struct jm_onnx_dim *dim = &inputs->inputs[i].dims[j];

			if (strcmp(dim->symbol, symbol) != 0)
				continue;
			if (dim->value >= 0 && dim->value != value)
				return -1;
			dim->value = value;
		}
	return 0;
}

static int resolve_given(struct jm_onnx_inputs *inputs, const struct jm_engine_options *options,
	struct jm_error *reterr)
{
	struct jm_onnx_input *input = inputs->inputs;

	if (!options->n_input_shape)
		return 0;
	if (!inputs->n)
		return jm_fail(
			reterr, JM_EINVAL, "the model has no input; leave out --input-shape");
	if (input->n_dims != options->n_input_shape)
		return does_not_fit(input, options, reterr);
	for (size_t i = 0; i < input->n_dims; i++) {
		struct jm_onnx_dim *dim = &input->dims[i];
		int64_t wanted = options->input_shape[i];

		if (wanted < 1)
			return does_not_fit(input, options, reterr);
		if (dim->symbol[0] ? give(inputs, dim->symbol, wanted) < 0
				   : dim->value >= 0 && dim->value != wanted)
			return does_not_fit(input, options, reterr);
		dim->value = wanted;
	}
	return 0;
}

int jm_onnx_shape_resolve(struct jm_onnx_inputs *inputs,
	const struct jm_engine_options *options, struct jm_error *reterr)
{
	int result = resolve_given(inputs, options, reterr);

	for (size_t i = 0; result == 0 && i < inputs->n; i++)
		for (size_t j = 0; j < inputs->inputs[i].n_dims; j++) {
			struct jm_onnx_dim *dim = &inputs->inputs[i].dims[j];

			dim->chosen = dim->value < 0;
			if (dim->chosen)
				dim->value = jm_onnx_default_dim(dim->symbol);
		}
	return result;
}

/* ---- What was chosen ----------------------------------------------------------- */

static void describe_dims(
	const struct jm_onnx_inputs *inputs, size_t i, char *ret_text, size_t size)
{
	const struct jm_onnx_input *input = &inputs->inputs[i];
	size_t n = 0;

	for (size_t j = input->n_dims > 1; j < input->n_dims; j++) {
		const struct jm_onnx_dim *dim = &input->dims[j];

		if (!dim->chosen || dim->value != 1)
			continue;
		if (!n++)
			jm_text_append(ret_text, size, "%sfree dimensions of input '%.40s' (",
				*ret_text ? "; " : "", input->name ? input->name : "");
		if (dim->symbol[0])
			jm_text_append(
				ret_text, size, "%s%.24s", n > 1 ? ", " : "", dim->symbol);
		else
			jm_text_append(ret_text, size, "%s%zu", n > 1 ? ", " : "", j + 1);
	}
	if (n)
		jm_text_append(ret_text, size, ") were taken as 1%s",
			i ? "" : ", --input-shape gives them");
}

void jm_onnx_choices_describe(const struct jm_onnx_inputs *inputs, char *ret_text, size_t size)
{
	ret_text[0] = '\0';
	for (size_t i = 0; i < inputs->n; i++)
		describe_dims(inputs, i, ret_text, size);
	for (size_t i = 0; i < inputs->n; i++) {
		const struct jm_dtype *dtype = jm_dtype_of_code(inputs->inputs[i].dtype);

		if (dtype && jm_dtype_is_index(dtype))
			jm_text_append(ret_text, size,
				"%sthe integers of input '%.40s' are all 0",
				*ret_text ? "; " : "",
				inputs->inputs[i].name ? inputs->inputs[i].name : "");
	}
}
