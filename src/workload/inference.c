/* SPDX-License-Identifier: Apache-2.0 */
#include "workload/inference.h"

#include <jansson.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/statistics.h"
#include "formats/engine_info_file.h"
#include "run/run.h"
#include "workload/seat.h"

#define UNTRACED_RUNS_MAX 200u
#define UNTRACED_NS_MAX (3 * JM_NS_PER_S)

/* What one inference process holds. */
struct inference {
	const struct jm_inference_config *config;
	void *engine;
	int engine_open;
	struct jm_engine_info info;
	struct jm_seat seat;
	struct jm_span_sink sink;
	uint32_t warm_cycles;          /* traced, before the first that counts */
	double untraced_ms, traced_ms; /* medians of the whole network */
};

static int64_t now(const struct inference *inference)
{
	const struct jm_engine_options *options = &inference->config->options;

	return options->now_ns(options->clock);
}

/* The engine has counted since it was opened: what warmed it up is no cycle. */
static void take_span(void *context, const struct jm_span *span)
{
	struct inference *inference = context;
	struct jm_spool_span record = {span->begin_ns, span->end_ns, span->layer,
		span->cycle - inference->warm_cycles, span->lane, 0};

	jm_seat_span(&inference->seat, &record);
}

static void drop_span(void *context, const struct jm_span *span)
{
	(void)context;
	(void)span;
}

static int open_engine(struct inference *inference, struct jm_error *reterr)
{
	const struct jm_inference_config *config = inference->config;
	struct jm_engine_options options = config->options;
	struct jm_model_data data;
	int result;

	inference->engine = calloc(1, config->ops->state_size);
	if (!inference->engine)
		return jm_fail_memory(reterr, "the engine");
	result = jm_model_load(config->model, options.seed, &data, reterr);
	if (result < 0)
		return result;
	options.model = &data.model;
	inference->engine_open = 1;
	result = config->ops->open(inference->engine, &options, &inference->info, reterr);
	jm_model_release(&data);
	return result;
}

/* Median time of up to `runs` inferences, in ms; with a sink they are traced. */
static int time_runs(struct inference *inference, const struct jm_span_sink *sink,
	uint32_t runs, double *ret_median_ms, struct jm_error *reterr)
{
	double times[UNTRACED_RUNS_MAX];
	int64_t first = now(inference);
	uint32_t n = 0;

	while (n < runs && n < UNTRACED_RUNS_MAX) {
		int64_t begin = now(inference);
		int result = inference->config->ops->run(inference->engine, sink, reterr);

		if (result < 0)
			return result;
		inference->warm_cycles += sink != NULL;
		times[n++] = (double)(now(inference) - begin) / (double)JM_NS_PER_MS;
		if (n >= 5 && now(inference) - first > UNTRACED_NS_MAX)
			break;
	}
	if (!n)
		return 0;
	*ret_median_ms = jm_median_upper(times, n);
	return 0;
}

/* The network's time without and with tracing, where the engine does not tell. */
static int time_tracing(struct inference *inference, struct jm_error *reterr)
{
	const struct jm_span_sink drop = {drop_span, NULL};
	uint32_t runs = inference->seat.link->shared->runs / 10;
	int result;

	if (inference->info.network_traced_ms > 0) {
		inference->untraced_ms = inference->info.network_untraced_ms;
		inference->traced_ms = inference->info.network_traced_ms;
		return 0;
	}
	runs = runs < 5 ? 5 : runs;
	result = time_runs(inference, NULL, runs, &inference->untraced_ms, reterr);
	if (result == 0)
		result = time_runs(inference, &drop, runs, &inference->traced_ms, reterr);
	return result;
}

/* Warms up as it will run, and measures what tracing costs. */
static int warm_up(struct inference *inference, struct jm_error *reterr)
{
	const struct jm_span_sink drop = {drop_span, NULL};
	double unused;
	int result = 0;

	for (uint32_t i = 0; i < inference->config->warmup && result == 0; i++)
		result = inference->config->ops->run(inference->engine, NULL, reterr);
	if (result == 0)
		result = time_runs(inference, &drop, 3, &unused, reterr);
	if (result == 0)
		result = time_tracing(inference, reterr);
	if (result == 0 && inference->config->ops->flush)
		result = inference->config->ops->flush(inference->engine, &drop, reterr);
	return result;
}

