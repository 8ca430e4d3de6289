/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <jansson.h>
#include <math.h>

#include "sensors.h"
#include "sensors/registry.h"
#include "sensors/sim/sim.h"

static struct jm_sim_board board_of(const char *argument, uint64_t seed)
{
	struct jm_sim_board board;
	struct jm_error error;

	assert_int_equal(jm_sim_board_init(&board, argument, seed, &error), 0);
	return board;
}

/* ---- A run ------------------------------------------------------------------------ */

struct run {
	struct jm_timeline timeline;
	struct jm_power_log log;
	double busy_ns; /* time of all layers */
	double gap_ns;  /* between layers of a cycle */
	double total_ns;
};

static uint64_t next_random(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return *state >> 33;
}

static void add_layers(struct jm_timeline *timeline, size_t n)
{
	for (size_t k = 0; k < n; k++) {
		char name[32];

		snprintf(name, sizeof(name), "layer %zu", k);
		assert_int_equal(jm_timeline_add_layer(timeline, name, "Conv", NULL), k);
		if (k % 3 != 2) { /* of a third of them nothing is known */
			timeline->layers[k].macs = 1e6 * (double)(1 + k * k);
			timeline->layers[k].bytes = 1e5 * (double)(5 + k);
		}
	}
}

/* Cycles of n layers with gaps, and pauses of random length; readings all along. */
static void make_run(struct run *run, size_t n_layers, size_t cycles, uint64_t seed)
{
	const int64_t start_ns = INT64_C(5000000000000);
	int64_t now_ns = start_ns + 50000000;

	memset(run, 0, sizeof(*run));
	jm_timeline_init(&run->timeline);
	jm_power_log_init(&run->log);
	run->timeline.stamp = JM_STAMP_END;
	add_layers(&run->timeline, n_layers);
	for (size_t i = 0; i < cycles; i++) {
		for (size_t k = 0; k < n_layers; k++) {
			int64_t duration_ns = 20000 + (int64_t)k * 30000 +
					      (int64_t)(next_random(&seed) % 4000);
			struct jm_execution execution = {
				now_ns + duration_ns, (double)duration_ns * 1e-6};

			assert_int_equal(
				jm_timeline_append(&run->timeline, k, execution, NULL), 0);
			now_ns += duration_ns;
			run->busy_ns += (double)duration_ns;
			if (k + 1 < n_layers && k % 2) {
				now_ns += 7000;
				run->gap_ns += 7000;
			}
		}
		now_ns += (int64_t)(next_random(&seed) % 4000000);
	}
	now_ns += 50000000;
	run->total_ns = (double)(now_ns - start_ns);
	assert_int_equal(
		jm_power_log_add_rail(&run->log, "VDD_IN", JM_QUANTITY_MV_MA, NULL), 0);
	for (int64_t at = start_ns; at < now_ns;
		at += 900000 + (int64_t)(next_random(&seed) % 400000)) {
		struct jm_reading reading = {at, at + 1000, {(double)NAN, (double)NAN}};

		assert_int_equal(jm_power_log_append(&run->log, 0, &reading, NULL), 0);
	}
}

static void release_run(struct run *run)
{
	jm_timeline_release(&run->timeline);
	jm_power_log_release(&run->log);
}

static struct jm_sensor_info info_of(const char *argument)
{
	struct fake_clock clock = {0, 1};
	struct jm_sensor_options options = fake_options(&clock, "", argument);
	struct jm_sensor_info info;

	assert_int_equal(probe_first(&jm_sensor_sim, &options, &info, NULL), 1);
	jm_sensor_info_release(&info); /* what it says of itself is enough */
	return info;
}

static void complete(struct run *run, const char *argument, uint64_t seed, const char *truth)
{
	struct jm_sensor_info info = info_of(argument);
	struct jm_error error = {0};

	if (jm_sensor_sim.complete(&info, seed, &run->log, &run->timeline, truth, &error) != 0)
		fail_msg("%s", error.message);
}

static double mean_power_w(const struct jm_power_log *log)
{
	double sum = 0.0;

	for (size_t i = 0; i < log->rails[0].n_readings; i++)
		sum += jm_reading_power_uw(&log->rails[0].readings[i], JM_QUANTITY_MV_MA) *
		       1e-6;
	return sum / (double)log->rails[0].n_readings;
}

/* ---- Idle ---------------------------------------------------------------------------- */

