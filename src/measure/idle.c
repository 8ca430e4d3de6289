/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/idle.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "sensors/registry.h"

#define PARTS 32
#define PROGRESS_NS (JM_NS_PER_S / 10)

/* Mean and sum of squared deviations of a stream (Welford). */
struct moments {
	double n;
	double mean;
	double squares;
};

struct idle {
	const struct jm_sensor_info *info;
	struct moments readings;
	struct moments conversions; /* runs of one and the same value count once */
	struct moments parts[PARTS];
	double last_uw;
	double quantum_uw;
	struct jm_reading first[JM_SENSOR_RAILS_MAX]; /* of counters, at their last change */
	uint64_t missing;
	int64_t begin_ns;
	int64_t end_ns;
};

static void moments_add(struct moments *moments, double value)
{
	double deviation = value - moments->mean;

	moments->n += 1.0;
	moments->mean += deviation / moments->n;
	moments->squares += deviation * (value - moments->mean);
}

static double moments_variance(const struct moments *moments)
{
	return moments->n > 1.0 ? moments->squares / (moments->n - 1.0) : (double)NAN;
}

/* Power since a counter changed last; NaN until it changes. */
static double counter_power_uw(struct jm_reading *last, const struct jm_reading *reading)
{
	double elapsed_s = (double)(reading->after_ns - last->after_ns) * 1e-9;
	double power_uw = (double)NAN;

	if (last->after_ns && reading->value[0] <= last->value[0])
		return (double)NAN;
	if (last->after_ns)
		power_uw = (reading->value[0] - last->value[0]) / elapsed_s;
	*last = *reading;
	return power_uw;
}

/* Sum over the rails that no other one contains, and its quantum. */
static double total_uw(struct idle *idle, const struct jm_reading *readings)
{
	double sum = 0.0, quantum_square = 0.0;

	for (size_t i = 0; i < idle->info->n_rails; i++) {
		const struct jm_rail_info *rail = &idle->info->rails[i];
		double power, quantum;

		if (!jm_sensor_rail_is_root(idle->info, i))
			continue;
		power = rail->quantity == JM_QUANTITY_UJ
				? counter_power_uw(&idle->first[i], &readings[i])
				: jm_reading_power_uw(&readings[i], rail->quantity);
		quantum = rail->quantity == JM_QUANTITY_MV_MA
				  ? readings[i].value[0] * rail->quantum[1]
			  : rail->quantity == JM_QUANTITY_UW ? rail->quantum[0]
							     : 0.0;
		sum += power;
		quantum_square += quantum * quantum;
	}
	if (!isnan(quantum_square))
		idle->quantum_uw = sqrt(quantum_square);
	return sum;
}

static void take(struct idle *idle, const struct jm_reading *readings, double part)
{
	double power_uw = total_uw(idle, readings);
	size_t index = part < 1.0 ? (size_t)(part * PARTS) : PARTS - 1;

	if (!idle->begin_ns)
		idle->begin_ns = readings[0].before_ns;
	idle->end_ns = readings[0].after_ns;
	if (isnan(power_uw)) {
		idle->missing++;
		return;
	}
	if (idle->readings.n < 0.5 || power_uw != idle->last_uw)
		moments_add(&idle->conversions, power_uw);
	moments_add(&idle->readings, power_uw);
	moments_add(&idle->parts[index], power_uw);
	idle->last_uw = power_uw;
}

/*
 * The largest of three: independent conversions; means over parts of the time,
 * which see slow changes; the rounding of a value that hardly changes. A value
 * that never changes and whose quantum is unknown has an unknown error: NaN.
 */
