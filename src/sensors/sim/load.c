/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/statistics.h"
#include "sensors/sim/sim.h"

/* ---- Power of layers --------------------------------------------------------- */

/* Power at full use of the arithmetic units, and of the memory. */
#define COMPUTE_W 6.5
#define MEMORY_W 3.0

/* Relative deviation between layers that formula and truth differ by. */
#define VARIATION 0.15

#define POWER_MIN_W 3.0
#define POWER_MAX_W 15.0

/* Mean duration of a layer's executions in ns; NaN: it never ran. */
static double mean_duration_ns(const struct jm_layer *layer)
{
	double sum = 0.0;

	for (size_t i = 0; i < layer->n_executions; i++)
		sum += layer->executions[i].duration_ms;
	return layer->n_executions ? sum / (double)layer->n_executions * 1e6 : (double)NAN;
}

/* Median of the positive numbers of rates[n]; 1 when there are none. Uses scratch[n]. */
static double typical(const double *rates, size_t n, double *scratch)
{
	size_t known = 0;

	for (size_t i = 0; i < n; i++)
		if (rates[i] > 0.0 && isfinite(rates[i]))
			scratch[known++] = rates[i];
	if (!known)
		return 1.0;
	return jm_median_upper(scratch, known);
}

/* Use of a unit in [0, 1); drawn from the seed where the rate is not known. */
static double use_of(
	const struct jm_sim_board *board, double rate, double typical_rate, uint64_t draw)
{
	if (isnan(rate))
		return jm_sim_uniform(board, JM_SIM_STREAM_LAYER, draw);
	return 1.0 - exp(-rate / typical_rate);
}

static double layer_power(
	const struct jm_sim_board *board, double compute, double memory, uint64_t draw)
{
	double factor = exp(VARIATION * jm_sim_normal(board, JM_SIM_STREAM_LAYER, draw));
	double power = board->idle_w + factor * (COMPUTE_W * compute + MEMORY_W * memory);

	return fmin(fmax(power, POWER_MIN_W), POWER_MAX_W);
}

int jm_sim_layer_powers(const struct jm_sim_board *board, const struct jm_timeline *timeline,
	struct jm_sim_layer *ret_layers, struct jm_error *reterr)
{
	size_t n = timeline->n_layers;
	double *macs = calloc(3 * n + 1, sizeof(*macs));
	double *bytes, *scratch, macs_typical, bytes_typical;

	if (!macs)
		return jm_fail_memory(reterr, "the simulated board");
	bytes = macs + n;
	scratch = bytes + n;
	for (size_t k = 0; k < n; k++) {
		double duration_ns = mean_duration_ns(&timeline->layers[k]);

		macs[k] = timeline->layers[k].macs / duration_ns;
		bytes[k] = timeline->layers[k].bytes / duration_ns;
	}
	macs_typical = typical(macs, n, scratch);
	bytes_typical = typical(bytes, n, scratch);
	for (size_t k = 0; k < n; k++) {
		double compute = use_of(board, macs[k], macs_typical, 3 * k);
		double memory = use_of(board, bytes[k], bytes_typical, 3 * k + 1);

		memset(&ret_layers[k], 0, sizeof(ret_layers[k]));
		ret_layers[k].power_w = layer_power(board, compute, memory, 3 * k + 2);
	}
	free(macs);
	return 0;
}

/* ---- Power over time ----------------------------------------------------------- */

struct span {
	double begin_s; /* after the origin */
	double end_s;
	size_t layer;
};

static int by_begin(const void *a, const void *b)
{
	const struct span *first = a, *second = b;

	if (first->begin_s != second->begin_s)
		return first->begin_s < second->begin_s ? -1 : 1;
	return (first->layer > second->layer) - (first->layer < second->layer);
}

