/* SPDX-License-Identifier: Apache-2.0 */
#include "engines/onnxruntime/markers/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "onnx/dtype.h"

/* ---- Which node each step is ------------------------------------------------------- */

struct matching {
	const struct jm_ort_saved *saved;
	unsigned char *is_done;      /* [n_nodes] */
	unsigned char *is_available; /* [n_values]: constant, fed, or computed by now */
	size_t first;                /* all nodes before are done */
};

static int is_piece(struct jm_ort_piece piece, const char *text, size_t length)
{
	return piece.size == length && (!length || memcmp(piece.data, text, length) == 0);
}

/* Runtimes from 1.31 on report quotes and backslashes behind a backslash. */
static int is_escaped(struct jm_ort_piece piece, const char *text, size_t length)
{
	size_t at = 0;

	for (size_t i = 0; i < length; i++, at++) {
		if (text[i] == '\\' && i + 1 < length &&
			(text[i + 1] == '"' || text[i + 1] == '\\'))
			i++;
		if (at == piece.size || piece.data[at] != text[i])
			return 0;
	}
	return at == piece.size;
}

/* A node without a name is reported by its operator. */
static int is_called(const struct jm_ort_saved_node *node, const struct jm_ort_step *step)
{
	size_t length = jm_ort_event_name_length(step->event);

	if (!is_piece(node->op, step->op, strlen(step->op)))
		return 0;
	return !node->name.size || is_piece(node->name, step->event, length) ||
	       is_escaped(node->name, step->event, length);
}

static int can_run(const struct matching *matching, const struct jm_ort_saved_node *node)
{
	for (size_t i = 0; i < node->n_inputs; i++)
		if (node->inputs[i] != JM_ORT_NO_VALUE &&
			!matching->is_available[node->inputs[i]])
			return 0;
	return 1;
}

static void run_node(struct matching *matching, size_t at)
{
	const struct jm_ort_saved_node *node = &matching->saved->nodes[at];

	matching->is_done[at] = 1;
	for (size_t i = 0; i < node->n_outputs; i++)
		if (node->outputs[i] != JM_ORT_NO_VALUE)
			matching->is_available[node->outputs[i]] = 1;
	while (matching->first < matching->saved->n_nodes && matching->is_done[matching->first])
		matching->first++;
}

/* Whatever no node writes is there from the start. */
static void begin(struct matching *matching)
{
	const struct jm_ort_saved *saved = matching->saved;

	memset(matching->is_available, 1, saved->n_values);
	for (size_t i = 0; i < saved->n_nodes; i++)
		for (size_t j = 0; j < saved->nodes[i].n_outputs; j++)
			if (saved->nodes[i].outputs[j] != JM_ORT_NO_VALUE)
				matching->is_available[saved->nodes[i].outputs[j]] = 0;
}

static int find_order(
	struct matching *matching, const struct jm_ort_steps *steps, size_t *ret_order)
{
	const struct jm_ort_saved *saved = matching->saved;

	if (steps->n != saved->n_nodes)
		return JM_ENOTFOUND;
	begin(matching);
	for (size_t i = 0; i < steps->n; i++) {
		size_t at = matching->first;

		while (at < saved->n_nodes &&
			(matching->is_done[at] ||
				!is_called(&saved->nodes[at], &steps->steps[i]) ||
				!can_run(matching, &saved->nodes[at])))
			at++;
		if (at == saved->n_nodes)
			return JM_ENOTFOUND;
		run_node(matching, at);
		ret_order[i] = at;
	}
	return 0;
}

/* ---- What values are --------------------------------------------------------------- */

/*
 * A saved model tells no types but those of its own inputs and outputs; what
 * ran does, for tensors only. So a list is clear when all on it are tensors.
 */
static void learn_types(struct jm_ort_saved *saved, const uint32_t *values, size_t n,
	const struct jm_tensor *tensors, size_t n_tensors)
{
	size_t n_present = 0, next = 0;

	for (size_t i = 0; i < n; i++)
		n_present += values[i] != JM_ORT_NO_VALUE;
	for (size_t i = 0; i < n && n_present == n_tensors; i++) {
		const struct jm_dtype *dtype;

		if (values[i] == JM_ORT_NO_VALUE)
			continue;
		dtype = jm_dtype_of_name(tensors[next].dtype);
		if (dtype && !saved->values[values[i]].seen) {
			saved->values[values[i]].dtype = dtype->code;
			saved->values[values[i]].seen = &tensors[next];
		}
		next++;
	}
}

static void learn_all_types(
	struct jm_ort_saved *saved, const struct jm_ort_steps *steps, const size_t *order)
{
	for (size_t i = 0; i < steps->n; i++) {
		const struct jm_ort_saved_node *node = &saved->nodes[order[i]];
		const struct jm_ort_step *step = &steps->steps[i];

		learn_types(
			saved, node->outputs, node->n_outputs, step->outputs, step->n_outputs);
		learn_types(saved, node->inputs, node->n_inputs, step->inputs, step->n_inputs);
	}
}

/* ---- Where a marker can stand ------------------------------------------------------ */

static int is_tensor(const struct jm_ort_saved *saved, uint32_t value)
{
	return value != JM_ORT_NO_VALUE && saved->values[value].dtype != 0;
}

