/* SPDX-License-Identifier: Apache-2.0 */
#include "workload/inference.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "formats/engine_info_file.h"
#include "run/spool.h"
#include "workload/pauses.h"

#define UNTRACED_RUNS_MAX 200u
#define UNTRACED_NS_MAX (3 * JM_NS_PER_S)

/* How long a stop may go unnoticed in a pause. */
#define STOP_NS (20 * JM_NS_PER_MS)

/* Falling asleep and waking up takes longer than pauses below this: they are spent awake. */
#define AWAKE_NS (50 * JM_NS_PER_US)

/* What one inference process holds. */
struct inference {
	const struct jm_inference_config *config;
	void *engine;
	int engine_open;
	struct jm_engine_info info;
	struct jm_spool_writer spool;
	struct jm_span_sink sink;
	struct jm_pauses pauses;
	uint32_t warm_cycles; /* traced, before the first that counts */
	int spool_result;     /* first failure of the spool inside a callback */
	struct jm_error spool_error;
	double untraced_ms, traced_ms; /* medians of the whole network */
};

static int64_t now(const struct inference *inference)
{
	const struct jm_engine_options *options = &inference->config->options;

	return options->now_ns(options->clock);
}

static void put_span(struct inference *inference, const struct jm_spool_span *span)
{
	if (inference->spool_result < 0)
		return;
	inference->spool_result = jm_spool_put(&inference->spool, JM_SPOOL_SPAN, span,
		sizeof(*span), span->end_ns, &inference->spool_error);
}

/* The engine has counted since it was opened: what warmed it up is no cycle. */
static void take_span(void *context, const struct jm_span *span)
{
	struct inference *inference = context;
	struct jm_spool_span record = {span->begin_ns, span->end_ns, span->layer,
		span->cycle - inference->warm_cycles};

	put_span(inference, &record);
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
	qsort(times, n, sizeof(times[0]), jm_compare_doubles);
	*ret_median_ms = times[n / 2];
	return 0;
}

/*
 * Warms up, and measures what tracing costs: the network's time without and
 * with it, in turns so that a drift of the clocks hits both.
 */
static int warm_up(struct inference *inference, struct jm_error *reterr)
{
	const struct jm_span_sink drop = {drop_span, NULL};
	uint32_t runs = inference->config->runs / 10;
	double unused;
	int result = 0;

	for (uint32_t i = 0; i < inference->config->warmup && result == 0; i++)
		result = inference->config->ops->run(inference->engine, NULL, reterr);
	runs = runs < 5 ? 5 : runs;
	if (result == 0)
		result = time_runs(inference, &drop, 3, &unused, reterr);
	if (result == 0)
		result = time_runs(inference, NULL, runs, &inference->untraced_ms, reterr);
	if (result == 0)
		result = time_runs(inference, &drop, runs, &inference->traced_ms, reterr);
	if (result == 0 && inference->config->ops->flush)
		result = inference->config->ops->flush(inference->engine, &drop, reterr);
	return result;
}

/* What the pauses will be, now that the cycle's time is known. */
static void choose_pauses(struct inference *inference)
{
	const struct jm_inference_config *config = inference->config;
	double max_ms = config->pause_max_ms;

	if (isnan(max_ms))
		max_ms = jm_pauses_max_ms(config->round_ms, inference->traced_ms);
	jm_pauses_init(&inference->pauses, max_ms, config->options.seed);
	config->shared->cycle_ms = inference->traced_ms;
	config->shared->pause_max_ms = (double)inference->pauses.max_ns / (double)JM_NS_PER_MS;
	/* Else the kernel adds up to 50 us to each. Workers keep their slack. */
	prctl(PR_SET_TIMERSLACK, 1UL);
}

/* Writes a JSON text as one record and drops the reference. */
static int put_json(struct inference *inference, enum jm_spool_type type, json_t *json,
	struct jm_error *reterr)
{
	char *text = json ? jm_json_dump(json, JSON_COMPACT) : NULL;
	int result;