/* Live readings are those of the idle board, on the sensor's own grid. */
static void test_idle(void **state)
{
	struct fake_clock clock = {INT64_C(1000000000000), 550000};
	struct jm_sensor_options options = fake_options(&clock, "", "seed=7");
	struct jm_sim_board board = board_of("seed=7", 0);
	struct jm_sensor_info info = info_of("seed=7");
	struct jm_reading reading, last = {0};
	struct latest latest;
	void *sim = calloc(1, jm_sensor_sim.state_size);
	double sum = 0.0;
	int n = 200000, changes = 0;

	(void)state;
	assert_int_equal(info.flags, JM_SENSOR_SIMULATED | JM_SENSOR_ON_REQUEST);
	assert_non_null(strstr(info.board, "SIMULATED"));
	assert_int_equal(jm_sensor_sim.open(sim, &info, &options, NULL), 0);
	for (int i = 0; i < n; i++) {
		assert_int_equal(read_latest(&jm_sensor_sim, sim, &latest, NULL), 0);
		reading = latest.readings[0];
		assert_true(fmod(reading.value[0], 8.0) == 0.0);
		assert_true(fmod(reading.value[1], 8.0) == 0.0);
		sum += jm_reading_power_uw(&reading, JM_QUANTITY_MV_MA);
		changes += i && reading.value[1] != last.value[1];
		last = reading;
	}
	assert_float_equal(sum / n * 1e-6, board.idle_w, 0.003 * board.idle_w);
	/* Six polls a round: at most one change of value in a round. */
	assert_true(changes < n / 6 + 2 && changes > n / 6 / 4);
	jm_sensor_sim.close(sim);
	free(sim);
}

/* What was read live while idle is what `complete` says of an empty timeline. */
static void test_idle_completes_to_itself(void **state)
{
	struct fake_clock clock = {INT64_C(1000000000000), 550000};
	struct jm_sensor_options options = fake_options(&clock, "", NULL);
	struct jm_sensor_info info = info_of(NULL);
	struct jm_timeline timeline;
	struct jm_power_log log;
	struct jm_reading live[500];
	struct latest latest;
	void *sim = calloc(1, jm_sensor_sim.state_size);

	(void)state;
	assert_int_equal(jm_sensor_sim.open(sim, &info, &options, NULL), 0);
	jm_timeline_init(&timeline);
	timeline.stamp = JM_STAMP_BEGIN;
	jm_power_log_init(&log);
	assert_int_equal(jm_power_log_add_rail(&log, "VDD_IN", JM_QUANTITY_MV_MA, NULL), 0);
	for (int i = 0; i < 500; i++) {
		assert_int_equal(read_latest(&jm_sensor_sim, sim, &latest, NULL), 0);
		live[i] = latest.readings[0];
		live[i].after_ns = live[i].before_ns;
		assert_int_equal(jm_power_log_append(&log, 0, &live[i], NULL), 0);
	}
	assert_int_equal(jm_sensor_sim.complete(&info, 1, &log, &timeline, NULL, NULL), 0);
	for (int i = 0; i < 500; i++) {
		assert_true(live[i].value[0] == log.rails[0].readings[i].value[0]);
		assert_true(live[i].value[1] == log.rails[0].readings[i].value[1]);
	}
	jm_power_log_release(&log);
	jm_sensor_sim.close(sim);
	free(sim);
}

/* ---- Completing a log ------------------------------------------------------------------ */

static void test_deterministic(void **state)
{
	struct run first, second, other;
	size_t same = 0, n;

	(void)state;
	make_run(&first, 7, 300, 5);
	make_run(&second, 7, 300, 5);
	make_run(&other, 7, 300, 5);
	complete(&first, NULL, 11, NULL);
	complete(&second, "", 11, NULL);
	complete(&other, NULL, 12, NULL);
	n = first.log.rails[0].n_readings;
	assert_memory_equal(first.log.rails[0].readings, second.log.rails[0].readings,
		n * sizeof(struct jm_reading));
	for (size_t i = 0; i < n; i++)
		same += first.log.rails[0].readings[i].value[1] ==
			other.log.rails[0].readings[i].value[1];
	assert_true(same < n / 2);
	/* A seed among the sensor's own options is the one that counts. */
	complete(&second, "seed=12", 11, NULL);
	assert_memory_equal(second.log.rails[0].readings, other.log.rails[0].readings,
		n * sizeof(struct jm_reading));
	release_run(&first);
	release_run(&second);
	release_run(&other);
}

