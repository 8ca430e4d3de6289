/* SPDX-License-Identifier: Apache-2.0 */
#include "engines/onnxruntime/network.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

/*
 * A profile is held in memory, 2.4 KB per event, and the runtime drops what
 * goes beyond a million of them. So sessions are replaced long before.
 */
#define EVENTS_MAX 100000

/* Runs of a session that profiles before those that count. */
#define WARM_UPS 1

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

static int discover_by_callbacks(struct jm_ort_network *network, struct jm_error *reterr)
{
	struct jm_ort_trace *trace = &network->trace;
	int result = jm_ort_session_open(&network->plain.session, &network->setup, reterr);

	if (result == 0)
		result = jm_ort_session_run(&network->plain.session, 0, reterr);
	trace->steps = &network->steps;
	if (result == 0)
		result = callback_run(network, reterr);
	trace->steps = NULL;
	if (result == 0 && trace->out_of_memory)
		result = jm_fail_memory(reterr, "the graph of layers");
	jm_ort_steps_keep_outermost(&network->steps);
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

static int describe_nodes(const struct jm_ort_network *network, struct jm_ort_steps *steps,
	const struct jm_ort_profile_node *nodes, size_t n, struct jm_error *reterr)
{
	int result = 0;

	for (size_t i = 0; i < n && result == 0; i++)
		result = jm_ort_profile_describe(&nodes[i], steps);
	if (result == JM_ENOMEM)
		return jm_fail_memory(reterr, "the graph of layers");
	if (result < 0)
		return jm_fail(reterr, JM_EENGINE,
			"the profile of ONNX Runtime %s cannot be read",
			network->setup.ort->version);
	return 0;
}

static int describe_run(void *context, size_t run, const struct jm_ort_profile_node *nodes,
	const int64_t (*spans_ns)[2], size_t n, struct jm_error *reterr)
{
	struct jm_ort_network *network = context;

	(void)spans_ns;
	if (run != WARM_UPS)
		return 0;
	return describe_nodes(network, &network->steps, nodes, n, reterr);
}

static int discover_by_profile(struct jm_ort_network *network, struct jm_error *reterr)
{
	struct jm_ort_profiled_reader reader = {WARM_UPS + 1, describe_run, network};
	const char *limit = getenv("JOULEMAP_ORT_PROFILE_EVENTS");
	size_t n_events = 0;
	int result = jm_ort_profiled_open(
		&network->plain, &network->setup, network->trace.clock, reterr);

	for (int i = 0; i <= WARM_UPS && result == 0; i++)
		result = jm_ort_session_run(&network->plain.session, 0, reterr);
	if (result == 0)
		result = jm_ort_profiled_finish(&network->plain, &reader, &n_events, reterr);
	network->events_per_run = n_events / (WARM_UPS + 1) + 1;
	network->events_max = limit ? strtoul(limit, NULL, 10) : EVENTS_MAX;
	return result;
}

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
	int result = describe_nodes(network, &delivery->steps, nodes, n, reterr);

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

	if (run == WARM_UPS)
		result = match_session(delivery, nodes, n, reterr);
	if (result < 0 || run < WARM_UPS)
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
	struct jm_ort_profiled_reader reader = {WARM_UPS + 1, deliver_run, &delivery};
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
	network->events_used = WARM_UPS * network->events_per_run;
	for (int i = 0; i < WARM_UPS && result == 0; i++)
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

/* ---- Both ---------------------------------------------------------------------------- */

int jm_ort_network_open(struct jm_ort_network *network,
	const struct jm_ort_session_setup *setup, int by_callbacks, struct jm_ort_clock clock,
	struct jm_error *reterr)
{
	int result;

	memset(network, 0, sizeof(*network));
	network->setup = *setup;
	network->by_callbacks = by_callbacks;
	network->trace.ort = setup->ort;
	network->trace.clock = clock;
	result = by_callbacks ? discover_by_callbacks(network, reterr)
			      : discover_by_profile(network, reterr);
	return result < 0 ? result : learn(network, reterr);
}

int jm_ort_network_run(struct jm_ort_network *network, const struct jm_span_sink *sink,
	struct jm_error *reterr)
{
	int result;

	if (!sink)
		return jm_ort_session_run(&network->plain.session, 0, reterr);
	if (!network->by_callbacks)
		return profiled_run(network, sink, reterr);
	result = callback_run(network, reterr);
	return result < 0 ? result : deliver(network, sink, reterr);
}

void jm_ort_network_close(struct jm_ort_network *network)
{
	jm_ort_profiled_close(&network->traced);
	jm_ort_profiled_close(&network->plain);
	jm_ort_steps_release(&network->steps);
	free(network->events);
	free(network->trace.spans);
	memset(network, 0, sizeof(*network));
}
