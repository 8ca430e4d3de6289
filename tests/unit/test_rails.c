/* SPDX-License-Identifier: Apache-2.0 */
/* Boards whose total is a sum of rails, from the readings to the table by rail. */
#include "unit.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "attribute/fit_sum.h"
#include "base/json.h"
#include "data/total.h"
#include "fit_checks.h"
#include "map/map.h"
#include "map/map_fit.h"
#include "map/rail_power.h"
#include "run/rails.h"
#include "scratch.h"
#include "simulated.h"

static char notes[4096];

static void take_note(void *context, const char *text)
{
	size_t used = strlen(notes);

	(void)context;
	snprintf(notes + used, sizeof(notes) - used, "%s\n", text);
}

static const struct jm_progress progress = {.note = take_note};

/* ---- A board, mapped ------------------------------------------------------------------ */

static const char *make_board(const char *name, const char *words)
{
	struct jm_simulate_config config = config_of(words);
	const char *folder = scratch_path(name);
	struct jm_error error = {0};

	if (jm_simulate_run(&config, folder, &error) < 0)
		fail_msg("%s", error.message);
	return folder;
}

static struct jm_map_result mapped;

static void map_board(const char *folder, const char *rail)
{
	char path[JM_PATH_MAX];
	struct jm_map_config config = {.paths = {.folder = path},
		.method_chosen = 1,
		.rail = rail,
		.progress = &progress};
	struct jm_error error = {0};

	notes[0] = '\0';
	assert_int_equal(jm_path_join(path, folder, "network", NULL), 0);
	if (jm_map_run(&config, &mapped, &error) < 0)
		fail_msg("%s", error.message);
	assert_true(mapped.fitted);
}

static const struct jm_fit_of_rail *rail_of(const char *name)
{
	const struct jm_fit_of_rail *fit = jm_rail_fits_find(&mapped.rails, name);

	if (!fit)
		fail_msg("no fit of rail %s", name);
	return fit;
}

static json_t *read_truth(const char *folder)
{
	char path[JM_PATH_MAX];
	json_t *truth = NULL;

	assert_int_equal(jm_path_join(path, folder, "truth.json", NULL), 0);
	assert_int_equal(jm_json_read(path, (size_t)1 << 24, &truth, NULL), 0);
	return truth;
}

/* ---- Against the truth ------------------------------------------------------------------ */

struct score {
	double worst;   /* |found / true - 1| of the resolved layers, their weighted mean */
	double squares; /* mean of ((found - true) / sd)^2 */
	size_t n;
};

static struct score score_of(const char *rail, const json_t *layers)
{
	const struct jm_timeline *timeline = &mapped.recording->timeline;
	const struct jm_fit_result *fit = &rail_of(rail)->result;
	struct score score = {0, 0, 0};
	double wrong = 0, all = 0;

	for (size_t k = 0; k < timeline->n_layers; k++) {
		const struct jm_fit_layer *layer = &fit->layers[k];
		double true_w = jm_json_get_number(
			json_object_get(layers, timeline->layers[k].name), "power_w");
		double z = (layer->power_w - true_w) / layer->power_sd_w;

		assert_true(isfinite(true_w));
		if (isnan(layer->power_w))
			continue;
		wrong += fabs(layer->power_w - true_w) * layer->runtime_ms;
		all += true_w * layer->runtime_ms;
		score.squares += z * z;
		score.n++;
	}
	score.squares /= (double)(score.n ? score.n : 1);
	score.worst = wrong / all;
	return score;
}

static void expect_score(const char *rail, const json_t *layers, double worst)
{
	struct score score = score_of(rail, layers);

	if (score.n != mapped.recording->timeline.n_layers || score.worst > worst ||
		score.squares > 3)
		fail_msg("%s: %zu layers, off by %.3f, %.2f deviations", rail, score.n,
			score.worst, sqrt(score.squares));
}

