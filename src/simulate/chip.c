/* SPDX-License-Identifier: Apache-2.0 */
#include "simulate/chip.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"

/* More conversions than in a week at a round of 0.1 ms: the times are wrong. */
#define CONVERSIONS_MAX ((int64_t)1 << 33)

/* ---- One value ------------------------------------------------------------------- */

/* Volts of a supply whose voltage falls with the load. */
static double volt_of(const struct jm_monitor *monitor, double power_w)
{
	double volt =
		monitor->supply_v - monitor->supply_mohm * 1e-3 * power_w / monitor->supply_v;

	return volt < 0.1 * monitor->supply_v ? 0.1 * monitor->supply_v : volt;
}

struct jm_monitor_value jm_monitor_measure(const struct jm_monitor *monitor, double current_w,
	double voltage_w, struct jm_random *random)
{
	struct jm_monitor_value value;

	value.ma = 1e3 * current_w / volt_of(monitor, current_w) +
		   monitor->noise_ma * jm_random_normal(random);
	value.mv = 1e3 * volt_of(monitor, voltage_w) +
		   monitor->noise_mv * jm_random_normal(random);
	return value;
}

static double quantise(double value, double quantum)
{
	double shown = quantum > 0 ? quantum * nearbyint(value / quantum) : value;

	return shown < 0 ? 0 : shown;
}

struct jm_monitor_value jm_monitor_quantise(
	const struct jm_monitor *monitor, struct jm_monitor_value value)
{
	value.ma = quantise(value.ma, monitor->quantum_ma);
	value.mv = quantise(value.mv, monitor->quantum_mv);
	return value;
}

/* ---- Conversions ------------------------------------------------------------------- */

static int64_t visible(const struct jm_chip *chip, int64_t moment_ns, double after_s)
{
	double since_s = (double)moment_ns * 1e-9 - chip->delay_s - chip->phase_s - after_s;

	return (int64_t)floor(since_s / chip->period_s);
}

int64_t jm_chip_visible_current(const struct jm_chip *chip, int64_t moment_ns)
{
	return visible(chip, moment_ns, 0);
}

int64_t jm_chip_visible_voltage(const struct jm_chip *chip, int64_t moment_ns)
{
	return visible(chip, moment_ns, chip->window_s);
}

struct jm_monitor_value jm_chip_convert(
	const struct jm_chip *chip, int64_t index, double current_w, double voltage_w)
{
	struct jm_random random;

	jm_random_init(&random, chip->seed, (uint64_t)index);
	return jm_monitor_quantise(&chip->monitor,
		jm_monitor_measure(&chip->monitor, current_w, voltage_w, &random));
}

/* ---- Readings ------------------------------------------------------------------------ */

/* Conversions [n] from index `first` on, each with what it says. */
struct conversions {
	int64_t first;
	size_t n;
	struct jm_monitor_value *values; /* owned */
};

static int64_t middle_of(const struct jm_reading *reading)
{
	return reading->before_ns + (reading->after_ns - reading->before_ns) / 2;
}

static int allocate(struct conversions *conversions, const struct jm_chip *chip,
	const struct jm_reading *readings, size_t n, struct jm_error *reterr)
{
	int64_t low = INT64_MAX, high = INT64_MIN;

	for (size_t i = 0; i < n; i++) {
		int64_t current = jm_chip_visible_current(chip, middle_of(&readings[i]));
		int64_t voltage = jm_chip_visible_voltage(chip, middle_of(&readings[i]));

		low = voltage < low ? voltage : low;
		high = current > high ? current : high;
	}
	if (high - low >= CONVERSIONS_MAX || high < low)
		return jm_fail(reterr, JM_EINVAL, "the times of the power log are impossible");
	conversions->first = low;
	conversions->n = (size_t)(high - low) + 1;
	conversions->values = calloc(conversions->n, sizeof(*conversions->values));
	return conversions->values ? 0 : jm_fail_memory(reterr, "the simulated conversions");
}

/* Windows only move on, so one sweep over the load does it all. */
static void convert(struct conversions *conversions, const struct jm_chip *chip,
	const struct jm_supply *supply, const struct jm_supply_load *load, double origin_s)
{
	double window_s = chip->window_s, from_s, end_s;
	struct jm_supply_sweep sweep;

	from_s = chip->phase_s + (double)conversions->first * chip->period_s - origin_s;
	/* At rest before the load begins, not in the middle of it. */
	if (load->n_steps && load->steps[0].from_s < from_s)
		from_s = load->steps[0].from_s;
	jm_supply_sweep_init(&sweep, supply, load, from_s - 2 * window_s);
	for (size_t i = 0; i < conversions->n; i++) {
		int64_t index = conversions->first + (int64_t)i;
		double current_w, voltage_w;

		end_s = chip->phase_s + (double)index * chip->period_s - origin_s;
		current_w = jm_supply_sweep_mean_w(&sweep, end_s - window_s, end_s);
		voltage_w = jm_supply_sweep_mean_w(&sweep, end_s, end_s + window_s);
		conversions->values[i] = jm_chip_convert(chip, index, current_w, voltage_w);
	}
}

int jm_chip_read(const struct jm_chip *chip, const struct jm_supply *supply,
	const struct jm_supply_load *load, int64_t origin_ns, struct jm_reading *readings,
	size_t n, struct jm_error *reterr)
{
	struct conversions conversions = {.n = 0};
	int result = n ? allocate(&conversions, chip, readings, n, reterr) : 0;

	if (result < 0 || !n)
		return result;
	convert(&conversions, chip, supply, load, (double)origin_ns * 1e-9);
	for (size_t i = 0; i < n; i++) {
		int64_t middle_ns = middle_of(&readings[i]);
		int64_t current = jm_chip_visible_current(chip, middle_ns) - conversions.first;
		int64_t voltage = jm_chip_visible_voltage(chip, middle_ns) - conversions.first;

		readings[i].value[0] = conversions.values[voltage].mv;
		readings[i].value[1] = conversions.values[current].ma;
	}
	free(conversions.values);
	return 0;
}
