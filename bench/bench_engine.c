/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What tracing costs, and how well its bias is taken out:
 *     bench_engine [--level N] [--threads N] [--runs N] [--quantile PERCENT]
 *         [--layers] MODEL...
 * A model is a name of the catalogue or an .onnx file.
 * Untraced and traced runs alternate, so that a machine that is not quiet
 * disturbs both alike; medians are compared, or another quantile. `closure` is
 * the sum of a run's spans over the time of an untraced run: 1 is perfect.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "engines/registry.h"
#include "workload/model.h"

struct sums {
	int64_t total_ns;
	size_t n;
	double *layer_ns; /* [n_layers], summed over runs; NULL: not kept */
};

static void add_span(void *context, const struct jm_span *span)
{
	struct sums *sums = context;

	sums->total_ns += span->end_ns - span->begin_ns;
	sums->n++;
	if (sums->layer_ns)
		sums->layer_ns[span->layer] += (double)(span->end_ns - span->begin_ns);
}

static int by_value(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return left < right ? -1 : left > right;
}

static double quantile(double *values, size_t n, size_t percent)
{
	qsort(values, n, sizeof(*values), by_value);
	return values[(n - 1) * percent / 100];
}

static void print_layers(const struct jm_graph *graph, const struct sums *sums, size_t runs)
{
	for (size_t i = 0; i < graph->n_layers; i++) {
		const struct jm_graph_layer *layer = &graph->layers[i];

		printf("  %10.1f us %12.0f MAC %10.0f par %11.0f B  %-24s %s\n",
			sums->layer_ns[i] / (double)runs / 1e3, layer->macs, layer->parameters,
			layer->bytes, layer->type, layer->name);
	}
}

static double total_macs(const struct jm_graph *graph)
{
	double macs = 0;

	for (size_t i = 0; i < graph->n_layers; i++)
		macs += isnan(graph->layers[i].macs) ? 0 : graph->layers[i].macs;
	return macs;
}

struct figures {
	double *plain, *traced, *spans; /* [runs] us */
};

static int measure(const struct jm_engine_ops *ops, void *state, size_t runs,
	struct figures *figures, struct sums *kept, struct jm_error *error)
{
	for (size_t i = 0; i < runs; i++) {
		struct sums sums = {0, 0, kept->layer_ns};
		struct jm_span_sink sink = {add_span, &sums};
		int64_t start = jm_clock_monotonic_ns(NULL), middle, end;

		if (ops->run(state, NULL, error) < 0)
			return -1;
		middle = jm_clock_monotonic_ns(NULL);
		if (ops->run(state, &sink, error) < 0)
			return -1;
		end = jm_clock_monotonic_ns(NULL);
		if (ops->flush && ops->flush(state, &sink, error) < 0)
			return -1;
		figures->plain[i] = (double)(middle - start) / 1e3;
		figures->traced[i] = (double)(end - middle) / 1e3;
		figures->spans[i] = (double)sums.total_ns / 1e3;
	}
	return 0;
}

static int bench(const char *name, const struct jm_engine_options *given, size_t runs,
	size_t percent, int layers)
{
	const struct jm_engine_ops *ops = jm_engine_find("onnxruntime");
	struct jm_model_source source;
	struct jm_model_data data = {.model = {.name = NULL}};
	struct jm_engine_options options = *given;
	struct jm_engine_info info;
	struct jm_error error = {0};
	struct figures figures = {calloc(runs, sizeof(double)), calloc(runs, sizeof(double)),
		calloc(runs, sizeof(double))};
	struct sums kept = {0, 0, NULL};
	void *state = calloc(1, ops->state_size);
	const struct jm_graph *graph;
	int result;

	options.model = &data.model;
	result = jm_model_find(name, &source, &error);
	if (result == 0)
		result = jm_model_load(&source, options.seed, &data, &error);
	if (result == 0)
		result = ops->open(state, &options, &info, &error);
	jm_model_release(&data);
	if (result == 0) {
		double plain, traced, spans;

		graph = ops->graph(state);
		kept.layer_ns = calloc(graph->n_layers, sizeof(double));
		result = measure(ops, state, runs, &figures, &kept, &error);
		plain = quantile(figures.plain, runs, percent);
		traced = quantile(figures.traced, runs, percent);
		spans = quantile(figures.spans, runs, percent);
		printf("%-28s %5zu %9.1f %9.1f %7.3f %8.2f %9.1f %7.3f %6.2f %6.2f %9.1f\n",
			source.name, graph->n_layers, plain, traced, traced / plain,
			(traced - plain) / (double)graph->n_layers, spans, spans / plain,
			info.trace_bias_us, info.trace_bias_sd_us, total_macs(graph) / 1e6);
		if (info.tracing_note[0])
			printf("  (%s: %s)\n", info.tracing, info.tracing_note);
		if (layers)
			print_layers(graph, &kept, runs);
	}
	if (result < 0)
		fprintf(stderr, "%s: %s\n", jm_code_name(error.code), error.message);
	ops->close(state);
	free(state);
	free(figures.plain);
	free(figures.traced);
	free(figures.spans);
	free(kept.layer_ns);
	return result;
}

int main(int argc, char **argv)
{
	struct jm_engine_options options = {
		.optimization_level = -1, .seed = 1, .now_ns = jm_clock_monotonic_ns};
	size_t runs = 200, percent = 50;
	int layers = 0, failed = 0;

	printf("%-28s %5s %9s %9s %7s %8s %9s %7s %6s %6s %9s\n", "model", "nodes", "plain_us",
		"traced_us", "ratio", "us/node", "spans_us", "closure", "bias", "sd_us",
		"Mmac");
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--layers") == 0)
			layers = 1;
		else if (strcmp(argv[i], "--level") == 0 && i + 1 < argc)
			options.optimization_level = atoi(argv[++i]);
		else if (strcmp(argv[i], "--threads") == 0 && i + 1 < argc)
			options.threads = atoi(argv[++i]);
		else if (strcmp(argv[i], "--runs") == 0 && i + 1 < argc)
			runs = strtoul(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--quantile") == 0 && i + 1 < argc)
			percent = strtoul(argv[++i], NULL, 10) % 101;
		else
			failed |= bench(argv[i], &options, runs, percent, layers) < 0;
	}
	return failed;
}