static double real_of(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	assert_true(json_is_number(value));
	return json_number_value(value);
}

/* Energy of the truth over the run: layers, gaps, idle. */
static double truth_energy(const json_t *truth, const struct run *run)
{
	json_t *layers = json_object_get(truth, "layers");
	double idle_ns = run->total_ns - run->busy_ns - run->gap_ns;
	double energy =
		real_of(truth, "gap_w") * run->gap_ns + real_of(truth, "idle_w") * idle_ns;

	assert_int_equal(json_object_size(layers), run->timeline.n_layers);
	for (size_t k = 0; k < run->timeline.n_layers; k++) {
		json_t *layer = json_object_get(layers, run->timeline.layers[k].name);
		double power_w = real_of(layer, "power_w"),
		       runtime_ms = real_of(layer, "runtime_ms");

		assert_true(power_w >= 3.0 && power_w <= 15.0);
		assert_float_equal(real_of(layer, "energy_mj"), power_w * runtime_ms, 1e-9);
		energy += power_w * runtime_ms * 1e6 *
			  (double)run->timeline.layers[k].n_executions;
	}
	return energy;
}

/* Over a long run the sensor's mean is that of the truth. */
static void test_mean_is_truth(void **state)
{
	static const char *const arguments[] = {NULL, "tau_ms=0", "tau_ms=0.8",
		"round_ms=2.2,window_ms=1.1", "round_ms=220,window_ms=105",
		"delay_ms=0,noise_ma=0"};
	char folder[64], path[128];
	struct run run;

	(void)state;
	make_folder(folder);
	snprintf(path, sizeof(path), "%s/truth.json", folder);
	make_run(&run, 9, 20000, 3);
	for (size_t i = 0; i < sizeof(arguments) / sizeof(arguments[0]); i++) {
		json_t *truth;
		double expected;

		complete(&run, arguments[i], 21 + i, path);
		truth = json_load_file(path, 0, NULL);
		assert_non_null(truth);
		assert_true(json_is_true(json_object_get(truth, "simulated")));
		expected = truth_energy(truth, &run) / run.total_ns;
		assert_float_equal(mean_power_w(&run.log), expected, 0.005 * expected);
		json_decref(truth);
	}
	release_run(&run);
	drop_folder(folder);
}

/* ---- The filter, against brute force --------------------------------------------------- */

#define STEPS 60

static void random_load(
	struct jm_supply_load *load, struct jm_supply_step steps[STEPS], uint64_t seed)
{
	double at = 0.0;

	for (size_t i = 0; i < STEPS; i++) {
		at += 1e-6 + (double)(next_random(&seed) % 400000) * 1e-9;
		steps[i].from_s = at;
		steps[i].power_w = 3.0 + (double)(next_random(&seed) % 12000) * 1e-3;
	}
	memset(load, 0, sizeof(*load));
	load->steps = steps;
	load->n_steps = STEPS;
	load->before_w = 4.2;
}

/* Behind the filter at time t: every step's own response, summed. */
static double filtered(const struct jm_supply_load *load, double tau_s, double t)
{
	double before = load->before_w, sum = load->before_w;

	for (size_t i = 0; i < load->n_steps && load->steps[i].from_s <= t; i++) {
		double since = t - load->steps[i].from_s;
		double risen = tau_s > 0.0 ? 1.0 - exp(-since / tau_s) : 1.0;

		sum += (load->steps[i].power_w - before) * risen;
		before = load->steps[i].power_w;
	}
	return sum;
}

/* Simpson's rule over one piece without steps inside. */
static double simpson(const struct jm_supply_load *load, double tau_s, double a, double b)
{
	const int n = 200;
	double h = (b - a) / n, sum = 0.0;

	for (int i = 0; i <= n; i++) {
		/* The last point belongs to this piece, not to the next. */
		double t = i == n ? nextafter(b, a) : a + i * h;
		double weight = i == 0 || i == n ? 1.0 : i % 2 ? 4.0 : 2.0;

		sum += weight * filtered(load, tau_s, t);
	}
	return sum * h / 3.0;
}