static struct span span_of(
	const struct jm_timeline *timeline, size_t layer, size_t i, int64_t origin_ns)
{
	struct jm_execution execution = timeline->layers[layer].executions[i];
	double stamp_s = (double)(execution.stamp_ns - origin_ns) * 1e-9;
	double duration_s = execution.duration_ms > 0.0 ? execution.duration_ms * 1e-3 : 0.0;
	int is_begin = timeline->stamp == JM_STAMP_BEGIN;
	struct span span = {.layer = layer};

	span.begin_s = is_begin ? stamp_s : stamp_s - duration_s;
	span.end_s = is_begin ? stamp_s + duration_s : stamp_s;
	return span;
}

/* Spans of a layer in a cycle; returns their number. */
static size_t gather_layer(const struct jm_timeline *timeline, size_t layer, size_t cycle,
	int64_t origin_ns, struct span *ret_spans)
{
	size_t first = jm_layer_first_execution(&timeline->layers[layer], cycle);
	size_t end = jm_layer_first_execution(&timeline->layers[layer], cycle + 1);

	for (size_t i = first; i < end; i++)
		ret_spans[i - first] = span_of(timeline, layer, i, origin_ns);
	return end - first;
}

/* All spans in order of time; freed with free(). */
static struct span *gather(const struct jm_timeline *timeline, int64_t origin_ns, size_t *ret_n)
{
	size_t total = 0, n = 0;
	struct span *spans;
	int sorted = 1;

	for (size_t k = 0; k < timeline->n_layers; k++)
		total += timeline->layers[k].n_executions;
	spans = calloc(total + 1, sizeof(*spans));
	if (!spans)
		return NULL;
	for (size_t i = jm_timeline_next_cycle(timeline, 0); i != SIZE_MAX;
		i = jm_timeline_next_cycle(timeline, i + 1))
		for (size_t k = 0; k < timeline->n_layers; k++)
			n += gather_layer(timeline, k, i, origin_ns, spans + n);
	for (size_t i = 1; i < n && sorted; i++)
		sorted = spans[i].begin_s >= spans[i - 1].begin_s;
	if (!sorted)
		qsort(spans, n, sizeof(*spans), by_begin);
	*ret_n = n;
	return spans;
}

/*
 * Spans become steps of power. Between two layers of a cycle the board draws
 * gap_w; a cycle begins with a span of an earlier layer than the last one's, or
 * of the only layer there is.
 */
static int fill(struct jm_supply_load *load, const struct jm_sim_board *board,
	struct jm_sim_layer *layers, size_t n_layers, const struct span *spans, size_t n,
	struct jm_error *reterr)
{
	double end_s = -(double)INFINITY;
	size_t last = 0;
	int result = 0;

	for (size_t i = 0; i < n && result == 0; i++) {
		struct jm_sim_layer *layer = &layers[spans[i].layer];
		double begin_s = fmax(spans[i].begin_s, end_s);
		int new_cycle = spans[i].layer < last || n_layers == 1;

		layer->executions++;
		if (spans[i].end_s <= begin_s)
			continue; /* nothing is left of it */
		if (load->n_steps && begin_s > end_s)
			result = jm_supply_load_append(
				load, end_s, new_cycle ? board->idle_w : board->gap_w, reterr);
		if (result == 0)
			result = jm_supply_load_append(load, begin_s, layer->power_w, reterr);
		end_s = spans[i].end_s;
		layer->runtime_s += end_s - begin_s;
		last = spans[i].layer;
	}
	if (load->n_steps && result == 0)
		result = jm_supply_load_append(load, end_s, board->idle_w, reterr);
	return result;
}

int jm_sim_load_init(struct jm_supply_load *ret_load, const struct jm_sim_board *board,
	const struct jm_timeline *timeline, struct jm_sim_layer *layers, int64_t origin_ns,
	struct jm_error *reterr)
{
	size_t n = 0;
	struct span *spans = gather(timeline, origin_ns, &n);
	int result;

	memset(ret_load, 0, sizeof(*ret_load));
	ret_load->before_w = board->idle_w;
	if (!spans)
		return jm_fail_memory(reterr, "the simulated board");
	result = fill(ret_load, board, layers, timeline->n_layers, spans, n, reterr);
	free(spans);
	return result;
}
