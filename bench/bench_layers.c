/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times of layers that no tracer has touched, against what tracers say:
 *     bench_layers [--behind N] [--seconds S] [--quantile PERCENT] [--threads N]
 *         [--cpu] MODEL...
 * The optimised network is cut behind each of its nodes and in front of it, and
 * these parts run untraced, by turns with the whole network traced by markers
 * and by callbacks. What layer k takes is the difference of the two parts that
 * end with it and before it. Parts begin with the network or, with --behind N,
 * N nodes before the layer: the shorter, the less noisy, but the caches hold more
 * of the weights than in the whole network.
 *
 * Per layer, in us, each with its standard error: that difference; what the
 * engine reports by markers and by callbacks (their cost and bias taken out), and
 * behind it how long after the layer before it the layer begins.
 * The first layer's difference holds the begin and end of a run as well: it is
 * left out of the errors below the table; the difference of others holds what a
 * node more costs there, 0.1 to 0.2 us. Times are medians or another quantile:
 * on a machine that others use a low one shows the undisturbed runs. --cpu, for
 * one thread: all times, the tracers' too, are of the processor.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/statistics.h"
#include "cut.h"
#include "engines/registry.h"
#include "times.h"
#include "workload/model.h"

/* Runs of a block, all but the first of which count: more where they are short. */
#define BLOCK 4
#define BLOCK_MAX 32
#define SHORT_RUN_US 200

/* What runs: a part, or an engine's state, traced or not. */
struct subject {
	struct jm_ort_session part;
	void *state;
	int is_traced;
	struct jm_engine_info info;
	const struct jm_graph *graph;
	size_t n_layers;    /* 0: of a part, or not traced */
	struct times times; /* layers, what lies before each, the whole run */
};

/* Where the spans of a run go. */
struct spans {
	double *row;
	size_t n_layers;
	int64_t end_ns; /* of the last one; 0: none yet */
};

enum { MARKERS, CALLBACKS, UNTRACED, N_ENGINES };

/* What the command line asks for. */
struct wish {
	struct jm_engine_options options;
	size_t behind;
	double seconds, quantile;
};

struct bench {
	const struct jm_engine_ops *ops;
	struct wish wish;
	struct cutter cutter;
	size_t n; /* layers */
	/* Parts that end with a layer, and before it (of the first: none): [n] */
	struct subject *with, *without;
	struct subject engines[N_ENGINES];
};

/* ---- Opening ----------------------------------------------------------------------- */

static int open_engine(
	struct bench *bench, size_t which, const char *tracing, struct jm_error *error)
{
	struct jm_engine_setting setting = {"tracing", tracing};
	struct jm_engine_options options = bench->wish.options;
	struct subject *subject = &bench->engines[which];

	options.settings = &setting;
	options.n_settings = 1;
	subject->is_traced = 1;
	subject->state = calloc(1, bench->ops->state_size);
	if (!subject->state ||
		bench->ops->open(subject->state, &options, &subject->info, error) < 0)
		return -1;
	subject->graph = bench->ops->graph(subject->state);
	subject->n_layers = subject->graph->n_layers;
	subject->times.n_columns = 2 * subject->n_layers + 1;
	return 0;
}

static int open_parts(struct bench *bench, struct jm_error *error)
{
	struct cutter *cutter = &bench->cutter;
	int result = 0;

	bench->with = calloc(bench->cutter.plan.n + 1, sizeof(*bench->with));
	bench->without = calloc(bench->cutter.plan.n + 1, sizeof(*bench->without));
	if (!bench->with || !bench->without)
		return -1;
	bench->n = bench->cutter.plan.n;
	for (size_t i = 0; i < bench->n && result == 0; i++) {
		size_t first = i > bench->wish.behind ? i - bench->wish.behind : 0;

		bench->with[i].times.n_columns = bench->without[i].times.n_columns = 1;
		result = cutter_cut(cutter, &bench->with[i].part, first, i, error);
		if (result == 0 && i)
			result = cutter_cut(
				cutter, &bench->without[i].part, first, i - 1, error);
	}
	return result;
}

static int open_all(struct bench *bench, struct jm_error *error)
{
	int result = cutter_open(&bench->cutter, &bench->wish.options, error);

	if (result == 0)
		result = open_parts(bench, error);
	if (result == 0)
		result = open_engine(bench, MARKERS, "markers", error);
	if (result == 0)
		result = open_engine(bench, CALLBACKS, "callbacks", error);
	bench->engines[UNTRACED].state = bench->engines[CALLBACKS].state;
	bench->engines[UNTRACED].times.n_columns = 1;
	return result;
}

