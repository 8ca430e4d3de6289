/* SPDX-License-Identifier: Apache-2.0 */
#include "engines/onnxruntime/bias/calibrate.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/statistics.h"
#include "engines/onnxruntime/bias/chain.h"
#include "engines/onnxruntime/bias/probe.h"

#define N_NODES 64
#define N_RUNS 24
#define N_SAMPLES ((size_t)N_NODES * N_RUNS)
#define MANY_INPUTS 5

/* Raw spans of the chain's nodes, in order. */
struct spans {
	int64_t (*ns)[2]; /* [N_SAMPLES], owned */
	size_t n;
};

static void take_span(void *context, const struct jm_span *span)
{
	struct spans *spans = context;

	if (spans->n == N_SAMPLES)
		return;
	spans->ns[spans->n][0] = span->begin_ns;
	spans->ns[spans->n++][1] = span->end_ns;
}

/* What one chain shows. */
struct parts {
	double head_ns, tail_ns, sd_ns;
};

/*
 * The probe may have run more often than it was traced (a warm-up): the last
 * ones are those that count. Medians, because some nodes are interrupted.
 */
static int evaluate(const struct jm_ort_probe *probe, const struct spans *spans,
	struct parts *ret_parts, struct jm_error *reterr)
{
	size_t n = spans->n, skip = probe->n - n;
	double *head = malloc(sizeof(*head) * (n + 1)), *tail = malloc(sizeof(*tail) * (n + 1));
	int result = 0;

	if (!head || !tail) {
		result = jm_fail_memory(reterr, "the calibration");
		goto out;
	}
	for (size_t i = 0; i < n; i++) {
		head[i] = (double)(probe->spans_ns[skip + i][0] - spans->ns[i][0]);
		tail[i] = (double)(spans->ns[i][1] - probe->spans_ns[skip + i][1]);
	}
	ret_parts->head_ns = jm_median(head, n);
	ret_parts->tail_ns = jm_median(tail, n);
	for (size_t i = 0; i < n; i++) {
		double whole =
			(double)(spans->ns[i][1] - spans->ns[i][0]) -
			(double)(probe->spans_ns[skip + i][1] - probe->spans_ns[skip + i][0]);

		head[i] = fabs(whole - ret_parts->head_ns - ret_parts->tail_ns);
	}
	/* The median deviation of a normal distribution is 0.6745 of its sd. */
	ret_parts->sd_ns = jm_median(head, n) / 0.6745;
out:
	free(head);
	free(tail);
	return result;
}

static int run_chain(const struct jm_ort_session_setup *setup, int by_callbacks,
	const struct jm_ort_probe *probe, struct parts *ret_parts, struct jm_error *reterr)
{
	struct spans spans = {malloc(N_SAMPLES * sizeof(*spans.ns)), 0};
	struct jm_span_sink sink = {take_span, &spans};
	struct jm_ort_network network = {0};
	struct jm_ort_ways ways = {.callbacks = by_callbacks};
	int result = spans.ns ? 0 : jm_fail_memory(reterr, "the calibration");

	if (result == 0)
		result = jm_ort_network_open(&network, setup, ways, probe->clock, reterr);
	network.events_max = SIZE_MAX;
	for (int i = 0; i < N_RUNS && result == 0; i++)
		result = jm_ort_network_run(&network, &sink, reterr);
	if (result == 0)
		result = jm_ort_network_flush(&network, &sink, reterr);
	jm_ort_network_close(&network);
	if (result == 0 && (spans.n != N_SAMPLES || probe->n < spans.n))
		result = jm_fail(reterr, JM_EENGINE,
			"ONNX Runtime %s did not report every node of the calibration",
			setup->ort->version);
	if (result == 0)
		result = evaluate(probe, &spans, ret_parts, reterr);
	free(spans.ns);
	return result;
}

/* Under which a chain is run. */
struct conditions {
	size_t n_inputs, n_memory;
};

