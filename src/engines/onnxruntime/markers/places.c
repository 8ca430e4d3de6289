/* SPDX-License-Identifier: Apache-2.0 */
#include "engines/onnxruntime/markers/places.h"

#include <stdlib.h>
#include <string.h>

#include "onnx/dtype.h"

#define NO_STEP SIZE_MAX

/* Per step at most: a marker, one that ties it, and one that waits for it. */
#define MARKERS_PER_STEP 3

/*
 * Steps since the last mark. The next one must come behind all of them: behind
 * those whose outputs no other one of them reads, the ends.
 */
struct group {
	struct jm_ort_plan *plan;
	const struct jm_ort_saved *saved;
	size_t *writers;        /* [n_values]: step that writes it, or NO_STEP */
	unsigned char *is_read; /* [n]: by another one of the group */
	unsigned char *is_tied; /* [n]: it cannot run before the last mark */
	size_t begin;           /* first step */
	size_t opened_by;       /* marker before it, or JM_ORT_NO_MARKER */
};

/* ---- Values ------------------------------------------------------------------------ */

static const struct jm_ort_saved_node *node_of(const struct group *group, size_t step)
{
	return &group->saved->nodes[group->plan->order[step]];
}

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
	for (size_t i = 0; i < node->n_outputs && value != JM_ORT_NO_VALUE; i++)
		if (node->outputs[i] == value)
			return 1;
	return 0;
}

/* What a marker before a step hands on to it: best what the step before wrote. */
static uint32_t choose_through(const struct group *group, size_t step)
{
	const struct jm_ort_saved_node *node = node_of(group, step);
	uint32_t chosen = JM_ORT_NO_VALUE;

	for (size_t i = 0; i < node->n_inputs; i++) {
		if (!can_hand_on(group->saved, node->inputs[i]))
			continue;
		if (step && writes(node_of(group, step - 1), node->inputs[i]))
			return node->inputs[i];
		if (chosen == JM_ORT_NO_VALUE)
			chosen = node->inputs[i];
	}
	return chosen;
}

/* Some tensor that a step writes. */
static uint32_t choose_after(const struct group *group, size_t step)
{
	const struct jm_ort_saved_node *node = node_of(group, step);

	for (size_t i = 0; i < node->n_outputs; i++)
		if (is_tensor(group->saved, node->outputs[i]))
			return node->outputs[i];
	return JM_ORT_NO_VALUE;
}

/* ---- Marks ------------------------------------------------------------------------- */

static void set_turn(struct group *group, size_t step, unsigned char turn)
{
	if (group->plan->turns[step] == JM_ORT_TURN_IN_ORDER)
		group->plan->turns[step] = turn;
}

static void put(struct group *group, struct jm_ort_plan_marker marker)
{
	group->plan->markers[group->plan->n_all++] = marker;
}

/* 1 when all ends of the group write a tensor, so that a marker can wait for it. */
static int is_awaitable(const struct group *group, size_t end, uint32_t through)
{
	for (size_t i = group->begin; i < end; i++)
		if (!group->is_read[i] && !writes(node_of(group, i), through) &&
			choose_after(group, i) == JM_ORT_NO_VALUE)
			return 0;
	return 1;
}

/* At the end nothing is handed on, unless there is more than one to wait for. */
static uint32_t choose_last_through(const struct group *group, size_t end)
{
	uint32_t chosen = JM_ORT_NO_VALUE;
	size_t n = 0;

	for (size_t i = group->begin; i < end; i++) {
		uint32_t value = group->is_read[i] ? JM_ORT_NO_VALUE : choose_after(group, i);

		n += !group->is_read[i];
		if (chosen == JM_ORT_NO_VALUE && can_hand_on(group->saved, value))
			chosen = value;
	}
	return n > 1 ? chosen : JM_ORT_NO_VALUE;
}

static int count_ends(const struct group *group, size_t end)
{
	int n = 0;

	for (size_t i = group->begin; i < end; i++)
		n += !group->is_read[i];
	return n;
}

/*
 * Markers before step `at` (plan->n: at the end): the last of them stamps and
 * waits for the last end, those before it for the ends before. Each reads what
 * the one before hands on.
 */
static void put_mark(struct group *group, size_t at, uint32_t through)
{
	struct jm_ort_plan_marker marker = {at, through, JM_ORT_NO_VALUE, JM_ORT_NO_MARKER, 0};

	if (!count_ends(group, at))
		marker.after_marker = group->opened_by;
	for (size_t i = group->begin; i < at; i++) {
		if (group->is_read[i] || writes(node_of(group, i), through))
			continue;
		if (marker.after != JM_ORT_NO_VALUE)
			put(group, marker);
		marker.after = choose_after(group, i);
	}
	marker.stamps = 1;
	put(group, marker);
	group->plan->is_marked[at] = 1;
	group->plan->n_marks++;
	group->begin = at;
	group->opened_by = group->plan->n_all - 1;
}

/* Returns whether there is a mark at `at` now. */
static int try_mark(struct group *group, size_t at)
{
	size_t n = group->plan->n;
	uint32_t through = at < n ? choose_through(group, at) : choose_last_through(group, at);

	if (through == JM_ORT_NO_VALUE && (at < n || count_ends(group, at) != 1))
		return 0;
	if (!is_awaitable(group, at, through) ||
		(at == n && choose_after(group, n - 1) == JM_ORT_NO_VALUE))
		return 0;
	put_mark(group, at, through);
	return 1;
}

/* ---- Order within a group ---------------------------------------------------------- */

