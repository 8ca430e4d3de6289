/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/error.h"
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
	qsort(scratch, known, sizeof(scratch[0]), jm_compare_doubles);
	return scratch[known / 2];
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
	double begin_ns; /* after the origin */
	double end_ns;
	size_t layer;
};

static int by_begin(const void *a, const void *b)
{
	const struct span *first = a, *second = b;

	if (first->begin_ns != second->begin_ns)
		return first->begin_ns < second->begin_ns ? -1 : 1;
	return (first->layer > second->layer) - (first->layer < second->layer);
}

static struct span span_of(
	const struct jm_timeline *timeline, size_t layer, size_t i, int64_t origin_ns)
{
	struct jm_execution execution = timeline->layers[layer].executions[i];
	double stamp_ns = (double)(execution.stamp_ns - origin_ns);
	double duration_ns = execution.duration_ms > 0.0 ? execution.duration_ms * 1e6 : 0.0;
	int is_begin = timeline->stamp == JM_STAMP_BEGIN;
	struct span span = {.layer = layer};

	span.begin_ns = is_begin ? stamp_ns : stamp_ns - duration_ns;
	span.end_ns = is_begin ? stamp_ns + duration_ns : stamp_ns;
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
	spans = malloc((total + 1) * sizeof(*spans));
	if (!spans)
		return NULL;
	for (size_t i = jm_timeline_next_cycle(timeline, 0); i != SIZE_MAX;
		i = jm_timeline_next_cycle(timeline, i + 1))
		for (size_t k = 0; k < timeline->n_layers; k++)
			n += gather_layer(timeline, k, i, origin_ns, spans + n);
	for (size_t i = 1; i < n && sorted; i++)
		sorted = spans[i].begin_ns >= spans[i - 1].begin_ns;
	if (!sorted)
		qsort(spans, n, sizeof(*spans), by_begin);
	*ret_n = n;
	return spans;
}

static void add_step(struct jm_sim_profile *profile, double from_ns, double power_w)
{
	struct jm_sim_step *step = &profile->steps[profile->n_steps++];

	step->from_ns = from_ns;
	step->power_w = power_w;
}

/*
 * Spans become steps of power. Between two layers of a cycle the board draws
 * gap_w; a cycle begins with a span of an earlier layer than the last one's, or
 * of the only layer there is.
 */
static void fill(struct jm_sim_profile *profile, const struct jm_sim_board *board,
	struct jm_sim_layer *layers, size_t n_layers, const struct span *spans, size_t n)
{
	double end_ns = -(double)INFINITY;
	size_t last = 0;

	for (size_t i = 0; i < n; i++) {
		struct jm_sim_layer *layer = &layers[spans[i].layer];
		double begin_ns = fmax(spans[i].begin_ns, end_ns);
		int new_cycle = spans[i].layer < last || n_layers == 1;

		layer->executions++;
		if (spans[i].end_ns <= begin_ns)
			continue; /* nothing is left of it */
		if (profile->n_steps && begin_ns > end_ns)
			add_step(profile, end_ns, new_cycle ? board->idle_w : board->gap_w);
		add_step(profile, begin_ns, layer->power_w);
		end_ns = spans[i].end_ns;
		layer->runtime_ns += end_ns - begin_ns;
		last = spans[i].layer;
	}
	if (profile->n_steps)
		add_step(profile, end_ns, board->idle_w);
}

int jm_sim_profile_init(struct jm_sim_profile *profile, const struct jm_sim_board *board,
	const struct jm_timeline *timeline, struct jm_sim_layer *layers, int64_t origin_ns,
	struct jm_error *reterr)
{
	size_t n = 0;
	struct span *spans = gather(timeline, origin_ns, &n);

	memset(profile, 0, sizeof(*profile));
	profile->origin_ns = origin_ns;
	profile->idle_w = board->idle_w;
	profile->steps = spans ? malloc((2 * n + 2) * sizeof(*profile->steps)) : NULL;
	if (!profile->steps) {
		free(spans);
		return jm_fail_memory(reterr, "the simulated board");
	}
	fill(profile, board, layers, timeline->n_layers, spans, n);
	free(spans);
	return 0;
}

void jm_sim_profile_release(struct jm_sim_profile *profile)
{
	free(profile->steps);
	profile->steps = NULL;
	profile->n_steps = 0;
}

/* ---- The supply's filter --------------------------------------------------------- */

void jm_sim_sweep_init(struct jm_sim_sweep *sweep, const struct jm_sim_profile *profile,
	double tau_ns, double from_ns)
{
	memset(sweep, 0, sizeof(*sweep));
	sweep->profile = profile;
	sweep->tau_ns = tau_ns;
	sweep->at_ns = from_ns;
	sweep->load_w = profile->idle_w;
	sweep->filtered_w = profile->idle_w;
	if (profile->n_steps && profile->steps[0].from_ns < from_ns)
		sweep->at_ns = profile->steps[0].from_ns;
}

/*
 * At constant load p the filter's state s obeys tau s' = p - s, hence
 *     s(t + d) = p + (s(t) - p) e^(-d/tau)
 *     integral of s over d = p d - tau (s(t + d) - s(t))
 */
static double advance(struct jm_sim_sweep *sweep, double duration_ns)
{
	double change;

	if (sweep->tau_ns <= 0.0) {
		sweep->filtered_w = sweep->load_w;
		return sweep->load_w * duration_ns;
	}
	change = (sweep->filtered_w - sweep->load_w) * expm1(-duration_ns / sweep->tau_ns);
	sweep->filtered_w += change;
	return sweep->load_w * duration_ns - sweep->tau_ns * change;
}

double jm_sim_sweep_to(struct jm_sim_sweep *sweep, double until_ns)
{
	const struct jm_sim_profile *profile = sweep->profile;
	double integral = 0.0;

	while (sweep->next < profile->n_steps &&
		profile->steps[sweep->next].from_ns < until_ns) {
		const struct jm_sim_step *step = &profile->steps[sweep->next++];

		integral += advance(sweep, step->from_ns - sweep->at_ns);
		sweep->at_ns = step->from_ns;
		sweep->load_w = step->power_w;
	}
	if (until_ns > sweep->at_ns) {
		integral += advance(sweep, until_ns - sweep->at_ns);
		sweep->at_ns = until_ns;
	}
	return integral;
}
