/* SPDX-License-Identifier: Apache-2.0 */
/* The simulation's supply against the differential equation, step by step. */
#include "unit.h"

#include <math.h>

#include "simulate/internal.h"

#define STEP_S 1e-6
#define STEPS 40000

/* y' = v, v' = a - b y - c v  or first order, by the classical Runge-Kutta. */
struct equation {
	int order;     /* 0: y is the load */
	double spring; /* 1/tau, or omega^2 */
	double drag;   /* 2 damping omega */
};

struct state {
	double y, v, energy;
};

static struct state slope(const struct equation *e, struct state s, double load)
{
	struct state d = {0, 0, s.y};

	if (e->order == 1) {
		d.y = e->spring * (load - s.y);
	} else if (e->order == 2) {
		d.y = s.v;
		d.v = e->spring * (load - s.y) - e->drag * s.v;
	} else {
		d.energy = load;
	}
	return d;
}

static struct state along(struct state s, struct state d, double h)
{
	return (struct state){s.y + h * d.y, s.v + h * d.v, s.energy + h * d.energy};
}

static struct state integrate(const struct equation *e, struct state s, double load)
{
	struct state a = slope(e, s, load), b = slope(e, along(s, a, STEP_S / 2), load);
	struct state c = slope(e, along(s, b, STEP_S / 2), load);
	struct state d = slope(e, along(s, c, STEP_S), load);

	s = along(s, a, STEP_S / 6);
	s = along(s, b, STEP_S / 3);
	s = along(s, c, STEP_S / 3);
	return along(s, d, STEP_S / 6);
}

/* Loads that change at whole steps, every 20 us or so. */
static void make_load(struct jm_supply_load *load, double power_w[STEPS])
{
	struct jm_random random;
	double now_w = 4;

	jm_random_init(&random, 5, 1);
	load->before_w = now_w;
	for (int i = 0; i < STEPS; i++) {
		if (i > 100 && jm_random_uniform(&random) < 0.05) {
			now_w = 4 + 10 * jm_random_uniform(&random);
			assert_int_equal(
				jm_supply_load_append(load, i * STEP_S, now_w, NULL), 0);
		}
		power_w[i] = now_w;
	}
}

static void compare(double tau_ms, double tau2_ms, double damping, struct equation equation)
{
	struct jm_simulate_config config;
	struct jm_supply supply;
	struct jm_supply_sweep sweep;
	struct jm_supply_load load = {0};
	static double power_w[STEPS];
	struct state state = {4, 0, 0};

	jm_simulate_config_init(&config);
	config.tau_ms = tau_ms;
	config.tau2_ms = tau2_ms;
	config.damping = damping;
	jm_supply_init(&supply, config.tau_ms * 1e-3, config.tau2_ms * 1e-3, config.damping);
	make_load(&load, power_w);
	jm_supply_sweep_init(&sweep, &supply, &load, 0);
	for (int i = 0; i < STEPS; i++) {
		double energy_j;

		state = integrate(&equation, state, power_w[i]);
		if (i % 7)
			continue; /* moments that fall into steps and between them */
		energy_j = jm_supply_sweep_to(&sweep, (i + 1) * STEP_S);
		assert_true(fabs(energy_j - state.energy) < 1e-9 * (1 + state.energy));
	}
	jm_supply_load_release(&load);
}

static void test_against_equation(void **unused)
{
	double omega = 1 / 0.25e-3;

	(void)unused;
	compare(0, 0, 0, (struct equation){0, 0, 0});
	compare(0.3, 0, 0, (struct equation){1, 1 / 0.3e-3, 0});
	compare(0.8, 0, 0, (struct equation){1, 1 / 0.8e-3, 0});
	/* Two first orders in a row: omega^2 = 1/(ab), drag = 1/a + 1/b. */
	compare(0.5, 0.2, 0,
		(struct equation){2, 1 / (0.5e-3 * 0.2e-3), 1 / 0.5e-3 + 1 / 0.2e-3});
	compare(0.25, 0, 0.4, (struct equation){2, omega * omega, 2 * 0.4 * omega});
	compare(0.25, 0, 1.7, (struct equation){2, omega * omega, 2 * 1.7 * omega});
}

