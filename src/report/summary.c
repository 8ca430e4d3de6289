/* SPDX-License-Identifier: Apache-2.0 */
#include "report/summary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

int jm_summary_init(struct jm_summary *summary, const struct jm_timeline *timeline,
	struct jm_error *reterr)
{
	memset(summary, 0, sizeof(*summary));
	summary->layers = calloc(timeline->n_layers ? timeline->n_layers : 1,
		sizeof(*summary->layers));
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

static void close_layer(struct jm_layer_summary *layer, double repeat, double idle_power_w)
{
	double n = (double)layer->cycles_with_power;

	mean_and_sd((double)layer->executions, &layer->runtime_ms, &layer->runtime_sd_ms);
	mean_and_sd(n, &layer->power_w, &layer->power_se_w);
	/* Copies of one conversion say nothing new. */
	layer->power_se_w /= sqrt(n / (repeat > 1 ? repeat : 1));
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

/* First begin and last end of any layer; 0 when nothing ran. */
static int run_bounds(const struct jm_timeline *timeline, int64_t *ret_begin, int64_t *ret_end)
{
	int64_t begin = INT64_MAX, end = INT64_MIN;

	for (size_t i = 0; i < timeline->n_layers; i++) {
		const struct jm_layer *layer = &timeline->layers[i];

		if (!layer->n_executions)
			continue;
		if (layer->executions[0].stamp_ns < begin)
			begin = layer->executions[0].stamp_ns;
		if (layer->executions[layer->n_executions - 1].stamp_ns > end)
			end = layer->executions[layer->n_executions - 1].stamp_ns;
	}
	*ret_begin = begin;
	*ret_end = end;
	return begin < end;
}

/* Mean power during the run, and how often the sensor showed a new value. */
static void look_at_rail(struct jm_summary *summary, const struct jm_rail *rail, int64_t begin_ns,
	int64_t end_ns)
{
	double sum = 0;
	size_t n = 0, changes = 0;

	for (size_t i = 0; i < rail->n_readings; i++) {
		const struct jm_reading *reading = &rail->readings[i];
		double power = jm_reading_power_uw(reading, rail->quantity);

		if (i && power != jm_reading_power_uw(reading - 1, rail->quantity))
			changes++;
		if (reading->after_ns < begin_ns || reading->after_ns > end_ns || isnan(power))
			continue;
		sum += power;
		n++;
	}
	summary->sensor_power_w = n ? sum / (double)n * 1e-6 : (double)NAN;
	summary->reading_ms = median_step_ms(rail);
	summary->repeat = changes ? (double)rail->n_readings / (double)changes : (double)NAN;
	if (rail->n_readings > 1 && changes)
		summary->change_ms = (double)(rail->readings[rail->n_readings - 1].after_ns
					     - rail->readings[0].after_ns)
			* 1e-6 / (double)changes;
	else
		summary->change_ms = (double)NAN;
}

void jm_summary_close(struct jm_summary *summary, const struct jm_timeline *timeline,
	const struct jm_rail *rail, double idle_power_uw)
{
	size_t cycles = jm_timeline_cycles(timeline);
	int64_t begin = 0, end = 0;

	summary->idle_power_w = idle_power_uw * 1e-6;
	if (run_bounds(timeline, &begin, &end) && cycles > 1) {
		const struct jm_layer *first = &timeline->layers[0];

		summary->cycle_ms = (double)(end - begin) * 1e-6 / (double)cycles;
		if (first->n_executions > 1)
			summary->cycle_ms = (double)(first->executions[first->n_executions - 1].stamp_ns
						    - first->executions[0].stamp_ns)
				* 1e-6 / (double)(first->n_executions - 1);
	} else {
		summary->cycle_ms = (double)NAN;
	}
	look_at_rail(summary, rail, begin, end);
	summary->sensor_energy_mj = summary->sensor_power_w * summary->cycle_ms;
	for (size_t i = 0; i < summary->n_layers; i++) {
		struct jm_layer_summary *layer = &summary->layers[i];
		double per_cycle = cycles ? (double)layer->executions / (double)cycles : 0;

		close_layer(layer, summary->repeat, summary->idle_power_w);
		if (!layer->executions)
			continue;
		summary->layers_ms += layer->runtime_ms * per_cycle;
		if (layer->runtime_ms < summary->change_ms)
			summary->layers_too_short++;
		if (isnan(layer->energy_mj))
			summary->layers_without_power++;
		else
			summary->layers_energy_mj += layer->energy_mj * per_cycle;
	}
}
