/* SPDX-License-Identifier: Apache-2.0 */
/* The load's pattern, what the fit makes of it, and the file that keeps it. */
#include "unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "calibrate/calibrate_fit.h"
#include "run/calibration.h"
#include "workload/load_cuda.h"
#include "workload/load_pattern.h"
#include "map/map_fit.h"
#include "scratch.h"
#include "sensors.h"
#include "sensors/registry.h"
#include "sensors/sim/sim.h"

#define START_NS INT64_C(5000000000000)

/* ---- The pattern ------------------------------------------------------------------ */

static void test_pattern(void **state)
{
	static const double rounds_ms[] = {0, 0.66, 6.6, 100};
	struct jm_error error;

	(void)state;
	for (size_t r = 0; r < 4; r++) {
		double round = rounds_ms[r] > 0 ? rounds_ms[r] : 20, on = 0;
		struct jm_load_span *spans, *again;
		size_t n, n_again, phases[4] = {0};
		int64_t last_ns = 0;

		assert_int_equal(jm_load_pattern(rounds_ms[r], 20, 7, &spans, &n, &error), 0);
		assert_true(n > 20);
		for (size_t i = 0; i < n; i++) {
			assert_true(spans[i].begin_ns - last_ns >= 500000);
			assert_true(spans[i].end_ns - spans[i].begin_ns >= 500000);
			on += (double)(spans[i].end_ns - spans[i].begin_ns) * 1e-9;
			phases[(size_t)(4 *
					fmod((double)spans[i].begin_ns * 1e-6 / round, 1.0))]++;
			last_ns = spans[i].end_ns;
		}
		assert_true(last_ns <= INT64_C(20000000000));
		assert_true(on > 7 && on < 13); /* half of the time */
		for (size_t p = 0; p < 4; p++)  /* edges meet every phase of a round */
			assert_true((double)phases[p] > 0.12 * (double)n);
		assert_int_equal(
			jm_load_pattern(rounds_ms[r], 20, 7, &again, &n_again, &error), 0);
		assert_int_equal(n, n_again);
		assert_memory_equal(spans, again, n * sizeof(*spans));
		free(again);
		assert_int_equal(
			jm_load_pattern(rounds_ms[r], 20, 8, &again, &n_again, &error), 0);
		assert_int_not_equal(spans[0].begin_ns, again[0].begin_ns);
		free(again);
		free(spans);
	}
	assert_int_equal(jm_load_pattern(6.6, -1, 1, NULL, NULL, &error), JM_EINVAL);
	assert_int_equal(jm_load_pattern(6.6, (double)NAN, 1, NULL, NULL, &error), JM_EINVAL);
}

/* ---- The fit, on boards whose response is known ------------------------------------ */

struct run {
	struct jm_sim_board board;
	struct jm_sensor_info info;
	struct jm_timeline timeline;
	struct jm_power_log log;
};

static void add_spans(struct run *run, double seconds, uint64_t seed)
{
	struct jm_load_span *spans;
	size_t n;

	assert_int_equal(
		jm_load_pattern(run->board.round_ms, seconds, seed, &spans, &n, NULL), 0);
	run->timeline.stamp = JM_STAMP_BEGIN;
	assert_int_equal(jm_timeline_add_layer(&run->timeline, "load", "Load", NULL), 0);
	for (size_t i = 0; i < n; i++) {
		struct jm_execution execution = {START_NS + spans[i].begin_ns,
			(double)(spans[i].end_ns - spans[i].begin_ns) * 1e-6};

		assert_int_equal(jm_timeline_append(&run->timeline, 0, execution, NULL), 0);
	}
	free(spans);
}

