/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A monitor of current and voltage, as an INA3221 is one: what it makes of a
 * mean power, and what it shows at moments that somebody else has chosen.
 */
#ifndef JM_SIMULATE_CHIP_H
#define JM_SIMULATE_CHIP_H

#include <stddef.h>
#include <stdint.h>

#include "base/random.h"
#include "joulemap/joulemap.h"
#include "simulate/supply.h"

/* The supply's voltage without load and its inner resistance; noise and steps. */
struct jm_monitor {
	double supply_v, supply_mohm;
	double noise_ma, noise_mv;     /* standard deviation of one conversion */
	double quantum_ma, quantum_mv; /* 0: none */
};

struct jm_monitor_value {
	double ma, mv;
};

/*
 * Current and voltage under a load, noise included, steps not yet. Two normal
 * numbers are drawn, the current's first.
 */
struct jm_monitor_value jm_monitor_measure(const struct jm_monitor *monitor, double current_w,
	double voltage_w, struct jm_random *random);

/* As the register shows it: in steps, never below 0. */
struct jm_monitor_value jm_monitor_quantise(
	const struct jm_monitor *monitor, struct jm_monitor_value value);

/*
 * When it converts: conversion j of the current is the mean over the window that
 * ends at phase_s + j * period_s, that of the voltage over the window behind it.
 * Seconds on the clock of the readings.
 */
struct jm_chip {
	struct jm_monitor monitor;
	double period_s, phase_s;
	double window_s;
	double delay_s; /* from a window's end to its being visible */
	uint64_t seed;  /* of the noise, which is a pure function of it and of j */
};

/* The latest conversion that is visible at a moment. */
int64_t jm_chip_visible_current(const struct jm_chip *chip, int64_t moment_ns);
int64_t jm_chip_visible_voltage(const struct jm_chip *chip, int64_t moment_ns);

/* What conversion `index` shows of the mean power in its two windows. */
struct jm_monitor_value jm_chip_convert(
	const struct jm_chip *chip, int64_t index, double current_w, double voltage_w);

/*
 * Gives readings [n] whose times are known their values, mV and mA: what was
 * visible in the middle of each bracket. The load's times count from origin_ns.
 * JM_EINVAL: times that cannot be. JM_ENOMEM.
 */
int jm_chip_read(const struct jm_chip *chip, const struct jm_supply *supply,
	const struct jm_supply_load *load, int64_t origin_ns, struct jm_reading *readings,
	size_t n, struct jm_error *reterr);

#endif
