/* SPDX-License-Identifier: Apache-2.0 */
/* Timelines: building, what stamps mean, real spans. */
#include "unit.h"

#include <math.h>

#include "joulemap/joulemap.h"
#include "scratch.h"

struct shape {
	size_t layers, cycles;
	double low_ms, high_ms;      /* durations of layers */
	double noise;                /* of a duration from cycle to cycle */
	double gap_us, gap_noise_us; /* between layers */
	double pause_us;             /* between cycles */
	double callback_us, callback_noise_us;
};

static const struct shape ordinary = {26, 300, 0.012, 0.4, 0.03, 3, 2, 400, 6, 2};

/* A run of that shape with stamps of a meaning; begins are kept in `begins`. */
static void make_run(struct jm_timeline *timeline, const struct shape *shape,
	enum jm_stamp stamp, uint64_t seed, double *begins_us)
{
	double *means = malloc(shape->layers * sizeof(*means));
	double now_us = 1e6;

	jm_timeline_init(timeline);
	timeline->stamp = stamp;
	for (size_t i = 0; i < shape->layers; i++) {
		jm_timeline_add_layer(timeline, "layer", NULL, NULL);
		means[i] = scratch_uniform(&seed, shape->low_ms, shape->high_ms);
	}
	for (size_t j = 0; j < shape->cycles; j++) {
		double callback_us = now_us;

		for (size_t i = 0; i < shape->layers; i++) {
			double ms = means[i] *
				    (1 + scratch_uniform(&seed, -shape->noise, shape->noise));
			double end_us = now_us + ms * 1e3;
			struct jm_execution execution = {
				llround(stamp == JM_STAMP_BEGIN ? now_us : end_us) * 1000, ms};

			if (begins_us)
				begins_us[j * shape->layers + i] = now_us;
			jm_timeline_append(timeline, i, execution, NULL);
			now_us = end_us + shape->gap_us +
				 scratch_uniform(&seed, 0, shape->gap_noise_us);
		}
		callback_us = now_us;
		for (size_t i = 0; i < shape->layers && stamp == JM_STAMP_CALLBACK; i++) {
			callback_us += shape->callback_us +
				       scratch_uniform(&seed, 0, shape->callback_noise_us);
			timeline->layers[i].executions[j].stamp_ns =
				llround(callback_us) * 1000;
		}
		now_us = callback_us + scratch_uniform(&seed, 0, shape->pause_us);
	}
	free(means);
}

static void expect_meaning(const struct shape *shape, enum jm_stamp stamp)
{
	for (uint64_t seed = 1; seed <= 6; seed++) {
		struct jm_timeline timeline;
		int certain;

		make_run(&timeline, shape, stamp, seed, NULL);
		assert_string_equal(
			jm_stamp_name(jm_timeline_detect_stamp(&timeline, &certain)),
			jm_stamp_name(stamp));
		assert_int_equal(certain, 1);
		jm_timeline_release(&timeline);
	}
}

