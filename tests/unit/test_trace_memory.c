/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The n-th allocation fails, for every n: each parser must say so, leave
 * nothing behind (the leak checker of a sanitized build sees to that) and work
 * at the next try. Sanitizers replace malloc themselves, so jm_array_grow's
 * arithmetic is all that is tested there.
 */
#include "unit.h"

#include <math.h>
#include <time.h>

#include "base/array.h"
#include "scratch.h"
#include "formats/benchmark_file.h"
#include "formats/engine_info_file.h"
#include "formats/idle_file.h"
#include "formats/latency_file.h"
#include "formats/mapping_csv.h"
#include "formats/power_log_file.h"
#include "formats/readings_file.h"
#include "formats/timeline_file.h"
#include "run/spool.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define OWN_MALLOC 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define OWN_MALLOC 0
#endif
#endif
#if !defined(OWN_MALLOC)
#if defined(__GLIBC__)
#define OWN_MALLOC 1
#else
#define OWN_MALLOC 0
#endif
#endif

/* Allocations until one fails; 0: none does. Test state, one thread. */
static long countdown;
static int failed;

#if OWN_MALLOC
static int fails(void)
{
	if (countdown == 0 || --countdown > 0)
		return 0;
	failed = 1;
	return 1;
}

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *old, size_t size);

void *malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	return fails() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *old, size_t size)
{
	return fails() ? NULL : __libc_realloc(old, size);
}
#endif

#define POWER "20241121-00:00:01.0,5000.0,1.0\n20241121-00:00:02.0,5000.0,1.0\n"
#define LATENCY                                                                                \
	"{\"a\": [[1.0, \"20241121-00:00:01.5\"]], \"b\": [[1.0, \"20241121-00:00:01.6\"]],"   \
	"\"a\": [[1.0, \"20241121-00:00:01.7\"]]}"
#define ENGINE                                                                                 \
	"{\"Layers\": [{\"Name\": \"a\", \"LayerType\": \"A\"}, {\"Name\": \"b\","             \
	"\"LayerType\": \"B\", \"MACs\": 1.5}]}"
#define READINGS "rail,before_ns,after_ns,uw\na,1,2,3.0\nb,1,2,3.0\n"

static int read_power(struct jm_error *error)
{
	struct jm_power_log log;
	int result = jm_power_log_read(scratch_path("p"), &log, NULL, error);

	jm_power_log_release(&log);
	return result;
}

static int read_readings(struct jm_error *error)
{
	struct jm_power_log log;
	int result = jm_readings_read(scratch_path("r"), &log, error);

	jm_power_log_release(&log);
	return result;
}

static int ignore_row(void *context, const struct jm_cycle_power *row)
{
	(void)context;
	(void)row;
	return 0;
}

static int ignore_mapping(void *context, const struct jm_mapping_row *row)
{
	(void)context;
	(void)row;
	return 0;
}

static int read_timeline(struct jm_error *error)
{
	struct jm_reading reading = {0, 0, {1, 1}};
	struct jm_rail rail = {"r", JM_QUANTITY_UW, &reading, 1, 1, 0};
	struct jm_mapping_writer writer = {0};
	struct jm_timeline timeline, other;
	int result = jm_latency_read(scratch_path("l"), &timeline, NULL, error);

	jm_timeline_init(&other);
	if (result >= 0)
		result = jm_engine_info_apply(
			"e", ENGINE, strlen(ENGINE), &timeline, NULL, error);
	if (result >= 0)
		result = jm_engine_info_add_layers("e", ENGINE, strlen(ENGINE), &other, error);
	if (result >= 0)
		result = jm_attribute_window(
			&rail, &timeline, JM_WINDOW_FIRST, 0, ignore_row, NULL, error);
	if (result >= 0)
		result = jm_mapping_writer_open(&writer, scratch_path("m"), &timeline, error);
	if (result >= 0)
		result = jm_mapping_writer_commit(&writer, error);
	if (result >= 0)
		result = (int)jm_mapping_read(scratch_path("m"), ignore_mapping, NULL, error);
	jm_mapping_writer_abandon(&writer);
	jm_timeline_release(&timeline);
	jm_timeline_release(&other);
	return result;
}

static int write_graph(struct jm_error *error)
{
	struct jm_tensor tensor = {"t", "float32", 3, {1, 2, 3}};
	struct jm_graph_layer layer = {"l", "Conv", &tensor, &tensor, 1, 1,
		{2, {3, 3}, {1, 1}, {1, 1}, {0, 0}, {0, 0}, 1}, 1, 2, (double)NAN};
	struct jm_graph graph = {&layer, 1, &tensor, &tensor, 1, 1};

	return jm_engine_info_write(scratch_path("e"), &graph, error);
}

