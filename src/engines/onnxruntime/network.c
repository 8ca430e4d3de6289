/* SPDX-License-Identifier: Apache-2.0 */
#include "engines/onnxruntime/network.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "data/graph.h"

/*
 * A profile is held in memory, 2.4 KB per event, and the runtime drops what
 * goes beyond a million of them. So sessions are replaced long before.
 */
#define EVENTS_MAX 100000

static int changed(size_t ran, size_t expected, struct jm_error *reterr)
{
	return jm_fail(reterr, JM_EENGINE,
		"%zu layers ran instead of %zu; the network changes from run to run, which "
		"cannot "
		"be measured",
		ran, expected);
}

/* Once the steps are known: names in order, room for spans. */
static int learn(struct jm_ort_network *network, struct jm_error *reterr)
{
	struct jm_ort_trace *trace = &network->trace;
	size_t n = network->steps.n;

	if (!n)
		return jm_fail(reterr, JM_EENGINE,
			"the network runs no layer at all; check the model");
	network->events = calloc(n, sizeof(*network->events));
	trace->spans = calloc(n, sizeof(*trace->spans));
	if (!network->events || !trace->spans)
		return jm_fail_memory(reterr, "the spans of a run");
	for (size_t i = 0; i < n; i++)
		network->events[i] = network->steps.steps[i].event;
	trace->events = network->events;
	trace->n_layers = n;
	trace->depth = network->steps.steps[0].depth;
	return 0;
}

/* Nodes run one after the other: one lane. */
static void hand_out(const struct jm_ort_network *network, const struct jm_span_sink *sink,
	uint32_t layer, int64_t begin_ns, int64_t end_ns)
{
	const struct jm_span span = {begin_ns, end_ns, layer, 0, network->cycle};

	sink->span(sink->context, &span);
}

/* ---- By callbacks -------------------------------------------------------------------- */

static int callback_run(struct jm_ort_network *network, struct jm_error *reterr)
{
	int result;

	jm_ort_trace_begin(&network->trace);
	result = jm_ort_session_run(&network->plain.session, 1, reterr);
	jm_ort_trace_end(&network->trace);
	return result;
}

static int deliver(struct jm_ort_network *network, const struct jm_span_sink *sink,
	struct jm_error *reterr)
{
	const struct jm_ort_trace *trace = &network->trace;

	if (trace->n_strange || trace->n_spans != trace->n_layers)
		return changed(trace->n_spans + trace->n_strange, trace->n_layers, reterr);
	for (size_t i = 0; i < trace->n_spans; i++)
		hand_out(network, sink, trace->spans[i].layer, trace->spans[i].begin_ns,
			trace->spans[i].end_ns);
	network->cycle++;
	return 0;
}

/* ---- By profile ---------------------------------------------------------------------- */

/* Where the runs of one session go, and which layers its nodes are. */
struct delivery {
	struct jm_ort_network *network;
	const struct jm_span_sink *sink;
	struct jm_ort_steps steps; /* of this session; owned */
	size_t *layers;            /* [steps.n], owned */
};

/* The first run that counts tells what the nodes of this session are. */
static int match_session(struct delivery *delivery, const struct jm_ort_profile_node *nodes,
	size_t n, struct jm_error *reterr)
{
	const struct jm_ort_network *network = delivery->network;
	int result =
		jm_ort_discover_nodes(&delivery->steps, network->setup.ort, nodes, n, reterr);

	if (result < 0)
		return result;
	delivery->layers = calloc(n + 1, sizeof(*delivery->layers));
	result = delivery->layers ? jm_ort_steps_match(
					    &delivery->steps, &network->steps, delivery->layers)
				  : JM_ENOMEM;
	if (result == JM_ENOMEM)
		return jm_fail_memory(reterr, "the layers of a session");
	return result < 0 ? changed(n, network->steps.n, reterr) : 0;
}

static int deliver_run(void *context, size_t run, const struct jm_ort_profile_node *nodes,
	const int64_t (*spans_ns)[2], size_t n, struct jm_error *reterr)
{
	struct delivery *delivery = context;
	const struct jm_ort_steps *steps = &delivery->steps;
	int result = 0;

	if (run == JM_ORT_WARM_UPS)
		result = match_session(delivery, nodes, n, reterr);
	if (result < 0 || run < JM_ORT_WARM_UPS)
		return result;
	if (n != steps->n)
		return changed(n, steps->n, reterr);
	for (size_t i = 0; i < n; i++)
		if (strcmp(nodes[i].name, steps->steps[i].event) != 0)
			return changed(n, steps->n, reterr);
	for (size_t i = 0; i < n; i++)
		hand_out(delivery->network, delivery->sink, (uint32_t)delivery->layers[i],
			spans_ns[i][0], spans_ns[i][1]);
	/* Every traced run is in a profile once, in order, however late. */
	delivery->network->cycle++;
	return 0;
}

int jm_ort_network_flush(struct jm_ort_network *network, const struct jm_span_sink *sink,
	struct jm_error *reterr)
{
	struct delivery delivery = {.network = network, .sink = sink};
	struct jm_ort_profiled_reader reader = {JM_ORT_WARM_UPS + 1, deliver_run, &delivery};
	size_t n_events;
	int result;

	if (!network->open_traced)
		return 0;
	result = jm_ort_profiled_finish(&network->traced, &reader, &n_events, reterr);
	jm_ort_profiled_close(&network->traced);
	network->open_traced = 0;
	jm_ort_steps_release(&delivery.steps);
	free(delivery.layers);
	return result;
}

