/* SPDX-License-Identifier: Apache-2.0 */
/* The public way to be a worker: a link from the environment, and a seat. */
#include "joulemap/worker.h"

#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/statistics.h"
#include "base/text.h"
#include "data/graph.h"
#include "formats/engine_info_file.h"
#include "run/run.h"
#include "workload/seat.h"

#define WARM_CYCLES_MAX 200

struct jm_worker {
	struct jm_link link;
	struct jm_seat seat;
	char engine[JM_NAME_MAX], version[JM_NAME_MAX];
	char *graph; /* text of the layers, owned; NULL: not described */
	uint32_t n_layers;
	double warm_ms[WARM_CYCLES_MAX]; /* of cycles before it was ready, the latest */
	size_t n_warm;
	int64_t begin_ns; /* of the cycle that runs */
	int in_cycle;
	int ready;
	uint32_t cycle;
};

/* ---- Begin -------------------------------------------------------------------- */

int jm_worker_attach(struct jm_worker **ret_worker, struct jm_error *reterr)
{
	struct jm_worker *worker = calloc(1, sizeof(*worker));
	int result;

	*ret_worker = NULL;
	if (!worker)
		return jm_fail_memory(reterr, "the worker");
	result = jm_link_attach(&worker->link, reterr);
	if (result < 0) {
		free(worker);
		return result;
	}
	jm_seat_init(&worker->seat, &worker->link, "measuring", "the first cycle");
	*ret_worker = worker;
	return 0;
}

static int copy_layers(
	struct jm_graph *graph, const struct jm_worker_layer *layers, struct jm_error *reterr)
{
	for (size_t i = 0; i < graph->n_layers; i++) {
		struct jm_graph_layer *layer = &graph->layers[i];
		const char *type = layers[i].type ? layers[i].type : "Unknown";

		layer->name = jm_text_duplicate(layers[i].name ? layers[i].name : "");
		layer->type = jm_text_duplicate(type);
		layer->macs = layer->parameters = layer->bytes = (double)NAN;
		if (!layer->name || !layer->type)
			return jm_fail_memory(reterr, "the layers");
	}
	return jm_graph_make_names_unique(graph, reterr);
}

int jm_worker_describe(struct jm_worker *worker, const char *engine, const char *version,
	const struct jm_worker_layer *layers, size_t n_layers, struct jm_error *reterr)
{
	struct jm_graph graph = {.layers = NULL};
	int result;

	if (worker->graph || worker->ready)
		return jm_fail(reterr, JM_EINVAL, "the layers are described already");
	if (!engine || !*engine || !n_layers || n_layers >= JM_WHOLE_CYCLE)
		return jm_fail(reterr, JM_EINVAL, "a worker has a name and at least one layer");
	graph.layers = calloc(n_layers, sizeof(*graph.layers));
	if (!graph.layers)
		return jm_fail_memory(reterr, "the layers");
	graph.n_layers = n_layers;
	result = copy_layers(&graph, layers, reterr);
	if (result == 0)
		worker->graph = jm_engine_info_format(&graph, reterr);
	jm_graph_release(&graph);
	if (!worker->graph)
		return result < 0 ? result : JM_ENOMEM;
	jm_text_sanitize(worker->engine, sizeof(worker->engine), engine);
	jm_text_sanitize(worker->version, sizeof(worker->version), version ? version : "");
	worker->n_layers = (uint32_t)n_layers;
	return 0;
}

/* Median of the cycles that warmed it up; 0: there were none. */
static double warm_cycle_ms(struct jm_worker *worker)
{
	size_t n = worker->n_warm < WARM_CYCLES_MAX ? worker->n_warm : WARM_CYCLES_MAX;

	return n ? jm_median_upper(worker->warm_ms, n) : 0;
}

static json_t *describe(const struct jm_worker *worker)
{
	const struct jm_link_shared *shared = worker->link.shared;
	struct jm_run_schedule schedule;
	struct jm_run_engine engine;
	json_t *json;

	jm_seat_schedule(&worker->seat, &schedule);
	jm_run_engine_init(&engine);
	jm_text_copy(engine.name, sizeof(engine.name), worker->engine);
	jm_text_copy(engine.version, sizeof(engine.version), worker->version);
	jm_text_copy(engine.tracing, sizeof(engine.tracing), "worker");
	if (shared->cycle_ms > 0)
		engine.network_traced_ms = shared->cycle_ms;
	json = jm_run_engine_json(&engine, &schedule);
	jm_run_engine_release(&engine);
	return json;
}

/* The parent is to know, too, why its worker cannot go on. */
static int tell(struct jm_worker *worker, int result, const struct jm_error *error,
	struct jm_error *reterr)
{
	if (result >= 0)
		return 0;
	jm_link_tell_error(&worker->link, error);
	if (reterr)
		*reterr = *error;
	return result;
}