	json_decref(json);
	if (!text)
		return jm_fail_memory(reterr, "the run's description");
	result = jm_spool_put(
		&inference->spool, type, text, strlen(text), now(inference), reterr);
	free(text);
	return result;
}

/* [{"name", "dtype", "shape"}] of the network's inputs. */
static json_t *describe_inputs(const struct jm_graph *graph)
{
	json_t *inputs = json_array();

	for (size_t i = 0; inputs && i < graph->n_inputs; i++) {
		const struct jm_tensor *input = &graph->inputs[i];
		json_t *shape = json_array();

		for (size_t j = 0; j < input->n_dims; j++)
			json_array_append_new(shape, json_integer(input->dims[j]));
		json_array_append_new(
			inputs, json_pack("{s:o, s:s, s:o}", "name", jm_json_text(input->name),
					"dtype", input->dtype, "shape", shape));
	}
	return inputs;
}

static json_t *describe_schedule(const struct inference *inference)
{
	const struct jm_inference_config *config = inference->config;

	if (!inference->pauses.max_ns)
		return json_pack("{s:s}", "kind", "none");
	return json_pack("{s:s, s:f, s:I}", "kind", "jitter", "pause_max_ms",
		config->shared->pause_max_ms, "seed", (json_int_t)config->options.seed);
}

/* The engine's own options, as the user gave them. */
static json_t *describe_settings(const struct jm_engine_options *options)
{
	json_t *settings = json_object();

	for (size_t i = 0; settings && i < options->n_settings; i++)
		json_object_set_new(settings, options->settings[i].name,
			jm_json_text(options->settings[i].value));
	return settings;
}

/* Of the engine, and how its cycles follow each other. */
static json_t *describe_engine(const struct inference *inference, const struct jm_graph *graph)
{
	const struct jm_engine_info *info = &inference->info;

	return json_pack("{s:s, s:s, s:o, s:s, s:i, s:i, s:f, s:f, s:f, s:f, s:o, s:o, s:o}",
		"engine", inference->config->ops->name, "version", info->version, "library",
		jm_json_text(info->library), "tracing", info->tracing, "threads", info->threads,
		"optimization_level", info->optimization_level, "trace_bias_us",
		info->trace_bias_us, "trace_bias_sd_us", info->trace_bias_sd_us,
		"network_untraced_ms", inference->untraced_ms, "network_traced_ms",
		inference->traced_ms, "inputs", describe_inputs(graph), "schedule",
		describe_schedule(inference), "settings",
		describe_settings(&inference->config->options));
}

static int open_spool(struct inference *inference, struct jm_error *reterr)
{
	const struct jm_graph *graph = inference->config->ops->graph(inference->engine);
	char *text;
	int result = jm_spool_create(&inference->spool, inference->config->spool_path, reterr);

	if (result < 0)
		return result;
	result = put_json(inference, JM_SPOOL_META, describe_engine(inference, graph), reterr);
	if (result < 0)
		return result;
	text = jm_engine_info_format(graph, reterr);
	if (!text)
		return JM_ENOMEM;
	result = jm_spool_put(
		&inference->spool, JM_SPOOL_GRAPH, text, strlen(text), now(inference), reterr);
	free(text);
	if (result == 0)
		result = jm_spool_flush(&inference->spool, now(inference), reterr);
	return result;
}

/* Waits for the parent's word; JM_EINTERRUPTED when it is gone. */
static int wait_for_go(const struct jm_inference_config *config, struct jm_error *reterr)
{
	const char ready = JM_INFERENCE_READY;
	char word = 0;
	ssize_t n;

	if (write(config->status_fd, &ready, 1) != 1)
		return jm_fail(reterr, JM_EINTERRUPTED, "the measuring process is gone");
	do
		n = read(config->control_fd, &word, 1);
	while (n < 0 && errno == EINTR);
	if (n != 1 || word != JM_INFERENCE_GO)
		return jm_fail(reterr, JM_EINTERRUPTED, "stopped before the first cycle");
	return 0;
}

