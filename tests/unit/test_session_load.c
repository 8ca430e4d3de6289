/* SPDX-License-Identifier: Apache-2.0 */
/* Spans of a spool, as this and as earlier versions wrote them. */
#include "unit.h"

#include <unistd.h>

#include "run/session_load.h"
#include "run/spool.h"
#include "scratch.h"

#define GRAPH "{\"Layers\": [{\"Name\": \"a\"}, {\"Name\": \"b\"}]}"

static struct jm_session_paths paths;

static void begin_spool(struct jm_spool_writer *spool)
{
	char folder[128];

	snprintf(folder, sizeof(folder), "%s", scratch_path("run"));
	assert_int_equal(jm_session_paths(folder, &paths, NULL), 0);
	assert_int_equal(jm_folder_make(paths.folder, NULL), 0);
	assert_int_equal(jm_file_write(paths.session, "{}", 2, NULL), 0);
	assert_int_equal(jm_spool_create(spool, paths.timeline, NULL), 0);
	assert_int_equal(jm_spool_put(spool, JM_SPOOL_GRAPH, GRAPH, strlen(GRAPH), 0, NULL), 0);
}

static void put(struct jm_spool_writer *spool, uint32_t layer, uint32_t cycle, uint32_t lane)
{
	struct jm_spool_span span = {10 + cycle, 20 + cycle, layer, cycle, lane, 0};

	assert_int_equal(jm_spool_put(spool, JM_SPOOL_SPAN, &span, sizeof(span), 0, NULL), 0);
}

static void put_old(struct jm_spool_writer *spool, uint32_t layer, uint32_t cycle)
{
	struct jm_spool_span_1 span = {10, 20, layer, cycle};

	assert_int_equal(jm_spool_put(spool, JM_SPOOL_SPAN_1, &span, sizeof(span), 0, NULL), 0);
}

static int load(struct jm_spool_writer *spool, struct jm_session_data *ret_data)
{
	assert_int_equal(jm_spool_close(spool, NULL), 0);
	return jm_session_load(&paths, ret_data, NULL);
}

static void test_cycles_and_lanes(void **state)
{
	struct jm_spool_writer spool;
	struct jm_session_data data;
	const struct jm_layer *layer;

	(void)state;
	begin_spool(&spool);
	for (uint32_t i = 0; i < 10; i++) {
		put(&spool, 0, i, 0);
		put(&spool, 1, i, 0);
		if (i == 4)
			put(&spool, 1, i, 3);
		put(&spool, JM_WHOLE_CYCLE, i, 0);
	}
	assert_int_equal(load(&spool, &data), 0);
	assert_int_equal(data.n_cycles, 10);
	assert_int_equal(jm_timeline_cycles(&data.timeline), 10);
	assert_null(data.timeline.layers[0].cycles);
	layer = &data.timeline.layers[1];
	assert_int_equal(layer->n_executions, 11);
	assert_int_equal(jm_execution_cycle(layer, 5), 4);
	assert_int_equal(jm_execution_lane(layer, 5), 3);
	assert_int_equal(jm_execution_cycle(layer, 10), 9);
	assert_true(layer->executions[10].stamp_ns == 29);
	jm_session_data_release(&data);
}

/* Whatever cycle they were delivered in. */
static void test_earlier_version(void **state)
{
	struct jm_spool_writer spool;
	struct jm_session_data data;

	(void)state;
	begin_spool(&spool);
	for (uint32_t i = 0; i < 10; i++) {
		put_old(&spool, 0, 9);
		put_old(&spool, 1, i / 3);
		put_old(&spool, JM_WHOLE_CYCLE, i);
	}
	assert_int_equal(load(&spool, &data), 0);
	assert_int_equal(data.n_cycles, 10);
	assert_int_equal(jm_timeline_cycles(&data.timeline), 10);
	for (size_t i = 0; i < 2; i++) {
		assert_null(data.timeline.layers[i].cycles);
		assert_null(data.timeline.layers[i].lanes);
	}
	jm_session_data_release(&data);
}

static void expect_dropped(
	struct jm_spool_writer *spool, size_t n_left, size_t bytes, const char *why)
{
	struct jm_session_data data;
	size_t n = 0;

	assert_int_equal(load(spool, &data), 0);
	for (size_t i = 0; i < data.timeline.n_layers; i++)
		n += data.timeline.layers[i].n_executions;
	assert_int_equal(n, n_left);
	assert_int_equal(data.bytes_dropped, bytes);
	assert_non_null(strstr(data.damage.message, why));
	jm_session_data_release(&data);
}