/* A run of `seconds` on the board `argument`, read as the logger reads. */
static void make_run(struct run *run, const char *argument, double seconds, uint64_t seed)
{
	struct jm_sensor_options options = {
		.argument = argument, .seed = seed, .sysfs_root = ""};
	int64_t period_ns, end_ns = START_NS + (int64_t)((seconds + 0.5) * 1e9);
	uint64_t random = seed;

	memset(run, 0, sizeof(*run));
	jm_timeline_init(&run->timeline);
	jm_power_log_init(&run->log);
	assert_int_equal(jm_sim_board_init(&run->board, argument, seed, NULL), 0);
	assert_int_equal(probe_first(&jm_sensor_sim, &options, &run->info, NULL), 1);
	jm_sensor_info_release(&run->info); /* what it says of itself is enough */
	add_spans(run, seconds, seed);
	period_ns = (int64_t)(run->board.round_ms / 6.382 * 1e6);
	assert_int_equal(
		jm_power_log_add_rail(&run->log, "VDD_IN", JM_QUANTITY_MV_MA, NULL), 0);
	for (int64_t at = START_NS - 500000000; at < end_ns; at += period_ns) {
		int64_t before_ns = at + (int64_t)scratch_uniform(&random, 0, 60000);
		struct jm_reading reading = {before_ns, before_ns + 4000, {0, 0}};

		assert_int_equal(jm_power_log_append(&run->log, 0, &reading, NULL), 0);
	}
	assert_int_equal(
		jm_sim_complete(&run->info, seed, &run->log, &run->timeline, NULL, NULL), 0);
}

static void release_run(struct run *run)
{
	jm_timeline_release(&run->timeline);
	jm_power_log_release(&run->log);
}

/* What is not known claims nothing. */
static double deviations(double found, double sd, double truth)
{
	assert_true(sd > 0 || (isnan(found) && isnan(sd)));
	return isnan(found) ? 0 : (found - truth) / sd;
}

/* Mean square of how far three values are off, in their deviations. */
static double calibrate(const char *argument, double seconds, uint64_t seed)
{
	struct jm_calibration c = {.simulated = 1};
	struct jm_error error = {0};
	struct run run;
	double d, t, w;

	make_run(&run, argument, seconds, seed);
	if (jm_calibrate_fit(&run.log.rails[0], &run.timeline, &run.info, 0, &c, &error) < 0)
		fail_msg("%s, seed %d: %s", argument, (int)seed, error.message);
	assert_true(c.sensor_round_ms == run.info.round_ms && c.spans > 20);
	assert_true(fabs(c.round_ms - run.board.chip.period_s * 1e3) < 5e-5 * c.round_ms);
	d = deviations(c.delay_ms, c.delay_sd_ms, run.board.delay_ms);
	t = deviations(c.tau_ms, c.tau_sd_ms, run.board.tau_ms);
	w = deviations(c.window_ms, c.window_sd_ms, run.board.window_ms);
	if (fabs(d) > 4.5 || fabs(t) > 4.5 || fabs(w) > 4.5)
		fail_msg("%s, seed %d: delay %.4f +- %.4f (%.4f), tau %.4f +- %.4f (%.4f), "
			 "window "
			 "%.4f +- %.4f (%.4f)",
			argument, (int)seed, c.delay_ms, c.delay_sd_ms, run.board.delay_ms,
			c.tau_ms, c.tau_sd_ms, run.board.tau_ms, c.window_ms, c.window_sd_ms,
			run.board.window_ms);
	release_run(&run);
	return (d * d + t * t + w * w) / 3;
}

/* Found values agree with the truth within what they claim, no more, no less. */
static void test_response(void **state)
{
	static const char *const boards[] = {
		"", "tau_ms=0.8,delay_ms=1.1", "tau_ms=3", "round_ms=20,window_ms=10,tau_ms=1"};
	double square = 0;
	int n = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(boards) / sizeof(boards[0]); i++)
		for (uint64_t seed = 1; seed <= 3; seed++, n++)
			square += calibrate(boards[i], 8, seed);
	if (sqrt(square / n) > 1.6 || sqrt(square / n) < 0.4)
		fail_msg("deviations are off by a factor of %.2f", sqrt(square / n));
	calibrate("round_ms=0.66,window_ms=0.11", 2, 1);
	for (uint64_t seed = 1; seed <= 3; seed++) /* a supply that does not filter */
		calibrate("tau_ms=0", 8, seed);
}

