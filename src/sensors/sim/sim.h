/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A virtual Orin Nano, inside. Its power is made up, and marked so; the
 * timeline is the one that really happened. Formulas: docs/sensors.md.
 *
 * board.c: parameters, seeded randomness, what is measured when.
 * profile.c: power over time, behind the supply's filter.
 * complete.c: the values of a log, and the truth behind them.
 */
#ifndef JM_SENSORS_SIM_SIM_H
#define JM_SENSORS_SIM_SIM_H

#include <stddef.h>
#include <stdint.h>

#include "joulemap/sensor.h"

/* ---- Board ----------------------------------------------------------------- */

struct jm_sim_board {
	uint64_t seed;
	double tau_ms;    /* first-order time constant of the supply */
	double round_ms;  /* nominal; the chip's clock is off by clock_ppm */
	double window_ms; /* of one conversion */
	double delay_ms;  /* from the end of a conversion to its being visible */
	double noise_ma;  /* standard deviation of one current conversion */
	double idle_w;
	double gap_w; /* between layers of a cycle */
	/* Schedule, ns: conversion j of the current ends at phase_ns + j * period_ns. */
	double period_ns;
	double phase_ns;
	double window_ns;
	double delay_ns;
	double clock_ppm;
};

/*
 * Parameters from "key=value,..." (NULL: none); what it does not name comes
 * from `seed`. JM_EUSAGE for unknown keys, JM_EINVAL for absurd values.
 */
int jm_sim_board_init(struct jm_sim_board *board, const char *argument, uint64_t seed,
	struct jm_error *reterr);

/* Uniform in [0, 1), and normal with mean 0 and deviation 1; stateless. */
double jm_sim_uniform(const struct jm_sim_board *board, uint64_t stream, uint64_t index);
double jm_sim_normal(const struct jm_sim_board *board, uint64_t stream, uint64_t index);

/* Streams of randomness. */
enum {
	JM_SIM_STREAM_BOARD = 1,
	JM_SIM_STREAM_LAYER = 2,
	JM_SIM_STREAM_CURRENT = 3,
	JM_SIM_STREAM_VOLTAGE = 4
};

/* The latest conversion of current / voltage that is visible at a moment. */
int64_t jm_sim_visible_current(const struct jm_sim_board *board, int64_t moment_ns);
int64_t jm_sim_visible_voltage(const struct jm_sim_board *board, int64_t moment_ns);

/* What conversion `index` says of a mean power: noise and quantisation added. */
double jm_sim_current_ma(const struct jm_sim_board *board, int64_t index, double power_w);
double jm_sim_voltage_mv(const struct jm_sim_board *board, int64_t index, double power_w);

#define JM_SIM_VOLTAGE_STEP_MV 8.0
#define JM_SIM_CURRENT_STEP_MA 8.0 /* 40 uV over 5 mohm */

/* ---- Power over time --------------------------------------------------------- */

/* From this moment on, until the next step, the load draws power_w. */
struct jm_sim_step {
	double from_ns; /* after the profile's origin */
	double power_w;
};

struct jm_sim_profile {
	struct jm_sim_step *steps; /* [n_steps], in order, owned */
	size_t n_steps;
	int64_t origin_ns;
	double idle_w; /* before the first step */
};

/* Sums of what one layer really did; a layer that never ran has no executions. */
struct jm_sim_layer {
	double power_w;
	double runtime_ns;
	size_t executions;
};

/*
 * The load of a timeline whose layers draw layers[k].power_w. One layer at a
 * time: a span that begins before its predecessor has ended is cut. Adds what
 * is left of the spans to layers[]. Times count from origin_ns.
 */
int jm_sim_profile_init(struct jm_sim_profile *profile, const struct jm_sim_board *board,
	const struct jm_timeline *timeline, struct jm_sim_layer *layers, int64_t origin_ns,
	struct jm_error *reterr);
void jm_sim_profile_release(struct jm_sim_profile *profile);

/* Power of every layer, from its MACs and bytes per second: docs/sensors.md. */
int jm_sim_layer_powers(const struct jm_sim_board *board, const struct jm_timeline *timeline,
	struct jm_sim_layer *ret_layers, struct jm_error *reterr);

/* Walks along a profile; integrates what the supply lets through. */
struct jm_sim_sweep {
	const struct jm_sim_profile *profile; /* borrowed while sweeping */
	double tau_ns;
	size_t next;       /* step that has not begun yet */
	double at_ns;      /* where the sweep is, after the origin */
	double load_w;     /* before the filter */
	double filtered_w; /* behind it */
};

void jm_sim_sweep_init(struct jm_sim_sweep *sweep, const struct jm_sim_profile *profile,
	double tau_ns, double from_ns);

/* Integral, W x ns, of the filtered power from where the sweep is to until_ns. */
double jm_sim_sweep_to(struct jm_sim_sweep *sweep, double until_ns);

/* ---- The sensor's `complete` --------------------------------------------------- */

int jm_sim_complete(const struct jm_sensor_info *info, uint64_t seed, struct jm_power_log *log,
	const struct jm_timeline *timeline, const char *truth_path, struct jm_error *reterr);

#endif