/* Of the engine, and how its cycles follow each other. */
static json_t *describe_engine(const struct inference *inference, const struct jm_graph *graph)
{
	const struct jm_inference_config *config = inference->config;
	struct jm_run_schedule schedule;
	struct jm_run_engine engine;
	json_t *json = NULL;

	jm_run_engine_init(&engine);
	jm_seat_schedule(&inference->seat, &schedule);
	if (jm_run_engine_set(&engine, config->ops->name, &inference->info, &config->options,
		    graph, NULL) == 0) {
		engine.network_untraced_ms = inference->untraced_ms;
		engine.network_traced_ms = inference->traced_ms;
		json = jm_run_engine_json(&engine, &schedule);
	}
	jm_run_engine_release(&engine);
	return json;
}

static int open_spool(struct inference *inference, struct jm_error *reterr)
{
	const struct jm_graph *graph = inference->config->ops->graph(inference->engine);
	char *text = jm_engine_info_format(graph, reterr);
	int result;

	if (!text)
		return JM_ENOMEM;
	result =
		jm_seat_open(&inference->seat, describe_engine(inference, graph), text, reterr);
	free(text);
	return result;
}

static void put_whole_cycle(struct inference *inference, uint32_t cycle, int64_t begin_ns)
{
	struct jm_spool_span span = {begin_ns, now(inference), JM_WHOLE_CYCLE, cycle, 0, 0};

	jm_seat_span(&inference->seat, &span);
}

static int run_cycles(struct inference *inference, struct jm_error *reterr)
{
	const struct jm_inference_config *config = inference->config;
	struct jm_seat *seat = &inference->seat;
	uint32_t runs = seat->link->shared->runs;
	int result = 0;

	for (uint32_t i = 0; i < runs && !jm_link_is_stopped(seat->link); i++) {
		int64_t begin = now(inference);

		result = config->ops->run(inference->engine, &inference->sink, reterr);
		if (result < 0)
			return result;
		put_whole_cycle(inference, i, begin);
		result = jm_seat_check(seat, reterr);
		if (result < 0)
			return result;
		jm_seat_progress(seat, i + 1);
		if (i + 1 < runs)
			result = jm_seat_pause(seat, reterr);
		if (result < 0)
			return result;
	}
	if (config->ops->flush)
		result = config->ops->flush(inference->engine, &inference->sink, reterr);
	return result < 0 ? result : jm_seat_check(seat, reterr);
}

static json_t *describe_end(const struct inference *inference)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return json_pack("{s:I, s:f, s:I}", "cycles",
		(json_int_t)atomic_load(&inference->seat.link->shared->cycles), "cpu_s",
		jm_cpu_seconds(&usage), "peak_memory_kib", (json_int_t)usage.ru_maxrss);
}

int jm_inference_run(struct jm_link *link, void *context, struct jm_error *reterr)
{
	const struct jm_inference_config *config = context;
	struct inference inference = {.config = config};
	int result, closed;

	jm_seat_init(&inference.seat, link, "measuring", "the first cycle");
	inference.sink.span = take_span;
	inference.sink.context = &inference;
	result = open_engine(&inference, reterr);
	if (result == 0)
		result = warm_up(&inference, reterr);
	if (result == 0) {
		jm_seat_choose_pauses(&inference.seat, inference.traced_ms);
		result = open_spool(&inference, reterr);
	}
	if (result == 0)
		result = jm_seat_wait(&inference.seat, reterr);
	if (result == 0)
		result = run_cycles(&inference, reterr);
	closed = jm_seat_close(
		&inference.seat, describe_end(&inference), result < 0 ? NULL : reterr);
	result = result < 0 ? result : closed;
	if (inference.engine_open)
		config->ops->close(inference.engine);
	free(inference.engine);
	return result < 0 ? result : jm_seat_done(&inference.seat, reterr);
}
