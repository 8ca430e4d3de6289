/* SPDX-License-Identifier: Apache-2.0 */
#include "engines/onnxruntime/markers/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "engines/onnxruntime/markers/places.h"
#include "engines/onnxruntime/markers/write.h"
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

/* The model says that it is a sequence, or an optional. */
static int is_not_tensor(const struct jm_ort_saved_value *value)
{
	return value->type.size && !value->dtype;
}

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
		if (dtype && !is_not_tensor(&saved->values[values[i]])) {
			saved->values[values[i]].dtype = dtype->code;
			saved->values[values[i]].seen = &tensors[next];
		}
		next++;
	}
}

/*
 * An optional that holds a tensor looks like one when it runs, but nothing that
 * takes a tensor may read it. So whatever handles optionals tells of its ends.
 */
static void forget_optionals(struct jm_ort_saved *saved, const struct jm_ort_saved_node *node)
{
	static const char prefix[] = "Optional";
	int is_made = is_piece(node->op, prefix, sizeof(prefix) - 1);
	int is_read = !is_made && node->op.size >= sizeof(prefix) &&
		      memcmp(node->op.data, prefix, sizeof(prefix) - 1) == 0;
	int is_kept = is_piece(node->op, "Identity", 8) && node->n_inputs == 1 &&
		      node->inputs[0] != JM_ORT_NO_VALUE &&
		      !saved->values[node->inputs[0]].dtype;

	for (size_t i = 0; i < node->n_inputs && is_read; i++)
		if (node->inputs[i] != JM_ORT_NO_VALUE)
			saved->values[node->inputs[i]].dtype = 0;
	for (size_t i = 0; i < node->n_outputs && (is_made || is_kept); i++)
		if (node->outputs[i] != JM_ORT_NO_VALUE)
			saved->values[node->outputs[i]].dtype = 0;
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
	for (size_t i = 0; i < steps->n; i++)
		forget_optionals(saved, &saved->nodes[order[i]]);
}

/* ---- All --------------------------------------------------------------------------- */

size_t jm_ort_plan_count_before(const struct jm_ort_plan *plan, size_t place)
{
	size_t n = 0;

	for (size_t i = 0; i < place; i++)
		n += (size_t)jm_ort_plan_is_marked(plan, i) + (size_t)(i == plan->twin);
	return n;
}

static int is_ours(struct jm_ort_piece name)
{
	return name.size >= sizeof(JM_ORT_MARKER_PREFIX) - 1 &&
	       memcmp(name.data, JM_ORT_MARKER_PREFIX, sizeof(JM_ORT_MARKER_PREFIX) - 1) == 0;
}

static int check_names(const struct jm_ort_saved *saved, struct jm_error *reterr)
{
	int is_taken = 0;

	for (size_t i = 0; i < saved->n_values; i++)
		is_taken |= is_ours(saved->values[i].name);
	for (size_t i = 0; i < saved->n_nodes; i++)
		is_taken |= is_ours(saved->nodes[i].name);
	return is_taken ? jm_fail(reterr, JM_EUNSUPPORTED,
				  "the model has names that begin with '" JM_ORT_MARKER_PREFIX
				  "', as those of markers do")
			: 0;
}

/* Which node each step is. */
static int match(struct jm_ort_plan *plan, const struct jm_ort_saved *saved,
	const struct jm_ort_steps *steps, struct jm_error *reterr)
{
	struct matching matching = {.saved = saved,
		.is_done = calloc(saved->n_nodes + 1, 1),
		.is_available = calloc(saved->n_values + 1, 1)};
	int result = 0;

	if (!matching.is_done || !matching.is_available)
		result = jm_fail_memory(reterr, "the markers");
	else if (!steps->n || find_order(&matching, steps, plan->order) < 0)
		result = jm_fail(reterr, JM_ENOTFOUND,
			"the %zu nodes of the optimised model are not the %zu that ran",
			saved->n_nodes, steps->n);
	free(matching.is_done);
	free(matching.is_available);
	return result;
}

int jm_ort_plan_make(struct jm_ort_plan *ret_plan, struct jm_ort_saved *saved,
	struct jm_ort_steps *steps, struct jm_error *reterr)
{
	int result = check_names(saved, reterr);

	memset(ret_plan, 0, sizeof(*ret_plan));
	if (result < 0)
		return result;
	ret_plan->n = steps->n;
	ret_plan->order = calloc(steps->n + 1, sizeof(*ret_plan->order));
	ret_plan->reads = calloc(steps->n + 1, sizeof(*ret_plan->reads));
	ret_plan->is_leaf = calloc(steps->n + 1, 1);
	if (!ret_plan->order || !ret_plan->reads || !ret_plan->is_leaf)
		result = jm_fail_memory(reterr, "the markers");
	if (result == 0)
		result = match(ret_plan, saved, steps, reterr);
	if (result == 0)
		learn_all_types(saved, steps, ret_plan->order);
	if (result == 0 && jm_ort_places_choose(ret_plan, saved, steps) < 0)
		result = jm_fail_memory(reterr, "the markers");
	if (result < 0)
		jm_ort_plan_release(ret_plan);
	return result;
}

void jm_ort_plan_release(struct jm_ort_plan *plan)
{
	free(plan->order);
	free(plan->reads);
	free(plan->is_leaf);
	memset(plan, 0, sizeof(*plan));
}