static void close_all(struct bench *bench)
{
	for (size_t i = 0; i < bench->n; i++) {
		if (bench->with[i].part.ort)
			jm_ort_session_close(&bench->with[i].part);
		if (bench->without[i].part.ort)
			jm_ort_session_close(&bench->without[i].part);
		times_release(&bench->with[i].times);
		times_release(&bench->without[i].times);
	}
	for (size_t i = 0; i < N_ENGINES; i++) {
		times_release(&bench->engines[i].times);
		if (i == UNTRACED || !bench->engines[i].state)
			continue;
		bench->ops->close(bench->engines[i].state);
		free(bench->engines[i].state);
	}
	free(bench->with);
	free(bench->without);
	cutter_close(&bench->cutter);
}

/* ---- Running ----------------------------------------------------------------------- */

static void add_span(void *context, const struct jm_span *span)
{
	struct spans *spans = context;

	spans->row[span->layer] += (double)(span->end_ns - span->begin_ns) / 1e3;
	if (spans->end_ns)
		spans->row[spans->n_layers + span->layer] +=
			(double)(span->begin_ns - spans->end_ns) / 1e3;
	spans->end_ns = span->end_ns;
}

static int run_once(
	struct bench *bench, struct subject *subject, double *row, struct jm_error *error)
{
	int64_t (*now_ns)(void *) = bench->wish.options.now_ns;
	struct spans spans = {row, subject->n_layers, 0};
	struct jm_span_sink sink = {add_span, &spans};
	int64_t begin_ns;
	int result;

	if (!row)
		return -1;
	begin_ns = now_ns(NULL);
	if (subject->state)
		result = bench->ops->run(
			subject->state, subject->is_traced ? &sink : NULL, error);
	else
		result = jm_ort_session_run(&subject->part, 0, error);
	row[subject->times.n_columns - 1] = (double)(now_ns(NULL) - begin_ns) / 1e3;
	return result;
}

static int run_block(
	struct bench *bench, struct subject *subject, size_t turn, struct jm_error *error)
{
	size_t n_runs = BLOCK_MAX;

	for (size_t i = 0; i < n_runs; i++) {
		double *row = times_next(&subject->times, turn, i == 1);

		if (run_once(bench, subject, row, error) < 0)
			return -1;
		if (i == 0 && row[subject->times.n_columns - 1] > SHORT_RUN_US)
			n_runs = BLOCK;
	}
	return 0;
}

static int run_turn(struct bench *bench, size_t turn, struct jm_error *error)
{
	int result = 0;

	for (size_t i = 0; i < bench->n && result == 0; i++) {
		result = run_block(bench, &bench->with[i], turn, error);
		if (result == 0 && i)
			result = run_block(bench, &bench->without[i], turn, error);
	}
	for (size_t i = 0; i < N_ENGINES && result == 0; i++)
		result = run_block(bench, &bench->engines[i], turn, error);
	return result;
}

static int run_all(struct bench *bench, struct jm_error *error)
{
	int64_t start_ns = jm_clock_monotonic_ns(NULL);
	int64_t limit_ns = (int64_t)(bench->wish.seconds * 1e9);
	size_t turn = 0;

	while (turn < TIMES_GROUPS || jm_clock_monotonic_ns(NULL) - start_ns < limit_ns)
		if (run_turn(bench, turn++, error) < 0)
			return -1;
	return 0;
}

/* ---- Results ----------------------------------------------------------------------- */

/* By name: inserted layers have other places in every session. */
static size_t find_layer(const struct subject *subject, const char *name)
{
	size_t i = 0;

	while (i < subject->n_layers && strcmp(subject->graph->layers[i].name, name) != 0)
		i++;
	return i;
}

/* Prints a layer's time, its error, and the time before it; NaN: it is not there. */
static double print_traced(
	const struct bench *bench, const struct subject *subject, const char *name)
{
	size_t layer = find_layer(subject, name);
	struct estimate time = {(double)NAN, (double)NAN}, gap = time;

	if (layer < subject->n_layers) {
		time = times_estimate(&subject->times, layer, NULL, bench->wish.quantile);
		gap = times_estimate(
			&subject->times, subject->n_layers + layer, NULL, bench->wish.quantile);
	}
	printf(" %10.3f %7.3f %7.3f", time.us, time.error_us, gap.us);
	return time.us;
}

/* Errors of the layers by one tracer. */
struct errors {
	double *shares; /* [n] */
	size_t n;
	double sum_us, true_us;
};

static void add_error(struct errors *errors, double true_us, double us)
{
	if (!(true_us > 0) || isnan(us))
		return;
	errors->shares[errors->n++] = fabs(us / true_us - 1);
	errors->sum_us += fabs(us - true_us);
	errors->true_us += true_us;
}

