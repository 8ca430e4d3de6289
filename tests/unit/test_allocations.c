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
#include "fit_board.h"
#include "map/map.h"
#include "run/fit_file.h"
#include "run/run.h"
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
		"{\"Layers\": [{\"Name\": \"conv\", \"LayerType\": \"Conv\"}], \"Bindings\": "
		"[]}");
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
	assert_int_equal(
		jm_path_join(csv, run, "power_runtime_mapping_layerwise.csv", NULL), 0);
	for (n = 0; n < 10000; n++) {
		const struct jm_map_config config = {
			.paths = {.folder = run}, .rules = JM_WINDOW_LATER};
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

/* ---- run.json and fit.json ------------------------------------------------------ */

/*
 * Those of the JSON library fail too, while it writes: while it reads, it loses a
 * letter without a word when there is no room for it.
 */
static int json_fails;

static void *json_malloc(size_t size)
{
	return json_fails && fails() ? NULL : __real_malloc(size);
}

/* 0 when the text was read and written again; the same text then. */
static int round_trip_run(const char *text, size_t size)
{
	static struct jm_run run;
	struct jm_error error = {0};
	char *again = NULL;
	int code = jm_run_parse("run", text, size, &run, &error);

	assert_true(code == 0 || (code < 0 && error.code == code && error.message[0]));
	json_fails = 1;
	if (code == 0 && !(again = jm_run_format(&run)))
		code = JM_ENOMEM;
	if (code == 0)
		assert_int_equal(strcmp(again, text), 0);
	json_fails = 0;
	free(again);
	jm_run_release(&run);
	return code;
}

static int round_trip_fit(const char *text, size_t size)
{
	static struct jm_fit_file file;
	struct jm_error error = {0};
	char *again = NULL;
	int code = jm_fit_file_parse("fit", text, size, &file, &error);

	assert_true(code == 0 || (code < 0 && error.code == code && error.message[0]));
	json_fails = 1;
	if (code == 0 && !(again = jm_fit_file_format(&file)))
		code = JM_ENOMEM;
	if (code == 0)
		assert_int_equal(strcmp(again, text), 0);
	json_fails = 0;
	free(again);
	jm_fit_file_release(&file);
	return code;
}

static void fail_each_of_file(
	int (*round_trip)(const char *text, size_t size), const char *text)
{
	long n;

	for (n = 0; n < 100000; n++) {
		int code;

		countdown = n;
		code = round_trip(text, strlen(text));
		if (countdown >= 0)
			break; /* none failed any more */
		countdown = -1;
		assert_true(code < 0);
	}
	countdown = -1;
	assert_true(n > 10 && n < 100000);
}

static void test_every_allocation_of_the_files(void **state)
{
	static struct jm_fit_file file;
	static struct jm_run run;
	char *text;
	size_t size;

	(void)state;
	json_set_alloc_funcs(json_malloc, free);
	assert_int_equal(
		jm_file_read(JM_TEST_DATA "/runs/schema1-killed/lenet/spool/session.json",
			1 << 20, &text, &size, NULL),
		0);
	assert_int_equal(jm_run_parse("run", text, size, &run, NULL), 0);
	free(text);
	text = jm_run_format(&run);
	jm_run_release(&run);
	fail_each_of_file(round_trip_run, text);
	free(text);
	jm_fit_file_init(&file);
	assert_int_equal(jm_timeline_add_layer(&file.timeline, "a", "Conv", NULL), 0);
	assert_non_null(jm_fit_file_add(&file));
	file.fits[0].result.layers = calloc(1, sizeof(struct jm_fit_layer));
	file.fits[0].result.n_layers = 1;
	text = jm_fit_file_format(&file);
	jm_fit_file_release(&file);
	fail_each_of_file(round_trip_fit, text);
	free(text);
	json_set_alloc_funcs(__real_malloc, free);
}

/* ---- The fit ------------------------------------------------------------------ */

static void expect_equal(const struct jm_fit_result *a, const struct jm_fit_result *b)
{
	assert_int_equal(a->n_layers, b->n_layers);
	assert_memory_equal(&a->response, &b->response, sizeof(a->response));
	for (size_t k = 0; k < a->n_layers; k++)
		assert_memory_equal(&a->layers[k], &b->layers[k], sizeof(a->layers[k]));
}

static long count_allocations(
	const struct jm_fit_input *input, struct jm_fit_result *ret_result)
{
	const long many = 1000000;
	long left;

	countdown = many;
	assert_int_equal(jm_attribute_fit(input, ret_result, NULL), 0);
	left = countdown;
	countdown = -1;
	assert_true(left > 0);
	return many - left;
}

/* Either the fit says that it failed, or its result is what it is with all of them. */
static void fail_one(
	const struct jm_fit_input *input, const struct jm_fit_result *expected, long which)
{
	struct jm_fit_result result;
	struct jm_error error = {0};
	int code;

	countdown = which;
	code = jm_attribute_fit(input, &result, &error);
	assert_true(countdown < 0);
	countdown = -1;
	if (code == 0) {
		expect_equal(&result, expected);
	} else {
		assert_int_equal(code, JM_ENOMEM);
		assert_int_equal(error.code, JM_ENOMEM);
		assert_null(result.layers);
	}
	jm_fit_result_release(&result);
}

/* There are thousands: the first and the last of them, and some of those between. */
static void fail_each(const struct board *board, struct jm_fit_result *ret_result)
{
	struct jm_fit_input input;
	long n, stride;

	jm_fit_input_init(&input);
	input.rail = &board->log.rails[0];
	input.timeline = &board->timeline;
	input.prior.round_ms = board->round_s * 1e3;
	input.prior.window_ms = board->window_s * 1e3;
	input.threads = 1; /* allocations come in one order */
	n = count_allocations(&input, ret_result);
	stride = n / 24 + 1;
	for (long i = 0; i < n; i++)
		if (i < 24 || i + 30 > n || i % stride == 0)
			fail_one(&input, ret_result, i);
}

static void small_board(struct board *board, uint64_t seed, size_t cycles)
{
	board_init(board, seed, 3, cycles);
	board->round_s = 2.2e-3;
	board->poll_s = 0.5e-3;
	board->noise_w = 0.003;
	board->quantum_w = 0;
}

/* The sum of what two boards that differ in their response read. */
static void mix(struct board *board, const struct board *other, double share)
{
	struct jm_rail *rail = &board->log.rails[0], *with = &other->log.rails[0];

	assert_int_equal(rail->n_readings, with->n_readings);
	for (size_t i = 0; i < rail->n_readings; i++)
		rail->readings[i].value[0] +=
			share * (with->readings[i].value[0] - rail->readings[i].value[0]);
}

/* Volts and mA; layers slow down in mid-run. */
static void test_every_allocation_of_a_fit(void **state)
{
	struct jm_fit_result result;
	struct jm_rail *rail;
	struct board board;

	(void)state;
	small_board(&board, 41, 90);
	board_make(&board);
	rail = &board.log.rails[0];
	rail->quantity = JM_QUANTITY_MV_MA;
	for (size_t i = 0; i < rail->n_readings; i++) {
		rail->readings[i].value[1] = rail->readings[i].value[0] * 2e-4;
		rail->readings[i].value[0] = 5000;
	}
	for (size_t k = 0; k < board.n_layers; k++)
		for (size_t j = 0; j < board.n_cycles / 2; j++)
			board.timeline.layers[k].executions[j].duration_ms *= 0.9;
	fail_each(&board, &result);
	assert_int_equal(result.diagnostics.regimes, 2);
	assert_int_equal(result.response.taps, 1);
	jm_fit_result_release(&result);
	board_release(&board);
}

static void test_every_allocation_of_a_rich_fit(void **state)
{
	(void)state;
	for (int taps = 0; taps < 2; taps++) {
		struct jm_fit_result result;
		struct board board, other;

		small_board(&board, 42, 150);
		small_board(&other, 42, 150);
		board.tau_s = taps ? 0.05e-3 : 0.5e-3;
		other.tau_s = taps ? 1.5e-3 : 0.2e-3;
		board_make(&board);
		board_make(&other);
		mix(&board, &other, taps ? 0.5 : -0.2 / 0.3);
		fail_each(&board, &result);
		if (taps)
			assert_true(result.response.taps > 1);
		else
			assert_true(result.response.shape > 0 && result.response.taps == 1);
		jm_fit_result_release(&result);
		board_release(&board);
		board_release(&other);
	}
}

/* Updates of a counter. */
static void test_every_allocation_of_a_counter(void **state)
{
	struct jm_fit_result result;
	double energy_uj = 0;
	struct jm_rail *rail;
	struct board board;

	(void)state;
	small_board(&board, 43, 90);
	board.window_s = board.round_s;
	board_make(&board);
	rail = &board.log.rails[0];
	rail->quantity = JM_QUANTITY_UJ;
	for (size_t i = 0; i < rail->n_readings; i++) {
		double power_uw = rail->readings[i].value[0];

		if (i && power_uw != rail->readings[i - 1].value[1])
			energy_uj += power_uw * board.round_s;
		rail->readings[i].value[1] = power_uw;
		rail->readings[i].value[0] = energy_uj;
	}
	fail_each(&board, &result);
	jm_fit_result_release(&result);
	board_release(&board);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_allocation),
		cmocka_unit_test(test_every_allocation_of_the_files),
		cmocka_unit_test(test_every_allocation_of_a_simulation),
		cmocka_unit_test(test_every_allocation_of_a_fit),
		cmocka_unit_test(test_every_allocation_of_a_rich_fit),
		cmocka_unit_test(test_every_allocation_of_a_counter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
