/* SPDX-License-Identifier: Apache-2.0 */
#include "engines/onnxruntime/naming.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "onnx/shape.h"

#define TOKEN_LENGTH (sizeof(JM_ORT_TOKEN) - 1)
#define CAST "Cast_"
#define CAST_LENGTH (sizeof(CAST) - 1)
#define WALK_MAX 4 /* activations and additions between an output and its node */

/* Operators that are computed along with a convolution or a product. */
static const char *const fusible[] = {"Relu", "Clip", "LeakyRelu", "Sigmoid", "HardSigmoid",
	"HardSwish", "Tanh", "Elu", "Softplus", "QuickGelu", "Add", "Sum",
	"BatchNormalization"};

static int is_fusible(const char *op)
{
	for (size_t i = 0; i < sizeof(fusible) / sizeof(fusible[0]); i++)
		if (strcmp(fusible[i], op) == 0)
			return 1;
	return 0;
}

/* Operators that others are computed along with. */
static int can_fuse(const char *op)
{
	return jm_text_ends_with(op, "Conv") || jm_text_ends_with(op, "Gemm") ||
	       jm_text_ends_with(op, "MatMul") || strcmp(op, "BatchNormalization") == 0;
}

/* "FusedConv" and "QLinearConv" are of the kind "Conv", "MatMulNBits" is a "MatMul". */
static int is_same_kind(const char *executed, const char *op)
{
	static const char *const quantised[] = {"NBits", "BnB4", "Integer", "IntegerToFloat"};

	if (jm_text_ends_with(executed, op))
		return 1;
	for (size_t i = 0; i < sizeof(quantised) / sizeof(quantised[0]); i++)
		if (jm_text_starts_with(executed, op) &&
			strcmp(executed + strlen(op), quantised[i]) == 0)
			return 1;
	return 0;
}

/* ---- Names ----------------------------------------------------------------------- */

static int cut_ending(char *text, const char *ending)
{
	if (!jm_text_ends_with(text, ending) || strlen(text) == strlen(ending))
		return 0;
	text[strlen(text) - strlen(ending)] = '\0';
	return 1;
}

/* "_token_12" */
static int cut_token(char *text)
{
	size_t n = strlen(text);

	while (n && isdigit((unsigned char)text[n - 1]))
		n--;
	if (!text[n] || n <= TOKEN_LENGTH ||
		strncmp(text + n - TOKEN_LENGTH, JM_ORT_TOKEN, TOKEN_LENGTH) != 0)
		return 0;
	text[n - TOKEN_LENGTH] = '\0';
	return 1;
}

/* "/MatMulAddFusion", "/LayerNormFusion/" */
static int cut_fusion(char *text)
{
	size_t n = strlen(text);
	char *slash;

	if (n && text[n - 1] == '/')
		n--;
	if (n < 7 || strncmp(text + n - 6, "Fusion", 6) != 0)
		return 0;
	text[n] = '\0';
	slash = strrchr(text, '/');
	if (!slash || slash == text)
		return 0;
	*slash = '\0';
	return 1;
}

/* "fused fc1" */
static int cut_fused(char *text)
{
	static const char start[] = "fused ";

	if (!jm_text_starts_with(text, start))
		return 0;
	memmove(text, text + sizeof(start) - 1, strlen(text) - sizeof(start) + 2);
	return 1;
}

/*
 * "InsertedPrecisionFreeCast_x", "InsertedCast_x": the runtime has no kernel for this
 * type, and computes in another one. Length of what stands before "Cast_x"; 0: no cast.
 */
static size_t cast_prefix(const char *text)
{
	static const char *const starts[] = {"InsertedPrecisionFree", "Inserted"};

	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		size_t length = strlen(starts[i]);

		if (strncmp(text, starts[i], length) == 0 &&
			jm_text_starts_with(text + length, CAST))
			return length;
	}
	return 0;
}

/* The tensor that was cast has its name behind that. */
static int cut_cast(char *text)
{
	size_t length = cast_prefix(text);

	if (!length || !text[length + CAST_LENGTH])
		return 0;
	length += CAST_LENGTH;
	memmove(text, text + length, strlen(text) - length + 1);
	return 1;
}

