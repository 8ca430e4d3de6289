/* SPDX-License-Identifier: Apache-2.0 */
#include "attribute/summary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "data/cycles.h"

int jm_summary_init(
	struct jm_summary *summary, const struct jm_timeline *timeline, struct jm_error *reterr)
{
	memset(summary, 0, sizeof(*summary));
	summary->layers =
		calloc(timeline->n_layers ? timeline->n_layers : 1, sizeof(*summary->layers));
	if (!summary->layers)
		return jm_fail_memory(reterr, "the summary of the run");
	summary->n_layers = timeline->n_layers;
	for (size_t i = 0; i < timeline->n_layers; i++) {
		summary->layers[i].name = timeline->layers[i].name;
		summary->layers[i].type = timeline->layers[i].type;
	}
	return 0;
}

void jm_summary_release(struct jm_summary *summary)
{
	free(summary->layers);
	memset(summary, 0, sizeof(*summary));
}

/* While rows come in, runtime_* and power_* hold sums and sums of squares. */
void jm_summary_add(struct jm_summary *summary, const struct jm_cycle_power *row)
{
	struct jm_layer_summary *layer = &summary->layers[row->layer];

	layer->executions++;
	layer->samples += row->n_samples;
	layer->runtime_ms += row->duration_ms;
	layer->runtime_sd_ms += row->duration_ms * row->duration_ms;
	if (row->cycle + 1 > summary->cycles)
		summary->cycles = row->cycle + 1;
	if (isnan(row->power_uw) || !row->n_samples)
		return;
	layer->cycles_with_power++;
	layer->power_w += row->power_uw * 1e-6;
	layer->power_se_w += row->power_uw * row->power_uw * 1e-12;
}

/* Mean and standard deviation from a sum and a sum of squares. */
static void mean_and_sd(double n, double *sum_to_mean, double *squares_to_sd)
{
	double mean = n > 0 ? *sum_to_mean / n : (double)NAN;
	double variance = n > 1 ? (*squares_to_sd - n * mean * mean) / (n - 1) : (double)NAN;

	*sum_to_mean = mean;
	*squares_to_sd = isnan(variance) ? (double)NAN : sqrt(variance > 0 ? variance : 0);
}

/*
 * Standard error of a mean of n values, of which `repeat` in a row are copies
 * of one conversion and say nothing new. Values that do not differ tell no
 * error: NaN.
 */
static double standard_error(double sd, double n, double repeat)
{
	double distinct = n / (repeat > 1 ? repeat : 1);

	return sd > 0 && !isnan(repeat) && distinct > 1 ? sd / sqrt(distinct) : (double)NAN;
}

static void close_layer(struct jm_layer_summary *layer, double repeat, double idle_power_w)
{
	double n = (double)layer->cycles_with_power;

	mean_and_sd((double)layer->executions, &layer->runtime_ms, &layer->runtime_sd_ms);
	mean_and_sd(n, &layer->power_w, &layer->power_se_w);
	layer->power_se_w = standard_error(layer->power_se_w, n, repeat);
	layer->dynamic_power_w = layer->power_w - idle_power_w;
	layer->energy_mj = layer->power_w * layer->runtime_ms;
	layer->dynamic_energy_mj = layer->dynamic_power_w * layer->runtime_ms;
}

