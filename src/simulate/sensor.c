/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "simulate/chip.h"
#include "simulate/internal.h"

#define PI 3.14159265358979323846

/* Everything that a conversion needs. */
struct chip {
	const struct jm_simulate_config *config;
	const struct jm_simulated_run *run;
	size_t rail;
	struct jm_supply supply;
	struct jm_supply_sweep load, background;
	struct jm_random random;
	struct jm_monitor monitor;
	struct jm_monitor_value low_pass; /* NaN before the first conversion */
	double base_uj;                   /* of the counter, which began long ago */
};

/*
 * Drift passes a linear filter late by its delay; a ripple is scaled and
 * turned by the filter's gain: integral of Im(gain * exp(i w t)).
 */
double jm_simulated_slow_energy_j(const struct jm_simulate_config *config,
	const struct jm_supply *supply, double run_s, double t)
{
	double energy_j = 0;

	if (config->drift_w != 0 && run_s > 0) {
		double late = supply->n_modes ? jm_supply_delay_s(supply) : 0;
		double offset = late / run_s + 0.5;

		energy_j += config->drift_w * (0.5 * t * t / run_s - offset * t);
	}
	if (config->ripple_w != 0) {
		double omega = 2 * PI / config->ripple_s;
		double complex gain = jm_supply_gain(supply, omega);

		energy_j += config->ripple_w *
			    cimag(gain * (cexp(omega * t * JM_I) - 1) / (omega * JM_I));
	}
	return energy_j;
}

static double energy_at(struct chip *chip, double t)
{
	if (chip->rail > 0) /* what others do and drift are of the first rail */
		return jm_supply_sweep_to(&chip->load, t);
	return jm_supply_sweep_to(&chip->load, t) + jm_supply_sweep_to(&chip->background, t) +
	       jm_simulated_slow_energy_j(chip->config, &chip->supply, chip->run->end_s, t);
}

/* Current and voltage, through the low-pass of a sensor that averages. */
static void measure(struct chip *chip, double power_w, struct jm_simulated_conversion *ret)
{
	const struct jm_simulate_config *config = chip->config;
	struct jm_monitor_value value =
		jm_monitor_measure(&chip->monitor, power_w, power_w, &chip->random);

	if (!strcmp(config->sensor, "averaging")) {
		double share = isnan(chip->low_pass.ma) ? 1 : 1 / (double)config->average;

		if (share < 1) {
			value.ma = chip->low_pass.ma + share * (value.ma - chip->low_pass.ma);
			value.mv = chip->low_pass.mv + share * (value.mv - chip->low_pass.mv);
		}
		chip->low_pass = value;
	}
	value = jm_monitor_quantise(&chip->monitor, value);
	ret->ma = value.ma;
	ret->mv = value.mv;
}

static void convert(struct chip *chip, double end_s, struct jm_simulated_conversion *ret)
{
	const struct jm_simulate_config *config = chip->config;
	double window_s = config->window_ms * 1e-3, before_j, energy_j;

	memset(ret, 0, sizeof(*ret));
	ret->visible_s = end_s + config->delay_ms * 1e-3;
	ret->voltage_visible_s = ret->visible_s + window_s;
	if (!strcmp(config->sensor, "counter")) {
		energy_j = energy_at(chip, end_s);
		ret->uj = chip->base_uj + energy_j * 1e6;
		if (config->range_uj > 0)
			ret->uj = fmod(ret->uj, config->range_uj);
		if (config->quantum_uj > 0)
			ret->uj = config->quantum_uj * floor(ret->uj / config->quantum_uj);
		return;
	}
	before_j = energy_at(chip, end_s - window_s);
	energy_j = energy_at(chip, end_s);
	measure(chip, (energy_j - before_j) / window_s, ret);
}

/* Rounds of idle before the log begins, so that the first reading sees something. */
static double settle_s(const struct jm_simulate_config *config, double period_s)
{
	double rounds = 4;

	if (!strcmp(config->sensor, "averaging"))
		rounds += 8 * (double)config->average;
	return rounds * period_s + config->delay_ms * 1e-3 + config->window_ms * 2e-3;
}

/* Rails behind the first have slower supplies. */
static double slower(size_t rail)
{
	return 1 + 0.5 * (double)rail;
}