int jm_ort_is_inserted_cast(const struct jm_ort_step *step)
{
	return cast_prefix(step->event) != 0 && strcmp(step->op, "Cast") == 0;
}

static size_t find_node(const struct jm_ort_capture *capture, const char *name)
{
	for (size_t i = 0; i < capture->n; i++)
		if (strcmp(capture->nodes[i].name, name) == 0)
			return i;
	return JM_ORT_NO_NODE;
}

size_t jm_ort_producer_find(const struct jm_ort_capture *capture, const char *tensor)
{
	for (size_t i = 0; i < capture->n && *tensor; i++)
		for (size_t j = 0; j < capture->nodes[i].n_outputs; j++)
			if (strcmp(capture->nodes[i].outputs[j].tensor.name, tensor) == 0)
				return i;
	return JM_ORT_NO_NODE;
}

/* ---- From the output back to the node ----------------------------------------------- */

/* The nearest node of the kind that executes, through what can be fused. */
static size_t walk_back(const struct jm_ort_capture *capture, size_t node, const char *executed,
	unsigned steps_left)
{
	const struct jm_ort_node *at = &capture->nodes[node];

	if (is_same_kind(executed, at->op))
		return node;
	if (!steps_left || !is_fusible(at->op))
		return JM_ORT_NO_NODE;
	for (size_t i = 0; i < at->n_inputs; i++) {
		size_t producer, found;

		if (at->inputs[i].constant)
			continue;
		producer = jm_ort_producer_find(capture, at->inputs[i].tensor.name);
		if (producer == JM_ORT_NO_NODE)
			continue;
		found = walk_back(capture, producer, executed, steps_left - 1);
		if (found != JM_ORT_NO_NODE)
			return found;
	}
	return JM_ORT_NO_NODE;
}

/* A batch normalisation that runs as a convolution is named so. */
static void find_normalisation(
	const struct jm_ort_capture *capture, char *text, struct jm_ort_origin *origin)
{
	if (!cut_ending(text, "_bn"))
		return;
	origin->node = jm_ort_producer_find(capture, text);
	origin->same_kind = origin->node != JM_ORT_NO_NODE;
}

/* Tries the name, then the name without one more ending, and so on. */
static void try_name(const struct jm_ort_capture *capture, const char *executed, char *text,
	struct jm_ort_origin *origin)
{
	int layout = 0;

	while (*text) {
		origin->node = find_node(capture, text);
		if (origin->node == JM_ORT_NO_NODE && layout) {
			size_t producer = jm_ort_producer_find(capture, text);

			if (producer != JM_ORT_NO_NODE)
				origin->node = walk_back(capture, producer, executed, WALK_MAX);
			else
				find_normalisation(capture, text, origin);
		}
		if (origin->node != JM_ORT_NO_NODE)
			return;
		if (cut_ending(text, "_nchwc") || cut_ending(text, "_nhwc"))
			layout = 1; /* named after the output, not the node */
		else if (!(layout && cut_cast(text)) && !cut_token(text) && !cut_fusion(text) &&
			 !cut_fused(text))
			return;
	}
}

/* Runtimes from 1.31 on escape quotes and backslashes. 1: there were some. */
static int unescape(char *text)
{
	char *to = text;
	int changed = 0;

	for (const char *from = text; *from; from++) {
		if (*from == '\\' && (from[1] == '"' || from[1] == '\\')) {
			from++;
			changed = 1;
		}
		*to++ = *from;
	}
	*to = '\0';
	return changed;
}

static void find_origin(const struct jm_ort_capture *capture, const struct jm_ort_step *step,
	struct jm_ort_origin *origin)
{
	size_t length = jm_ort_event_name_length(step->event);
	char *text = strndup(step->event, length);

