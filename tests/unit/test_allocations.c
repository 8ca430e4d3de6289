/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lets the n-th allocation of a whole mapping fail, for every n: each time a
 * clean error, never a crash, a leak (under ASan) or half a result.
 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "measure/map.h"
#include "simulate/simulate.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);

static long countdown = -1; /* allocations until one fails; -1: never */

static int fails(void)
{
	if (countdown < 0)
		return 0;
	return countdown-- == 0;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return fails() ? NULL : __real_realloc(old, size);
}

static void write_text(const char *folder, const char *name, const char *text)
{
	char path[JM_PATH_MAX];

	assert_int_equal(jm_path_join(path, folder, name, NULL), 0);
	assert_int_equal(jm_file_write(path, text, strlen(text), NULL), 0);
}

static void make_run(const char *folder)
{
	char path[JM_PATH_MAX];

	assert_int_equal(jm_path_join(path, folder, "trt_profiling", NULL), 0);
	assert_int_equal(jm_folder_make(path, NULL), 0);
	write_text(folder, "2_cycles_power_log_20241121-052000.log",
		"20241121-05:20:00.001000,5000.0,1000.0\n"
		"20241121-05:20:00.012000,5000.0,1200.0\n"
		"20241121-05:20:00.100000,5000.0,1000.0\n");
	write_text(folder, "trt_profiling/trt_layer_latency.json",
		"{\"conv\": [[10.0, \"20241121-05:20:00.020000\"]],"
		" \"pool\": [[5.5, \"20241121-05:20:00.026000\"]]}");
	write_text(folder, "trt_profiling/trt_engine_info.json",
		"{\"Layers\": [{\"Name\": \"conv\", \"LayerType\": \"Conv\"}], \"Bindings\": []}");
	write_text(folder, "idling_power.json", "{\"avg_idle_power\": 4000000.0}");
}

static void test_every_allocation(void **state)
{
	char folder[] = "/tmp/joulemap-allocations-XXXXXX", run[JM_PATH_MAX], csv[JM_PATH_MAX];
	char command[64];
	long n;

	(void)state;
	assert_non_null(mkdtemp(folder));
	assert_int_equal(jm_path_join(run, folder, "net", NULL), 0);
	make_run(run);
	assert_int_equal(jm_path_join(csv, run, "power_runtime_mapping_layerwise.csv", NULL), 0);
	for (n = 0; n < 10000; n++) {
		const struct jm_map_config config = {.folder = run, .rules = JM_WINDOW_LATER};
		struct jm_map_result result;
		struct jm_error error = {0};
		int code;

		unlink(csv);
		countdown = n;
		code = jm_map_run(&config, &result, &error);
		jm_map_release(&result);
		if (countdown >= 0)
			break; /* none failed any more */
		countdown = -1;
		if (code == 0)
			continue; /* that one was not needed */
		assert_int_equal(code, JM_ENOMEM);
		assert_int_equal(error.code, JM_ENOMEM);
		assert_false(jm_path_exists(csv));
	}
	countdown = -1;
	assert_true(n > 10);
	assert_true(n < 10000);
	assert_true(jm_path_exists(csv));
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	assert_int_equal(system(command), 0);
}

static void test_every_allocation_of_a_simulation(void **state)
{
	char folder[] = "/tmp/joulemap-allocations-XXXXXX", command[64];
	struct jm_simulate_config config;
	long n;

	(void)state;
	assert_non_null(mkdtemp(folder));
	assert_int_equal(jm_simulate_config_scenario(&config, "rapl", NULL), 0);
	config.cycles = 40;
	config.layers = 4;
	config.background_w = 1;
	config.background_share = 0.5;
	for (n = 0; n < 10000; n++) {
		struct jm_error error = {0};
		int code;

		countdown = n;
		code = jm_simulate_run(&config, folder, &error);
		if (countdown >= 0)
			break;
		assert_int_equal(code, JM_ENOMEM);
		assert_int_equal(error.code, JM_ENOMEM);
	}
	countdown = -1;
	assert_true(n > 10);
	assert_true(n < 10000);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_allocation),
		cmocka_unit_test(test_every_allocation_of_a_simulation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