static void test_slow_sensor(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 3; seed++)
		calibrate("round_ms=100,window_ms=25,tau_ms=5,delay_ms=20", 30, seed);
}

/* Nobody says what the window is. */
static void test_unknown_window(void **state)
{
	struct jm_calibration c = {.simulated = 1};
	struct run run;

	(void)state;
	make_run(&run, "round_ms=100,window_ms=25,tau_ms=5,delay_ms=20", 30, 1);
	run.info.window_ms = 0;
	assert_int_equal(
		jm_calibrate_fit(&run.log.rails[0], &run.timeline, &run.info, 0.01, &c, NULL),
		0);
	assert_true(isfinite(c.window_ms) && isfinite(c.delay_ms));
	assert_true(fabs(deviations(c.window_ms, c.window_sd_ms, 25)) < 4.5);
	assert_true(fabs(deviations(c.delay_ms, c.delay_sd_ms, 20)) < 4.5);
	assert_true(c.sensor_window_ms == 0);
	release_run(&run);
}

/* What a GPU's driver stamps: one sample of a slow filter, and noise that lingers. */
static void make_gpu_run(struct run *run, double tau_ms, double delay_ms, uint64_t seed)
{
	struct jm_load_span *spans;
	double level = 0, noise_w = 0;
	uint64_t random = seed;
	int64_t at_ns = 0;
	size_t n, next = 0;

	memset(run, 0, sizeof(*run));
	jm_timeline_init(&run->timeline);
	jm_power_log_init(&run->log);
	run->board.round_ms = run->info.round_ms = 20;
	run->info.kind = JM_SENSOR_WINDOW;
	run->info.flags = JM_SENSOR_STAMPED;
	add_spans(run, 40, seed);
	assert_int_equal(jm_load_pattern(20, 40, seed, &spans, &n, NULL), 0);
	assert_int_equal(jm_power_log_add_rail(&run->log, "GPU", JM_QUANTITY_UW, NULL), 0);
	for (int64_t end_ns = 0; end_ns < INT64_C(40000000000); end_ns += 20000000) {
		struct jm_reading reading = {.after_ns = START_NS + end_ns};

		while (at_ns < end_ns - (int64_t)(delay_ms * 1e6)) {
			int64_t until_ns = end_ns - (int64_t)(delay_ms * 1e6);
			int on = next < n && at_ns >= spans[next].begin_ns;
			int64_t edge_ns =
				next == n ? until_ns
					  : (on ? spans[next].end_ns : spans[next].begin_ns);

			until_ns = edge_ns < until_ns ? edge_ns : until_ns;
			level = on +
				(level - on) * exp(-(double)(until_ns - at_ns) * 1e-6 / tau_ms);
			at_ns = until_ns;
			next += on && at_ns == edge_ns;
		}
		noise_w = 0.6 * noise_w + scratch_uniform(&random, -4, 4);
		reading.before_ns = reading.after_ns;
		reading.value[0] = (129 + 389 * level + noise_w) * 1e6;
		assert_int_equal(jm_power_log_append(&run->log, 0, &reading, NULL), 0);
	}
	free(spans);
}

static void test_gpu_sensor(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 3; seed++) {
		struct jm_calibration c = {.simulated = 0};
		struct jm_error error = {0};
		struct run run;

		make_gpu_run(&run, 12.9, 3.4, seed);
		if (jm_calibrate_fit(
			    &run.log.rails[0], &run.timeline, &run.info, 0.007, &c, &error) < 0)
			fail_msg("seed %d: %s", (int)seed, error.message);
		if (fabs(deviations(c.tau_ms, c.tau_sd_ms, 12.9)) > 4.5 ||
			fabs(c.tau_ms - 12.9) > 1 ||
			fabs(deviations(c.delay_ms, c.delay_sd_ms, 3.4)) > 4.5 ||
			fabs(deviations(c.window_ms, c.window_sd_ms, 0)) > 4.5 ||
			fabs(c.step_w - 389) > 12)
			fail_msg(
				"seed %d: window %.3f +- %.3f, delay %.3f +- %.3f, tau %.3f +- "
				"%.3f, step %.2f W",
				(int)seed, c.window_ms, c.window_sd_ms, c.delay_ms,
				c.delay_sd_ms, c.tau_ms, c.tau_sd_ms, c.step_w);
		release_run(&run);
	}
}

