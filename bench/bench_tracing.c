/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What tracing costs, and what it does to the times of layers:
 *     bench_tracing [--threads N,...] [--seconds S] [--quantile PERCENT]
 *         [--cpu] [--level N] [--layers] MODEL...
 * A model is a name of the catalogue or an .onnx file. It is opened three times,
 * for callbacks and twice for markers, and runs by turns untraced (the session
 * of the callbacks without them), with the markers of either session, and with
 * callbacks, in blocks of which the second half counts: it takes some runs until
 * the caches hold what the others have pushed out. So a machine that is not quiet
 * disturbs all alike.
 *
 * A time is the median of all runs, or another quantile: on a machine that
 * others use a low one shows the undisturbed runs; --cpu counts the processor
 * time of a run (of all its threads), not what passes. Costs are differences to
 * the untraced network, +- their standard error. Layers, as the engine reports them
 * (the bias of callbacks and the cost of markers taken out), are compared:
 * |one / other - 1|, median and 90 % quantile over the layers, of callbacks
 * against markers, of both sessions with markers, and what to expect of those by
 * noise alone, from the odd against the even turns of the same session. `sum`:
 * of the layers, over the untraced time. `marker_us`: what either session with
 * markers found that one takes.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/statistics.h"
#include "engines/registry.h"
#include "workload/model.h"

#define BLOCK 12 /* runs; the last ones count */
#define COUNTED 6
#define TURNS_MAX 4000
#define GROUPS 8 /* of turns, whose differences tell the error; the least number of turns */
/* A machine that is not quiet may lead the engine to refuse markers. */
#define TRIES 5
#define NEVER SIZE_MAX

enum { UNTRACED, MARKERS, AGAIN, CALLBACKS, N_WAYS };

/* One way of running a network, and what came out. */
struct way {
	void *state;     /* of the engine; that of UNTRACED is the callbacks' */
	size_t n_layers; /* 0: untraced */
	/* [TURNS_MAX * COUNTED][n_layers + 1]: layers, then the whole run */
	double *times_us;
	struct jm_engine_info info;
};

struct bench {
	const struct jm_engine_ops *ops;
	struct way ways[N_WAYS];
	size_t turns;
	double quantile;
	clockid_t clock; /* of runs */
};

/* ---- Running ----------------------------------------------------------------------- */

static void add_span(void *context, const struct jm_span *span)
{
	double *layers_us = context;

	layers_us[span->layer] += (double)(span->end_ns - span->begin_ns) / 1e3;
}

