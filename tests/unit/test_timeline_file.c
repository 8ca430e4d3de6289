/* SPDX-License-Identifier: Apache-2.0 */
/* timeline.jmt: every span comes out as it went in, and damage is told. */
#include "unit.h"

#include <math.h>

#include "base/file.h"
#include "formats/timeline_block.h"
#include "formats/timeline_file.h"
#include "scratch.h"

static uint64_t state_of_random = 1;

static uint64_t next_random(void)
{
	state_of_random = state_of_random * UINT64_C(6364136223846793005) + 1442695040888963407;
	return state_of_random >> 20;
}

/* Layer 0 regular, 1 with cycles, 2 with lanes, 3 with both, 4 without a span. */
static void make_timeline(struct jm_timeline *timeline, size_t cycles)
{
	static const char *const names[] = {"conv", "näme, \"quoted\"", "", "both", "never"};
	int64_t now_ns = 123456789012345;

	jm_timeline_init(timeline);
	for (size_t i = 0; i < 5; i++)
		jm_timeline_add_layer(timeline, names[i], i ? "Type" : NULL, NULL);
	for (size_t cycle = 0; cycle < cycles; cycle++)
		for (size_t i = 0; i < 4; i++) {
			size_t repeats = i % 2 ? next_random() % 3 : 1;

			for (size_t j = 0; j < repeats; j++) {
				int64_t end_ns = now_ns + (int64_t)(next_random() % 5000000);
				unsigned lane = i < 2 ? 0 : (unsigned)(next_random() % 65536);

				assert_int_equal(jm_timeline_append_span(timeline, i, cycle,
							 lane, now_ns, end_ns, NULL),
					0);
				now_ns = end_ns - (int64_t)(next_random() % 3);
			}
		}
}

static void assert_same(const struct jm_timeline *a, const struct jm_timeline *b)
{
	assert_int_equal(a->n_layers, b->n_layers);
	assert_int_equal(jm_timeline_cycles(a), jm_timeline_cycles(b));
	for (size_t i = 0; i < a->n_layers; i++) {
		const struct jm_layer *x = &a->layers[i], *y = &b->layers[i];

		assert_string_equal(x->name, y->name);
		assert_string_equal(x->type, y->type);
		assert_int_equal(x->n_executions, y->n_executions);
		for (size_t j = 0; j < x->n_executions; j++) {
			assert_true(x->executions[j].stamp_ns == y->executions[j].stamp_ns);
			assert_true(
				x->executions[j].duration_ms == y->executions[j].duration_ms);
			assert_int_equal(jm_execution_cycle(x, j), jm_execution_cycle(y, j));
			assert_int_equal(jm_execution_lane(x, j), jm_execution_lane(y, j));
		}
	}
}

static void test_round_trip(void **state)
{
	static const size_t cycles[] = {0, 1, 2, 1000, 30000};

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		struct jm_timeline timeline, back;
		const char *path = scratch_path("t.jmt");

		make_timeline(&timeline, cycles[i]);
		assert_int_equal(jm_timeline_file_write(path, &timeline, NULL), 0);
		assert_int_equal(jm_timeline_file_read(path, &back, NULL), 0);
		assert_same(&timeline, &back);
		jm_timeline_release(&timeline);
		jm_timeline_release(&back);
	}
}

/* Times at the ends of what is allowed, and begins as stamps. */
static void test_extremes(void **state)
{
	const int64_t far = JM_TIMELINE_STAMP_MAX_NS - 2000000;
	struct jm_timeline timeline, back;
	struct jm_execution execution = {0, (double)INFINITY};
	const char *path = scratch_path("t.jmt");

	(void)state;
	jm_timeline_init(&timeline);
	timeline.stamp = JM_STAMP_BEGIN;
	jm_timeline_add_layer(&timeline, "a", NULL, NULL);
	jm_timeline_append_span(&timeline, 0, 0, 0, far, far, NULL);
	jm_timeline_append_span(&timeline, 0, 5, 0, -far, -far + 7, NULL);
	jm_timeline_append_span(
		&timeline, 0, UINT32_MAX - 1, JM_LANES_MAX - 1, far, far + 1000000, NULL);
	assert_int_equal(jm_timeline_file_write(path, &timeline, NULL), 0);
	assert_int_equal(jm_timeline_file_read(path, &back, NULL), 0);
	assert_int_equal(jm_timeline_resolve(&timeline, JM_STAMP_END, NULL), 0);
	assert_same(&timeline, &back);
	jm_timeline_release(&back);
	timeline.stamp = JM_STAMP_CALLBACK;
	assert_int_equal(jm_timeline_file_write(path, &timeline, NULL), JM_EINVAL);
	timeline.stamp = JM_STAMP_END;
	timeline.layers[0].executions[1] = execution;
	assert_int_equal(jm_timeline_file_write(path, &timeline, NULL), JM_EINVAL);
	timeline.layers[0].executions[1].duration_ms = 1;
	timeline.layers[0].executions[1].stamp_ns = INT64_MIN;
	assert_int_equal(jm_timeline_file_write(path, &timeline, NULL), JM_EINVAL);
	jm_timeline_release(&timeline);
}