static double brute_force(const struct jm_supply_load *load, double tau_s, double a, double b)
{
	double sum = 0.0, at = a;

	for (size_t i = 0; i < load->n_steps; i++) {
		double next = load->steps[i].from_s;

		if (next <= at || next >= b)
			continue;
		sum += simpson(load, tau_s, at, next);
		at = next;
	}
	return sum + simpson(load, tau_s, at, b);
}

static void test_brute_force(void **state)
{
	static const double taus_s[] = {0.0, 0.3e-3, 5e-3};
	static const double windows_s[] = {0.05e-3, 1.1e-3, 3e-3};
	struct jm_supply_load load;
	struct jm_supply_step steps[STEPS];

	(void)state;
	for (size_t i = 0; i < 9; i++) {
		double tau_s = taus_s[i % 3], window_s = windows_s[i / 3], at = -2e-3;
		struct jm_supply_sweep sweep;
		struct jm_supply supply;

		random_load(&load, steps, i);
		jm_supply_init(&supply, tau_s, 0, 0);
		jm_supply_sweep_init(&sweep, &supply, &load, at);
		while (at < steps[STEPS - 1].from_s + 1e-3) {
			double expected = brute_force(&load, tau_s, at, at + window_s);
			double mean = jm_supply_sweep_mean_w(&sweep, at, at + window_s);

			assert_float_equal(mean, expected / window_s, 1e-9 * mean);
			at += window_s;
		}
	}
}

/* ---- Odd timelines ------------------------------------------------------------------------
 */

static void add_span(struct jm_timeline *timeline, size_t layer, int64_t begin_ns, double ms)
{
	struct jm_execution execution = {begin_ns, ms};

	assert_int_equal(jm_timeline_append(timeline, layer, execution, NULL), 0);
}

static void expect_step(
	const struct jm_supply_load *load, size_t i, double from_us, double power_w)
{
	assert_true(i < load->n_steps);
	assert_float_equal(load->steps[i].from_s * 1e6, from_us, 1e-6);
	assert_true(load->steps[i].power_w == power_w);
}

/* One layer at a time; gaps inside a cycle and pauses between cycles differ. */
static void test_load(void **state)
{
	struct jm_sim_board board = board_of(NULL, 1);
	struct jm_sim_layer layers[2] = {{.power_w = 7.0}, {.power_w = 9.0}};
	struct jm_supply_load load;
	struct jm_timeline timeline;

	(void)state;
	jm_timeline_init(&timeline);
	timeline.stamp = JM_STAMP_BEGIN;
	add_layers(&timeline, 2);
	add_span(&timeline, 0, 1000, 1e-3);
	add_span(&timeline, 1, 2500, 1e-3); /* after a gap */
	add_span(&timeline, 0, 5000, 1e-3); /* after a pause */
	add_span(&timeline, 1, 5500, 1e-3); /* overlaps: begins at 6000 */
	add_span(&timeline, 1, 6000, 1e-4); /* hidden altogether */
	assert_int_equal(jm_sim_load_init(&load, &board, &timeline, layers, 0, NULL), 0);
	assert_int_equal(load.n_steps, 7);
	expect_step(&load, 0, 1.0, 7.0);
	expect_step(&load, 1, 2.0, board.gap_w);
	expect_step(&load, 2, 2.5, 9.0);
	expect_step(&load, 3, 3.5, board.idle_w);
	expect_step(&load, 4, 5.0, 7.0);
	expect_step(&load, 5, 6.0, 9.0);
	expect_step(&load, 6, 6.5, board.idle_w);
	assert_float_equal(layers[1].runtime_s * 1e9, 1500.0, 1e-6);
	assert_int_equal(layers[1].executions, 3);
	jm_supply_load_release(&load);
	jm_timeline_release(&timeline);
}

/* ---- The chip -----------------------------------------------------------------------------
 */

/*
 * Without noise and steps every reading is the mean over the window that was
 * visible in the middle of its bracket, by brute force.
 */
