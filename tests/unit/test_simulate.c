/* SPDX-License-Identifier: Apache-2.0 */
/* What each parameter of a simulation does, one by one. */
#include "unit.h"

#include <math.h>
#include <string.h>

#include "simulate/internal.h"
#include "simulated.h"

/* ---- A run in memory --------------------------------------------------------------- */

struct simulated {
	struct jm_simulate_config config;
	struct jm_simulated_network network;
	struct jm_simulated_run run;
	struct jm_simulated_conversions conversions;
	struct jm_power_log log;
	const struct jm_rail *rail;
};

static void simulate(struct simulated *s, const char *words)
{
	memset(s, 0, sizeof(*s));
	s->config = config_of(words);
	assert_int_equal(jm_simulate_check(&s->config, NULL), 0);
	assert_int_equal(jm_simulated_network_init(&s->network, &s->config, NULL), 0);
	assert_int_equal(jm_simulated_schedule(&s->run, &s->network, &s->config, NULL), 0);
	assert_int_equal(jm_simulated_convert(&s->conversions, &s->run, &s->config, NULL), 0);
	assert_int_equal(
		jm_simulated_poll(&s->log, &s->conversions, &s->config, s->run.end_s, NULL), 0);
	s->rail = &s->log.rails[0];
}

static void forget(struct simulated *s)
{
	jm_power_log_release(&s->log);
	jm_simulated_conversions_release(&s->conversions);
	jm_simulated_run_release(&s->run);
	jm_simulated_network_release(&s->network);
}

static double power_w(const struct jm_reading *reading)
{
	return jm_reading_power_uw(reading, JM_QUANTITY_MV_MA) * 1e-6;
}

/* Mean power of the readings from one share of the log to another. */
static double mean_w(const struct simulated *s, double from, double to)
{
	size_t begin = (size_t)(from * (double)s->rail->n_readings);
	size_t end = (size_t)(to * (double)s->rail->n_readings);
	double sum = 0;

	for (size_t i = begin; i < end; i++)
		sum += power_w(&s->rail->readings[i]);
	return sum / (double)(end - begin);
}

static double stamp_s(const struct simulated *s, size_t layer, size_t execution)
{
	return (double)s->run.timeline.layers[layer].executions[execution].stamp_ns * 1e-9;
}

/* ---- Physics ------------------------------------------------------------------------- */

/* Mean of the load over a window, span by span, through a first-order supply. */
static double brute_force_w(
	const struct jm_supply_load *load, double tau_s, double end_s, double window_s)
{
	double h = 2e-7, from_s = end_s - window_s - 15 * tau_s, y, sum = 0;
	size_t next = 0;
	double now_w = load->before_w;
	int steps = (int)((end_s - from_s) / h);

	while (next < load->n_steps && load->steps[next].from_s <= from_s)
		now_w = load->steps[next++].power_w;
	y = now_w;
	h = (end_s - from_s) / steps;
	for (int i = 0; i < steps; i++) {
		double t = from_s + (i + 0.5) * h;

		while (next < load->n_steps && load->steps[next].from_s <= t)
			now_w = load->steps[next++].power_w;
		y += (now_w - y) * (1 - exp(-h / tau_s));
		if (t > end_s - window_s)
			sum += y * h;
	}
	return sum / window_s;
}

static void test_conversions_against_brute_force(void **unused)
{
	struct simulated s;
	size_t checked = 0;

	(void)unused;
	simulate(&s, "ina3221-default noise_ma=0 noise_mv=0 quantum_ma=0 quantum_mv=0 "
		     "supply_mohm=0 cycles=100");
	for (size_t i = 0; i < s.conversions.n; i++) {
		const struct jm_simulated_conversion *item = &s.conversions.items[i];
		double end_s = item->visible_s - 0.45e-3;

		if (end_s < 0 || end_s > s.run.end_s)
			continue;
		assert_true(fabs(item->ma * item->mv * 1e-6 -
				    brute_force_w(&s.run.load, 0.3e-3, end_s, 1.1e-3)) < 3e-3);
		checked++;
	}
	assert_true(checked > 10);
	forget(&s);
}