/* Takes note of whose outputs a step reads. Returns whether one of them is tied. */
static int read_inputs(struct group *group, size_t step)
{
	const struct jm_ort_saved_node *node = node_of(group, step);
	int is_tied = 0;

	for (size_t i = 0; i < node->n_inputs; i++) {
		size_t writer = node->inputs[i] == JM_ORT_NO_VALUE
					? NO_STEP
					: group->writers[node->inputs[i]];

		if (writer == NO_STEP || writer < group->begin)
			continue;
		group->is_read[writer] = 1;
		is_tied |= group->is_tied[writer];
	}
	return is_tied;
}

/*
 * A step behind another one that has no mark in between: a marker without a stamp
 * holds it back until the last mark, if it reads something that can be handed on.
 */
static void tie(struct group *group, size_t step)
{
	struct jm_ort_plan_marker marker = {
		step, choose_through(group, step), JM_ORT_NO_VALUE, group->opened_by, 0};

	if (marker.through == JM_ORT_NO_VALUE && step + 1 == group->plan->n)
		group->plan->turns[step] = JM_ORT_TURN_FIRST; /* also a leaf: the very last */
	else if (marker.through == JM_ORT_NO_VALUE)
		set_turn(group, step, JM_ORT_TURN_FIRST);
	else if (group->opened_by != JM_ORT_NO_MARKER) {
		put(group, marker);
		group->is_tied[step] = 1;
	}
}

static void walk(struct group *group)
{
	size_t n = group->plan->n;

	for (size_t i = 0; i < n; i++) {
		int is_marked = try_mark(group, i);

		group->is_tied[i] = (unsigned char)(read_inputs(group, i) || is_marked);
		if (!group->is_tied[i])
			tie(group, i);
	}
	try_mark(group, n);
}

/* ---- The twin ---------------------------------------------------------------------- */

/* The mark next to the middle that only hands on, as nearly all do. */
static size_t choose_twin(const struct jm_ort_plan *plan)
{
	size_t found = JM_ORT_NO_MARKER;

	for (size_t i = 0; i < plan->n_all; i++) {
		const struct jm_ort_plan_marker *marker = &plan->markers[i];

		if (!marker->stamps || marker->at == plan->n ||
			marker->after != JM_ORT_NO_VALUE)
			continue;
		if (found == JM_ORT_NO_MARKER || marker->at <= plan->n / 2)
			found = i;
	}
	return found;
}

/* Puts a second marker behind the one that is chosen. */
static void put_twin(struct jm_ort_plan *plan)
{
	size_t first = choose_twin(plan);

	plan->twin = JM_ORT_NO_TWIN;
	if (first == JM_ORT_NO_MARKER)
		return;
	memmove(&plan->markers[first + 1], &plan->markers[first],
		(plan->n_all - first) * sizeof(*plan->markers));
	plan->n_all++;
	for (size_t i = first + 2; i < plan->n_all; i++)
		if (plan->markers[i].after_marker != JM_ORT_NO_MARKER &&
			plan->markers[i].after_marker >= first)
			plan->markers[i].after_marker++;
	plan->twin = plan->markers[first].at;
}

/* ---- All --------------------------------------------------------------------------- */

static void find_writers(struct group *group)
{
	for (size_t i = 0; i < group->saved->n_values; i++)
		group->writers[i] = NO_STEP;
	for (size_t i = 0; i < group->plan->n; i++) {
		const struct jm_ort_saved_node *node = node_of(group, i);

		for (size_t j = 0; j < node->n_outputs; j++)
			if (node->outputs[j] != JM_ORT_NO_VALUE)
				group->writers[node->outputs[j]] = i;
	}
}

/* What writes no tensor, and nobody reads, cannot be waited for. */
static void find_leaves(struct group *group)
{
	size_t n = group->plan->n;

	for (size_t i = 0; i < n; i++) {
		const struct jm_ort_saved_node *node = node_of(group, i);

		for (size_t j = 0; j < node->n_inputs; j++)
			if (node->inputs[j] != JM_ORT_NO_VALUE &&
				group->writers[node->inputs[j]] != NO_STEP)
				group->is_read[group->writers[node->inputs[j]]] = 1;
	}
	for (size_t i = 0; i < n; i++) {
		int is_leaf = !group->is_read[i] && choose_after(group, i) == JM_ORT_NO_VALUE;

		group->is_read[i] = (unsigned char)is_leaf; /* no end of its group */
		if (is_leaf)
			set_turn(group, i, JM_ORT_TURN_LAST);
	}
}

int jm_ort_places_choose(struct jm_ort_plan *plan, const struct jm_ort_saved *saved)
{
	struct group group = {.plan = plan, .saved = saved, .opened_by = JM_ORT_NO_MARKER};
	int result = JM_ENOMEM;

	group.writers = calloc(saved->n_values + 1, sizeof(*group.writers));
	group.is_read = calloc(plan->n + 1, 1);
	group.is_tied = calloc(plan->n + 1, 1);
	plan->is_marked = calloc(plan->n + 1, 1);
	plan->turns = calloc(plan->n + 1, 1);
	plan->markers = calloc(MARKERS_PER_STEP * (plan->n + 2), sizeof(*plan->markers));
	if (group.writers && group.is_read && group.is_tied && plan->is_marked && plan->turns &&
		plan->markers) {
		find_writers(&group);
		find_leaves(&group);
		walk(&group);
		put_twin(plan);
		for (size_t i = 0; i < plan->n_all; i++)
			plan->n_markers += (size_t)plan->markers[i].stamps;
		result = 0;
	}
	free(group.writers);
	free(group.is_read);
	free(group.is_tied);
	return result;
}