static void print_errors(const char *what, struct errors *errors)
{
	size_t n = errors->n;

	qsort(errors->shares, n, sizeof(double), jm_compare_doubles);
	printf("# %-9s errors by layer: median %.2f %%, 90 %% up to %.2f %%, all %.2f %%\n",
		what, 100 * jm_median(errors->shares, n),
		100 * errors->shares[n ? (n - 1) * 9 / 10 : 0],
		100 * errors->sum_us / errors->true_us);
}

static void print_layers(const struct bench *bench, struct errors *errors)
{
	printf("# %5s %10s %7s %10s %7s %7s %10s %7s %7s  %s\n", "layer", "true_us", "+-",
		"markers_us", "+-", "before", "callb_us", "+-", "before", "name");
	for (size_t i = 0; i < bench->n; i++) {
		const char *name = bench->cutter.graph.layers[i].name;
		struct estimate truth = times_estimate(&bench->with[i].times, 0,
			i ? &bench->without[i].times : NULL, bench->wish.quantile);

		printf("%7zu %10.3f %7.3f", i, truth.us, truth.error_us);
		for (size_t j = MARKERS; j <= CALLBACKS; j++) {
			double us = print_traced(bench, &bench->engines[j], name);

			if (i)
				add_error(&errors[j], truth.us, us);
		}
		if (i)
			add_error(&errors[UNTRACED], truth.us, truth.us + truth.error_us);
		printf("  %s\n", name);
	}
}

static double run_us(const struct bench *bench, size_t which)
{
	const struct times *times = &bench->engines[which].times;

	return times_quantile(times, times->n_columns - 1, bench->wish.quantile, 0, 1);
}

static int print_all(const struct bench *bench, const char *name)
{
	const struct jm_engine_info *markers = &bench->engines[MARKERS].info;
	const struct jm_engine_info *callbacks = &bench->engines[CALLBACKS].info;
	struct errors errors[N_ENGINES] = {{NULL, 0, 0, 0}};

	for (size_t i = 0; i < N_ENGINES; i++) {
		errors[i].shares = calloc(bench->n + 1, sizeof(double));
		if (!errors[i].shares)
			return -1;
	}
	printf("# %s, %d thread(s), %zu runs; us of a run: untraced %.3f, markers %.3f, "
	       "callbacks %.3f; taken out of a span, and its spread: markers %.3f %.3f, "
	       "callbacks %.3f %.3f\n",
		name, bench->wish.options.threads, bench->engines[MARKERS].times.n,
		run_us(bench, UNTRACED), run_us(bench, MARKERS), run_us(bench, CALLBACKS),
		markers->trace_bias_us, markers->trace_bias_sd_us, callbacks->trace_bias_us,
		callbacks->trace_bias_sd_us);
	print_layers(bench, errors);
	print_errors("markers", &errors[MARKERS]);
	print_errors("callbacks", &errors[CALLBACKS]);
	print_errors("(noise)", &errors[UNTRACED]);
	for (size_t i = 0; i < N_ENGINES; i++)
		free(errors[i].shares);
	return 0;
}

static int run_bench(const char *name, const struct wish *wish)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	struct jm_model_data data = {.model = {.name = NULL}};
	struct jm_model_source source;
	struct jm_error error = {0};
	int result;

	if (!bench)
		return -1;
	bench->ops = jm_engine_find("onnxruntime");
	bench->wish = *wish;
	bench->wish.options.model = &data.model;
	result = jm_model_find(name, &source, &error);
	if (result == 0)
		result = jm_model_load(&source, wish->options.seed, &data, &error);
	if (result == 0)
		result = open_all(bench, &error);
	if (result == 0)
		result = run_all(bench, &error);
	if (result == 0)
		result = print_all(bench, source.name);
	fflush(stdout);
	if (result < 0)
		fprintf(stderr, "%s: %s: %s\n", name, jm_code_name(error.code), error.message);
	close_all(bench);
	jm_model_release(&data);
	free(bench);
	return result;
}

int main(int argc, char **argv)
{
	struct wish wish = {.options = {.optimization_level = -1,
				    .threads = 1,
				    .seed = 1,
				    .now_ns = jm_clock_monotonic_ns},
		.behind = SIZE_MAX,
		.seconds = 30,
		.quantile = 0.5};
	int failed = 0;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--cpu") == 0)
			wish.options.now_ns = times_cpu_ns;
		else if (strcmp(argv[i], "--threads") == 0 && i + 1 < argc)
			wish.options.threads = atoi(argv[++i]);
		else if (strcmp(argv[i], "--behind") == 0 && i + 1 < argc)
			wish.behind = strtoul(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--quantile") == 0 && i + 1 < argc)
			wish.quantile = fmin(fmax(strtod(argv[++i], NULL) / 100, 0), 1);
		else if (strcmp(argv[i], "--seconds") == 0 && i + 1 < argc)
			wish.seconds = strtod(argv[++i], NULL);
		else
			failed |= run_bench(argv[i], &wish) < 0;
	}
	return failed;
}