static double standard_error_uw(const struct idle *idle)
{
	double n = idle->conversions.n;
	double squares = moments_variance(&idle->conversions) / n;
	struct moments means = {0};

	for (size_t i = 0; i < PARTS; i++)
		if (idle->parts[i].n > 0.5)
			moments_add(&means, idle->parts[i].mean);
	if (n < 1.5 && !(idle->quantum_uw > 0.0))
		return (double)NAN;
	if (means.n > 7.5)
		squares = fmax(squares, moments_variance(&means) / means.n);
	return sqrt(fmax(squares, idle->quantum_uw * idle->quantum_uw / 12.0 / n));
}

static int poll_until(struct idle *idle, const struct jm_sensor_ops *ops, void *state,
	const struct jm_sensor_options *options, double seconds, jm_idle_progress_fn *progress,
	void *context, struct jm_error *reterr)
{
	struct jm_reading readings[JM_SENSOR_RAILS_MAX];
	int64_t start_ns = options->now_ns(options->clock), now_ns = start_ns,
		shown_ns = start_ns;
	int64_t period_ns = (int64_t)(idle->info->poll_ms * 1e6);
	int64_t deadline_ns = jm_clock_monotonic_ns(NULL);

	if (period_ns < JM_NS_PER_MS / 10)
		period_ns = JM_NS_PER_MS;
	while ((double)(now_ns - start_ns) < seconds * 1e9) {
		int result = ops->read(state, readings, reterr);

		if (result < 0)
			return result;
		take(idle, readings, (double)(now_ns - start_ns) / (seconds * 1e9));
		if (progress && now_ns - shown_ns >= PROGRESS_NS) {
			double mean =
				idle->readings.n > 0.5 ? idle->readings.mean : (double)NAN;

			shown_ns = now_ns;
			if (progress(context, (double)(now_ns - start_ns) * 1e-9, mean) != 0)
				return jm_fail(reterr, JM_EINTERRUPTED,
					"idle measurement interrupted");
		}
		deadline_ns += period_ns;
		if (deadline_ns < jm_clock_monotonic_ns(NULL))
			deadline_ns = jm_clock_monotonic_ns(NULL);
		jm_clock_sleep_until(deadline_ns);
		now_ns = options->now_ns(options->clock);
	}
	return 0;
}

static int conclude(
	const struct idle *idle, struct jm_idle_result *ret_result, struct jm_error *reterr)
{
	if (idle->readings.n < 0.5)
		return jm_fail(reterr, JM_ESENSOR,
			"sensor '%s' delivered no value in %llu readings", idle->info->id,
			(unsigned long long)idle->missing);
	ret_result->mean_uw = idle->readings.mean;
	ret_result->sd_uw = sqrt(moments_variance(&idle->conversions));
	ret_result->error_uw = standard_error_uw(idle);
	ret_result->readings = (uint64_t)idle->readings.n;
	ret_result->missing = idle->missing;
	ret_result->conversions = (uint64_t)idle->conversions.n;
	ret_result->begin_ns = idle->begin_ns;
	ret_result->end_ns = idle->end_ns;
	ret_result->seconds = (double)(idle->end_ns - idle->begin_ns) * 1e-9;
	return 0;
}

int jm_idle_measure(const struct jm_sensor_ops *ops, struct jm_sensor_info *info,
	const struct jm_sensor_options *options, double seconds, jm_idle_progress_fn *progress,
	void *context, struct jm_idle_result *ret_result, struct jm_error *reterr)
{
	struct idle idle = {.info = info};
	void *state;
	int result;

	if (!(seconds > 0.0 && seconds <= 1e6))
		return jm_fail(reterr, JM_EINVAL,
			"idle duration %g s is not from 0 to 1000000 s", seconds);
	state = calloc(1, ops->state_size ? ops->state_size : 1);
	if (!state)
		return jm_fail_memory(reterr, "the sensor");
	result = ops->open(state, info, options, reterr);
	if (result == 0)
		result = poll_until(
			&idle, ops, state, options, seconds, progress, context, reterr);
	if (result == 0)
		result = conclude(&idle, ret_result, reterr);
	ops->close(state);
	free(state);
	return result;
}