static json_t *rail_truth(const json_t *truth, const char *rail)
{
	return json_object_get(
		json_object_get(json_object_get(truth, "rails"), rail), "layers");
}

static void expect_closure(const char *rail, double share)
{
	const struct jm_fit_closure *closure = &rail_of(rail)->result.closure;

	if (!(fabs(closure->difference_mj) < share * closure->measured_mj))
		fail_msg("%s: closure of %.4f mJ, of %.4f", rail, closure->difference_mj,
			closure->measured_mj);
}

#define ROOTS " layers=8 cycles=6000"

/* Each rail by itself, and all of them together. */
static void test_sum(void **state)
{
	static const char *const names[] = {"VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0"};
	const char *folder = make_board("sum", "rails" ROOTS);
	json_t *truth = read_truth(folder);
	double mean_w = 0, mean_log_w = 0;
	const struct jm_rail *log;

	(void)state;
	map_board(folder, "all");
	assert_int_equal(mapped.rails.n, 4);
	assert_true(mapped.rails.fits[0].is_sum);
	assert_string_equal(jm_fit_of_rail_role(rail_of("total")), "total");
	expect_score("total", json_object_get(truth, "layers"), 0.02);
	expect_closure("total", 0.01);
	for (size_t i = 0; i < 3; i++) {
		const struct jm_fit_closure *closure = &rail_of(names[i])->result.closure;

		assert_string_equal(jm_fit_of_rail_role(rail_of(names[i])), "part");
		expect_score(names[i], rail_truth(truth, names[i]), 0.05);
		mean_w += closure->measured_mj / closure->cycle_ms;
	}
	/* One owner of the total: the log's, the window method's, the fit's, idle's. */
	log = &jm_recording_power_log(mapped.recording)->rails[0];
	mean_log_w = jm_rail_power_in_run(log, &mapped.recording->timeline).mean_w;
	expect_close(mean_w, mean_log_w, 0.01 * mean_log_w);
	expect_close(rail_of("total")->result.idle.power_w,
		jm_recording_idle_power_w(mapped.recording), 0.05);
	expect_close(rail_of("total")->result.between.dynamic_power_w,
		rail_of("total")->result.between.power_w - 9, 1e-9);
	jm_map_release(&mapped);
	json_decref(truth);
}

/* The same at the API: the total, stored and fresh, and its rows. */
static void test_api(void **state)
{
	const char *folder = make_board("api", "rails layers=4 cycles=3000");
	struct jm_recording *recording;
	struct jm_fit_result fresh, stored;
	char path[JM_PATH_MAX];

	(void)state;
	map_board(folder, NULL);
	assert_int_equal(jm_path_join(path, folder, "network", NULL), 0);
	assert_int_equal(jm_recording_open(path, NULL, &recording, NULL), 0);
	assert_int_equal(jm_recording_fit(recording, NULL, &fresh, NULL), 0);
	assert_int_equal(jm_recording_stored_fit(recording, &stored, NULL), 0);
	for (size_t k = 0; k < fresh.n_layers; k++) {
		assert_true(fresh.layers[k].power_w == stored.layers[k].power_w);
		assert_true(fresh.layers[k].power_w ==
			    mapped.rails.fits[0].result.layers[k].power_w);
	}
	jm_fit_result_release(&fresh);
	jm_fit_result_release(&stored);
	jm_recording_close(recording);
	jm_map_release(&mapped);
}

