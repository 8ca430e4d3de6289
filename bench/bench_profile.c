/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does tracing by profiles lose anything, past the runtime's limit of a million
 * events? Runs MODEL traced RUNS times, counts every layer's spans, and fails
 * unless each has exactly RUNS:
 *     JOULEMAP_ORT_TRACING=profile bench_profile MODEL.onnx [RUNS]
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "engines/registry.h"

struct counts {
	size_t *per_layer;
	size_t total, disorder;
	int64_t last_ns;
};

static void count(void *context, const struct jm_span *span)
{
	struct counts *counts = context;

	/* Its own count of a layer's executions is the cycle it says. */
	counts->disorder += span->cycle != counts->per_layer[span->layer]++;
	counts->total++;
	counts->disorder += span->begin_ns < counts->last_ns || span->end_ns < span->begin_ns;
	counts->last_ns = span->end_ns;
}

static int run(const struct jm_engine_ops *ops, void *state, size_t runs, struct counts *counts,
	struct jm_error *error)
{
	struct jm_span_sink sink = {count, counts};
	int result = 0;

	for (size_t i = 0; i < runs && result == 0; i++)
		result = ops->run(state, &sink, error);
	if (result == 0 && ops->flush)
		result = ops->flush(state, &sink, error);
	return result;
}

static int report(const struct jm_graph *graph, const struct counts *counts,
	const struct jm_engine_info *info, size_t runs, int64_t elapsed_ns)
{
	struct rusage usage;
	size_t wrong = 0;

	for (size_t i = 0; i < graph->n_layers; i++)
		wrong += counts->per_layer[i] != runs;
	getrusage(RUSAGE_SELF, &usage);
	printf("%s by %s: %zu runs of %zu layers, %zu spans, %zu layers with a wrong count, "
	       "%zu out of order, %.1f s, %.1f us per run, %ld MiB at most\n",
		info->version, info->tracing, runs, graph->n_layers, counts->total, wrong,
		counts->disorder, (double)elapsed_ns / 1e9,
		(double)elapsed_ns / 1e3 / (double)runs, usage.ru_maxrss / 1024);
	return wrong || counts->disorder ? -1 : 0;
}

int main(int argc, char **argv)
{
	const struct jm_engine_ops *ops = jm_engine_find("onnxruntime");
	size_t runs = argc > 2 ? strtoul(argv[2], NULL, 10) : 1000;
	struct jm_model model = {.path = argc > 1 ? argv[1] : ""};
	struct jm_engine_options options = {.model = &model,
		.optimization_level = -1,
		.threads = 1,
		.seed = 1,
		.now_ns = jm_clock_monotonic_ns};
	struct jm_engine_info info;
	struct jm_error error = {0};
	struct counts counts = {0};
	void *state = calloc(1, ops->state_size);
	int result = ops->open(state, &options, &info, &error);

	if (result == 0) {
		const struct jm_graph *graph = ops->graph(state);
		int64_t start_ns = jm_clock_monotonic_ns(NULL);

		counts.per_layer = calloc(graph->n_layers, sizeof(size_t));
		result = run(ops, state, runs, &counts, &error);
		if (result == 0)
			result = report(graph, &counts, &info, runs,
				jm_clock_monotonic_ns(NULL) - start_ns);
	}
	if (error.code)
		fprintf(stderr, "%s\n", error.message);
	ops->close(state);
	free(state);
	free(counts.per_layer);
	return result < 0;
}
