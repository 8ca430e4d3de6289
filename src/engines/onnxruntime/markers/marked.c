/* SPDX-License-Identifier: Apache-2.0 */
#include "engines/onnxruntime/markers/marked.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "engines/onnxruntime/markers/check.h"
#include "engines/onnxruntime/markers/write.h"

/* ---- Opening ----------------------------------------------------------------------- */

/* One operator for each type of elements that is read. */
static int make_operators(struct jm_ort_marked *marked, const struct jm_ort *ort,
	struct jm_ort_clock clock, struct jm_error *reterr)
{
	const struct jm_ort_plan *plan = &marked->plan;
	int *dtypes = calloc(plan->n + 2, sizeof(*dtypes)), result;
	size_t n = 0;

	if (!dtypes)
		return jm_fail_memory(reterr, "the markers");
	for (size_t i = 0; i <= plan->n; i++) {
		size_t at = 0;

		if (!jm_ort_plan_is_marked(plan, i))
			continue;
		dtypes[n] = marked->saved.values[plan->reads[i]].dtype;
		while (dtypes[at] != dtypes[n])
			at++;
		n += at == n;
	}
	result = jm_ort_markers_open(
		&marked->markers, ort, clock, dtypes, n, plan->n_markers, reterr);
	free(dtypes);
	return result;
}

/* Loads the marked model as it stands, and sees whether it runs as it did. */
static int open_session(struct jm_ort_marked *marked, const struct jm_ort_session_setup *like,
	int by_callbacks, const struct jm_ort_steps *steps, struct jm_error *reterr)
{
	struct jm_proto_writer image = {0};
	struct jm_ort_session_setup setup = *like;
	struct jm_model model = {.name = like->model->name,
		.weights = marked->saved.weights,
		.n_weights_bytes = marked->saved.n_weights};
	struct jm_ort_steps seen = {0};
	size_t n_events;
	int result;

	jm_ort_marked_write(&image, &marked->saved, &marked->plan, steps);
	model.bytes = image.data;
	model.n_bytes = image.size;
	setup.model = &model;
	setup.weights_name = marked->saved.weights_name;
	setup.domain = marked->markers.domain;
	setup.level = JM_ORT_DISABLE_ALL;
	setup.capture = NULL;
	result = image.failed ? jm_fail_memory(reterr, "the marked model") : 0;
	if (result == 0)
		result = jm_ort_discover(&marked->session, &setup, by_callbacks,
			marked->markers.stamps.clock, &seen, &n_events, reterr);
	jm_proto_writer_release(&image);
	if (result == 0)
		result = jm_ort_check_order(&marked->plan, steps, &seen, reterr);
	jm_ort_steps_release(&seen);
	return result;
}

static int count_layers(struct jm_ort_marked *marked, struct jm_error *reterr)
{
	marked->n_layers = marked->plan.n;
	for (size_t i = 0; i + 1 < marked->plan.n; i++)
		marked->n_layers -= (size_t)jm_ort_marked_is_joined(marked, i);
	marked->spans = calloc(marked->n_layers + 1, sizeof(*marked->spans));
	return marked->spans ? 0 : jm_fail_memory(reterr, "the spans of a run");
}

static int measure_cost(
	struct jm_ort_marked *marked, struct jm_ort_session *plain, struct jm_error *reterr)
{
	size_t n = marked->plan.n_markers;
	int result;

	marked->twin = marked->plan.twin == JM_ORT_NO_TWIN
			       ? JM_ORT_NO_TWIN
			       : jm_ort_plan_count_before(&marked->plan, marked->plan.twin);
	result = jm_ort_turns_measure(plain, &marked->session.session, &marked->markers.stamps,
		marked->twin, &marked->cost, reterr);
	if (result == 0)
		result = jm_ort_check_cost(&marked->cost, n, reterr);
	marked->cost_ns = (int64_t)lround(
		jm_ort_cost_of_marker(&marked->cost, n, &marked->cost_error_ns));
	return result;
}