int jm_worker_ready(struct jm_worker *worker, struct jm_error *reterr)
{
	struct jm_error error;
	int result;

	if (!worker->graph || worker->ready || worker->in_cycle)
		return jm_fail(reterr, JM_EINVAL,
			"a worker says once that it is ready, after jm_worker_describe and "
			"between cycles");
	jm_seat_choose_pauses(&worker->seat, warm_cycle_ms(worker));
	result = jm_seat_open(&worker->seat, describe(worker), worker->graph, &error);
	if (result == 0)
		result = jm_seat_wait(&worker->seat, &error);
	worker->ready = result == 0;
	return tell(worker, result, &error, reterr);
}

/* ---- Cycles -------------------------------------------------------------------- */

int64_t jm_worker_now_ns(void)
{
	return jm_clock_monotonic_ns(NULL);
}

int jm_worker_cycle_begin(struct jm_worker *worker, struct jm_error *reterr)
{
	if (worker->in_cycle)
		return jm_fail(reterr, JM_EINVAL, "the cycle before has not ended");
	worker->in_cycle = 1;
	worker->begin_ns = jm_worker_now_ns();
	return 0;
}

static int end_measured(struct jm_worker *worker, int64_t end_ns, struct jm_error *reterr)
{
	const struct jm_spool_span span = {.begin_ns = worker->begin_ns,
		.end_ns = end_ns,
		.layer = JM_WHOLE_CYCLE,
		.cycle = worker->cycle};
	int result;

	jm_seat_span(&worker->seat, &span);
	result = jm_seat_check(&worker->seat, reterr);
	if (result < 0)
		return result;
	jm_seat_progress(&worker->seat, ++worker->cycle);
	return worker->cycle >= worker->link.shared->runs
		       ? 0
		       : jm_seat_pause(&worker->seat, reterr);
}

int jm_worker_cycle_end(struct jm_worker *worker, struct jm_error *reterr)
{
	int64_t end_ns = jm_worker_now_ns();
	struct jm_error error;
	double ms = (double)(end_ns - worker->begin_ns) / (double)JM_NS_PER_MS;

	if (!worker->in_cycle)
		return jm_fail(reterr, JM_EINVAL, "no cycle has begun");
	worker->in_cycle = 0;
	if (worker->ready)
		return tell(worker, end_measured(worker, end_ns, &error), &error, reterr);
	worker->warm_ms[worker->n_warm++ % WARM_CYCLES_MAX] = ms;
	return 0;
}

int jm_worker_span(struct jm_worker *worker, uint32_t layer, uint32_t lane, int64_t begin_ns,
	int64_t end_ns, struct jm_error *reterr)
{
	const struct jm_spool_span span = {.begin_ns = begin_ns,
		.end_ns = end_ns,
		.layer = layer,
		.cycle = worker->cycle,
		.lane = lane};
	struct jm_error error;

	if (layer >= worker->n_layers)
		return jm_fail(reterr, JM_EINVAL, "there is no layer %u, %u are described",
			layer, worker->n_layers);
	if (lane >= JM_LANES_MAX)
		return jm_fail(reterr, JM_EINVAL, "lane %u is too high, %u are possible", lane,
			JM_LANES_MAX);
	if (!worker->in_cycle)
		return jm_fail(reterr, JM_EINVAL, "layer %u runs in no cycle", layer);
	if (begin_ns < 0 || end_ns < begin_ns)
		return jm_fail(reterr, JM_EINVAL, "layer %u ends before it begins", layer);
	if (!worker->ready)
		return 0;
	jm_seat_span(&worker->seat, &span);
	return tell(worker, jm_seat_check(&worker->seat, &error), &error, reterr);
}

int jm_worker_layer(struct jm_worker *worker, uint32_t layer, int64_t begin_ns, int64_t end_ns,
	struct jm_error *reterr)
{
	return jm_worker_span(worker, layer, 0, begin_ns, end_ns, reterr);
}

uint32_t jm_worker_runs(const struct jm_worker *worker)
{
	return worker->link.shared->runs;
}

int jm_worker_is_stopped(const struct jm_worker *worker)
{
	return worker->cycle >= worker->link.shared->runs ||
	       jm_link_is_stopped(&worker->link) || jm_link_is_orphaned(&worker->link);
}

/* ---- End ----------------------------------------------------------------------- */

static void free_worker(struct jm_worker *worker)
{
	jm_seat_release(&worker->seat);
	jm_link_close(&worker->link);
	free(worker->graph);
	free(worker);
}

int jm_worker_finish(struct jm_worker *worker, struct jm_error *reterr)
{
	struct jm_error error;
	int result;

	if (!worker)
		return 0;
	result = jm_seat_close(
		&worker->seat, json_pack("{s:I}", "cycles", (json_int_t)worker->cycle), &error);
	if (result == 0 && worker->ready)
		result = jm_seat_done(&worker->seat, &error);
	result = tell(worker, result, &error, reterr);
	free_worker(worker);
	return result;
}

void jm_worker_fail(struct jm_worker *worker, const char *why)
{
	struct jm_error error;

	if (!worker)
		return;
	jm_fail(&error, JM_EENGINE, "%s", why && *why ? why : "the worker has failed");
	jm_link_tell_error(&worker->link, &error);
	free_worker(worker);
}
