/* SPDX-License-Identifier: Apache-2.0 */
#include "workload/load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"

/* One layer, in the form of trt_engine_info.json. */
static const char graph[] = "{\"Layers\": [{\"Name\": \"load\", \"LayerType\": \"Load\", "
			    "\"Inputs\": [], \"Outputs\": []}], \"Bindings\": []}";

int jm_load_stopped(const struct jm_load *load)
{
	return atomic_load_explicit(&load->place->shared->stop, memory_order_relaxed);
}

void jm_load_progress(struct jm_load *load, size_t spans)
{
	atomic_store(&load->place->shared->cycles, (uint32_t)spans);
}

int jm_load_emit(
	struct jm_load *load, int64_t begin_ns, int64_t end_ns, struct jm_error *reterr)
{
	struct jm_spool_span span = {begin_ns, end_ns, 0, 0};
	int64_t now_ns = jm_clock_monotonic_ns(NULL);
	int result;

	if (begin_ns < load->ended_ns) /* means of threads that were kept waiting */
		span.begin_ns = begin_ns = load->ended_ns;
	if (end_ns <= begin_ns)
		return 0;
	load->ended_ns = end_ns;
	result = jm_spool_put(&load->spool, JM_SPOOL_SPAN, &span, sizeof(span), now_ns, reterr);
	span.layer = JM_WHOLE_CYCLE;
	return result < 0 ? result
			  : jm_spool_put(&load->spool, JM_SPOOL_SPAN, &span, sizeof(span),
				    now_ns, reterr);
}

static int put(struct jm_load *load, enum jm_spool_type type, const char *text,
	struct jm_error *reterr)
{
	return jm_spool_put(
		&load->spool, type, text, strlen(text), jm_clock_monotonic_ns(NULL), reterr);
}

/* Writes a JSON object as one record and drops the reference. */
static int put_json(
	struct jm_load *load, enum jm_spool_type type, json_t *json, struct jm_error *reterr)
{
	char *text = json ? jm_json_dump(json, JSON_COMPACT) : NULL;
	int result;

	json_decref(json);
	if (!text)
		return jm_fail_memory(reterr, "the load's description");
	result = put(load, type, text, reterr);
	free(text);
	return result;
}

static int open_spool(struct jm_load *load, struct jm_error *reterr)
{
	int result = jm_spool_create(&load->spool, load->place->spool_path, reterr);

	if (result == 0)
		result = put_json(load, JM_SPOOL_META,
			json_pack("{s:s, s:s, s:o}", "engine", "load", "version", jm_version(),
				"load", jm_json_text(load->text)),
			reterr);
	if (result == 0)
		result = put(load, JM_SPOOL_GRAPH, graph, reterr);
	if (result == 0)
		result = jm_spool_flush(&load->spool, jm_clock_monotonic_ns(NULL), reterr);
	return result;
}

static int close_spool(struct jm_load *load, struct jm_error *reterr)
{
	int result = put_json(load, JM_SPOOL_END,
		json_pack("{s:I, s:f}", "cycles",
			(json_int_t)atomic_load(&load->place->shared->cycles), "edge_ms",
			load->edge_ms),
		reterr);

	return result < 0 ? result : jm_spool_close(&load->spool, reterr);
}

static int wait_for_go(const struct jm_load *load, struct jm_error *reterr)
{
	const char ready = JM_INFERENCE_READY;
	char word = 0;
	ssize_t n;

	if (write(load->place->status_fd, &ready, 1) != 1)
		return jm_fail(reterr, JM_EINTERRUPTED, "the calibrating process is gone");
	do
		n = read(load->place->control_fd, &word, 1);
	while (n < 0 && errno == EINTR);
	if (n != 1 || word != JM_INFERENCE_GO)
		return jm_fail(reterr, JM_EINTERRUPTED, "stopped before the load began");
	return 0;
}

int jm_load_run(const struct jm_inference_config *place, void *context, struct jm_error *reterr)
{
	const char done = JM_INFERENCE_DONE;
	struct jm_load load = {.config = context, .place = place, .spool = {.fd = -1}};
	int result = load.config->ops->open(&load, reterr), closed;

	if (result == 0)
		result = open_spool(&load, reterr);
	if (result == 0)
		result = wait_for_go(&load, reterr);
	if (result == 0)
		result = load.config->ops->run(&load, reterr);
	if (load.spool.fd >= 0) {
		closed = close_spool(&load, result < 0 ? NULL : reterr);
		jm_spool_close(&load.spool, NULL);
		result = result < 0 ? result : closed;
	}
	load.config->ops->close(&load);
	if (result == 0 && write(place->status_fd, &done, 1) != 1)
		result = jm_fail(reterr, JM_EINTERRUPTED, "the calibrating process is gone");
	return result;
}