/* ---- The GPU's kernel -------------------------------------------------------------- */

struct fma_step {
	int to, a, b, c; /* registers */
};

/* Reads what the kernel's inner loop does, and its constants. */
static size_t read_kernel(struct fma_step steps[8], float registers[16])
{
	const char *at = strstr(jm_load_ptx, "inner:"), *end = strstr(at, "@%p1");
	size_t n = 0;

	for (const char *line = jm_load_ptx; line < at; line = strchr(line, '\n') + 1) {
		union {
			unsigned bits;
			float value;
		} constant;
		int to;

		if (sscanf(line, "\tmov.f32 %%f%d, 0f%8x;", &to, &constant.bits) == 2)
			registers[to] = constant.value;
	}
	for (; at < end; at = strchr(at, '\n') + 1) {
		struct fma_step *step = &steps[n];

		n += sscanf(at, "\tfma.rn.f32 %%f%d, %%f%d, %%f%d, %%f%d;", &step->to, &step->a,
			     &step->b, &step->c) == 4;
		assert_true(n < 8);
	}
	return n;
}

static unsigned flips(float a, float b)
{
	unsigned x, y;

	memcpy(&x, &a, sizeof(x));
	memcpy(&y, &b, sizeof(y));
	return (unsigned)__builtin_popcount(x ^ y);
}

/*
 * Bits that change are what draws power: as many of them after a second as in
 * the beginning, whatever the thread begins with.
 */
static void test_kernel_keeps_moving(void **state)
{
	enum { ROUNDS = 1000, LATER = 10000000 };

	(void)state;
	for (int thread = 0; thread < 512; thread += 511) {
		float registers[16] = {
			(float)thread, (float)thread + 1, (float)thread + 2, (float)thread + 3};
		struct fma_step steps[8];
		size_t n = read_kernel(steps, registers);
		double first = 0, last = 0;

		assert_int_equal(n, 4);
		for (long round = 0; round < LATER; round++)
			for (size_t i = 0; i < n; i++) {
				float *to = &registers[steps[i].to];
				float value = fmaf(registers[steps[i].a], registers[steps[i].b],
					registers[steps[i].c]);

				first += round < ROUNDS ? flips(*to, value) : 0;
				last += round >= LATER - ROUNDS ? flips(*to, value) : 0;
				*to = value;
			}
		assert_true(first > 8.0 * 4 * ROUNDS); /* about half of the mantissa */
		assert_true(fabs(last / first - 1) < 0.05);
		for (int i = 0; i < 4; i++)
			assert_true(fabs((double)registers[i]) < 2000);
	}
}

/* What is known no better than the edges of the load says so. */
static void test_edges_count(void **state)
{
	struct jm_calibration c = {.simulated = 1};
	struct run run;

	(void)state;
	make_run(&run, "", 8, 1);
	assert_int_equal(
		jm_calibrate_fit(&run.log.rails[0], &run.timeline, &run.info, 0.05, &c, NULL),
		0);
	assert_true(c.delay_sd_ms >= 0.05 && c.tau_sd_ms >= 0.05);
	release_run(&run);
}