static unsigned char *written(size_t cycles, size_t *ret_size)
{
	const char *path = scratch_path("t.jmt");
	struct jm_timeline timeline;
	char *data;

	make_timeline(&timeline, cycles);
	assert_int_equal(jm_timeline_file_write(path, &timeline, NULL), 0);
	jm_timeline_release(&timeline);
	assert_int_equal(jm_file_read(path, SIZE_MAX / 2, &data, ret_size, NULL), 0);
	return (unsigned char *)data;
}

static int read_bytes(const void *data, size_t size, struct jm_error *error)
{
	struct jm_timeline timeline;
	int result = jm_timeline_file_read_memory("x.jmt", data, size, &timeline, error);

	jm_timeline_release(&timeline);
	return result;
}

static void test_cut(void **state)
{
	size_t size;
	unsigned char *data = written(20, &size);

	(void)state;
	for (size_t n = 0; n < size; n++) {
		struct jm_error error;

		assert_int_equal(read_bytes(data, n, &error), JM_ETRUNCATED);
		assert_non_null(strstr(error.message, "'x.jmt' is cut off"));
	}
	assert_int_equal(read_bytes(data, size, NULL), 0);
	free(data);
}

static void test_flipped(void **state)
{
	size_t size;
	unsigned char *data = written(20, &size);

	(void)state;
	for (size_t i = 0; i < size * 8; i++) {
		struct jm_error error;

		data[i / 8] = (unsigned char)(data[i / 8] ^ 1u << i % 8);
		assert_true(read_bytes(data, size, &error) < 0);
		assert_non_null(strstr(error.message, "'x.jmt'"));
		data[i / 8] = (unsigned char)(data[i / 8] ^ 1u << i % 8);
	}
	free(data);
}

static void test_other_files(void **state)
{
	struct jm_error error;
	size_t size;
	unsigned char *data = written(3, &size);
	unsigned char *longer = calloc(1, size + 1);

	(void)state;
	assert_int_equal(read_bytes("{\"conv\": [[1.0, \"x\"]]}", 22, &error), JM_EFORMAT);
	assert_string_equal(error.message, "'x.jmt' is no timeline of joulemap");
	assert_non_null(longer);
	memcpy(longer, data, size);
	assert_int_equal(read_bytes(longer, size + 1, &error), JM_EFORMAT);
	assert_non_null(strstr(error.message, "something behind its end"));
	data[8] = 2;
	assert_int_equal(read_bytes(data, size, &error), JM_EUNSUPPORTED);
	assert_string_equal(error.message,
		"'x.jmt' is a timeline of version 2, this joulemap reads version 1");
	free(longer);
	free(data);
	assert_true(jm_timeline_file_read(
			    scratch_path("none"), &(struct jm_timeline){0}, NULL) < 0);
}

/* A header that promises more than there is, with a right checksum. */
static void test_hostile(void **state)
{
	struct jm_error error;
	size_t size;
	unsigned char *data = written(3, &size);

	(void)state;
	for (size_t at = 12; at < 32; at += 4) {
		uint32_t kept = jm_timeline_get_u32(data + at);

		if (at == 20) /* of no meaning yet */
			continue;
		jm_timeline_put_u32(data + at, UINT32_MAX);
		jm_timeline_put_u32(data + 32, (uint32_t)crc32(0, data, 32));
		assert_int_equal(read_bytes(data, size, &error), JM_EFORMAT);
		jm_timeline_put_u32(data + at, kept);
	}
	jm_timeline_put_u32(data + 32, (uint32_t)crc32(0, data, 32));
	jm_timeline_put_u32(data + JM_TIMELINE_HEADER_SIZE + 4, UINT32_MAX);
	assert_int_equal(read_bytes(data, size, &error), JM_EFORMAT);
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_extremes),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_flipped),
		cmocka_unit_test(test_other_files),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
