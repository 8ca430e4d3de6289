/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supply between load and sensor: a linear filter, exact for loads that
 * are constant between steps.
 */
#ifndef JM_SIMULATE_SUPPLY_H
#define JM_SIMULATE_SUPPLY_H

#include <complex.h>
#include <stddef.h>

#include "joulemap/joulemap.h"

#define JM_I ((double complex)I)

/* From this moment on, until the next step, the load draws power_w. */
struct jm_supply_step {
	double from_s;
	double power_w;
};

struct jm_supply_load {
	struct jm_supply_step *steps; /* [n_steps], in order of time, owned */
	size_t n_steps;
	size_t capacity;
	double before_w; /* before the first step */
};

int jm_supply_load_append(
	struct jm_supply_load *load, double from_s, double power_w, struct jm_error *reterr);
void jm_supply_load_release(struct jm_supply_load *load);

/*
 * The response to a step of 1 W is 1 - sum of Re(weight * exp(-rate * t)); the
 * weights' real parts add up to 1. A pair of complex rates is one mode of
 * twice the weight. Without modes the load passes as it is.
 */
struct jm_supply_mode {
	double complex rate; /* 1/s */
	double complex weight;
};

struct jm_supply {
	struct jm_supply_mode modes[2];
	int n_modes;
};

/* Time constants 0: none. A damping above 0 makes the first one of second order. */
void jm_supply_init(struct jm_supply *supply, double tau_s, double tau2_s, double damping);

/* Gain for exp(i * omega * t), and the delay of slow ramps (s). */
double complex jm_supply_gain(const struct jm_supply *supply, double omega);
double jm_supply_delay_s(const struct jm_supply *supply);

/* Walks along a load; sums up the energy that has passed the supply. */
struct jm_supply_sweep {
	const struct jm_supply *supply;    /* borrowed while sweeping */
	const struct jm_supply_load *load; /* the same */
	size_t next;                       /* step that has not begun yet */
	double at_s;
	double load_w;
	double energy_j;         /* since from_s */
	double complex lag_w[2]; /* weight * (what the mode has reached - load) */
};

/* Begins at from_s, at rest. */
void jm_supply_sweep_init(struct jm_supply_sweep *sweep, const struct jm_supply *supply,
	const struct jm_supply_load *load, double from_s);

/* Energy (J) from from_s to until_s, which never goes back. */
double jm_supply_sweep_to(struct jm_supply_sweep *sweep, double until_s);

/* Mean power over [begin, end), which follows what has been swept. */
double jm_supply_sweep_mean_w(struct jm_supply_sweep *sweep, double begin_s, double end_s);

#endif