/* A counter over the whole run sees all energy that layers and gaps have drawn. */
static void test_energy_closes(void **unused)
{
	struct simulated s;
	double layers_j = 0, idle_s, seen_j;
	const struct jm_reading *last;

	(void)unused;
	simulate(&s, "rapl tau_ms=0.3 quantum_uj=0 layer_gap_us=20");
	for (size_t i = 0; i < s.network.n_units; i++)
		layers_j += s.network.units[i].energy_j;
	assert_true(layers_j < s.run.in_cycles_j);
	assert_true(
		fabs(s.run.in_cycles_j + (s.run.end_s - s.run.in_cycles_s) * s.network.gap_w -
			s.conversions.energy_j) < 5e-3 * s.conversions.energy_j);
	last = &s.rail->readings[s.rail->n_readings - 1];
	seen_j = (last->value[0] - s.rail->readings[0].value[0]) * 1e-6;
	idle_s = (double)(last->after_ns - s.rail->readings[0].after_ns) * 1e-9 - s.run.end_s;
	assert_true(fabs(seen_j - s.conversions.energy_j - idle_s * s.config.idle_w) < 0.02);
	forget(&s);
}

/* Windows that leave no time between them add up to the same energy. */
static void test_windows_add_up(void **unused)
{
	struct simulated s;
	double sum_j = 0;

	(void)unused;
	simulate(&s, "nvml quantum_ma=0 noise_ma=0 tau_ms=0.5 cycles=500");
	for (size_t i = 0; i < s.conversions.n; i++)
		if (s.conversions.items[i].visible_s > -0.1)
			sum_j += (s.conversions.items[i].ma * 1e-3 - s.config.idle_w) * 20e-3;
	assert_true(
		fabs(sum_j - s.conversions.energy_j + s.run.end_s * s.config.idle_w) < 0.02);
	forget(&s);
}

/* ---- Parameters ---------------------------------------------------------------------------
 */

static void test_schedules(void **unused)
{
	struct simulated s;
	double half_s = 3.3e-3 * (1 + 25e-6), cycle_s;

	(void)unused;
	simulate(&s, "locked");
	cycle_s = stamp_s(&s, 0, 150) - stamp_s(&s, 0, 149);
	assert_true(fabs(cycle_s / half_s - nearbyint(cycle_s / half_s)) < 1e-5);
	assert_true(fabs(stamp_s(&s, 0, 199) - stamp_s(&s, 0, 0) - 199 * cycle_s) < 1e-6);
	forget(&s);
	simulate(&s, "back-to-back layer_jitter=0");
	assert_true(fabs(s.run.end_s - 200 * s.network.cycle_s) < 1e-5);
	forget(&s);
	simulate(&s, "jitter-schedule layer_jitter=0 cycles=2000");
	assert_true(fabs(s.run.end_s / 2000 - s.network.cycle_s - 3.3e-3) < 0.2e-3);
	forget(&s);
	simulate(&s, "ina3221-default pause_ms=2");
	assert_true(fabs(s.run.end_s / 200 - s.network.cycle_s - 2e-3) < 0.1e-3);
	forget(&s);
	simulate(&s, "gaps layer_jitter=0 pause=none");
	assert_true(s.run.end_s > 200 * (s.network.cycle_s - 7 * 10e-6));
	assert_true(fabs(s.run.end_s / 200 / s.network.cycle_s - 1) < 0.02);
	forget(&s);
}

static void test_stretch(void **unused)
{
	struct simulated s;
	size_t most = 0;

	(void)unused;
	simulate(&s, "nvml-stretch cycles=80");
	for (size_t i = 0; i < 8; i++) {
		const struct jm_simulated_unit *unit = &s.network.units[i];
		size_t repeats = (size_t)ceil(25e-3 / unit->mean_s);

		/* 80 cycles, 8 layers: everybody ten times, and once in the others. */
		assert_int_equal(unit->executions, 10 * repeats + 70);
		assert_int_equal(s.run.timeline.layers[i].n_executions, unit->executions);
		most = unit->executions > most ? unit->executions : most;
	}
	assert_true(most > 1000);
	forget(&s);
}

static void test_slowdown(void **unused)
{
	struct simulated s;
	const struct jm_layer *layer;
	double before = 0, after = 0;

	(void)unused;
	simulate(&s, "slowdown cycles=1000");
	layer = &s.run.timeline.layers[3];
	for (size_t i = 0; i < 500; i++) {
		before += layer->executions[i].duration_ms;
		after += layer->executions[500 + i].duration_ms;
	}
	assert_true(fabs(after / before - 1.3) < 0.01);
	assert_true(mean_w(&s, 0.7, 0.9) < mean_w(&s, 0.2, 0.4) - 0.3);
	forget(&s);
}

static void test_stamps(void **unused)
{
	static const struct {
		const char *words;
		enum jm_stamp stamp;
	} cases[] = {{"ina3221-default", JM_STAMP_END}, {"begin", JM_STAMP_BEGIN},
		{"callback", JM_STAMP_CALLBACK}, {"callback-late", JM_STAMP_CALLBACK}};

	(void)unused;
	for (size_t i = 0; i < 4; i++) {
		struct simulated s;
		int certain;

		simulate(&s, cases[i].words);
		assert_int_equal(s.run.timeline.stamp, cases[i].stamp);
		assert_int_equal(
			jm_timeline_detect_stamp(&s.run.timeline, &certain), cases[i].stamp);
		assert_true(certain);
		forget(&s);
	}
}