/* The third one draws the same all the time: its power is in the total all the same. */
static void test_still(void **state)
{
	const char *folder =
		make_board("still", "rails-still" ROOTS " quantum_ma=40 noise_ma=0.1");
	json_t *truth = read_truth(folder);

	(void)state;
	map_board(folder, NULL);
	assert_non_null(strstr(notes, "rail VIN_SYS_5V0 is not fitted: "));
	assert_int_equal(rail_of("VIN_SYS_5V0")->result.n_resolved, 0);
	assert_true(isnan(rail_of("VIN_SYS_5V0")->result.layers[0].power_w));
	expect_close(rail_of("VIN_SYS_5V0")->result.closure.measured_mj /
			     rail_of("VIN_SYS_5V0")->result.closure.cycle_ms,
		3, 0.2);
	expect_score("total", json_object_get(truth, "layers"), 0.2);
	expect_closure("total", 0.02);
	assert_true(rail_of("total")->result.n_resolved > 0);
	/* Steps of 0.2 W hide as much, though no reading scatters. */
	assert_true(rail_of("total")->result.layers[0].power_sd_w > 0.2 / sqrt(12));
	jm_map_release(&mapped);
	json_decref(truth);
}

/* Inside the total: not added to it, which stays as it is without them. */
static void test_inside(void **state)
{
	const char *folder = make_board("inside", "rails-inside" ROOTS);
	json_t *truth = read_truth(folder);

	(void)state;
	map_board(folder, "VDD_SOC");
	assert_int_equal(mapped.rails.n, 3);
	assert_string_equal(mapped.rails.fits[0].rail, "VDD_IN");
	assert_string_equal(jm_fit_of_rail_role(rail_of("VDD_IN")), "total");
	assert_string_equal(jm_fit_of_rail_role(rail_of("VDD_SOC")), "inside");
	expect_score("total", json_object_get(truth, "layers"), 0.02);
	expect_score("VDD_CPU_GPU_CV", rail_truth(truth, "VDD_CPU_GPU_CV"), 0.05);
	expect_score("VDD_SOC", rail_truth(truth, "VDD_SOC"), 0.05);
	jm_map_release(&mapped);
	json_decref(truth);
}

static struct jm_fit_result made[2];

/* Two fits of three layers of 1 ms. */
static void make_fits(void)
{
	for (size_t i = 0; i < 2; i++) {
		struct jm_fit_result *fit = &made[i];

		memset(fit, 0, sizeof(*fit));
		fit->layers = calloc(4, sizeof(*fit->layers));
		fit->n_layers = 3;
		for (size_t k = 0; k < 3; k++)
			fit->layers[k] = (struct jm_fit_layer){.power_w = 10,
				.power_sd_w = 0.3,
				.dynamic_power_w = 7,
				.runtime_ms = 1,
				.runtime_sd_ms = 0,
				.energy_mj = 10,
				.energy_sd_mj = 0.3,
				.executions = 100,
				.resolved = JM_RESOLVED_YES,
				.group = -1,
				.group_energy_mj = (double)NAN,
				.group_energy_sd_mj = (double)NAN,
				.prior_sd_w = 2};
		fit->between = fit->idle = fit->layers[0];
		fit->gap.power_w = fit->gap.power_sd_w = (double)NAN;
		fit->gap.executions = 100;
		fit->closure = (struct jm_fit_closure){
			.measured_mj = 40, .fitted_mj = 40, .sd_mj = 0.1, .cycle_ms = 4};
		fit->diagnostics.inflation = 1;
		fit->response.window_ms = 1;
		fit->response.tau_ms = 0.1;
	}
}

static void release_fits(void)
{
	jm_fit_result_release(&made[0]);
	jm_fit_result_release(&made[1]);
}

/* A rail is called as somebody liked: its name is no formula and no two fields. */
static void test_table_by_rail(void **state)
{
	const struct jm_layer_energy_rail rails[] = {
		{"=A,B", "total", &made[0]}, {"C", "part", &made[1]}};
	struct jm_timeline timeline;
	const char *path = scratch_path("by_rail.csv");
	char *text;

	(void)state;
	make_fits();
	jm_timeline_init(&timeline);
	for (int k = 0; k < 3; k++)
		jm_timeline_add_layer(&timeline, "layer", "Conv", NULL);
	assert_int_equal(jm_layer_energy_by_rail_write(path, &timeline, rails, 2, NULL), 0);
	text = scratch_read(path);
	assert_non_null(strstr(text, "rail,role,layer_index,layer_name,"));
	assert_null(strstr(text, "\n=A"));
	assert_non_null(strstr(text, "=A,B\",total,0,layer,Conv,100,1,"));
	assert_non_null(strstr(text, "\nC,part,2,layer,Conv,100,1,"));
	assert_non_null(strstr(text, "\nC,part,,(total),"));
	free(text);
	jm_timeline_release(&timeline);
	release_fits();
}

