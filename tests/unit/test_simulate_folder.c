/* SPDX-License-Identifier: Apache-2.0 */
/* The folder that a simulation leaves. */
#include "unit.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "scratch.h"
#include "simulate/parameters.h"
#include "simulated.h"
#include "formats/engine_info_file.h"
#include "formats/idle_file.h"
#include "formats/latency_file.h"
#include "formats/power_log_file.h"
#include "formats/readings_file.h"
#include "run/run_folder.h"

static json_t *load_json(const char *folder, const char *name)
{
	char path[JM_PATH_MAX];
	json_t *json;

	assert_int_equal(jm_path_join(path, folder, name, NULL), 0);
	json = json_load_file(path, 0, NULL);
	assert_non_null(json);
	return json;
}

static void check_truth(const char *folder, const struct jm_timeline *timeline)
{
	json_t *truth = load_json(folder, "truth.json");
	json_t *layers = json_object_get(truth, "layers");
	json_t *parameters = json_object_get(truth, "parameters");

	assert_true(json_is_true(json_object_get(truth, "simulated")));
	assert_int_equal(json_object_size(layers), timeline->n_layers);
	for (size_t i = 0; i < timeline->n_layers; i++) {
		const struct jm_layer *layer = &timeline->layers[i];
		double w, ms, mj, sum_ms = 0;

		assert_int_equal(
			json_unpack(json_object_get(layers, layer->name), "{s:f, s:f, s:f}",
				"power_w", &w, "runtime_ms", &ms, "energy_mj", &mj),
			0);
		for (size_t j = 0; j < layer->n_executions; j++)
			sum_ms += layer->executions[j].duration_ms;
		assert_true(fabs(sum_ms / (double)layer->n_executions / ms - 1) < 1e-9);
		assert_true(fabs(w * ms / mj - 1) < 1e-9);
		assert_string_not_equal(layer->type, "Unknown");
	}
	for (const struct jm_simulate_parameter *p = jm_simulate_parameters(); p->name; p++)
		assert_non_null(json_object_get(parameters, p->name));
	json_decref(truth);
}

/* Reads everything back with the readers of the formats. */
static void check_folder(const char *folder, const struct jm_simulate_config *config)
{
	struct jm_run_folder *run = calloc(1, sizeof(*run));
	struct jm_timeline timeline;
	struct jm_power_log log;
	struct jm_idle_record idle;
	struct jm_latency_notes notes;
	size_t unknown = 1;

	assert_int_equal(jm_run_folder_find(run, folder, NULL), 0);
	assert_int_equal(
		jm_latency_read(run->path[JM_RUN_LATENCY], &timeline, &notes, NULL), 0);
	assert_int_equal(timeline.n_layers, config->layers);
	assert_int_equal(notes.repeated_names, 0);
	assert_int_equal(
		jm_engine_info_read(run->path[JM_RUN_ENGINE_INFO], &timeline, &unknown, NULL),
		0);
	assert_int_equal(unknown, 0);
	assert_int_equal(jm_power_log_read(run->path[JM_RUN_POWER_LOG], &log, NULL, NULL), 0);
	assert_true(log.rails[0].n_readings > 100);
	assert_int_equal(jm_idle_read(run->path[JM_RUN_IDLE], &idle, NULL), 0);
	assert_true(idle.simulated);
	assert_true(fabs(idle.average_uw - config->idle_w * 1e6) < 1);
	check_truth(folder, &timeline);
	jm_timeline_release(&timeline);
	jm_power_log_release(&log);
	free(run);
}

static void test_folder_reads_back(void **unused)
{
	static const char *const words[] = {
		"ina3221-default", "callback", "rapl", "nvml-stretch"};

	(void)unused;
	for (size_t i = 0; i < 4; i++) {
		struct jm_simulate_config config = config_of(words[i]);
		const char *folder = scratch_path(words[i]);
		char path[JM_PATH_MAX];

		assert_int_equal(jm_simulate_run(&config, folder, NULL), 0);
		assert_int_equal(jm_path_join(path, folder, "SIMULATED.txt", NULL), 0);
		assert_true(jm_path_exists(path));
		check_folder(folder, &config);
	}
}

static void test_counter_writes_its_readings(void **unused)
{
	struct jm_simulate_config config = config_of("rapl");
	const char *folder = scratch_path("counter");
	char path[JM_PATH_MAX];
	struct jm_power_log log;
	json_t *run;

	(void)unused;
	assert_int_equal(jm_simulate_run(&config, folder, NULL), 0);
	assert_int_equal(jm_path_join(path, folder, "network/readings.csv", NULL), 0);
	assert_int_equal(jm_readings_read(path, &log, NULL), 0);
	assert_int_equal(log.rails[0].quantity, JM_QUANTITY_UJ);
	jm_power_log_release(&log);
	run = load_json(folder, "network/run.json");
	assert_true(json_is_true(json_object_get(
		json_array_get(json_object_get(run, "sensors"), 0), "simulated")));
	json_decref(run);
}

static void read_whole(const char *folder, const char *name, char **ret_text, size_t *ret_size)
{
	char path[JM_PATH_MAX];

	assert_int_equal(jm_path_join(path, folder, name, NULL), 0);
	assert_int_equal(jm_file_read(path, (size_t)1 << 30, ret_text, ret_size, NULL), 0);
}

static int same_file(const char *a, const char *b, const char *name)
{
	char *text_a, *text_b;
	size_t size_a, size_b;
	int same;

	read_whole(a, name, &text_a, &size_a);
	read_whole(b, name, &text_b, &size_b);
	same = size_a == size_b && memcmp(text_a, text_b, size_a) == 0;
	free(text_a);
	free(text_b);
	return same;
}

static void test_same_seed_same_bytes(void **unused)
{
	static const char latency[] = "network/trt_profiling/trt_layer_latency.json";
	struct jm_simulate_config config = config_of("hard"), other = config_of("hard seed=2");
	char a[128], b[128], c[128];

	(void)unused;
	snprintf(a, sizeof(a), "%s", scratch_path("a"));
	snprintf(b, sizeof(b), "%s", scratch_path("b"));
	snprintf(c, sizeof(c), "%s", scratch_path("c"));
	assert_int_equal(jm_simulate_run(&config, a, NULL), 0);
	assert_int_equal(jm_simulate_run(&config, b, NULL), 0);
	assert_int_equal(jm_simulate_run(&other, c, NULL), 0);
	assert_true(same_file(a, b, "truth.json"));
	assert_true(same_file(a, b, latency));
	assert_true(same_file(a, b, "network/200_cycles_power_log_20241121-052000.log"));
	assert_false(same_file(a, c, latency));
}

static void test_zone(void **unused)
{
	struct jm_simulate_config config = config_of("zone");
	const char *folder = scratch_path("zone");
	char *text;
	size_t size;

	(void)unused;
	assert_int_equal(jm_simulate_run(&config, folder, NULL), 0);
	read_whole(folder, "network/200_cycles_power_log_20241121-052000.log", &text, &size);
	assert_memory_equal(text, "20241121-07:20:0", 16);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_folder_reads_back),
		cmocka_unit_test(test_counter_writes_its_readings),
		cmocka_unit_test(test_same_seed_same_bytes),
		cmocka_unit_test(test_zone),
	};

	return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