static void test_no_step(void **state)
{
	struct jm_calibration c = {.simulated = 1};
	struct jm_error error = {0};
	struct run run;

	(void)state;
	make_run(&run, "", 8, 1);
	for (size_t i = 0; i < run.timeline.layers[0].n_executions; i++) /* of another run */
		run.timeline.layers[0].executions[i].stamp_ns +=
			(int64_t)(i * 7919 % 5000) * 1000;
	for (size_t i = 0; i < run.log.rails[0].n_readings; i++)
		run.log.rails[0].readings[i].value[1] =
			i / 7 * 2654435761u % 97 < 48 ? 808 : 816;
	assert_int_equal(
		jm_calibrate_fit(&run.log.rails[0], &run.timeline, &run.info, 0.01, &c, &error),
		JM_EUNRESOLVED);
	assert_non_null(strstr(error.message, "rail 'VDD_IN'"));
	run.timeline.layers[0].n_executions = 5;
	assert_int_equal(
		jm_calibrate_fit(&run.log.rails[0], &run.timeline, &run.info, 0.01, &c, &error),
		JM_EUNRESOLVED);
	assert_string_equal(error.message,
		"the load was on 5 times, which tells nothing: calibrate longer (--duration)");
	release_run(&run);
}

/* ---- The file ------------------------------------------------------------------------ */

static struct jm_sensor_info info_of(const char *id, double round_ms, double window_ms)
{
	struct jm_sensor_info info = {
		.kind = JM_SENSOR_WINDOW, .round_ms = round_ms, .window_ms = window_ms};

	snprintf(info.id, sizeof(info.id), "%s", id);
	snprintf(info.path, sizeof(info.path), "%s:tau_ms=0.8", id);
	return info;
}

static struct jm_calibration calibration_of(const char *sensor, const char *rail)
{
	struct jm_calibration c = {.board = "board of \"tests\"",
		.created = "2025-01-31T12:00:00Z",
		.joulemap = "0.1.0",
		.load = "cpu, 5 threads",
		.sensor_round_ms = 6.6,
		.sensor_window_ms = 1.1,
		.round_ms = 6.5999,
		.window_ms = 1.09,
		.window_sd_ms = 0.004,
		.delay_ms = 0.35,
		.delay_sd_ms = 0.003,
		.tau_ms = 0.3,
		.tau_sd_ms = 0.004,
		.shape = 0.2,
		.taps = 1,
		.step_w = 4,
		.step_sd_w = 0.01,
		.noise_w = 0.03,
		.conversions = 4000,
		.spans = 1700};

	snprintf(c.sensor, sizeof(c.sensor), "%s", sensor);
	snprintf(c.rail, sizeof(c.rail), "%s", rail);
	return c;
}

static const char *use_file(const char *name)
{
	const char *path = scratch_path(name);

	setenv("JOULEMAP_CALIBRATION", path, 1);
	return path;
}

static int find(const struct jm_sensor_info *info, const char *rail, struct jm_calibration *ret)
{
	struct jm_error error = {0};
	json_t *file;
	int result;

	if (jm_calibration_load(&file, &error) < 0)
		fail_msg("%s", error.message);
	result = jm_calibration_find(file, "board of \"tests\"", info, 3, rail, ret);
	json_decref(file);
	return result;
}