static void test_span_factor(void **unused)
{
	struct simulated s, plain;

	(void)unused;
	simulate(&plain, "ina3221-default");
	simulate(&s, "spans-long");
	for (size_t i = 0; i < 8; i++) {
		const struct jm_simulated_unit *unit = &s.network.units[i];

		assert_true(fabs(unit->reported_ms / unit->busy_s * 1e-3 - 1.05) < 1e-6);
		assert_true(unit->busy_s == plain.network.units[i].busy_s);
		assert_int_equal(s.run.timeline.layers[i].executions[9].stamp_ns,
			plain.run.timeline.layers[i].executions[9].stamp_ns);
	}
	forget(&plain);
	forget(&s);
}

static void test_sensor_round_delay_and_quantum(void **unused)
{
	struct simulated plain, late;
	double first_s;

	(void)unused;
	simulate(&plain, "ina3221-default clock_ppm=100");
	simulate(&late, "late-delay clock_ppm=100");
	first_s = plain.conversions.items[0].visible_s;
	assert_true(
		fabs(plain.conversions.items[100].visible_s - first_s - 0.66 * 1.0001) < 1e-9);
	assert_true(fabs(plain.conversions.phase_s - late.conversions.phase_s) < 1e-12);
	for (size_t i = 0; i < plain.rail->n_readings; i++) {
		const double *value = plain.rail->readings[i].value;

		assert_true(fmod(value[0], 8) == 0 && fmod(value[1], 8) == 0);
	}
	forget(&plain);
	forget(&late);
}

static void test_counter_only_grows(void **unused)
{
	struct simulated s;
	size_t changes = 0;

	(void)unused;
	simulate(&s, "rapl-fine cycles=500");
	assert_int_equal(s.rail->quantity, JM_QUANTITY_UJ);
	for (size_t i = 1; i < s.rail->n_readings; i++) {
		double step_uj =
			s.rail->readings[i].value[0] - s.rail->readings[i - 1].value[0];

		assert_true(step_uj >= 0);
		assert_true(fabs(step_uj / 15.2587890625 - nearbyint(step_uj / 15.2587890625)) <
			    1e-3);
		changes += step_uj > 0;
	}
	assert_true(fabs((double)changes / ((s.run.end_s + 0.8) * 1000) - 1) < 0.01);
	forget(&s);
}

static double deviation_w(const struct simulated *s)
{
	double mean = mean_w(s, 0.3, 0.7), sum = 0;
	size_t n = s->rail->n_readings;

	for (size_t i = n * 3 / 10; i < n * 7 / 10; i++)
		sum += pow(power_w(&s->rail->readings[i]) - mean, 2);
	return sqrt(sum / (0.4 * (double)n));
}

static void test_averaging_smooths(void **unused)
{
	struct simulated plain, low_pass, block;

	(void)unused;
	simulate(&plain, "ina3221-default cycles=2000");
	simulate(&low_pass, "avg-lowpass cycles=2000");
	simulate(&block, "avg-105ms cycles=2000");
	assert_true(deviation_w(&low_pass) < 0.4 * deviation_w(&plain));
	assert_true(deviation_w(&block) < 0.3 * deviation_w(&plain));
	assert_true(fabs(mean_w(&low_pass, 0.3, 0.7) / mean_w(&plain, 0.3, 0.7) - 1) < 0.02);
	forget(&plain);
	forget(&low_pass);
	forget(&block);
}

static void test_polling(void **unused)
{
	struct simulated s;
	size_t long_steps = 0;

	(void)unused;
	simulate(&s, "pauses cycles=1000");
	for (size_t i = 1; i < s.rail->n_readings; i++) {
		int64_t step_ns =
			s.rail->readings[i].after_ns - s.rail->readings[i - 1].after_ns;

		assert_true(step_ns >= 1330000 && step_ns < 1330000 + 8000000 + 800000);
		assert_int_equal(
			s.rail->readings[i].after_ns - s.rail->readings[i].before_ns, 500000);
		long_steps += step_ns > 2500000;
	}
	assert_true(
		fabs((double)long_steps / (double)s.rail->n_readings - 0.05 * 0.86) < 0.012);
	forget(&s);
	simulate(&s, "slow-poll");
	assert_true(s.rail->readings[1].after_ns - s.rail->readings[0].after_ns >= 7500000);
	forget(&s);
}