int jm_ort_marked_open(struct jm_ort_marked *marked, struct jm_ort_saved *saved,
	const struct jm_ort_session_setup *like, int by_callbacks, struct jm_ort_clock clock,
	struct jm_ort_steps *steps, struct jm_ort_session *plain, struct jm_error *reterr)
{
	int result;

	memset(marked, 0, sizeof(*marked));
	marked->saved = *saved;
	memset(saved, 0, sizeof(*saved));
	result = jm_ort_saved_read(&marked->saved, reterr);
	if (result == 0)
		result = jm_ort_plan_make(&marked->plan, &marked->saved, steps, reterr);
	if (result == 0 && !marked->plan.n_marks)
		result = jm_fail(reterr, JM_EUNSUPPORTED, "no layer reads or writes a tensor");
	if (result == 0)
		result = make_operators(marked, like->ort, clock, reterr);
	if (result == 0)
		result = open_session(marked, like, by_callbacks, steps, reterr);
	jm_ort_saved_close(&marked->saved);
	if (result == 0)
		result = count_layers(marked, reterr);
	if (result == 0)
		result = jm_ort_check_answer(plain, &marked->session.session, reterr);
	if (result == 0)
		result = measure_cost(marked, plain, reterr);
	if (result < 0)
		jm_ort_marked_close(marked);
	return result;
}

int jm_ort_marked_is_joined(const struct jm_ort_marked *marked, size_t i)
{
	return i + 1 < marked->plan.n && !jm_ort_plan_is_marked(&marked->plan, i + 1);
}

/* ---- Running ----------------------------------------------------------------------- */

/*
 * Where layers begin and end: at stamps, and with the run itself where no
 * marker could stand. Behind a twin's layer the next begins at the twin.
 */
static void find_spans(struct jm_ort_marked *marked, int64_t begin_ns, int64_t end_ns)
{
	const struct jm_ort_plan *plan = &marked->plan;
	const int64_t *stamps_ns = marked->markers.stamps.ns;
	struct jm_ort_span *spans = marked->spans;
	size_t layer = 0, place = 0;

	spans[0].begin_ns = begin_ns;
	for (size_t i = 0; i <= plan->n; i++) {
		if (!jm_ort_plan_is_marked(plan, i))
			continue;
		if (i)
			spans[layer++].end_ns = stamps_ns[place];
		place += i == plan->twin;
		if (i < plan->n)
			spans[layer].begin_ns = stamps_ns[place] + marked->cost_ns;
		place++;
	}
	if (layer < marked->n_layers)
		spans[layer].end_ns = end_ns;
}

static void hand_out(
	const struct jm_ort_marked *marked, const struct jm_span_sink *sink, uint32_t cycle)
{
	for (size_t i = 0; i < marked->n_layers; i++) {
		const struct jm_ort_span *from = &marked->spans[i];
		struct jm_span span = {from->begin_ns, from->end_ns, (uint32_t)i, 0, cycle};

		if (span.begin_ns > span.end_ns)
			span.begin_ns = span.end_ns;
		sink->span(sink->context, &span);
	}
}

int jm_ort_marked_run(struct jm_ort_marked *marked, const struct jm_span_sink *sink,
	uint32_t cycle, struct jm_error *reterr)
{
	struct jm_ort_stamps *stamps = &marked->markers.stamps;
	struct jm_ort_session *session = &marked->session.session;
	int64_t begin_ns;
	int result;

	if (!sink)
		return jm_ort_session_run(session, 0, reterr);
	begin_ns = jm_ort_now(&stamps->clock);
	result = jm_ort_turns_run_marked(session, stamps, reterr);
	if (result < 0)
		return result;
	find_spans(marked, begin_ns, jm_ort_now(&stamps->clock));
	hand_out(marked, sink, cycle);
	return 0;
}

void jm_ort_marked_close(struct jm_ort_marked *marked)
{
	jm_ort_profiled_close(&marked->session);
	jm_ort_markers_close(&marked->markers);
	jm_ort_saved_close(&marked->saved);
	jm_ort_plan_release(&marked->plan);
	free(marked->spans);
	memset(marked, 0, sizeof(*marked));
}