static void test_round_trip(void **state)
{
	struct jm_calibration c[2] = {calibration_of("ina3221:1-0040", "VDD_IN"),
		calibration_of("ina3221:1-0040", "VDD_SOC")},
			      got;
	struct jm_sensor_info info = info_of("ina3221:1-0040", 6.6, 1.1);
	json_t *file;

	(void)state;
	use_file("new/folder/calibration.json");
	assert_int_equal(find(&info, "VDD_IN", &got), 0); /* no file yet */
	c[1].tau_ms = c[1].tau_sd_ms = (double)NAN;
	c[1].taps = 21;
	assert_int_equal(jm_calibration_store(c, 2, NULL), 0);
	assert_int_equal(find(&info, "VDD_IN", &got), 1);
	assert_string_equal(got.board, c[0].board);
	assert_string_equal(got.load, c[0].load);
	assert_string_equal(got.created, c[0].created);
	assert_true(got.round_ms == c[0].round_ms && got.delay_ms == c[0].delay_ms);
	assert_true(got.window_ms == c[0].window_ms && got.window_sd_ms == c[0].window_sd_ms);
	assert_true(got.tau_sd_ms == c[0].tau_sd_ms && got.step_w == 4 && got.noise_w == 0.03);
	assert_true(got.spans == 1700 && got.conversions == 4000 && got.taps == 1 &&
		    got.shape == 0.2);
	assert_int_equal(find(&info, "VDD_SOC", &got), 1);
	assert_true(isnan(got.tau_ms) && isnan(got.tau_sd_ms) && got.taps == 21);
	assert_int_equal(find(&info, "VDD_CPU", &got), 0);

	c[0].delay_ms = 0.5; /* a later one takes the place of the earlier */
	assert_int_equal(jm_calibration_store(c, 1, NULL), 0);
	assert_int_equal(find(&info, "VDD_IN", &got), 1);
	assert_true(got.delay_ms == 0.5);
	assert_int_equal(jm_calibration_load(&file, NULL), 0);
	assert_int_equal(jm_calibration_count(file), 2);
	json_decref(file);

	assert_int_equal(jm_calibration_forget("ina3221:1-0041", NULL), 0);
	assert_int_equal(jm_calibration_forget("ina3221:1-0040", NULL), 2);
	assert_int_equal(find(&info, "VDD_IN", &got), 0);
	assert_int_equal(jm_calibration_forget(NULL, NULL), 0);
}

/* Another setting, board, kind of truth: not this one. */
static void test_other_settings(void **state)
{
	struct jm_calibration c = calibration_of("ina3221:1-0040", "VDD_IN"), got;
	struct jm_sensor_info info = info_of("ina3221:1-0040", 6.6, 1.1);
	json_t *file;

	(void)state;
	use_file("settings.json");
	assert_int_equal(jm_calibration_store(&c, 1, NULL), 0);
	info.samples = 1; /* the same as none */
	assert_int_equal(find(&info, "VDD_IN", &got), 1);
	info.samples = 4;
	assert_int_equal(find(&info, "VDD_IN", &got), -1);
	info = info_of("ina3221:1-0040", 3.5, 0.588);
	assert_int_equal(find(&info, "VDD_IN", &got), -1);
	info = info_of("ina3221:1-0040", 6.6, 0);
	assert_int_equal(find(&info, "VDD_IN", &got), -1);
	info = info_of("ina3221:1-0040", 6.6, 1.1);
	info.flags = JM_SENSOR_SIMULATED;
	assert_int_equal(find(&info, "VDD_IN", &got), 0);
	info.flags = 0;
	assert_int_equal(jm_calibration_load(&file, NULL), 0);
	assert_int_equal(jm_calibration_find(file, "another", &info, 3, "VDD_IN", &got), 0);
	json_decref(file);
}

/* A virtual board is another one with every seed and argument. */
static void test_simulated_key(void **state)
{
	struct jm_sensor_info info = info_of("sim", 6.6, 1.1);
	struct jm_calibration c, got;
	char key[128];

	(void)state;
	use_file("simulated.json");
	info.flags = JM_SENSOR_SIMULATED;
	jm_calibration_key(&info, 3, key, sizeof(key));
	assert_string_equal(key, "sim:tau_ms=0.8 seed 3");
	c = calibration_of(key, "VDD_IN");
	c.simulated = 1;
	assert_int_equal(jm_calibration_store(&c, 1, NULL), 0);
	assert_int_equal(find(&info, "VDD_IN", &got), 1);
	snprintf(info.path, sizeof(info.path), "sim:tau_ms=0.3");
	assert_int_equal(find(&info, "VDD_IN", &got), 0);
}