static int measure(const struct jm_ort_session_setup *like, int by_callbacks,
	struct jm_ort_clock clock, const struct conditions *conditions, struct parts *ret_parts,
	struct jm_error *reterr)
{
	struct jm_onnx_inputs inputs = {0};
	struct jm_ort_session_setup setup = *like;
	struct jm_proto_writer image = {0};
	struct jm_model model = {.name = "calibration"};
	struct jm_ort_probe probe = {0};
	int result;

	jm_ort_chain_write(&image, JM_ORT_PROBE_DOMAIN, JM_ORT_PROBE_OP, N_NODES,
		(unsigned)conditions->n_inputs);
	result = image.failed ? jm_fail_memory(reterr, "the calibration") : 0;
	/* Room for the warm-ups too: two runs, and one per session. */
	if (result == 0)
		result = jm_ort_probe_open(&probe, like->ort, clock, conditions->n_inputs,
			conditions->n_memory, N_SAMPLES + 4 * N_NODES, reterr);
	model.bytes = image.data;
	model.n_bytes = image.size;
	setup.model = &model;
	setup.inputs = &inputs;
	setup.domain = probe.domain;
	setup.capture = NULL;
	setup.level = JM_ORT_DISABLE_ALL;
	if (result == 0)
		result = run_chain(&setup, by_callbacks, &probe, ret_parts, reterr);
	jm_ort_probe_close(&probe);
	jm_proto_writer_release(&image);
	return result;
}

int jm_ort_calibrate(struct jm_ort_bias *ret_bias, const struct jm_ort_session_setup *like,
	int by_callbacks, struct jm_ort_clock clock, struct jm_error *reterr)
{
	static const struct conditions few_inputs = {1, 0}, many_inputs = {MANY_INPUTS, 0},
				       cold_caches = {1, JM_ORT_COLD_BYTES};
	struct parts one = {0}, many = {0}, cold = {0};
	int result = measure(like, by_callbacks, clock, &few_inputs, &one, reterr);

	if (result == 0)
		result = measure(like, by_callbacks, clock, &many_inputs, &many, reterr);
	if (result == 0)
		result = measure(like, by_callbacks, clock, &cold_caches, &cold, reterr);
	ret_bias->head_ns = one.head_ns;
	ret_bias->head_per_input_ns = (many.head_ns - one.head_ns) / (MANY_INPUTS - 1);
	ret_bias->tail_ns = one.tail_ns;
	ret_bias->tail_cold_ns = cold.tail_ns;
	ret_bias->sd_ns = one.sd_ns;
	return result;
}

static int64_t whole_ns(double ns)
{
	return ns > 0 ? (int64_t)lround(ns) : 0;
}

struct jm_ort_layer_bias jm_ort_bias_of(
	const struct jm_ort_bias *bias, const struct jm_ort_step *step, double bytes)
{
	double cold = bytes / (double)JM_ORT_COLD_BYTES;
	double further = step->n_inputs > 1 ? (double)step->n_inputs - 1 : 0;
	double nested = (double)step->n_nested * (bias->head_ns + bias->tail_ns);
	struct jm_ort_layer_bias layer;

	if (!(cold >= 0)) /* not known */
		cold = 0;
	if (cold > 1)
		cold = 1;
	layer.head_ns = whole_ns(bias->head_ns + further * bias->head_per_input_ns);
	layer.tail_ns =
		whole_ns(bias->tail_ns + cold * (bias->tail_cold_ns - bias->tail_ns) + nested);
	return layer;
}

void jm_ort_bias_remove(struct jm_ort_layer_bias bias, int64_t *begin_ns, int64_t *end_ns)
{
	int64_t duration = *end_ns - *begin_ns, whole = bias.head_ns + bias.tail_ns;

	if (duration >= whole) {
		*begin_ns += bias.head_ns;
		*end_ns -= bias.tail_ns;
		return;
	}
	/* A moment where the node must have been. */
	*begin_ns += (int64_t)((double)duration * (double)bias.head_ns / (double)whole);
	*end_ns = *begin_ns;
}