static void test_chip(void **state)
{
	struct jm_sim_board board = board_of("tau_ms=0.4", 3);
	struct jm_chip chip = board.chip;
	struct jm_reading readings[40] = {0};
	struct jm_supply_step steps[STEPS];
	struct jm_supply_load load;
	int64_t origin_ns = INT64_C(7000000000000);

	(void)state;
	random_load(&load, steps, 5);
	chip.monitor.noise_ma = chip.monitor.noise_mv = 0;
	chip.monitor.quantum_ma = chip.monitor.quantum_mv = 0;
	for (int i = 0; i < 40; i++) {
		readings[i].before_ns = origin_ns - 2000000 + i * 500000;
		readings[i].after_ns = readings[i].before_ns + 20000;
	}
	assert_int_equal(
		jm_chip_read(&chip, &board.supply, &load, origin_ns, readings, 40, NULL), 0);
	for (int i = 0; i < 40; i++) {
		double at_s = (double)(readings[i].before_ns + 10000) * 1e-9;
		double j = floor((at_s - chip.delay_s - chip.phase_s) / chip.period_s);
		double end_s = chip.phase_s + j * chip.period_s - (double)origin_ns * 1e-9;
		double power_w = brute_force(&load, 0.4e-3, end_s - chip.window_s, end_s) /
				 chip.window_s;
		double volt = 5.04 - 0.012 * power_w / 5.04;

		assert_float_equal(readings[i].value[1], 1e3 * power_w / volt, 1e-3);
		assert_true(readings[i].value[0] > 5000 && readings[i].value[0] < 5040);
	}
}

static void test_refuses(void **state)
{
	struct jm_sensor_info info = info_of(NULL);
	struct jm_error error;
	struct run run;

	(void)state;
	make_run(&run, 2, 3, 1);
	run.timeline.stamp = JM_STAMP_CALLBACK;
	assert_int_equal(
		jm_sensor_sim.complete(&info, 1, &run.log, &run.timeline, NULL, &error),
		JM_EINVAL);
	run.timeline.stamp = JM_STAMP_END;
	assert_int_equal(jm_sensor_sim.complete(&info, 1, &run.log, &run.timeline,
				 "/nonexistent/truth.json", &error),
		JM_ENOTFOUND);
	run.log.rails[0].readings[0].before_ns = INT64_MIN / 2;
	assert_int_equal(
		jm_sensor_sim.complete(&info, 1, &run.log, &run.timeline, NULL, &error),
		JM_EINVAL);
	run.log.rails[0].quantity = JM_QUANTITY_UW;
	assert_int_equal(
		jm_sensor_sim.complete(&info, 1, &run.log, &run.timeline, NULL, &error),
		JM_EINVAL);
	release_run(&run);
}

static void expect_options(const char *argument, int code, const char *message)
{
	struct jm_sim_board board;
	struct jm_error error = {0};

	assert_int_equal(jm_sim_board_init(&board, argument, 1, &error), code);
	if (!strstr(error.message, message))
		fail_msg("'%s' does not say '%s'", error.message, message);
}

static void test_options(void **state)
{
	struct jm_sim_board board =
		board_of("seed=18446744073709551615,tau_ms=0.8,round_ms=2.2,window_ms=1.1", 1);

	(void)state;
	assert_true(board.seed == UINT64_MAX);
	assert_true(board.tau_ms == 0.8 && board.round_ms == 2.2 && board.window_ms == 1.1);
	assert_true(board.delay_ms >= 0.2 && board.delay_ms <= 0.6);
	assert_true(fabs(board.clock_ppm) <= 80.0 && board.chip.period_s != 2.2e-3);
	expect_options("tau=1", JM_EUSAGE, "no option 'tau'");
	expect_options("tau_ms", JM_EINVAL, "tau_ms must be");
	expect_options("tau_ms=", JM_EINVAL, "tau_ms must be");
	expect_options("tau_ms=-1", JM_EINVAL, "tau_ms must be");
	expect_options("tau_ms=1x", JM_EINVAL, "tau_ms must be");
	expect_options("tau_ms=1e9", JM_EINVAL, "from 0 to 100");
	expect_options("tau_ms=nan", JM_EINVAL, "tau_ms must be");
	expect_options("round_ms=0", JM_EINVAL, "round_ms must be");
	expect_options("window_ms=5", JM_EINVAL, "does not fit twice");
	expect_options("seed=-1", JM_EINVAL, "seed");
	expect_options("seed=18446744073709551616", JM_EINVAL, "seed");
	expect_options("seed=", JM_EINVAL, "seed");
	expect_options("=3", JM_EUSAGE, "no option ''");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_idle_completes_to_itself),
		cmocka_unit_test(test_deterministic),
		cmocka_unit_test(test_mean_is_truth),
		cmocka_unit_test(test_brute_force),
		cmocka_unit_test(test_load),
		cmocka_unit_test(test_chip),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