static int is_stopped(const struct inference *inference)
{
	return atomic_load(&inference->config->shared->stop);
}

/*
 * The pause before the next cycle. What would wait for the disk for too long
 * goes there first, which is time that no cycle loses.
 */
static int pause_before_next(struct inference *inference, struct jm_error *reterr)
{
	int64_t pause_ns = jm_pauses_next_ns(&inference->pauses);
	int64_t now_ns = now(inference), deadline_ns = now_ns + pause_ns;

	if (!pause_ns)
		return 0;
	if (deadline_ns - inference->spool.last_flush_ns > JM_SPOOL_FLUSH_NS) {
		int result = jm_spool_flush(&inference->spool, now_ns, reterr);

		if (result < 0)
			return result;
	}
	while (!is_stopped(inference) && (now_ns = now(inference)) < deadline_ns)
		if (inference->pauses.max_ns > AWAKE_NS)
			jm_clock_sleep_until(deadline_ns - now_ns > STOP_NS ? now_ns + STOP_NS
									    : deadline_ns);
	return 0;
}

static void put_whole_cycle(struct inference *inference, uint32_t cycle, int64_t begin_ns)
{
	struct jm_spool_span span = {begin_ns, now(inference), JM_WHOLE_CYCLE, cycle};

	put_span(inference, &span);
}

static int run_cycles(struct inference *inference, struct jm_error *reterr)
{
	const struct jm_inference_config *config = inference->config;

	for (uint32_t i = 0; i < config->runs && !is_stopped(inference); i++) {
		int64_t begin = now(inference);
		int result;

		result = config->ops->run(inference->engine, &inference->sink, reterr);
		if (result < 0)
			return result;
		put_whole_cycle(inference, i, begin);
		if (inference->spool_result < 0) {
			if (reterr)
				*reterr = inference->spool_error;
			return inference->spool_result;
		}
		atomic_store(&config->shared->cycles, i + 1);
		if (i + 1 < config->runs)
			result = pause_before_next(inference, reterr);
		if (result < 0)
			return result;
	}
	return config->ops->flush
		       ? config->ops->flush(inference->engine, &inference->sink, reterr)
		       : 0;
}

static int close_spool(struct inference *inference, struct jm_error *reterr)
{
	struct rusage usage;
	int result;

	getrusage(RUSAGE_SELF, &usage);
	result = put_json(inference, JM_SPOOL_END,
		json_pack("{s:I, s:f, s:I}", "cycles",
			(json_int_t)atomic_load(&inference->config->shared->cycles), "cpu_s",
			(double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
				(double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) *
					1e-6,
			"peak_memory_kib", (json_int_t)usage.ru_maxrss),
		reterr);
	if (result < 0)
		return result;
	return jm_spool_close(&inference->spool, reterr);
}

int jm_inference_run(const struct jm_inference_config *config, struct jm_error *reterr)
{
	const char done = JM_INFERENCE_DONE;
	struct inference inference = {.config = config};
	int result, close_result;

	inference.sink.span = take_span;
	inference.sink.context = &inference;
	inference.spool.fd = -1;
	result = open_engine(&inference, reterr);
	if (result == 0)
		result = warm_up(&inference, reterr);
	if (result == 0) {
		choose_pauses(&inference);
		result = open_spool(&inference, reterr);
	}
	if (result == 0)
		result = wait_for_go(config, reterr);
	if (result == 0)
		result = run_cycles(&inference, reterr);
	if (inference.spool.fd >= 0) {
		close_result = close_spool(&inference, result < 0 ? NULL : reterr);
		jm_spool_close(&inference.spool, NULL);
		result = result < 0 ? result : close_result;
	}
	if (inference.engine_open)
		config->ops->close(inference.engine);
	free(inference.engine);
	if (result == 0 && write(config->status_fd, &done, 1) != 1)
		result = jm_fail(reterr, JM_EINTERRUPTED, "the measuring process is gone");
	return result;
}