static void test_disturbances(void **unused)
{
	struct simulated plain, drift, jobs;
	double busy_w, extra_w;

	(void)unused;
	simulate(&plain, "ina3221-default cycles=8000");
	simulate(&drift, "ina3221-default cycles=8000 drift_w=0.8");
	simulate(&jobs, "background cycles=8000 background_share=0.2");
	busy_w = mean_w(&plain, 0.75, 0.95) - mean_w(&plain, 0.05, 0.25);
	assert_true(fabs(mean_w(&drift, 0.75, 0.95) - mean_w(&drift, 0.05, 0.25) - busy_w -
			    0.56) < 0.05);
	assert_true(fabs(mean_w(&drift, 0.05, 0.95) - mean_w(&plain, 0.05, 0.95)) < 0.03);
	extra_w = mean_w(&jobs, 0, 1) - mean_w(&plain, 0, 1);
	assert_true(jobs.run.background_jobs > 5);
	assert_true(fabs(extra_w - 1.5 * 0.2) < 0.2);
	/* The truth is the layers' own power, whatever goes on beside them. */
	for (size_t i = 0; i < 8; i++)
		assert_true(jobs.network.units[i].energy_j == plain.network.units[i].energy_j);
	forget(&plain);
	forget(&drift);
	forget(&jobs);
}

/* ---- Configuration --------------------------------------------------------------------------
 */

static void test_scenarios(void **unused)
{
	size_t n = 0;

	(void)unused;
	for (const struct jm_simulate_scenario *s = jm_simulate_scenarios(); s->name;
		s++, n++) {
		struct jm_simulate_config config;
		struct jm_error error = {0};

		if (jm_simulate_config_scenario(&config, s->name, &error) < 0 ||
			jm_simulate_check(&config, &error) < 0)
			fail_msg("%s: %s", s->name, error.message);
		assert_string_equal(config.scenario, s->name);
	}
	assert_true(n >= 18);
}

static void expect_conflict(const char *name, const char *value, const char *text)
{
	struct jm_simulate_config config;
	struct jm_error error;

	jm_simulate_config_init(&config);
	assert_int_equal(jm_simulate_set(&config, name, value, &error), 0);
	assert_int_equal(jm_simulate_check(&config, &error), JM_EINVAL);
	assert_non_null(strstr(error.message, text));
}

static void test_errors(void **unused)
{
	struct jm_simulate_config config;
	struct jm_error error;

	(void)unused;
	jm_simulate_config_init(&config);
	assert_int_equal(jm_simulate_set(&config, "tau", "1", &error), JM_EUSAGE);
	assert_int_equal(jm_simulate_set(&config, "tau_ms", "1x", &error), JM_EUSAGE);
	assert_int_equal(jm_simulate_set(&config, "tau_ms", "nan", &error), JM_EINVAL);
	assert_int_equal(jm_simulate_set(&config, "tau_ms", "-1", &error), JM_EINVAL);
	assert_int_equal(jm_simulate_set(&config, "stamp", "middle", &error), JM_EUSAGE);
	assert_int_equal(jm_simulate_set(&config, "pause", "locked", &error), 0);
	assert_int_equal(jm_simulate_config_scenario(&config, "drifd", &error), JM_EUSAGE);
	assert_non_null(strstr(error.message, "did you mean 'drift'"));
	expect_conflict("window_ms", "7", "round_ms");
	expect_conflict("layer_min_us", "500", "layer_max_us");
	expect_conflict("power_max_w", "1", "power_min_w");
	expect_conflict("update_jitter_us", "2000", "overlap");
	expect_conflict("stretch_ms", "10000", "too many");
	jm_simulate_config_init(&config);
	config.layer_jitter = (double)NAN;
	assert_int_equal(jm_simulate_check(&config, &error), JM_EINVAL);
	jm_simulate_config_init(&config);
	assert_true(jm_simulate_run(&config, "/proc/nothing/here", &error) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_conversions_against_brute_force),
		cmocka_unit_test(test_energy_closes),
		cmocka_unit_test(test_windows_add_up),
		cmocka_unit_test(test_schedules),
		cmocka_unit_test(test_stretch),
		cmocka_unit_test(test_slowdown),
		cmocka_unit_test(test_stamps),
		cmocka_unit_test(test_span_factor),
		cmocka_unit_test(test_sensor_round_delay_and_quantum),
		cmocka_unit_test(test_counter_only_grows),
		cmocka_unit_test(test_averaging_smooths),
		cmocka_unit_test(test_polling),
		cmocka_unit_test(test_disturbances),
		cmocka_unit_test(test_scenarios),
		cmocka_unit_test(test_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