	if (text)
		try_name(capture, step->op, text, origin);
	free(text);
	text = strndup(step->event, length);
	if (text && origin->node == JM_ORT_NO_NODE && unescape(text))
		try_name(capture, step->op, text, origin);
	free(text);
	if (origin->node != JM_ORT_NO_NODE)
		origin->same_kind |= is_same_kind(step->op, capture->nodes[origin->node].op);
}

/* ---- What was fused ------------------------------------------------------------------ */

/* The only node that reads a tensor; none when there are several. */
static size_t find_only_consumer(const struct jm_ort_capture *capture, const char *tensor)
{
	size_t found = JM_ORT_NO_NODE;

	for (size_t i = 0; i < capture->n && *tensor; i++)
		for (size_t j = 0; j < capture->nodes[i].n_inputs; j++) {
			if (strcmp(capture->nodes[i].inputs[j].tensor.name, tensor) != 0)
				continue;
			if (found != JM_ORT_NO_NODE)
				return JM_ORT_NO_NODE;
			found = i;
		}
	return found;
}

/* `taken` has one byte per captured node: it executes, or is fused already. */
static void find_fused(const struct jm_ort_capture *capture, struct jm_ort_origin *origin,
	unsigned char *taken)
{
	size_t node = origin->node;

	while (origin->n_fused < JM_ORT_FUSED_MAX && capture->nodes[node].n_outputs) {
		node = find_only_consumer(capture, capture->nodes[node].outputs[0].tensor.name);
		if (node == JM_ORT_NO_NODE || taken[node] ||
			!is_fusible(capture->nodes[node].op))
			return;
		taken[node] = 1;
		origin->fused[origin->n_fused++] = node;
	}
}

void jm_ort_origins_find(const struct jm_ort_steps *steps, const struct jm_ort_capture *capture,
	struct jm_ort_origin *ret_origins)
{
	unsigned char *taken = calloc(capture->n + 1, 1);

	for (size_t i = 0; i < steps->n; i++) {
		struct jm_ort_origin *origin = &ret_origins[i];

		memset(origin, 0, sizeof(*origin));
		origin->node = JM_ORT_NO_NODE;
		find_origin(capture, &steps->steps[i], origin);
		if (taken && origin->node != JM_ORT_NO_NODE)
			taken[origin->node] = 1;
	}
	/* Of two that an addition joins, the later one computes it. */
	for (size_t i = steps->n; taken && i-- > 0;)
		if (ret_origins[i].same_kind &&
			can_fuse(capture->nodes[ret_origins[i].node].op))
			find_fused(capture, &ret_origins[i], taken);
	free(taken);
}

static char *inserted_name(const struct jm_ort_step *step, size_t length)
{
	const char *token = strstr(step->event, JM_ORT_TOKEN);
	const char *event = step->event + cast_prefix(step->event); /* "Cast_x" tells as much */
	char shape[96], *text;
	size_t room;

	if (token && (size_t)(token - step->event) < length)
		length = (size_t)(token - step->event);
	length -= (size_t)(event - step->event);
	if (!step->n_inputs)
		return strndup(event, length);
	jm_onnx_shape_format(
		step->inputs[0].dims, step->inputs[0].n_dims, shape, sizeof(shape));
	room = length + strlen(shape) + 3;
	text = malloc(room);
	if (text)
		snprintf(text, room, "%.*s[%s]", (int)length, event, shape);
	return text;
}

char *jm_ort_origin_name(const struct jm_ort_step *step, const struct jm_ort_capture *capture,
	const struct jm_ort_origin *origin)
{
	size_t length = jm_ort_event_name_length(step->event);
	int numbered = strstr(step->event, JM_ORT_TOKEN) != NULL, found;
	char *text;

	/* A number is also added to a node of the model that was changed. */
	found = origin->node != JM_ORT_NO_NODE &&
		(!numbered || (origin->same_kind && !strstr(capture->nodes[origin->node].name,
							    JM_ORT_TOKEN)));
	if (found)
		text = jm_text_duplicate(capture->nodes[origin->node].name);
	else if (capture->n || numbered)
		return inserted_name(step, length);
	else
		text = strndup(step->event, length);
	while (text && cut_fusion(text))
		;
	return text;
}
