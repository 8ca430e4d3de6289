/* SPDX-License-Identifier: Apache-2.0 */
#include "map/rail_power.h"

#include <math.h>

#include "base/known.h"
#include "data/counter.h"

struct span {
	int64_t begin_ns, end_ns;
};

static struct span find_run(const struct jm_timeline *timeline)
{
	struct span run = {INT64_MAX, INT64_MIN};

	for (size_t k = 0; k < timeline->n_layers; k++)
		for (size_t i = 0; i < timeline->layers[k].n_executions; i++) {
			int64_t at_ns = timeline->layers[k].executions[i].stamp_ns;

			run.begin_ns = at_ns < run.begin_ns ? at_ns : run.begin_ns;
			run.end_ns = at_ns > run.end_ns ? at_ns : run.end_ns;
		}
	return run;
}

/* Sums with weights: a counter's step counts as long as it lasted. */
struct sums {
	double weight, power, square;
};

static void add(struct sums *sums, double power_w, double weight)
{
	if (isnan(power_w))
		return;
	sums->weight += weight;
	sums->power += weight * power_w;
	sums->square += weight * power_w * power_w;
}

static struct sums sum_up(const struct jm_rail *rail, struct span run)
{
	struct sums sums = {0, 0, 0};
	struct jm_counter counter;

	jm_counter_init(&counter, rail->range_uj);
	for (size_t i = 0; i < rail->n_readings; i++) {
		const struct jm_reading *reading = &rail->readings[i];
		int64_t last_ns = counter.last_ns;
		double power_uw = jm_reading_power_uw(reading, rail->quantity), weight = 1;

		if (rail->quantity == JM_QUANTITY_UJ) {
			jm_counter_put(&counter, reading, &power_uw);
			weight = (double)(counter.last_ns - last_ns) * 1e-9;
		}
		if (reading->after_ns >= run.begin_ns && reading->after_ns <= run.end_ns)
			add(&sums, power_uw * 1e-6, weight);
	}
	return sums;
}

/* A counter that never steps draws nothing. */
static int stands_still(const struct jm_rail *rail)
{
	for (size_t i = 0; i < rail->n_readings; i++)
		if (!isnan(rail->readings[i].value[0]))
			return rail->quantity == JM_QUANTITY_UJ;
	return 0;
}

struct jm_rail_power jm_rail_power_in_run(
	const struct jm_rail *rail, const struct jm_timeline *timeline)
{
	struct jm_rail_power power = {(double)NAN, 0};
	struct sums sums = {0, 0, 0};

	if (rail)
		sums = sum_up(rail, find_run(timeline));
	if (sums.weight > 0) {
		power.mean_w = sums.power / sums.weight;
		power.sd_w =
			sqrt(fmax(0, sums.square / sums.weight - power.mean_w * power.mean_w));
	} else if (rail && stands_still(rail)) {
		power.mean_w = 0;
	}
	return power;
}

double jm_rail_rounding_w(const struct jm_rail *rail, const double quantum[2])
{
	double step_w = 0;

	if (!rail || !rail->n_readings)
		return 0;
	if (rail->quantity == JM_QUANTITY_UW)
		step_w = quantum[0] * 1e-6;
	if (rail->quantity == JM_QUANTITY_MV_MA)
		step_w = quantum[1] * rail->readings[0].value[0] * 1e-6;
	return jm_known_or(step_w, 0) / sqrt(12);
}