static void expect_untouched(const char *name, const char *text, const char *part)
{
	struct jm_calibration c = calibration_of("ina3221:1-0040", "VDD_IN");
	const char *path;
	struct jm_error error = {0};
	json_t *file;
	char *now;

	scratch_write(name, text);
	path = use_file(name);
	assert_int_equal(jm_calibration_load(&file, &error), JM_EFORMAT);
	assert_null(file);
	if (!strstr(error.message, part) || !strstr(error.message, path))
		fail_msg("%s", error.message);
	assert_int_equal(jm_calibration_store(&c, 1, &error), JM_EFORMAT);
	assert_int_equal(jm_calibration_forget(NULL, &error), JM_EFORMAT);
	now = scratch_read(path);
	assert_string_equal(now, text);
	free(now);
}

static void test_broken_file(void **state)
{
	(void)state;
	expect_untouched("broken.json", "{\"schema\": 1, \"calibr", "line 1");
	expect_untouched("array.json", "[]", "holds no calibrations");
	expect_untouched("other.json", "{\"schema\": 1}", "holds no calibrations");
	expect_untouched(
		"later.json", "{\"schema\": 2, \"calibrations\": []}", "later version");
}

/* Entries that make no sense are skipped, and stay. */
static void test_strange_entries(void **state)
{
	struct jm_calibration c = calibration_of("ina3221:1-0040", "VDD_IN"), got;
	struct jm_sensor_info info = info_of("ina3221:1-0040", 6.6, 1.1);
	const char *path;
	json_t *file;
	char *text;

	(void)state;
	scratch_write("strange.json", "{\"schema\": 1, \"note\": \"mine\", \"calibrations\": "
				      "[7, {}, {\"board\": 3}]}");
	path = use_file("strange.json");
	assert_int_equal(jm_calibration_store(&c, 1, NULL), 0);
	assert_int_equal(find(&info, "VDD_IN", &got), 1);
	assert_int_equal(jm_calibration_load(&file, NULL), 0);
	assert_int_equal(jm_calibration_count(file), 4);
	assert_int_equal(jm_calibration_get(file, 0, &got), 0);
	json_decref(file);
	text = scratch_read(path);
	assert_non_null(strstr(text, "mine"));
	free(text);
}

static void test_path(void **state)
{
	char path[JM_PATH_MAX];
	struct jm_error error;

	(void)state;
	unsetenv("JOULEMAP_CALIBRATION");
	setenv("HOME", "/home/a", 1);
	unsetenv("XDG_STATE_HOME");
	unsetenv("XDG_CONFIG_HOME");
	assert_int_equal(jm_calibration_path(path, NULL), 0);
	assert_string_equal(path, "/home/a/.config/joulemap/calibration.json");
	setenv("XDG_CONFIG_HOME", "/c", 1);
	assert_int_equal(jm_calibration_path(path, NULL), 0);
	assert_string_equal(path, "/c/joulemap/calibration.json");
	setenv("XDG_STATE_HOME", "/s", 1);
	assert_int_equal(jm_calibration_path(path, NULL), 0);
	assert_string_equal(path, "/s/joulemap/calibration.json");
	unsetenv("XDG_STATE_HOME");
	unsetenv("XDG_CONFIG_HOME");
	unsetenv("HOME");
	assert_int_equal(jm_calibration_path(path, &error), JM_ENOTFOUND);
}

/* ---- Use ---------------------------------------------------------------------------- */

/* A run of the previous version with a calibration of `rail`. */
static void make_described(struct jm_run *run, const struct jm_calibration *c, int simulated)
{
	json_t *json = json_pack("{s:{s:b, s:f, s:f, s:[{s:s}, {s:s}], s:o}}", "sensor",
		"simulated", simulated, "round_ms", 6.6, "window_ms", 1.1, "rails", "name",
		"VDD_IN", "name", "VDD_SOC", "calibration", jm_calibration_to_json(c));
	char *text = json_dumps(json, 0);

	assert_int_equal(jm_run_parse("test", text, strlen(text), run, NULL), 0);
	free(text);
	json_decref(json);
}

