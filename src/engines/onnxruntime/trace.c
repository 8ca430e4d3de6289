/* SPDX-License-Identifier: Apache-2.0 */
#include "engines/onnxruntime/trace.h"

#include <string.h>

#include "engines/onnxruntime/status.h"

#define DEPTH_MAX 64

/*
 * Events of one thread nest, and only their nesting tells which begin belongs
 * to which end (their ids repeat). So the open ones stand on a stack that
 * belongs to the thread, together with the recorder of the run it is in.
 */
static _Thread_local struct {
	struct jm_ort_trace *trace;
	unsigned depth;
	int64_t begin_ns[DEPTH_MAX];
} open_events;

void jm_ort_trace_begin(struct jm_ort_trace *trace)
{
	trace->n_spans = 0;
	trace->n_strange = 0;
	trace->next = 0;
	trace->out_of_memory = 0;
	open_events.depth = 0;
	open_events.trace = trace;
}

void jm_ort_trace_end(struct jm_ort_trace *trace)
{
	(void)trace;
	open_events.trace = NULL;
}

void jm_ort_trace_start_event(void)
{
	const struct jm_ort_trace *trace = open_events.trace;
	unsigned depth;

	if (!trace)
		return;
	depth = open_events.depth++;
	if (depth < DEPTH_MAX)
		open_events.begin_ns[depth] = jm_ort_now(&trace->clock);
}

static const char *argument(
	const struct jm_ort *ort, const struct OrtProfilingEvent *event, const char *key)
{
	const char *text = NULL;

	jm_ort_ignore(ort, jm_ort_event_argument_fn(ort)(event, key, &text));
	return text;
}

static void describe(struct jm_ort_trace *trace, const struct OrtProfilingEvent *event,
	const char *name, unsigned depth)
{
	const struct jm_ort *ort = trace->ort;
	const char *op = argument(ort, event, "op_name");
	struct jm_ort_step_texts texts = {
		.event = name,
		.op = op ? op : "Unknown",
		.input_shapes = argument(ort, event, "input_type_shape"),
		.output_shapes = argument(ort, event, "output_type_shape"),
		.activation = argument(ort, event, "activation_size"),
		.parameter = argument(ort, event, "parameter_size"),
		.output = argument(ort, event, "output_size"),
	};

	if (jm_ort_steps_append(trace->steps, &texts, depth) < 0)
		trace->out_of_memory = 1;
}

/* Nodes run in the same order every time; a loop is only for the case not. */
static size_t find_layer(const struct jm_ort_trace *trace, const char *name)
{
	for (size_t i = 0; i < trace->n_layers; i++) {
		size_t layer = (trace->next + i) % trace->n_layers;

		if (strcmp(trace->events[layer], name) == 0)
			return layer;
	}
	return trace->n_layers;
}

static void record(
	struct jm_ort_trace *trace, const char *name, int64_t begin_ns, int64_t end_ns)
{
	size_t layer = find_layer(trace, name);

	if (layer == trace->n_layers || trace->n_spans == trace->n_layers) {
		trace->n_strange++;
		return;
	}
	trace->next = layer + 1 < trace->n_layers ? layer + 1 : 0;
	trace->spans[trace->n_spans++] =
		(struct jm_ort_span){begin_ns, end_ns, (uint32_t)layer};
}

void jm_ort_trace_stop_event(const struct OrtProfilingEvent *event)
{
	struct jm_ort_trace *trace = open_events.trace;
	const char *name = NULL;
	int64_t end_ns;
	int category = JM_ORT_EVENT_SESSION;
	unsigned depth;

	if (!trace || !open_events.depth)
		return;
	end_ns = jm_ort_now(&trace->clock);
	depth = --open_events.depth;
	if (depth >= DEPTH_MAX || (!trace->steps && depth != trace->depth))
		return;
	if (!jm_ort_ignore(
		    trace->ort, jm_ort_event_category_fn(trace->ort)(event, &category)) ||
		category != JM_ORT_EVENT_NODE)
		return;
	jm_ort_ignore(trace->ort, jm_ort_event_name_fn(trace->ort)(event, &name));
	if (!name)
		return;
	if (trace->steps)
		describe(trace, event, name, depth);
	else
		record(trace, name, open_events.begin_ns[depth], end_ns);
}