/* Opens the session that profiles, and warms it up. */
static int open_traced(struct jm_ort_network *network, struct jm_error *reterr)
{
	int result = jm_ort_profiled_open(
		&network->traced, &network->setup, network->trace.clock, reterr);

	network->open_traced = result == 0;
	network->events_used = JM_ORT_WARM_UPS * network->events_per_run;
	for (int i = 0; i < JM_ORT_WARM_UPS && result == 0; i++)
		result = jm_ort_session_run(&network->traced.session, 0, reterr);
	return result;
}

static int profiled_run(struct jm_ort_network *network, const struct jm_span_sink *sink,
	struct jm_error *reterr)
{
	int result = 0;

	if (network->open_traced &&
		network->events_used + 2 * network->events_per_run > network->events_max)
		result = jm_ort_network_flush(network, sink, reterr);
	if (result == 0 && !network->open_traced)
		result = open_traced(network, reterr);
	network->events_used += network->events_per_run;
	if (result == 0)
		result = jm_ort_session_run(&network->traced.session, 0, reterr);
	return result;
}

/* ---- Opening ------------------------------------------------------------------------- */

static int keep_ends(struct jm_ort_network *network, struct jm_error *reterr)
{
	const struct jm_ort_session *session = &network->plain.session;
	int result = jm_tensors_copy(
		&network->inputs, &network->n_inputs, session->inputs, session->n_inputs);

	if (result == 0)
		result = jm_tensors_copy(&network->outputs, &network->n_outputs,
			session->outputs, session->n_outputs);
	return result < 0 ? jm_fail_memory(reterr, "the graph") : 0;
}

static int discover(struct jm_ort_network *network, const struct jm_ort_session_setup *setup,
	struct jm_error *reterr)
{
	return jm_ort_discover(&network->plain, setup, network->way == JM_ORT_BY_CALLBACKS,
		network->trace.clock, &network->steps, &network->events_per_run, reterr);
}

/* Puts markers into what the session saves of its model. */
static int open_marked(struct jm_ort_network *network, struct jm_error *reterr)
{
	struct jm_ort_session_setup setup = network->setup;
	struct jm_ort_saved saved;
	int result = jm_ort_saved_open(&saved, reterr);

	if (result < 0)
		return result;
	setup.save_path = saved.path;
	setup.save_weights = saved.weights_name;
	result = discover(network, &setup, reterr);
	/* Where text cannot be saved apart from the model, nothing is. */
	if (result < 0 && network->setup.ort->api_version < JM_ORT_API_TEXT_APART) {
		setup.save_weights = NULL;
		result = discover(network, &setup, reterr);
	}
	if (result < 0) {
		jm_ort_saved_close(&saved);
		return result;
	}
	result = jm_ort_marked_open(&network->marked, &saved, &network->setup,
		network->way == JM_ORT_BY_CALLBACKS, network->trace.clock, &network->steps,
		&network->plain.session, reterr);
	if (result == 0)
		network->way = JM_ORT_BY_MARKERS;
	return result;
}

int jm_ort_network_open(struct jm_ort_network *network,
	const struct jm_ort_session_setup *setup, struct jm_ort_ways ways,
	struct jm_ort_clock clock, struct jm_error *reterr)
{
	const char *limit = getenv("JOULEMAP_ORT_PROFILE_EVENTS");
	int result = 0;

	memset(network, 0, sizeof(*network));
	network->setup = *setup;
	network->way = ways.callbacks ? JM_ORT_BY_CALLBACKS : JM_ORT_BY_PROFILE;
	network->trace.ort = setup->ort;
	network->trace.clock = clock;
	network->events_max = limit ? strtoul(limit, NULL, 10) : EVENTS_MAX;
	if (ways.markers)
		open_marked(network, &network->why_not);
	if (!network->plain.session.session)
		result = discover(network, setup, reterr);
	if (result == 0)
		result = keep_ends(network, reterr);
	if (result == 0)
		result = learn(network, reterr);
	if (network->way == JM_ORT_BY_MARKERS)
		jm_ort_profiled_close(&network->plain);
	return result;
}

/* ---- All ----------------------------------------------------------------------------- */

static int marked_run(struct jm_ort_network *network, const struct jm_span_sink *sink,
	struct jm_error *reterr)
{
	int result = jm_ort_marked_run(&network->marked, sink, network->cycle, reterr);

	if (result == 0 && sink)
		network->cycle++;
	return result;
}

int jm_ort_network_run(struct jm_ort_network *network, const struct jm_span_sink *sink,
	struct jm_error *reterr)
{
	int result;

	if (network->way == JM_ORT_BY_MARKERS)
		return marked_run(network, sink, reterr);
	if (!sink)
		return jm_ort_session_run(&network->plain.session, 0, reterr);
	if (network->way == JM_ORT_BY_PROFILE)
		return profiled_run(network, sink, reterr);
	result = callback_run(network, reterr);
	return result < 0 ? result : deliver(network, sink, reterr);
}

void jm_ort_network_close(struct jm_ort_network *network)
{
	jm_ort_marked_close(&network->marked);
	jm_ort_profiled_close(&network->traced);
	jm_ort_profiled_close(&network->plain);
	jm_ort_steps_release(&network->steps);
	jm_tensors_free(network->inputs, network->n_inputs);
	jm_tensors_free(network->outputs, network->n_outputs);
	free(network->events);
	free(network->trace.spans);
	memset(network, 0, sizeof(*network));
}