/* Two counters that wrap several times. */
static void test_counters(void **state)
{
	const char *folder = make_board("counters", "rapl-rails" ROOTS);
	json_t *truth = read_truth(folder);
	const struct jm_rail *log;
	struct jm_rail_power power;

	(void)state;
	map_board(folder, NULL);
	assert_int_equal(mapped.rails.n, 3);
	expect_score("total", json_object_get(truth, "layers"), 0.03);
	expect_closure("total", 0.01);
	log = &jm_recording_power_log(mapped.recording)->rails[0];
	assert_true(log->n_readings > 1000);
	for (size_t i = 0; i < log->n_readings; i++) {
		double power_w = jm_reading_power_uw(&log->readings[i], log->quantity) * 1e-6;

		assert_true(power_w > 1 && power_w < 40);
	}
	/* A mean of powers over unequal times is above energy over time, but not far. */
	power = jm_rail_power_in_run(log, &mapped.recording->timeline);
	expect_close(power.mean_w / rail_of("total")->result.closure.measured_mj *
			     rail_of("total")->result.closure.cycle_ms,
		1, 0.06);
	jm_map_release(&mapped);
	json_decref(truth);
}

/* A rail that never had a value, and one that nobody knows. */
static void test_gone(void **state)
{
	const char *folder = make_board("gone", "rails layers=4 cycles=3000");
	struct jm_map_config config = {.paths = {.folder = folder}, .rail = "VDD_NO"};
	char command[2 * JM_PATH_MAX];
	struct jm_error error = {0};

	(void)state;
	assert_int_equal(jm_map_run(&config, &mapped, &error), JM_ENOTFOUND);
	assert_non_null(strstr(
		error.message, "take one of VDD_GPU_SOC, VDD_CPU_CV, VIN_SYS_5V0, total, all"));
	jm_map_release(&mapped);
	config.paths.power_log = scratch_path("gone.log");
	snprintf(command, sizeof(command), "cp '%s'/network/*.log '%s'", folder,
		config.paths.power_log);
	assert_int_equal(system(command), 0);
	config.rail = "VDD_CPU_CV"; /* not with a log of somebody else */
	assert_int_equal(jm_map_run(&config, &mapped, &error), JM_ENOTFOUND);
	assert_non_null(strstr(error.message, "no readings of rail 'VDD_CPU_CV' were kept"));
	jm_map_release(&mapped);
	snprintf(command, sizeof(command),
		"sed -i 's/^\\(VDD_CPU_CV,[0-9]*,[0-9]*\\),.*/\\1,,/' "
		"'%s/network/readings.csv'",
		folder);
	assert_int_equal(system(command), 0);
	map_board(folder, NULL);
	assert_non_null(strstr(notes, "rail VDD_CPU_CV has no value: the total is without it"));
	assert_true(isfinite(rail_of("total")->result.layers[3].power_w));
	jm_map_release(&mapped);
}

/* ---- Sums ----------------------------------------------------------------------------------
 */

static struct jm_fit_result add_up(double idle_w, double second_sd_w)
{
	const struct jm_fit_part parts[] = {{"A", &made[0], 1}, {"B", &made[1], second_sd_w}};
	struct jm_fit_result sum;

	assert_int_equal(jm_fit_sum(parts, 2, idle_w, &sum, NULL), 0);
	return sum;
}

