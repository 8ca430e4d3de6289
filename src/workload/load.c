/* SPDX-License-Identifier: Apache-2.0 */
#include "workload/load.h"

#include <jansson.h>

#include "base/text.h"
#include "run/run.h"

/* One layer, in the form of trt_engine_info.json. */
static const char graph[] = "{\"Layers\": [{\"Name\": \"load\", \"LayerType\": \"Load\", "
			    "\"Inputs\": [], \"Outputs\": []}], \"Bindings\": []}";

int jm_load_stopped(const struct jm_load *load)
{
	return jm_link_is_stopped(load->seat.link);
}

void jm_load_stop(const struct jm_load *load)
{
	atomic_store(&load->seat.link->shared->stop, 1);
}

void jm_load_progress(struct jm_load *load, size_t spans)
{
	jm_seat_progress(&load->seat, (uint32_t)spans);
}

int jm_load_emit(
	struct jm_load *load, int64_t begin_ns, int64_t end_ns, struct jm_error *reterr)
{
	struct jm_spool_span span = {begin_ns, end_ns, 0, load->n_spans, 0, 0};

	if (begin_ns < load->ended_ns) /* means of threads that were kept waiting */
		span.begin_ns = begin_ns = load->ended_ns;
	if (end_ns <= begin_ns)
		return 0;
	load->ended_ns = end_ns;
	load->n_spans++;
	jm_seat_span(&load->seat, &span);
	span.layer = JM_WHOLE_CYCLE;
	jm_seat_span(&load->seat, &span);
	return jm_seat_check(&load->seat, reterr);
}

/* It stands where an engine does. */
static json_t *describe_load(const struct jm_load *load)
{
	struct jm_run_engine engine;
	json_t *json;

	jm_run_engine_init(&engine);
	jm_text_copy(engine.name, sizeof(engine.name), "load");
	jm_text_copy(engine.version, sizeof(engine.version), jm_version());
	jm_text_copy(engine.load, sizeof(engine.load), load->text);
	json = jm_run_engine_json(&engine, NULL);
	jm_run_engine_release(&engine);
	return json;
}

static json_t *describe_end(const struct jm_load *load)
{
	return json_pack("{s:I, s:f}", "cycles",
		(json_int_t)atomic_load(&load->seat.link->shared->cycles), "edge_ms",
		load->edge_ms);
}

int jm_load_run(struct jm_link *link, void *context, struct jm_error *reterr)
{
	struct jm_load load = {.config = context};
	int result, closed;

	jm_seat_init(&load.seat, link, "calibrating", "the load began");
	result = load.config->ops->open(&load, reterr);
	if (result == 0)
		result = jm_seat_open(&load.seat, describe_load(&load), graph, reterr);
	if (result == 0)
		result = jm_seat_wait(&load.seat, reterr);
	if (result == 0)
		result = load.config->ops->run(&load, reterr);
	closed = jm_seat_close(&load.seat, describe_end(&load), result < 0 ? NULL : reterr);
	result = result < 0 ? result : closed;
	load.config->ops->close(&load);
	return result < 0 ? result : jm_seat_done(&load.seat, reterr);
}