static int write_and_read_idle(struct jm_error *error)
{
	struct jm_idle_record record = {5, 0, 1, 1, "sensor", 0};
	char folder[128];
	int result;

	snprintf(folder, sizeof(folder), "%s", scratch_path("."));
	result = jm_idle_write(folder, &record, error);
	if (result >= 0)
		result = jm_idle_read(scratch_path("idling_power.json"), &record, error);
	return result;
}

static json_t *config; /* made while there is memory */

static int write_and_read_benchmark(struct jm_error *error)
{
	static const double latency = 0.5;
	struct jm_benchmark benchmark = {config, 1, 0, &latency, 1, 1};
	double *back = NULL;
	size_t n;
	int result = jm_benchmark_write(scratch_path("b"), &benchmark, error);

	if (result >= 0)
		result = jm_benchmark_read(scratch_path("b"), &back, &n, error);
	free(back);
	return result;
}

static int write_and_read_spans(struct jm_error *error)
{
	struct jm_timeline timeline, back;
	int result;

	jm_timeline_init(&timeline);
	jm_timeline_init(&back);
	result = jm_timeline_add_layer(&timeline, "a", "A", error);
	for (size_t i = 0; i < 100 && result >= 0; i++)
		result = jm_timeline_append_span(
			&timeline, 0, i / 2, (unsigned)i / 50, 0, 1, error);
	if (result >= 0)
		result = jm_timeline_file_write(scratch_path("t"), &timeline, error);
	if (result >= 0)
		result = jm_timeline_file_read(scratch_path("t"), &back, error);
	jm_timeline_release(&timeline);
	jm_timeline_release(&back);
	return result;
}

static int ignore_block(void *context, enum jm_spool_type type, const void *payload,
	size_t size, struct jm_error *reterr)
{
	(void)context;
	(void)type;
	(void)payload;
	(void)size;
	(void)reterr;
	return 0;
}

static int write_and_read_spool(struct jm_error *error)
{
	struct jm_spool_report report;
	struct jm_spool_writer spool;
	int result = jm_spool_create(&spool, scratch_path("s"), error);

	if (result >= 0)
		result = jm_spool_put(&spool, JM_SPOOL_META, "{}", 2, 0, error);
	if (result >= 0)
		result = jm_spool_close(&spool, error);
	else
		jm_spool_close(&spool, NULL);
	if (result >= 0)
		result = jm_spool_read(scratch_path("s"), ignore_block, NULL, &report, error);
	return result;
}

/*
 * jansson's parser reports a lack of memory as text that it cannot parse, and
 * does without a member now and then: with `json`, both are let pass.
 */
static void exhaust(int (*work)(struct jm_error *error), int json)
{
	for (long n = 1; n < 10000; n++) {
		struct jm_error error = {0};
		int result;

		failed = 0;
		countdown = n;
		result = work(&error);
		countdown = 0;
		if (!failed) {
			assert_true(result >= 0);
			return;
		}
		if (json && (result >= 0 || result == JM_EFORMAT))
			continue;
		if (result != JM_ENOMEM)
			fail_msg("allocation %ld: %d, '%s'", n, result, error.message);
	}
	fail_msg("no end");
}

static void test_every_allocation(void **state)
{
	(void)state;
	tzset(); /* allocates once, and does without */
	config = json_pack("{s:i}", "runs", 5);
	scratch_write("p", POWER);
	scratch_write("l", LATENCY);
	scratch_write("r", READINGS);
	exhaust(read_power, 0);
	exhaust(read_readings, 0);
	exhaust(read_timeline, 1);
	exhaust(write_graph, 0);
	exhaust(write_and_read_spans, 0);
	exhaust(write_and_read_idle, 1);
	exhaust(write_and_read_benchmark, 1);
	exhaust(write_and_read_spool, 0);
	json_decref(config);
}

static void test_grow(void **state)
{
	size_t capacity = 0;
	char *array = jm_array_grow(NULL, &capacity, 1, 1);

	(void)state;
	assert_non_null(array);
	assert_true(capacity >= 1);
	array = jm_array_grow(array, &capacity, 100, 1);
	assert_int_equal(capacity, 100);
	array = jm_array_grow(array, &capacity, 101, 1);
	assert_int_equal(capacity, 200);
	assert_null(jm_array_grow(array, &capacity, SIZE_MAX, 1));
	assert_null(jm_array_grow(array, &capacity, SIZE_MAX / 8, 16));
	assert_int_equal(capacity, 200);
	free(array);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_allocation),
		cmocka_unit_test(test_grow),
	};

	return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