static void test_powers(void **state)
{
	struct jm_fit_result sum;

	(void)state;
	make_fits();
	sum = add_up((double)NAN, 0);
	expect_close(sum.layers[1].power_w, 20, 1e-12);
	expect_close(sum.layers[1].power_sd_w, 0.3 * sqrt(2), 1e-3); /* each one's own noise */
	expect_close(sum.layers[1].dynamic_power_w, 14, 1e-12);
	expect_close(sum.layers[1].energy_mj, 20, 1e-12);
	expect_close(sum.closure.measured_mj, 80, 1e-12);
	expect_close(sum.closure.difference_mj, 0, 1e-9);
	assert_true(sum.n_resolved == 3 && isnan(sum.response.window_ms));
	jm_fit_result_release(&sum);
	/* What the model misses is the same timeline's fault in all of them. */
	made[0].diagnostics.inflation = made[1].diagnostics.inflation = 100;
	sum = add_up(15, 0);
	expect_close(sum.layers[1].power_sd_w, 0.6, 0.02);
	expect_close(sum.layers[1].dynamic_power_w, 5, 1e-12);
	jm_fit_result_release(&sum);
	release_fits();
}

/* Withheld figures: the mean power in every row, and what readings scatter. */
static void test_withheld(void **state)
{
	struct jm_error why = {.message = "it does not move"};
	struct jm_fit_result sum;

	(void)state;
	make_fits();
	jm_fit_result_release(&made[1]);
	assert_int_equal(jm_fit_of_mean(&made[0], 5, 0.01, &why, &made[1], NULL), 0);
	assert_true(jm_fit_is_withheld(&made[1]) && !jm_fit_is_withheld(&made[0]));
	sum = add_up((double)NAN, 0.01);
	expect_close(sum.layers[0].power_w, 15, 1e-12);
	expect_close(sum.layers[0].power_sd_w, 0.3, 0.01);
	expect_close(sum.closure.measured_mj, 60, 1e-12);
	expect_close(sum.closure.difference_mj, 0, 1e-9);
	assert_int_equal(sum.n_resolved, 3);
	jm_fit_result_release(&sum);
	sum = add_up((double)NAN, 4); /* it moves, but nobody knows with which layer */
	assert_int_equal(sum.n_resolved, 0);
	assert_string_equal(sum.advice, "B: it does not move");
	jm_fit_result_release(&sum);
	/* Of none of them is anything known. */
	jm_fit_result_release(&made[0]);
	assert_int_equal(jm_fit_of_mean(&made[1], 7, 0.01, &why, &made[0], NULL), 0);
	sum = add_up((double)NAN, 1);
	assert_true(jm_fit_is_withheld(&sum) && isnan(sum.layers[2].power_w));
	expect_close(sum.closure.measured_mj, 48, 1e-12);
	jm_fit_result_release(&sum);
	release_fits();
}

/* Neighbours that one rail knows only together are known together in the sum. */
static void test_groups(void **state)
{
	struct jm_fit_result sum;

	(void)state;
	make_fits();
	for (size_t k = 0; k < 2; k++) {
		struct jm_fit_layer *layer = &made[1].layers[k];

		layer->resolved = JM_RESOLVED_GROUP;
		layer->group = 0;
		layer->power_sd_w = layer->energy_sd_mj = 2;
		layer->group_energy_mj = 20;
		layer->group_energy_sd_mj = 0.2;
	}
	sum = add_up((double)NAN, 0);
	assert_int_equal(sum.n_resolved, 1);
	assert_int_equal(sum.layers[0].resolved, JM_RESOLVED_GROUP);
	assert_true(sum.layers[0].group == 0 && sum.layers[1].group == 0);
	assert_int_equal(sum.layers[2].group, -1);
	expect_close(sum.layers[1].group_energy_mj, 40, 1e-12);
	expect_close(sum.layers[1].group_energy_sd_mj, hypot(0.2, 0.3 * sqrt(2)), 1e-9);
	jm_fit_result_release(&sum);
	release_fits();
}

