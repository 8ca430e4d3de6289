/* SPDX-License-Identifier: Apache-2.0 */
#include "engines/onnxruntime/markers/places.h"

#include <stdlib.h>
#include <string.h>

/* ---- Where markers stand ----------------------------------------------------------- */

static const struct jm_ort_saved_node *node_of(
	const struct jm_ort_plan *plan, const struct jm_ort_saved *saved, size_t step)
{
	return &saved->nodes[plan->order[step]];
}

/* A tensor among values, best one that is computed. */
static uint32_t choose(const struct jm_ort_saved *saved, const uint32_t *values, size_t n)
{
	uint32_t chosen = JM_ORT_NO_VALUE;

	for (size_t i = 0; i < n; i++) {
		if (values[i] == JM_ORT_NO_VALUE || !saved->values[values[i]].dtype)
			continue;
		if (!saved->values[values[i]].is_constant)
			return values[i];
		chosen = values[i];
	}
	return chosen;
}

/* A twin stands nearest to the middle. */
static size_t choose_twin(const struct jm_ort_plan *plan)
{
	for (size_t i = 0; i <= plan->n; i++) {
		size_t place = (plan->n / 2 + 1 + i) % (plan->n + 1);

		if (jm_ort_plan_is_marked(plan, place))
			return place;
	}
	return JM_ORT_NO_TWIN;
}

static void place_markers(struct jm_ort_plan *plan, const struct jm_ort_saved *saved)
{
	const struct jm_ort_saved_node *node = node_of(plan, saved, 0);

	plan->n_marks = 0;
	/* Before the first step is only what is there from the start. */
	plan->reads[0] = choose(saved, node->inputs, node->n_inputs);
	for (size_t i = 0; i < plan->n; i++) {
		node = node_of(plan, saved, i);
		plan->reads[i + 1] = choose(saved, node->outputs, node->n_outputs);
	}
	for (size_t i = 0; i <= plan->n; i++)
		plan->n_marks += (size_t)jm_ort_plan_is_marked(plan, i);
	plan->twin = choose_twin(plan);
	plan->n_markers = plan->n_marks + (plan->twin != JM_ORT_NO_TWIN);
}

/* ---- Steps that no marker holds ---------------------------------------------------- */

/*
 * With whom each step runs: itself, or the first that needs it. Steps that need
 * it come behind it, so that from the last to the first theirs is known.
 */
static void find_owners(struct jm_ort_plan *plan, const struct jm_ort_saved *saved,
	size_t *owners, size_t *readers)
{
	for (size_t i = 0; i < saved->n_values; i++)
		readers[i] = plan->n;
	for (size_t i = plan->n; i-- > 0;) {
		const struct jm_ort_saved_node *node = node_of(plan, saved, i);
		size_t owner = plan->n;

		for (size_t j = 0; j < node->n_outputs; j++)
			if (node->outputs[j] != JM_ORT_NO_VALUE &&
				readers[node->outputs[j]] < owner)
				owner = readers[node->outputs[j]];
		plan->is_leaf[i] = !jm_ort_plan_is_marked(plan, i + 1) && owner == plan->n;
		owners[i] = jm_ort_plan_is_marked(plan, i + 1) || owner == plan->n ? i : owner;
		for (size_t j = 0; j < node->n_inputs; j++)
			if (node->inputs[j] != JM_ORT_NO_VALUE &&
				owners[i] < readers[node->inputs[j]])
				readers[node->inputs[j]] = owners[i];
	}
}

/* Where a step stands now, and with whom it will run. */
struct turn {
	size_t owner, step;
};

static int by_owner(const void *a, const void *b)
{
	const struct turn *left = a, *right = b;

	if (left->owner != right->owner)
		return left->owner < right->owner ? -1 : 1;
	return left->step < right->step ? -1 : left->step > right->step;
}

/* Puts everything that is by step into the order of `turns`. JM_ENOMEM. */
static int reorder(
	struct jm_ort_plan *plan, struct jm_ort_steps *steps, const struct turn *turns)
{
	struct jm_ort_step *moved = calloc(plan->n + 1, sizeof(*moved));
	size_t *order = calloc(plan->n + 1, sizeof(*order));
	unsigned char *is_leaf = calloc(plan->n + 1, 1);

	if (!moved || !order || !is_leaf) {
		free(moved);
		free(order);
		free(is_leaf);
		return JM_ENOMEM;
	}
	for (size_t i = 0; i < plan->n; i++) {
		moved[i] = steps->steps[turns[i].step];
		order[i] = plan->order[turns[i].step];
		is_leaf[i] = plan->is_leaf[turns[i].step];
	}
	memcpy(steps->steps, moved, plan->n * sizeof(*moved));
	free(moved);
	free(plan->order);
	free(plan->is_leaf);
	plan->order = order;
	plan->is_leaf = is_leaf;
	return 0;
}

static int settle_order(
	struct jm_ort_plan *plan, const struct jm_ort_saved *saved, struct jm_ort_steps *steps)
{
	size_t *owners = calloc(plan->n + 1, sizeof(*owners));
	size_t *readers = calloc(saved->n_values + 1, sizeof(*readers));
	struct turn *turns = calloc(plan->n + 1, sizeof(*turns));
	int result = JM_ENOMEM;

	if (owners && readers && turns) {
		find_owners(plan, saved, owners, readers);
		for (size_t i = 0; i < plan->n; i++)
			turns[i] = (struct turn){owners[i], i};
		qsort(turns, plan->n, sizeof(*turns), by_owner);
		result = reorder(plan, steps, turns);
	}
	free(owners);
	free(readers);
	free(turns);
	return result;
}

int jm_ort_places_choose(
	struct jm_ort_plan *plan, const struct jm_ort_saved *saved, struct jm_ort_steps *steps)
{
	place_markers(plan, saved);
	if (plan->n_marks <= plan->n && settle_order(plan, saved, steps) < 0)
		return JM_ENOMEM;
	place_markers(plan, saved);
	return 0;
}