/* Of the rail that the run's power log holds. */
static void read_prior(const struct jm_run *run, struct jm_fit_prior *ret_prior)
{
	struct jm_run_subject subject;

	jm_run_subject_get(run, &subject);
	jm_map_fit_prior(&subject, ret_prior);
}

static void test_prior(void **state)
{
	struct jm_calibration c = calibration_of("ina3221:1-0040", "VDD_IN");
	struct jm_fit_prior prior = {.kind = 0};
	static struct jm_run run;

	(void)state;
	make_described(&run, &c, 0);
	read_prior(&run, &prior);
	assert_true(prior.round_ms == 6.6 && prior.window_ms == 1.09 && prior.delay_ms == 0.35);
	assert_true(prior.tau_ms == 0.3);
	/* Priors, no facts: another run is not that run. */
	assert_true(prior.delay_sd_ms >= 0.02 && prior.tau_sd_ms >= 0.03);
	assert_true(prior.window_sd_ms >= 0.0109);
	jm_run_release(&run);

	memset(&prior, 0, sizeof(prior));
	make_described(&run, &c, 1); /* a real calibration for a simulated run */
	read_prior(&run, &prior);
	assert_true(prior.delay_sd_ms == 0 && prior.tau_sd_ms == 0 && prior.window_ms == 1.1);
	jm_run_release(&run);

	memset(&prior, 0, sizeof(prior));
	c = calibration_of("ina3221:1-0040", "VDD_SOC");
	make_described(&run, &c, 0); /* of another rail than the one that is mapped */
	read_prior(&run, &prior);
	assert_true(prior.delay_sd_ms == 0 && run.sensors[0].rails[1].calibrated);
	jm_run_release(&run);
	make_described(&run, &c, 0); /* a driver that waits says so of its reads */
	run.sensors[0].blocking = 1;
	read_prior(&run, &prior);
	assert_true(prior.blocking && !prior.stamped);
	jm_run_release(&run);
	jm_run_init(&run); /* nothing is known */
	read_prior(&run, &prior);
	assert_true(prior.delay_sd_ms == 0);
}

/* A calibration that contradicts the run is dropped, and said so. */
static void test_contradiction(void **state)
{
	static const double shifts_ms[] = {0, 1.5, -2.0};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct jm_calibration c = calibration_of("sim", "VDD_IN");
		struct jm_fit_input input;
		struct jm_fit_result result;
		struct run run;
		static struct jm_run described;
		struct jm_run_subject subject;
		int dropped;

		make_run(&run, "tau_ms=0.3,delay_ms=0.45", 5, 1);
		c.simulated = 1;
		c.delay_ms = 0.45 + shifts_ms[i];
		make_described(&described, &c, 1);
		jm_fit_input_init(&input);
		input.rail = &run.log.rails[0];
		input.timeline = &run.timeline;
		jm_run_subject_get(&described, &subject);
		assert_int_equal(jm_map_fit_run(&input, &subject, &result, &dropped, NULL), 0);
		if (fabs(result.response.delay_ms - 0.45) > 0.05 || dropped != (i > 0))
			fail_msg("a delay of %g ms too much: found %.3f ms, dropped %d",
				shifts_ms[i], result.response.delay_ms, dropped);
		jm_fit_result_release(&result);
		jm_run_release(&described);
		release_run(&run);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pattern),
		cmocka_unit_test(test_response),
		cmocka_unit_test(test_slow_sensor),
		cmocka_unit_test(test_unknown_window),
		cmocka_unit_test(test_gpu_sensor),
		cmocka_unit_test(test_kernel_keeps_moving),
		cmocka_unit_test(test_edges_count),
		cmocka_unit_test(test_no_step),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_other_settings),
		cmocka_unit_test(test_simulated_key),
		cmocka_unit_test(test_broken_file),
		cmocka_unit_test(test_strange_entries),
		cmocka_unit_test(test_path),
		cmocka_unit_test(test_prior),
		cmocka_unit_test(test_contradiction),
	};

	return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