/* ---- What a run knows of its rails
 * ------------------------------------------------------------ */

static void test_calibrations_by_rail(void **state)
{
	static struct jm_run run;
	static const char text[] =
		"{\"schema\": 2, \"power_log\": {\"rail\": \"total\"}, \"sensors\": [{\"id\": "
		"\"ina3221:1-0040\", \"kind\": \"window\", \"rails\": [{\"name\": \"A\"}, "
		"{\"name\": \"B\"}]}]}";
	struct jm_run_rail *rail;
	struct jm_run_subject subject;
	struct jm_fit_prior prior = {.kind = 0};
	struct jm_total total;

	(void)state;
	assert_int_equal(jm_run_parse("test", text, strlen(text), &run, NULL), 0);
	assert_int_equal(jm_run_count_rails(&run), 2);
	rail = &run.sensors[0].rails[1];
	rail->calibrated = 1;
	strcpy(rail->calibration.rail, "B");
	rail->calibration.delay_ms = 0.4;
	rail->calibration.delay_sd_ms = 0.01;
	assert_int_equal(jm_run_total_init(&run, 2, &total, NULL), 0);
	assert_int_equal(total.n_roots, 2);
	jm_run_rail_get(&run, 0, &subject);
	jm_map_fit_prior(&subject, &prior);
	assert_true(prior.delay_sd_ms == 0 && !jm_map_fit_is_calibrated(&subject));
	jm_run_rail_get(&run, 1, &subject);
	jm_map_fit_prior(&subject, &prior);
	assert_true(prior.delay_ms == 0.4 && jm_map_fit_is_calibrated(&subject));
	jm_run_rail_get(&run, 2, &subject);
	assert_true(!subject.rail && !subject.sensor);
	jm_total_release(&total);
	jm_run_release(&run);
}

/* Idle power of one GPU is not that of two; of the board it is that of board and GPU. */
static void test_sensors_of_total(void **state)
{
	static struct jm_run run;
	static const char two[] =
		"{\"schema\": 2, \"sensors\": [{\"id\": \"nvml:0\", \"scope\": \"gpu\", "
		"\"rails\": [{\"name\": \"GPU\"}]}, {\"id\": \"nvml:1\", \"scope\": \"gpu\", "
		"\"rails\": [{\"name\": \"GPU\"}]}]}";
	static const char board[] =
		"{\"schema\": 2, \"sensors\": [{\"id\": \"nvml:0\", \"scope\": \"gpu\", "
		"\"rails\": [{\"name\": \"GPU\"}]}, {\"id\": \"ina3221:1-0040\", \"scope\": "
		"\"board\", \"rails\": [{\"name\": \"VDD_IN\"}]}]}";

	(void)state;
	assert_int_equal(jm_run_parse("test", two, strlen(two), &run, NULL), 0);
	assert_true(jm_run_has_total_of(&run, "nvml:0+nvml:1"));
	assert_false(jm_run_has_total_of(&run, "nvml:0"));
	jm_run_release(&run);
	assert_int_equal(jm_run_parse("test", board, strlen(board), &run, NULL), 0);
	assert_true(jm_run_has_total_of(&run, "nvml:0+ina3221:1-0040"));
	assert_true(jm_run_has_total_of(&run, "ina3221:1-0040"));
	assert_false(jm_run_has_total_of(&run, "nvml:0"));
	jm_run_release(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sum),
		cmocka_unit_test(test_api),
		cmocka_unit_test(test_still),
		cmocka_unit_test(test_inside),
		cmocka_unit_test(test_table_by_rail),
		cmocka_unit_test(test_counters),
		cmocka_unit_test(test_gone),
		cmocka_unit_test(test_powers),
		cmocka_unit_test(test_withheld),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_calibrations_by_rail),
		cmocka_unit_test(test_sensors_of_total),
	};

	return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