static void test_detect(void **state)
{
	static const enum jm_stamp stamps[] = {JM_STAMP_BEGIN, JM_STAMP_END, JM_STAMP_CALLBACK};
	static const struct shape shapes[] = {
		{26, 300, 0.012, 0.4, 0.03, 3, 2, 400, 6, 2},
		{53, 20, 0.012, 0.4, 0.03, 3, 20, 400, 6, 6},
		{12, 1000, 0.03, 0.1, 0.03, 0, 1, 4000, 9, 4},
		{5, 40, 0.5, 30, 0.1, 20, 30, 0, 9, 40},
		{150, 2000, 0.004, 0.05, 0.1, 1, 1, 100, 6, 2},
		{26, 3, 0.012, 0.4, 0.03, 3, 2, 400, 6, 2},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		for (size_t k = 0; k < 3; k++)
			expect_meaning(&shapes[i], stamps[k]);
}

static void test_detect_uncertain(void **state)
{
	static const struct shape one_layer = {1, 300, 0.1, 0.2, 0.05, 3, 2, 400, 6, 2};
	static const struct shape one_pair = {2, 1, 0.1, 0.2, 0.05, 3, 2, 400, 6, 2};
	static const struct shape equal_layers = {8, 100, 0.1, 0.1, 0, 3, 0, 400, 6, 2};
	struct jm_timeline timeline;
	int certain = 1;

	(void)state;
	jm_timeline_init(&timeline);
	assert_int_equal(jm_timeline_detect_stamp(&timeline, &certain), JM_STAMP_END);
	assert_int_equal(certain, 0);
	jm_timeline_add_layer(&timeline, "a", NULL, NULL);
	jm_timeline_add_layer(&timeline, "b", NULL, NULL);
	assert_int_equal(jm_timeline_detect_stamp(&timeline, &certain), JM_STAMP_END);
	assert_int_equal(certain, 0);
	jm_timeline_release(&timeline);
	make_run(&timeline, &one_layer, JM_STAMP_BEGIN, 1, NULL);
	assert_int_equal(jm_timeline_detect_stamp(&timeline, &certain), JM_STAMP_END);
	assert_int_equal(certain, 0);
	jm_timeline_release(&timeline);
	make_run(&timeline, &one_pair, JM_STAMP_BEGIN, 1, NULL);
	assert_int_equal(jm_timeline_detect_stamp(&timeline, &certain), JM_STAMP_END);
	assert_int_equal(certain, 0);
	jm_timeline_release(&timeline);
	make_run(&timeline, &equal_layers, JM_STAMP_BEGIN, 1, NULL);
	assert_int_equal(jm_timeline_detect_stamp(&timeline, &certain), JM_STAMP_END);
	assert_int_equal(certain, 0);
	jm_timeline_release(&timeline);
}

/* Callbacks lose the gaps; the other two give the spans back to the us. */
static void test_resolve(void **state)
{
	size_t n = ordinary.layers * ordinary.cycles;
	double *begins_us = malloc(n * sizeof(*begins_us));
	struct jm_timeline timeline;

	(void)state;
	for (enum jm_stamp stamp = JM_STAMP_BEGIN; stamp <= JM_STAMP_CALLBACK; stamp++) {
		double tolerance_us = stamp == JM_STAMP_CALLBACK ? 26 * 5 + 9 : 1.1;

		make_run(&timeline, &ordinary, stamp, 9, begins_us);
		assert_int_equal(jm_timeline_resolve(&timeline, JM_STAMP_BEGIN, NULL), 0);
		assert_int_equal(timeline.stamp, JM_STAMP_BEGIN);
		for (size_t i = 0; i < ordinary.layers; i++)
			for (size_t j = 0; j < ordinary.cycles; j++) {
				const struct jm_execution *own =
					&timeline.layers[i].executions[j];
				double begin_us = (double)own->stamp_ns * 1e-3;

				assert_true(
					fabs(begin_us - begins_us[j * ordinary.layers + i]) <=
					tolerance_us);
			}
		jm_timeline_release(&timeline);
	}
	free(begins_us);
}

static void test_resolve_small(void **state)
{
	struct jm_timeline timeline;
	struct jm_execution a[] = {{1000000, 0.1}, {3000000, 0.2}}, b = {1000500, 0.3};

	(void)state;
	jm_timeline_init(&timeline);
	timeline.stamp = JM_STAMP_CALLBACK;
	jm_timeline_add_layer(&timeline, "a", NULL, NULL);
	jm_timeline_add_layer(&timeline, "b", NULL, NULL);
	jm_timeline_append(&timeline, 0, a[0], NULL);
	jm_timeline_append(&timeline, 0, a[1], NULL);
	jm_timeline_append(&timeline, 1, b, NULL);
	assert_int_equal(jm_timeline_resolve(&timeline, JM_STAMP_CALLBACK, NULL), JM_EINVAL);
	assert_int_equal(jm_timeline_resolve(&timeline, JM_STAMP_END, NULL), 0);
	assert_true(timeline.layers[1].executions[0].stamp_ns == 1000000);
	assert_true(timeline.layers[0].executions[0].stamp_ns == 700000);
	assert_true(timeline.layers[0].executions[1].stamp_ns == 3000000);
	assert_int_equal(jm_timeline_resolve(&timeline, JM_STAMP_END, NULL), 0);
	assert_int_equal(jm_timeline_resolve(&timeline, JM_STAMP_BEGIN, NULL), 0);
	assert_true(timeline.layers[1].executions[0].stamp_ns == 700000);
	assert_true(timeline.layers[0].executions[0].stamp_ns == 600000);
	assert_int_equal(jm_timeline_resolve(&timeline, JM_STAMP_END, NULL), 0);
	assert_true(timeline.layers[1].executions[0].stamp_ns == 1000000);
	timeline.layers[0].executions[1].duration_ms = INFINITY;
	assert_int_equal(jm_timeline_resolve(&timeline, JM_STAMP_BEGIN, NULL), JM_EINVAL);
	jm_timeline_release(&timeline);
}

static void test_build(void **state)
{
	struct jm_execution execution = {1, 2};
	struct jm_timeline timeline;

	(void)state;
	jm_timeline_init(&timeline);
	assert_int_equal(jm_timeline_cycles(&timeline), 0);
	for (int i = 0; i < 100; i++)
		assert_int_equal(
			jm_timeline_add_layer(&timeline, "x", i % 2 ? "Conv" : NULL, NULL), i);
	assert_string_equal(timeline.layers[98].type, "Unknown");
	assert_string_equal(timeline.layers[99].type, "Conv");
	assert_true(isnan(timeline.layers[99].macs) && isnan(timeline.layers[99].bytes));
	assert_int_equal(jm_timeline_append(&timeline, 100, execution, NULL), JM_EINVAL);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(jm_timeline_append(&timeline, 50, execution, NULL), 0);
	assert_int_equal(jm_timeline_cycles(&timeline), 1000);
	jm_timeline_release(&timeline);
	assert_int_equal(timeline.n_layers, 0);
	jm_timeline_release(&timeline);
	assert_string_equal(jm_stamp_name((enum jm_stamp)0), "?");
}

/* One layer that runs as the others do needs no arrays; one that does not has them. */
static void test_spans(void **state)
{
	struct jm_timeline timeline;
	struct jm_layer *layer;

	(void)state;
	jm_timeline_init(&timeline);
	jm_timeline_add_layer(&timeline, "a", NULL, NULL);
	jm_timeline_add_layer(&timeline, "b", NULL, NULL);
	for (size_t i = 0; i < 100; i++) {
		int64_t at = (int64_t)i * 1000003;

		assert_int_equal(
			jm_timeline_append_span(&timeline, 0, i, 0, at, at + 77, NULL), 0);
		for (unsigned j = 0; j < (i == 50 ? 0 : 2); j++)
			assert_int_equal(jm_timeline_append_span(&timeline, 1, i, j, at + j,
						 at + j + 1234567, NULL),
				0);
	}
	assert_int_equal(jm_timeline_cycles(&timeline), 100);
	layer = &timeline.layers[0];
	assert_null(layer->cycles);
	assert_null(layer->lanes);
	assert_int_equal(jm_execution_cycle(layer, 70), 70);
	assert_int_equal(jm_execution_lane(layer, 70), 0);
	layer++;
	assert_int_equal(layer->n_executions, 198);
	assert_int_equal(jm_execution_cycle(layer, 101), 51);
	assert_int_equal(jm_execution_lane(layer, 101), 1);
	assert_int_equal(jm_layer_first_execution(layer, 50), 100);
	assert_int_equal(jm_layer_first_execution(layer, 51), 100);
	assert_int_equal(jm_layer_first_execution(layer, 52), 102);
	assert_int_equal(jm_layer_first_execution(layer, 100), 198);
	for (size_t i = 0; i < 198; i++)
		assert_int_equal(llround(layer->executions[i].duration_ms * 1e6), 1234567);
	jm_timeline_release(&timeline);
}

/* Delivered late, with cycles left out, and what is out of range. */
static void test_spans_out_of_order(void **state)
{
	static const size_t cycles[] = {7, 3, 7, UINT32_MAX - 1, 0};
	struct jm_execution execution = {1, 1};
	struct jm_timeline timeline;
	struct jm_layer *layer;

	(void)state;
	jm_timeline_init(&timeline);
	timeline.stamp = JM_STAMP_BEGIN;
	jm_timeline_add_layer(&timeline, "a", NULL, NULL);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(jm_timeline_append_span(
					 &timeline, 0, cycles[i], 9, (int64_t)i, 10, NULL),
			0);
	layer = &timeline.layers[0];
	for (size_t i = 0; i < 5; i++) {
		static const int64_t begins[] = {4, 1, 0, 2, 3};

		assert_true(layer->executions[i].stamp_ns == begins[i]);
		assert_int_equal(jm_execution_cycle(layer, i), cycles[begins[i]]);
		assert_int_equal(jm_execution_lane(layer, i), 9);
	}
	assert_int_equal(jm_timeline_cycles(&timeline), UINT32_MAX);
	assert_int_equal(jm_timeline_next_cycle(&timeline, 0), 0);
	assert_int_equal(jm_timeline_next_cycle(&timeline, 1), 3);
	assert_int_equal(jm_timeline_next_cycle(&timeline, 8), UINT32_MAX - 1);
	assert_true(jm_timeline_next_cycle(&timeline, UINT32_MAX) == SIZE_MAX);
	assert_int_equal(jm_timeline_append(&timeline, 0, execution, NULL), JM_EINVAL);
	assert_int_equal(jm_timeline_append_span(&timeline, 1, 0, 0, 0, 1, NULL), JM_EINVAL);
	assert_int_equal(
		jm_timeline_append_span(&timeline, 0, UINT32_MAX, 0, 0, 1, NULL), JM_EINVAL);
	assert_int_equal(
		jm_timeline_append_span(&timeline, 0, 0, JM_LANES_MAX, 0, 1, NULL), JM_EINVAL);
	assert_int_equal(jm_timeline_append_span(&timeline, 0, 0, 0, 1, 0, NULL), JM_EINVAL);
	assert_int_equal(
		jm_timeline_append_span(&timeline, 0, 0, 0, INT64_MIN, 1, NULL), JM_EINVAL);
	timeline.stamp = JM_STAMP_CALLBACK;
	assert_int_equal(jm_timeline_append_span(&timeline, 0, 0, 0, 0, 1, NULL), JM_EINVAL);
	jm_timeline_release(&timeline);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_detect),
		cmocka_unit_test(test_detect_uncertain),
		cmocka_unit_test(test_resolve),
		cmocka_unit_test(test_resolve_small),
		cmocka_unit_test(test_build),
		cmocka_unit_test(test_spans),
		cmocka_unit_test(test_spans_out_of_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