/* Strings cannot be copied byte by byte, and constants must stay constants. */
static int can_hand_on(const struct jm_ort_saved *saved, uint32_t value)
{
	const struct jm_dtype *dtype;

	if (!is_tensor(saved, value) || saved->values[value].is_constant)
		return 0;
	dtype = jm_dtype_of_code(saved->values[value].dtype);
	return dtype && dtype->size;
}

static int writes(const struct jm_ort_saved_node *node, uint32_t value)
{
	for (size_t i = 0; i < node->n_outputs; i++)
		if (node->outputs[i] == value)
			return 1;
	return 0;
}

/* What a marker hands on to `next`: best what `last` (or NULL) wrote. */
static uint32_t choose_through(const struct jm_ort_saved *saved,
	const struct jm_ort_saved_node *last, const struct jm_ort_saved_node *next)
{
	uint32_t chosen = JM_ORT_NO_VALUE;

	for (size_t i = 0; i < next->n_inputs; i++) {
		if (!can_hand_on(saved, next->inputs[i]))
			continue;
		if (last && writes(last, next->inputs[i]))
			return next->inputs[i];
		if (chosen == JM_ORT_NO_VALUE)
			chosen = next->inputs[i];
	}
	return chosen;
}

static uint32_t choose_after(
	const struct jm_ort_saved *saved, const struct jm_ort_saved_node *last)
{
	for (size_t i = 0; i < last->n_outputs; i++)
		if (is_tensor(saved, last->outputs[i]))
			return last->outputs[i];
	return JM_ORT_NO_VALUE;
}

/* `last` NULL: at the start; `next` NULL: at the end. */
static struct jm_ort_mark make_mark(const struct jm_ort_saved *saved,
	const struct jm_ort_saved_node *last, const struct jm_ort_saved_node *next)
{
	struct jm_ort_mark mark = {0, JM_ORT_NO_VALUE, JM_ORT_NO_VALUE};

	if (next)
		mark.through = choose_through(saved, last, next);
	if (last && (mark.through == JM_ORT_NO_VALUE || !writes(last, mark.through)))
		mark.after = choose_after(saved, last);
	mark.is_set = (!next || mark.through != JM_ORT_NO_VALUE) &&
		      (!last || mark.after != JM_ORT_NO_VALUE ||
			      (mark.through != JM_ORT_NO_VALUE && writes(last, mark.through)));
	return mark;
}

/* The mark next to the middle that only hands on, as nearly all do. */
static size_t choose_twin(const struct jm_ort_plan *plan)
{
	size_t middle = plan->n / 2;

	for (size_t i = 0; i < plan->n; i++) {
		size_t at = (middle + i) % plan->n;
		const struct jm_ort_mark *mark = &plan->marks[at];

		if (mark->is_set && mark->after == JM_ORT_NO_VALUE)
			return at;
	}
	return JM_ORT_NO_TWIN;
}

int jm_ort_plan_make(struct jm_ort_plan *ret_plan, struct jm_ort_saved *saved,
	const struct jm_ort_steps *steps, struct jm_error *reterr)
{
	struct matching matching = {.saved = saved};
	int result = 0;

	memset(ret_plan, 0, sizeof(*ret_plan));
	matching.is_done = calloc(saved->n_nodes + 1, 1);
	matching.is_available = calloc(saved->n_values + 1, 1);
	ret_plan->order = calloc(steps->n + 1, sizeof(*ret_plan->order));
	ret_plan->marks = calloc(steps->n + 1, sizeof(*ret_plan->marks));
	ret_plan->n = steps->n;
	if (!matching.is_done || !matching.is_available || !ret_plan->order || !ret_plan->marks)
		result = jm_fail_memory(reterr, "the markers");
	else if (find_order(&matching, steps, ret_plan->order) < 0)
		result = jm_fail(reterr, JM_ENOTFOUND,
			"the %zu nodes of the optimised model are not the %zu that ran",
			saved->n_nodes, steps->n);
	if (result == 0)
		learn_all_types(saved, steps, ret_plan->order);
	for (size_t i = 0; i <= steps->n && result == 0; i++) {
		const size_t *order = ret_plan->order;

		ret_plan->marks[i] = make_mark(saved, i ? &saved->nodes[order[i - 1]] : NULL,
			i < steps->n ? &saved->nodes[order[i]] : NULL);
		ret_plan->n_marks += (size_t)ret_plan->marks[i].is_set;
	}
	ret_plan->twin = result == 0 ? choose_twin(ret_plan) : JM_ORT_NO_TWIN;
	ret_plan->n_markers = ret_plan->n_marks + (ret_plan->twin != JM_ORT_NO_TWIN);
	free(matching.is_done);
	free(matching.is_available);
	if (result < 0)
		jm_ort_plan_release(ret_plan);
	return result;
}

static int dtype_of(const struct jm_ort_saved *saved, uint32_t value)
{
	return value == JM_ORT_NO_VALUE ? 0 : saved->values[value].dtype;
}

struct jm_ort_marker_kind jm_ort_mark_kind(
	const struct jm_ort_saved *saved, const struct jm_ort_mark *mark)
{
	return (struct jm_ort_marker_kind){
		dtype_of(saved, mark->through), dtype_of(saved, mark->after)};
}

void jm_ort_plan_release(struct jm_ort_plan *plan)
{
	free(plan->order);
	free(plan->marks);
	memset(plan, 0, sizeof(*plan));
}