static void test_damaged(void **state)
{
	struct jm_spool_writer spool;
	struct jm_session_data data;

	(void)state;
	begin_spool(&spool);
	put(&spool, 2, 0, 0); /* no such layer */
	expect_dropped(&spool, 0, sizeof(struct jm_spool_span), "layer 2 of");
	begin_spool(&spool);
	put_old(&spool, 2, 0);
	expect_dropped(&spool, 0, sizeof(struct jm_spool_span_1), "layer 2 of");
	begin_spool(&spool);
	put(&spool, 0, 0, JM_LANES_MAX);
	expect_dropped(&spool, 0, sizeof(struct jm_spool_span), "lane");
	begin_spool(&spool);
	assert_int_equal(jm_spool_put(&spool, JM_SPOOL_META, "{", 1, 0, NULL), 0);
	expect_dropped(&spool, 0, 1, "twice");
	/* Without a description there is nothing to keep. */
	begin_spool(&spool);
	assert_int_equal(jm_spool_close(&spool, NULL), 0);
	assert_int_equal(jm_spool_create(&spool, paths.timeline, NULL), 0);
	assert_int_equal(jm_spool_put(&spool, JM_SPOOL_GRAPH, "{", 1, 0, NULL), 0);
	assert_int_equal(load(&spool, &data), JM_EFORMAT);
	jm_session_data_release(&data);
}

/* What was measured before is kept, and so is what comes after. */
static void test_impossible_records(void **state)
{
	const struct jm_spool_span backwards = {30, 20, 0, 3, 0, 0};
	struct jm_spool_writer spool;

	(void)state;
	begin_spool(&spool);
	put(&spool, 0, 0, 0);
	put(&spool, 0, 1, 0);
	assert_int_equal(
		jm_spool_put(&spool, JM_SPOOL_SPAN, &backwards, sizeof(backwards), 0, NULL), 0);
	put(&spool, 0, 2, 0); /* of the same block */
	assert_int_equal(jm_spool_flush(&spool, 0, NULL), 0);
	put(&spool, 0, 3, 0);
	assert_int_equal(
		jm_spool_put(&spool, JM_SPOOL_GRAPH, GRAPH, strlen(GRAPH), 0, NULL), 0);
	put(&spool, 1, 3, 0);
	assert_int_equal(jm_spool_put(&spool, JM_SPOOL_END, "{", 1, 0, NULL), 0);
	expect_dropped(
		&spool, 4, 2 * sizeof(backwards) + strlen(GRAPH) + 1, "from 30 to 20 ns");
}

static void test_impossible_readings(void **state)
{
	static const char sensors[] =
		"{\"schema\": 2, \"sensors\": [{\"id\": \"s\", \"rails\": "
		"[{\"name\": \"VDD\", \"quantity\": \"uw\"}]}]}";
	struct jm_spool_reading reading = {10, 20, {1e6, 0}, 0, 0};
	struct jm_spool_writer spool;
	struct jm_session_data data;

	(void)state;
	begin_spool(&spool);
	assert_int_equal(jm_spool_close(&spool, NULL), 0);
	assert_int_equal(jm_spool_create(&spool, paths.power, NULL), 0);
	assert_int_equal(
		jm_spool_put(&spool, JM_SPOOL_META, sensors, strlen(sensors), 0, NULL), 0);
	for (uint32_t i = 0; i < 3; i++) {
		reading.rail = i == 1 ? 7 : 0;
		assert_int_equal(jm_spool_put(&spool, JM_SPOOL_READING, &reading,
					 sizeof(reading), 0, NULL),
			0);
		assert_int_equal(jm_spool_flush(&spool, 0, NULL), 0);
	}
	assert_int_equal(
		jm_spool_put(&spool, JM_SPOOL_META, sensors, strlen(sensors), 0, NULL), 0);
	assert_int_equal(load(&spool, &data), 0);
	assert_int_equal(data.log.rails[0].n_readings, 2);
	assert_int_equal(data.bytes_dropped, sizeof(reading) + strlen(sensors));
	assert_true(data.damage.code < 0);
	jm_session_data_release(&data);
	assert_int_equal(unlink(paths.power), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cycles_and_lanes),
		cmocka_unit_test(test_earlier_version),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_impossible_records),
		cmocka_unit_test(test_impossible_readings),
	};

	return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