static double now_us(const struct bench *bench)
{
	struct timespec now;

	clock_gettime(bench->clock, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int run_block(const struct bench *bench, struct way *way, struct jm_error *error)
{
	size_t n = way->n_layers;
	double *row = way->times_us + bench->turns * COUNTED * (n + 1);

	for (size_t i = 0; i < BLOCK; i++) {
		struct jm_span_sink sink = {add_span, row};
		double begin_us;

		memset(row, 0, n * sizeof(*row));
		begin_us = now_us(bench);
		if (bench->ops->run(way->state, n ? &sink : NULL, error) < 0)
			return -1;
		row[n] = now_us(bench) - begin_us;
		if (i >= BLOCK - COUNTED) /* else it is written over */
			row += n + 1;
	}
	return 0;
}

static int run_all(struct bench *bench, double seconds, struct jm_error *error)
{
	int64_t start_ns = jm_clock_monotonic_ns(NULL), limit_ns = (int64_t)(seconds * 1e9);

	while (bench->turns < TURNS_MAX &&
		(bench->turns < GROUPS || jm_clock_monotonic_ns(NULL) - start_ns < limit_ns)) {
		for (size_t i = 0; i < N_WAYS; i++) { /* each is the first one by turns */
			struct way *way = &bench->ways[(i + bench->turns) % N_WAYS];

			if (run_block(bench, way, error) < 0)
				return -1;
		}
		bench->turns++;
	}
	return 0;
}

/* ---- Opening ----------------------------------------------------------------------- */

static int make_room(struct way *way, size_t n_layers)
{
	way->n_layers = n_layers;
	way->times_us = calloc((size_t)TURNS_MAX * COUNTED * (n_layers + 1), sizeof(double));
	return way->times_us ? 0 : -1;
}

static int open_way(const struct jm_engine_ops *ops, struct way *way,
	const struct jm_engine_options *like, const char *tracing, struct jm_error *error)
{
	struct jm_engine_setting setting = {"tracing", tracing};
	struct jm_engine_options options = *like;
	int result = -1;

	options.settings = &setting;
	options.n_settings = 1;
	way->state = calloc(1, ops->state_size);
	for (int i = 0; way->state && result < 0 && i < TRIES; i++) {
		result = ops->open(way->state, &options, &way->info, error);
		if (result < 0)
			ops->close(way->state);
	}
	return result < 0 ? result : make_room(way, ops->graph(way->state)->n_layers);
}

static int open_all(struct bench *bench, const struct jm_model_source *source,
	struct jm_engine_options *options, struct jm_error *error)
{
	struct jm_model_data data = {.model = {.name = NULL}};
	struct way *ways = bench->ways;
	int result = jm_model_load(source, options->seed, &data, error);

	options->model = &data.model;
	if (result == 0)
		result = open_way(bench->ops, &ways[CALLBACKS], options, "callbacks", error);
	if (result == 0)
		result = open_way(bench->ops, &ways[MARKERS], options, "markers", error);
	if (result == 0)
		result = open_way(bench->ops, &ways[AGAIN], options, "markers", error);
	if (result == 0)
		result = make_room(&ways[UNTRACED], 0);
	ways[UNTRACED].state = ways[CALLBACKS].state;
	jm_model_release(&data);
	return result;
}

static void close_all(struct bench *bench)
{
	for (size_t i = 0; i < N_WAYS; i++) {
		struct way *way = &bench->ways[i];

		free(way->times_us);
		if (i == UNTRACED || !way->state)
			continue;
		bench->ops->close(way->state);
		free(way->state);
	}
}

/* ---- Times ------------------------------------------------------------------------- */

/* Of a layer, or of the run (layer n_layers), in every `step`-th turn from `from` on. */
static double time_us(
	const struct bench *bench, size_t way_index, size_t layer, size_t from, size_t step)
{
	static double times_us[TURNS_MAX * COUNTED]; /* too large for the stack */
	const struct way *way = &bench->ways[way_index];
	size_t n = 0;

	for (size_t turn = from; turn < bench->turns; turn += step)
		for (size_t i = 0; i < COUNTED; i++)
			times_us[n++] =
				way->times_us[(turn * COUNTED + i) * (way->n_layers + 1) +
					      layer];
	qsort(times_us, n, sizeof(*times_us), jm_compare_doubles);
	return times_us[(size_t)(bench->quantile * (double)(n - 1) + 0.5)];
}

static double run_us(const struct bench *bench, size_t way, size_t from, size_t step)
{
	return time_us(bench, way, bench->ways[way].n_layers, from, step);
}

/* What `way` takes more than the untraced runs, and the standard error of that. */
static double extra_us(const struct bench *bench, size_t way, double *ret_error_us)
{
	double extra = run_us(bench, way, 0, 1) - run_us(bench, UNTRACED, 0, 1), sum = 0;

	for (size_t i = 0; i < GROUPS; i++) {
		double of_group =
			run_us(bench, way, i, GROUPS) - run_us(bench, UNTRACED, i, GROUPS);

		sum += (of_group - extra) * (of_group - extra);
	}
	*ret_error_us = sqrt(sum / GROUPS / (GROUPS - 1));
	return extra;
}

static void print_cost(const struct bench *bench, size_t way)
{
	size_t n = bench->ways[CALLBACKS].n_layers;
	double plain = run_us(bench, UNTRACED, 0, 1), sum = 0, error;
	double extra = extra_us(bench, way, &error);

	for (size_t i = 0; i < bench->ways[way].n_layers; i++)
		sum += time_us(bench, way, i, 0, 1);
	printf(" | %9.1f %+7.2f %5.2f %7.2f %5.3f", plain + extra, 100 * extra / plain,
		100 * error / plain, extra / (double)n, sum / plain);
}

/* ---- Layers ------------------------------------------------------------------------ */

/* The markers' layer by its name in `way`: inserted ones move from session to session. */
static size_t find_layer(const struct bench *bench, size_t way, size_t layer_of_markers)
{
	const struct jm_graph *graph = bench->ops->graph(bench->ways[way].state);
	const char *name =
		bench->ops->graph(bench->ways[MARKERS].state)->layers[layer_of_markers].name;

	for (size_t i = 0; i < graph->n_layers; i++)
		if (strcmp(graph->layers[i].name, name) == 0)
			return i;
	return NEVER;
}

/* Adds |a/b - 1| where both took time. */
static void add_difference(double *differences, size_t *n, double a_us, double b_us)
{
	if (a_us > 0 && b_us > 0)
		differences[(*n)++] = fabs(a_us / b_us - 1);
}

/* Median and 90 % quantile in %; `factor` scales both. */
static void print_differences(double *differences, size_t n, double factor)
{
	if (!n) {
		printf(" %7s %6s", "-", "-");
		return;
	}
	qsort(differences, n, sizeof(*differences), jm_compare_doubles);
	printf(" %7.2f %6.2f", 100 * factor * jm_median(differences, n),
		100 * factor * differences[(n - 1) * 9 / 10]);
}

static void print_comparison(const struct bench *bench, size_t way, double *differences)
{
	size_t n = 0;

	for (size_t i = 0; i < bench->ways[MARKERS].n_layers; i++) {
		size_t other = find_layer(bench, way, i);

		if (other != NEVER)
			add_difference(differences, &n, time_us(bench, way, other, 0, 1),
				time_us(bench, MARKERS, i, 0, 1));
	}
	print_differences(differences, n, 1);
}

/* Halves differ by twice the error of the whole, two sessions by the root of 2. */
static void print_noise(const struct bench *bench, double *differences)
{
	size_t n = 0;

	for (size_t i = 0; i < bench->ways[MARKERS].n_layers; i++)
		add_difference(differences, &n, time_us(bench, MARKERS, i, 0, 2),
			time_us(bench, MARKERS, i, 1, 2));
	print_differences(differences, n, sqrt(0.5));
}

static void print_layers(const struct bench *bench)
{
	const struct jm_graph *graph = bench->ops->graph(bench->ways[MARKERS].state);

	printf("    %10s %10s %10s\n", "markers_us", "again_us", "callb_us");
	for (size_t i = 0; i < graph->n_layers; i++) {
		printf("    %10.2f", time_us(bench, MARKERS, i, 0, 1));
		for (size_t way = AGAIN; way <= CALLBACKS; way++) {
			size_t other = find_layer(bench, way, i);

			printf(" %10.2f", other == NEVER ? (double)NAN
							 : time_us(bench, way, other, 0, 1));
		}
		printf("  %s\n", graph->layers[i].name);
	}
}

/* ---- All --------------------------------------------------------------------------- */

static void print_head(void)
{
	printf("%-20s %3s %5s %9s | %-37s | %-37s | %-14s %-14s %s\n", "", "", "", "",
		"markers", "callbacks", " callb/markers", " markers twice", " noise of that");
	printf("%-20s %3s %5s %9s", "model", "thr", "nodes", "untrac_us");
	for (int i = 0; i < 2; i++)
		printf(" | %9s %7s %5s %7s %5s", "us", "+%", "+-", "us/node", "sum");
	printf(" |");
	for (int i = 0; i < 3; i++)
		printf(" %7s %6s", "p50 %", "p90 %");
	printf(" | %11s %5s\n", "marker_us", "turns");
}

static int print_row(const struct bench *bench, const char *name, int threads)
{
	const struct way *ways = bench->ways;
	double *differences = calloc(ways[MARKERS].n_layers + 1, sizeof(double));

	if (!differences)
		return -1;
	printf("%-20s %3d %5zu %9.1f", name, threads, ways[CALLBACKS].n_layers,
		run_us(bench, UNTRACED, 0, 1));
	print_cost(bench, MARKERS);
	print_cost(bench, CALLBACKS);
	printf(" |");
	print_comparison(bench, CALLBACKS, differences);
	print_comparison(bench, AGAIN, differences);
	print_noise(bench, differences);
	printf(" | %5.2f %5.2f %5zu\n", ways[MARKERS].info.trace_bias_us,
		ways[AGAIN].info.trace_bias_us, bench->turns);
	free(differences);
	return 0;
}

/* What the command line asks for. */
struct wish {
	struct jm_engine_options options;
	double seconds, quantile;
	clockid_t clock;
	int layers;
};

static int run_bench(const char *name, struct wish *wish)
{
	struct bench bench = {.ops = jm_engine_find("onnxruntime"),
		.quantile = wish->quantile,
		.clock = wish->clock};
	struct jm_model_source source;
	struct jm_error error = {0};
	int result = jm_model_find(name, &source, &error);

	if (result == 0)
		result = open_all(&bench, &source, &wish->options, &error);
	if (result == 0)
		result = run_all(&bench, wish->seconds, &error);
	if (result == 0)
		result = print_row(&bench, source.name, wish->options.threads);
	if (result == 0 && wish->layers)
		print_layers(&bench);
	fflush(stdout);
	if (result < 0)
		fprintf(stderr, "%s: %s: %s\n", name, jm_code_name(error.code), error.message);
	close_all(&bench);
	return result;
}

int main(int argc, char **argv)
{
	struct wish wish = {.options = {.optimization_level = -1,
				    .seed = 1,
				    .now_ns = jm_clock_monotonic_ns},
		.seconds = 10,
		.quantile = 0.5,
		.clock = CLOCK_MONOTONIC};
	const char *threads = "1";
	int failed = 0;

	print_head();
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--layers") == 0)
			wish.layers = 1;
		else if (strcmp(argv[i], "--cpu") == 0)
			wish.clock = CLOCK_PROCESS_CPUTIME_ID;
		else if (strcmp(argv[i], "--level") == 0 && i + 1 < argc)
			wish.options.optimization_level = atoi(argv[++i]);
		else if (strcmp(argv[i], "--threads") == 0 && i + 1 < argc)
			threads = argv[++i];
		else if (strcmp(argv[i], "--seconds") == 0 && i + 1 < argc)
			wish.seconds = strtod(argv[++i], NULL);
		else if (strcmp(argv[i], "--quantile") == 0 && i + 1 < argc)
			wish.quantile = fmin(fmax(strtod(argv[++i], NULL) / 100, 0), 1);
		else
			for (const char *at = threads; at; at = strchr(at, ',')) {
				wish.options.threads = atoi(at += *at == ',');
				failed |= run_bench(argv[i], &wish) < 0;
			}
	}
	return failed;
}
