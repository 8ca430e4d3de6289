/* SPDX-License-Identifier: Apache-2.0 */
#include "engines/onnxruntime/markers/check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "engines/onnxruntime/markers/write.h"
#include "engines/onnxruntime/values.h"

/* What markers may take: a share of the network's time, and each. */
#define SHARE_MAX 0.05
#define MARKER_MAX_NS 1000
/* What the network may take longer with them, for whatever reason. */
#define WHOLE_SHARE_MAX 0.25

/* ---- Order ------------------------------------------------------------------------- */

/* Its name is "joulemap-marker-12". */
static int is_marker(const struct jm_ort_step *step, size_t i)
{
	size_t prefix = sizeof(JM_ORT_MARKER_PREFIX) - 1;
	size_t length = jm_ort_event_name_length(step->event);
	char *end;

	return strncmp(step->event, JM_ORT_MARKER_PREFIX, prefix) == 0 &&
	       strtoul(step->event + prefix, &end, 10) == i && end == step->event + length;
}

static int is_same(const struct jm_ort_step *a, const struct jm_ort_step *b)
{
	return strcmp(a->op, b->op) == 0 && strcmp(a->event, b->event) == 0;
}

/*
 * What ran, from *at on, is the steps from `first` to before `end`; *at moves on.
 * No marker is among them: they are one layer, and their order is of no account.
 */
static int are_steps(const struct jm_ort_steps *steps, size_t first, size_t end,
	const struct jm_ort_steps *marked, size_t *at)
{
	size_t from = *at;

	*at += end - first;
	for (size_t i = first; i < end; i++) {
		size_t j = from;

		while (j < *at && !is_same(&marked->steps[j], &steps->steps[i]))
			j++;
		if (j == *at)
			return 0;
	}
	return 1;
}

/* Index of a place that has a marker, from `place` on; plan->n: the end. */
static size_t next_place(const struct jm_ort_plan *plan, size_t place)
{
	while (place < plan->n && !jm_ort_plan_is_marked(plan, place))
		place++;
	return place;
}

/* *ret_at: what ran first that should not. */
static int is_in_order(const struct jm_ort_plan *plan, const struct jm_ort_steps *steps,
	const struct jm_ort_steps *marked, size_t *ret_at)
{
	size_t marker = 0, step = 0;

	for (size_t place = next_place(plan, 0);; place = next_place(plan, place + 1)) {
		size_t n = jm_ort_plan_is_marked(plan, place) ? 1 + (place == plan->twin) : 0;

		if (!are_steps(steps, step, place, marked, ret_at)) {
			*ret_at -= place - step;
			return 0;
		}
		step = place;
		for (size_t i = 0; i < n; i++, ++*ret_at)
			if (!is_marker(&marked->steps[*ret_at], marker++))
				return 0;
		if (place == plan->n)
			return 1;
	}
}

int jm_ort_check_order(const struct jm_ort_plan *plan, const struct jm_ort_steps *steps,
	const struct jm_ort_steps *marked, struct jm_error *reterr)
{
	size_t at = 0;

	if (marked->n != plan->n + plan->n_markers)
		return jm_fail(reterr, JM_EENGINE,
			"with them %zu nodes run instead of %zu and %zu markers", marked->n,
			plan->n, plan->n_markers);
	if (is_in_order(plan, steps, marked, &at))
		return 0;
	return jm_fail(reterr, JM_EENGINE,
		"with them the order is another one, from node %zu ('%.64s') on", at + 1,
		marked->steps[at].event);
}

/* ---- Answer ------------------------------------------------------------------------ */

static void release_answer(const struct jm_ort *ort, struct OrtValue **values, size_t n)
{
	for (size_t i = 0; values && i < n; i++)
		if (values[i])
			jm_ort_release_value_fn(ort)(values[i]);
	free(values);
}

/* Runs once and takes what comes out; NULL with an error. */
static struct OrtValue **take_answer(struct jm_ort_session *session, struct jm_error *reterr)
{
	size_t size = session->n_outputs * sizeof(struct OrtValue *);
	struct OrtValue **values = malloc(size + 1);

	if (!values) {
		jm_fail_memory(reterr, "the network's answer");
		return NULL;
	}
	if (jm_ort_session_answer(session, reterr) < 0) {
		free(values);
		return NULL;
	}
	memcpy(values, session->output_values, size);
	memset(session->output_values, 0, size);
	return values;
}

/* Index of the first output that differs; n_outputs: none does. */
static size_t find_difference(const struct jm_ort_session *session,
	struct OrtValue *const *left, struct OrtValue *const *right)
{
	size_t i = 0;

	while (i < session->n_outputs && jm_ort_values_equal(session->ort, left[i], right[i]))
		i++;
	return i;
}

/*
 * Runs two sessions, or one twice; a difference is told by *ret_output, an index
 * below n_outputs.
 */
static int compare(struct jm_ort_session *a, struct jm_ort_session *b, size_t *ret_output,
	struct jm_error *reterr)
{
	struct OrtValue **left = take_answer(a, reterr);
	struct OrtValue **right = left ? take_answer(b, reterr) : NULL;

	if (right)
		*ret_output = find_difference(a, left, right);
	release_answer(a->ort, left, a->n_outputs);
	release_answer(b->ort, right, b->n_outputs);
	return right ? 0 : JM_EENGINE;
}

int jm_ort_check_answer(
	struct jm_ort_session *plain, struct jm_ort_session *marked, struct jm_error *reterr)
{
	size_t differs = 0, changes = 0;
	int result = compare(plain, marked, &differs, reterr);

	if (result < 0 || differs == plain->n_outputs)
		return result;
	result = compare(plain, plain, &changes, reterr);
	if (result < 0)
		return result;
	if (changes < plain->n_outputs)
		return jm_fail(reterr, JM_EENGINE,
			"output '%.64s' changes from run to run, so that they cannot be "
			"checked",
			plain->outputs[changes].name);
	return jm_fail(reterr, JM_EENGINE, "with them, output '%.64s' is another one",
		plain->outputs[differs].name);
}

/* ---- Cost -------------------------------------------------------------------------- */

int jm_ort_check_cost(const struct jm_ort_cost *cost, size_t n_markers, struct jm_error *reterr)
{
	double n = (double)n_markers;
	double own_max = SHARE_MAX * cost->plain_ns + MARKER_MAX_NS * n;
	double whole_max = WHOLE_SHARE_MAX * cost->plain_ns + MARKER_MAX_NS * n;
	/* Other processes lengthen all of these, but hardly all at once. */
	double extra = fmin(cost->extra_ns - 3 * cost->extra_sd_ns, cost->fastest_extra_ns);
	double own = fmin(extra, cost->twin_ns * n);

	if (own > own_max)
		return jm_fail(reterr, JM_EENGINE,
			"they cost too much, %.1f us each in a network of %.1f us",
			own / n / 1e3, cost->plain_ns / 1e3);
	if (extra > whole_max)
		return jm_fail(reterr, JM_EENGINE,
			"with them the network takes %.1f us instead of %.1f us",
			cost->marked_ns / 1e3, cost->plain_ns / 1e3);
	return 0;
}