/* Equal time constants: told apart by 1e-4, so the answer is as good as that. */
static void test_equal_time_constants(void **unused)
{
	struct jm_simulate_config config;
	struct jm_supply supply;
	struct jm_supply_sweep sweep;
	struct jm_supply_load load = {.before_w = 0};
	double t = 0.7e-3, x = t / 0.3e-3, expected;

	(void)unused;
	jm_simulate_config_init(&config);
	config.tau_ms = config.tau2_ms = 0.3;
	jm_supply_init(&supply, config.tau_ms * 1e-3, config.tau2_ms * 1e-3, config.damping);
	assert_int_equal(jm_supply_load_append(&load, 0, 1, NULL), 0);
	jm_supply_sweep_init(&sweep, &supply, &load, -1e-3);
	/* Step response 1 - (1 + x) exp(-x), integrated. */
	expected = t - 0.3e-3 * (2 - (2 + x) * exp(-x));
	assert_true(fabs(jm_supply_sweep_to(&sweep, t) / expected - 1) < 1e-3);
	jm_supply_load_release(&load);
}

static void test_overshoot_overshoots(void **unused)
{
	struct jm_simulate_config config;
	struct jm_supply supply;
	struct jm_supply_sweep sweep;
	struct jm_supply_load load = {.before_w = 0};
	double before_j = 0, most_w = 0;

	(void)unused;
	jm_simulate_config_init(&config);
	config.damping = 0.4;
	jm_supply_init(&supply, config.tau_ms * 1e-3, config.tau2_ms * 1e-3, config.damping);
	assert_int_equal(jm_supply_load_append(&load, 0, 1, NULL), 0);
	jm_supply_sweep_init(&sweep, &supply, &load, -1e-6);
	before_j = jm_supply_sweep_to(&sweep, 0);
	for (int i = 1; i < 1000; i++) {
		double energy_j = jm_supply_sweep_to(&sweep, i * 1e-5);

		most_w = fmax(most_w, (energy_j - before_j) / 1e-5);
		before_j = energy_j;
	}
	/* exp(-pi d / sqrt(1 - d^2)) */
	assert_true(fabs(most_w - 1 - exp(-M_PI * 0.4 / sqrt(1 - 0.16))) < 1e-3);
	jm_supply_load_release(&load);
}

/* All that goes in comes out, once the supply has come to rest. */
static void test_energy_is_conserved(void **unused)
{
	static const double damping[] = {0, 0.3, 2};

	(void)unused;
	for (size_t i = 0; i < 3; i++) {
		struct jm_simulate_config config;
		struct jm_supply supply;
		struct jm_supply_sweep sweep;
		struct jm_supply_load load = {.before_w = 4};
		double drawn_j = 4 * 0.010;

		jm_simulate_config_init(&config);
		config.damping = damping[i];
		jm_supply_init(
			&supply, config.tau_ms * 1e-3, config.tau2_ms * 1e-3, config.damping);
		for (int k = 0; k < 100; k++) {
			jm_supply_load_append(&load, k * 1e-4, 4 + k % 9, NULL);
			drawn_j += (4 + k % 9) * 1e-4;
		}
		jm_supply_load_append(&load, 0.01, 4, NULL);
		drawn_j += 4 * 0.09;
		jm_supply_sweep_init(&sweep, &supply, &load, -0.01);
		assert_true(fabs(jm_supply_sweep_to(&sweep, 0.1) - drawn_j) < 1e-12);
		jm_supply_load_release(&load);
	}
}

/* Drift and ripple against a sum over time of what the filter makes of them. */
static void test_slow_disturbances(void **unused)
{
	struct jm_simulate_config config;
	struct jm_supply supply;
	double run_s = 10, y = 0, energy_j = 0, at_start_j, h = 1e-5;

	(void)unused;
	jm_simulate_config_init(&config);
	config.drift_w = 0.8;
	config.ripple_w = 0.15;
	config.ripple_s = 0.05;
	config.tau_ms = 0.8;
	jm_supply_init(&supply, config.tau_ms * 1e-3, config.tau2_ms * 1e-3, config.damping);
	at_start_j = jm_simulated_slow_energy_j(&config, &supply, run_s, 1);
	for (int i = -2000; i < 100000; i++) {
		double t = 1 + (i + 0.5) * h;
		double load_w = 0.8 * (t / run_s - 0.5) + 0.15 * sin(2 * M_PI * t / 0.05);
		double next = load_w + (y - load_w) * exp(-h / 0.8e-3);

		if (i >= 0)
			energy_j += 0.5 * (y + next) * h;
		y = next;
	}
	assert_true(fabs(jm_simulated_slow_energy_j(&config, &supply, run_s, 2) - at_start_j -
			    energy_j) < 1e-7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_against_equation),
		cmocka_unit_test(test_equal_time_constants),
		cmocka_unit_test(test_overshoot_overshoots),
		cmocka_unit_test(test_energy_is_conserved),
		cmocka_unit_test(test_slow_disturbances),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