static int compare_times(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static double median_step_ms(const struct jm_rail *rail)
{
	enum { MAX = 1001 };
	int64_t steps[MAX];
	size_t n = 0;
	size_t stride = rail->n_readings / MAX + 1;

	for (size_t i = 1; i < rail->n_readings && n < MAX; i += stride)
		steps[n++] = rail->readings[i].after_ns - rail->readings[i - 1].after_ns;
	if (!n)
		return (double)NAN;
	qsort(steps, n, sizeof(steps[0]), compare_times);
	return (double)steps[n / 2] * 1e-6;
}

/* ---- Cycles ------------------------------------------------------------------ */

static int64_t duration_ns(const struct jm_execution *execution)
{
	return (int64_t)llround(execution->duration_ms * 1e6);
}

/*
 * A layer that every cycle has: one with the most executions; where cycles are
 * told, one that spans the most of them. NULL: none ran.
 */
static const struct jm_layer *layer_of_every_cycle(const struct jm_timeline *timeline)
{
	size_t most = 0;
	const struct jm_layer *every = NULL;

	for (size_t i = 0; i < timeline->n_layers; i++) {
		const struct jm_layer *layer = &timeline->layers[i];
		size_t n = layer->n_executions, cycles;

		if (!n)
			continue;
		cycles = jm_execution_cycle(layer, n - 1) - jm_execution_cycle(layer, 0) + 1;
		if (cycles > most) {
			most = cycles;
			every = layer;
		}
	}
	return every;
}

/* The last execution of a layer in the first `cycles` cycles; it has some there. */
static size_t last_within(const struct jm_layer *layer, size_t cycles)
{
	size_t n = jm_layer_first_execution(layer, cycles);

	return n ? n - 1 : 0;
}

/* Of the cycles that have rows, those which the readings reach; at least one. */
static size_t cycles_within(
	const struct jm_rail *rail, const struct jm_layer *layer, size_t cycles)
{
	int64_t last_ns = rail->n_readings ? rail->readings[rail->n_readings - 1].after_ns : 0;
	size_t all = jm_execution_cycle(layer, layer->n_executions - 1) + 1, last;

	if (cycles > all)
		cycles = all;
	while (cycles > 1) {
		last = last_within(layer, cycles);
		if (layer->executions[last].stamp_ns <= last_ns)
			break;
		cycles = jm_execution_cycle(layer, last);
	}
	return cycles ? cycles : 1;
}

/* From one cycle to the next, over `cycles` of them; NaN with a single one. */
static double mean_cycle_ms(const struct jm_layer *layer, size_t cycles)
{
	size_t first = jm_execution_cycle(layer, 0), last, n;

	last = jm_layer_first_execution(layer, cycles);
	if (last >= layer->n_executions)
		last = jm_layer_first_execution(
			layer, jm_execution_cycle(layer, layer->n_executions - 1));
	n = jm_execution_cycle(layer, last) - first;
	if (!n)
		return (double)NAN;
	return (double)(layer->executions[last].stamp_ns - layer->executions[0].stamp_ns) *
	       1e-6 / (double)n;
}

struct bounds {
	int64_t begin_ns, end_ns;
};

/*
 * From the begin of the first to the end of the last of `cycles`, as far as
 * the layers tell that every cycle has (all of them where cycles are told).
 * Callbacks come when all layers of their cycle have ended.
 */
static struct bounds run_bounds(const struct jm_timeline *timeline, size_t cycles)
{
	struct bounds bounds = {INT64_MAX, INT64_MIN};
	int told = jm_timeline_has_cycles(timeline);
	size_t all = jm_timeline_cycles(timeline);
	int64_t busy_ns = 0;

	for (size_t i = 0; i < timeline->n_layers; i++) {
		const struct jm_layer *layer = &timeline->layers[i];
		size_t last = last_within(layer, cycles);
		int64_t begin, end;

		if (told ? !jm_layer_first_execution(layer, cycles)
			 : layer->n_executions != all)
			continue;
		begin = layer->executions[0].stamp_ns;
		end = layer->executions[last].stamp_ns;
		if (timeline->stamp == JM_STAMP_BEGIN)
			end += duration_ns(&layer->executions[last]);
		else if (timeline->stamp == JM_STAMP_END)
			begin -= duration_ns(&layer->executions[0]);
		busy_ns += duration_ns(&layer->executions[0]);
		bounds.begin_ns = begin < bounds.begin_ns ? begin : bounds.begin_ns;
		bounds.end_ns = end > bounds.end_ns ? end : bounds.end_ns;
	}
	if (timeline->stamp == JM_STAMP_CALLBACK)
		bounds.begin_ns -= busy_ns;
	return bounds;
}

/* Executions of a layer per cycle; without cycles told, counted by time. */
static double executions_per_cycle(const struct jm_layer *layer, int told, size_t all,
	size_t cycles, const struct bounds *bounds)
{
	size_t n = layer->n_executions;

	if (told)
		return (double)jm_layer_first_execution(layer, cycles) / (double)cycles;
	if (n == all)
		return 1;
	while (cycles < all && n && layer->executions[n - 1].stamp_ns > bounds->end_ns)
		n--;
	return (double)n / (double)cycles;
}

/* ---- The sensor ---------------------------------------------------------------- */

/* Mean power during the run, and how often the sensor showed a new value. */
static void look_at_rail(
	struct jm_summary *summary, const struct jm_rail *rail, const struct bounds *bounds)
{
	double sum = 0;
	size_t n = 0, changes = 0;

	for (size_t i = 0; i < rail->n_readings; i++) {
		const struct jm_reading *reading = &rail->readings[i];
		double power = jm_reading_power_uw(reading, rail->quantity);

		if (i && power != jm_reading_power_uw(reading - 1, rail->quantity))
			changes++;
		if (reading->after_ns < bounds->begin_ns ||
			reading->after_ns > bounds->end_ns || isnan(power))
			continue;
		sum += power;
		n++;
	}
	summary->sensor_power_w = n ? sum / (double)n * 1e-6 : (double)NAN;
	summary->reading_ms = median_step_ms(rail);
	summary->repeat = changes ? (double)rail->n_readings / (double)changes : (double)NAN;
	if (rail->n_readings > 1 && changes)
		summary->change_ms = (double)(rail->readings[rail->n_readings - 1].after_ns -
					      rail->readings[0].after_ns) *
				     1e-6 / (double)changes;
	else
		summary->change_ms = (double)NAN;
}

/* ---- All together ---------------------------------------------------------------- */

static void sum_up_layer(struct jm_summary *summary, struct jm_layer_summary *layer)
{
	close_layer(layer, summary->repeat, summary->idle_power_w);
	if (isnan(layer->energy_mj))
		summary->layers_without_power++;
	else
		summary->layers_energy_mj += layer->energy_mj * layer->per_cycle;
	if (!layer->executions)
		return;
	summary->layers_ms += layer->runtime_ms * layer->per_cycle;
	if (layer->runtime_ms < summary->change_ms)
		summary->layers_too_short++;
}

void jm_summary_close(struct jm_summary *summary, const struct jm_timeline *timeline,
	const struct jm_rail *rail, double idle_power_uw)
{
	const struct jm_layer *every = layer_of_every_cycle(timeline);
	struct bounds bounds = {0, 0};
	size_t rows = summary->cycles;
	int told = jm_timeline_has_cycles(timeline);

	summary->idle_power_w = idle_power_uw * 1e-6;
	summary->timeline_cycles = jm_timeline_cycles(timeline);
	summary->cycle_ms = (double)NAN;
	if (every && rows) {
		summary->cycles = cycles_within(rail, every, rows);
		summary->log_ends_early =
			cycles_within(rail, every, summary->timeline_cycles) <
			jm_execution_cycle(every, every->n_executions - 1) + 1;
		summary->cycle_ms = mean_cycle_ms(every, summary->cycles);
		bounds = run_bounds(timeline, summary->cycles);
	}
	look_at_rail(summary, rail, &bounds);
	summary->sensor_energy_mj = summary->sensor_power_w * summary->cycle_ms;
	for (size_t i = 0; i < summary->n_layers; i++) {
		if (summary->cycles)
			summary->layers[i].per_cycle =
				executions_per_cycle(&timeline->layers[i], told,
					summary->timeline_cycles, summary->cycles, &bounds);
		sum_up_layer(summary, &summary->layers[i]);
	}
}
