/* SPDX-License-Identifier: Apache-2.0 */
#include "simulate/supply.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/error.h"

int jm_supply_load_append(
	struct jm_supply_load *load, double from_s, double power_w, struct jm_error *reterr)
{
	if (load->n_steps == load->capacity) {
		struct jm_supply_step *steps = jm_array_grow(
			load->steps, &load->capacity, load->n_steps + 1, sizeof(*steps));

		if (!steps)
			return jm_fail_memory(reterr, "the load of the simulated run");
		load->steps = steps;
	}
	load->steps[load->n_steps++] = (struct jm_supply_step){from_s, power_w};
	return 0;
}

void jm_supply_load_release(struct jm_supply_load *load)
{
	free(load->steps);
	memset(load, 0, sizeof(*load));
}

/* ---- The filter ----------------------------------------------------------------- */

/*
 * 1 / ((1 + s/a) (1 + s/b)) in partial fractions: weights b/(b-a) and a/(a-b).
 * Equal rates are told apart by a ten thousandth.
 */
static void init_two_rates(struct jm_supply *supply, double a, double b)
{
	if (fabs(a - b) < 1e-4 * a)
		b = a * (1 + 1e-4);
	supply->modes[0] = (struct jm_supply_mode){a, b / (b - a)};
	supply->modes[1] = (struct jm_supply_mode){b, a / (a - b)};
	supply->n_modes = 2;
}

/* w^2 / (s^2 + 2 d w s + w^2), w = 1/tau, d = damping. */
static void init_damped(struct jm_supply *supply, double tau_s, double damping)
{
	double root, omega = 1 / tau_s;
	double complex rate;

	if (damping >= 1) {
		root = sqrt(damping * damping - 1);
		init_two_rates(supply, omega * (damping + root), omega * (damping - root));
		return;
	}
	root = sqrt(1 - damping * damping);
	rate = omega * (damping + root * JM_I);
	supply->modes[0].rate = rate;
	supply->modes[0].weight = 2 * conj(rate) / (conj(rate) - rate);
	supply->n_modes = 1;
}

void jm_supply_init(struct jm_supply *supply, double tau_s, double tau2_s, double damping)
{
	memset(supply, 0, sizeof(*supply));
	if (tau_s <= 0)
		return;
	if (damping > 0) {
		init_damped(supply, tau_s, damping);
	} else if (tau2_s > 0) {
		init_two_rates(supply, 1 / tau_s, 1 / tau2_s);
	} else {
		supply->modes[0] = (struct jm_supply_mode){1 / tau_s, 1};
		supply->n_modes = 1;
	}
}

double complex jm_supply_gain(const struct jm_supply *supply, double omega)
{
	double complex gain = 0;

	for (int i = 0; i < supply->n_modes; i++) {
		double complex rate = supply->modes[i].rate, weight = supply->modes[i].weight;

		/* Half of each of a pair of modes; the same for a real one. */
		gain += 0.5 * weight * rate / (rate + omega * JM_I);
		gain += 0.5 * conj(weight) * conj(rate) / (conj(rate) + omega * JM_I);
	}
	return supply->n_modes ? gain : 1;
}

double jm_supply_delay_s(const struct jm_supply *supply)
{
	double delay_s = 0;

	for (int i = 0; i < supply->n_modes; i++)
		delay_s += creal(supply->modes[i].weight / supply->modes[i].rate);
	return delay_s;
}

/* ---- Along a load ------------------------------------------------------------------ */

void jm_supply_sweep_init(struct jm_supply_sweep *sweep, const struct jm_supply *supply,
	const struct jm_supply_load *load, double from_s)
{
	memset(sweep, 0, sizeof(*sweep));
	sweep->supply = supply;
	sweep->load = load;
	sweep->at_s = from_s;
	sweep->load_w = load->before_w;
	while (sweep->next < load->n_steps && load->steps[sweep->next].from_s <= from_s)
		sweep->load_w = load->steps[sweep->next++].power_w;
}

/* Over h seconds of constant load: lag decays, its integral is lag * (1 - decay) / rate. */
static void advance(struct jm_supply_sweep *sweep, double until_s)
{
	double h = until_s - sweep->at_s;

	if (h <= 0)
		return;
	sweep->energy_j += sweep->load_w * h;
	for (int i = 0; i < sweep->supply->n_modes; i++) {
		double complex rate = sweep->supply->modes[i].rate;

		if (cimag(rate) == 0) {
			double lag = creal(sweep->lag_w[i]), fall = expm1(-creal(rate) * h);

			sweep->energy_j -= lag * fall / creal(rate);
			sweep->lag_w[i] = lag + lag * fall;
		} else {
			double complex decay = cexp(-rate * h);

			sweep->energy_j += creal(sweep->lag_w[i] * (1 - decay) / rate);
			sweep->lag_w[i] *= decay;
		}
	}
	sweep->at_s = until_s;
}

double jm_supply_sweep_to(struct jm_supply_sweep *sweep, double until_s)
{
	const struct jm_supply_load *load = sweep->load;

	while (sweep->next < load->n_steps && load->steps[sweep->next].from_s <= until_s) {
		const struct jm_supply_step *step = &load->steps[sweep->next++];

		advance(sweep, step->from_s);
		for (int i = 0; i < sweep->supply->n_modes; i++)
			sweep->lag_w[i] += sweep->supply->modes[i].weight *
					   (sweep->load_w - step->power_w);
		sweep->load_w = step->power_w;
	}
	advance(sweep, until_s);
	return sweep->energy_j;
}

double jm_supply_sweep_mean_w(struct jm_supply_sweep *sweep, double begin_s, double end_s)
{
	double before_j = jm_supply_sweep_to(sweep, begin_s);

	return (jm_supply_sweep_to(sweep, end_s) - before_j) / (end_s - begin_s);
}