static void start_chip(struct chip *chip, const struct jm_simulated_run *run,
	const struct jm_simulate_config *config, size_t rail, double from_s)
{
	const struct jm_supply_load *load =
		config->rails > 1 ? &run->rail_load[rail] : &run->load;

	memset(chip, 0, sizeof(*chip));
	chip->config = config;
	chip->run = run;
	chip->rail = rail;
	chip->low_pass.ma = chip->low_pass.mv = (double)NAN;
	jm_supply_init(&chip->supply, config->tau_ms * slower(rail) * 1e-3,
		config->tau2_ms * slower(rail) * 1e-3, config->damping);
	chip->monitor = (struct jm_monitor){config->supply_v, config->supply_mohm,
		config->noise_ma, config->noise_mv, config->quantum_ma, config->quantum_mv};
	jm_supply_sweep_init(&chip->load, &chip->supply, load, from_s);
	jm_supply_sweep_init(&chip->background, &chip->supply, &run->background, from_s);
	jm_random_init(&chip->random, (uint64_t)config->seed,
		rail ? JM_STREAM_OF_RAIL + rail : JM_STREAM_SENSOR);
}

/* Jitter of an update, kept within a third of a period so that none overtakes. */
static double jitter_s(struct chip *chip, double period_s)
{
	double limit_s = period_s / 3, late_s;

	if (chip->config->update_jitter_us <= 0)
		return 0;
	late_s = chip->config->update_jitter_us * 1e-6 * jm_random_normal(&chip->random);
	return late_s > limit_s ? limit_s : late_s < -limit_s ? -limit_s : late_s;
}

/* One rail after the other, as one chip does it; the phase of the first is random. */
static double choose_phase_s(
	struct chip *chip, const struct jm_simulated_conversions *first, double period_s)
{
	double phase_s = period_s * jm_random_uniform(&chip->random);

	if (chip->rail == 0)
		return phase_s;
	return fmod(
		first->phase_s + period_s * (double)chip->rail / (double)chip->config->rails,
		period_s);
}

static int convert_rail(struct jm_simulated_conversions *all, size_t rail,
	const struct jm_simulated_run *run, const struct jm_simulate_config *config,
	struct jm_error *reterr)
{
	double until_s = run->end_s + config->lead_s, period_s, from_s, first;
	struct jm_simulated_conversions *conversions = &all[rail];
	struct chip chip;

	period_s = config->round_ms * 1e-3 * (1 + config->clock_ppm * 1e-6);
	from_s = -config->lead_s - settle_s(config, period_s);
	start_chip(&chip, run, config, rail, from_s - 2 * config->window_ms * 1e-3);
	conversions->period_s = period_s;
	conversions->phase_s = choose_phase_s(&chip, all, period_s);
	chip.base_uj = 1e9 * (1 + jm_random_uniform(&chip.random));
	first = ceil((from_s - conversions->phase_s) / period_s);
	conversions->n = (size_t)((until_s - from_s) / period_s) + 1;
	conversions->items = malloc(conversions->n * sizeof(*conversions->items));
	if (!conversions->items)
		return jm_fail_memory(reterr, "the conversions of the simulated sensor");
	for (size_t i = 0; i < conversions->n; i++) {
		double end_s = conversions->phase_s + (first + (double)i) * period_s;

		convert(&chip, end_s + jitter_s(&chip, period_s), &conversions->items[i]);
	}
	start_chip(&chip, run, config, rail, 0);
	conversions->energy_j = energy_at(&chip, run->end_s);
	return 0;
}

int jm_simulated_convert(struct jm_simulated_conversions *conversions,
	const struct jm_simulated_run *run, const struct jm_simulate_config *config,
	struct jm_error *reterr)
{
	int result = 0;

	memset(conversions, 0, (size_t)config->rails * sizeof(*conversions));
	for (size_t r = 0; r < (size_t)config->rails && result == 0; r++)
		result = convert_rail(conversions, r, run, config, reterr);
	return result;
}

void jm_simulated_conversions_release(struct jm_simulated_conversions *conversions)
{
	free(conversions->items);
	memset(conversions, 0, sizeof(*conversions));
}
