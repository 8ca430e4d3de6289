/* SPDX-License-Identifier: Apache-2.0 */
/* Layers that run several times in a cycle, or in some only, and on lanes. */
#include "unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attribute/segments.h"
#include "attribute/summary.h"
#include "map/map_fit.h"

enum { CYCLES = 100, ROWS_MAX = 1000 };

struct rows {
	struct jm_cycle_power row[ROWS_MAX];
	size_t n;
};

static int take_row(void *context, const struct jm_cycle_power *row)
{
	struct rows *rows = context;

	assert_true(rows->n < ROWS_MAX);
	rows->row[rows->n++] = *row;
	return 0;
}

/*
 * "a" runs in every cycle, "b" twice in a cycle but never in every third, "c" in
 * every other one. 1 ms each, 1 ms pause. `last`: lane of the last span.
 */
static void make_timeline(struct jm_timeline *timeline, unsigned last)
{
	int64_t now_ns = 1000000000;

	jm_timeline_init(timeline);
	jm_timeline_add_layer(timeline, "a", NULL, NULL);
	jm_timeline_add_layer(timeline, "b", NULL, NULL);
	jm_timeline_add_layer(timeline, "c", NULL, NULL);
	for (size_t cycle = 0; cycle < CYCLES; cycle++) {
		size_t runs[3] = {1, cycle % 3 ? 2 : 0, cycle % 2};

		for (size_t i = 0; i < 3; i++)
			for (size_t j = 0; j < runs[i]; j++, now_ns += 1000001)
				assert_int_equal(jm_timeline_append_span(timeline, i, cycle,
							 last ? (unsigned)j : 0, now_ns,
							 now_ns + 1000001, NULL),
					0);
		now_ns += 1000000;
	}
	if (last)
		assert_int_equal(jm_timeline_append_span(timeline, 2, CYCLES - 1, last,
					 now_ns - 1500000, now_ns - 500000, NULL),
			0);
}

/* Every layer in every cycle; with `told`, arrays say what is clear anyway. */
static void make_regular(struct jm_timeline *timeline, int told)
{
	int64_t now_ns = 1000000000;

	jm_timeline_init(timeline);
	for (int i = 0; i < 3; i++)
		jm_timeline_add_layer(timeline, "x", NULL, NULL);
	for (size_t cycle = 0; cycle < CYCLES; cycle++)
		for (size_t i = 0; i < 3; i++, now_ns += 1200000 + (int64_t)cycle)
			assert_int_equal(jm_timeline_append_span(timeline, i, cycle, 0, now_ns,
						 now_ns + 1000000 + (int64_t)i, NULL),
				0);
	for (size_t i = 0; told && i < 3; i++) {
		struct jm_layer *layer = &timeline->layers[i];

		layer->cycles = malloc(layer->capacity * sizeof(*layer->cycles));
		layer->lanes = calloc(layer->capacity, sizeof(*layer->lanes));
		assert_true(layer->cycles && layer->lanes);
		for (uint32_t j = 0; j < CYCLES; j++)
			layer->cycles[j] = j;
	}
}

static void make_log(struct jm_power_log *log)
{
	jm_power_log_init(log);
	jm_power_log_add_rail(log, "r", JM_QUANTITY_UW, NULL);
	for (int64_t i = 0; i < 800; i++) {
		int64_t at_ns = 999000000 + i * 700000;
		struct jm_reading reading = {at_ns, at_ns, {(double)(4000000 + i % 7), 0}};

		assert_int_equal(jm_power_log_append(log, 0, &reading, NULL), 0);
	}
}

static void walk(const struct jm_timeline *timeline, enum jm_window_rules rules,
	struct rows *ret_rows, struct jm_summary *ret_summary)
{
	struct jm_power_log log;

	make_log(&log);
	ret_rows->n = 0;
	assert_int_equal(jm_attribute_window(
				 &log.rails[0], timeline, rules, 0, take_row, ret_rows, NULL),
		0);
	assert_int_equal(jm_summary_init(ret_summary, timeline, NULL), 0);
	for (size_t i = 0; i < ret_rows->n; i++)
		jm_summary_add(ret_summary, &ret_rows->row[i]);
	jm_summary_close(ret_summary, timeline, &log.rails[0], 0);
	jm_power_log_release(&log);
}

/* What is told may be told twice: all is as where it is clear by itself. */
static void test_told_as_regular(void **state)
{
	static struct rows rows[2];
	struct jm_timeline timeline[2];
	struct jm_segments segments[2];
	struct jm_summary summary[2];

	(void)state;
	for (int told = 0; told < 2; told++) {
		make_regular(&timeline[told], told);
		assert_int_equal(
			jm_segments_init(&segments[told], &timeline[told], 0, NULL), 0);
	}
	assert_int_equal(segments[0].n, segments[1].n);
	assert_int_equal(segments[0].n_cycles, segments[1].n_cycles);
	for (size_t i = 0; i < segments[0].n; i++) {
		assert_true(segments[0].time_s[i] == segments[1].time_s[i]);
		assert_int_equal(segments[0].column[i], segments[1].column[i]);
		assert_int_equal(segments[0].cycle[i], segments[1].cycle[i]);
	}
	for (int rules = JM_WINDOW_LATER; rules <= JM_WINDOW_FIRST; rules++) {
		for (int told = 0; told < 2; told++)
			walk(&timeline[told], (enum jm_window_rules)rules, &rows[told],
				&summary[told]);
		assert_int_equal(rows[0].n, rows[1].n);
		assert_memory_equal(
			rows[0].row, rows[1].row, rows[0].n * sizeof(rows[0].row[0]));
		assert_int_equal(summary[0].cycles, summary[1].cycles);
		assert_int_equal(summary[0].log_ends_early, summary[1].log_ends_early);
		assert_true(summary[0].cycle_ms == summary[1].cycle_ms);
		assert_true(summary[0].sensor_power_w == summary[1].sensor_power_w);
		assert_true(summary[0].layers_energy_mj == summary[1].layers_energy_mj);
		for (int told = 0; told < 2; told++)
			jm_summary_release(&summary[told]);
	}
	for (int told = 0; told < 2; told++) {
		jm_segments_release(&segments[told]);
		jm_timeline_release(&timeline[told]);
	}
}

/* One row per execution, in order of cycle and layer. */
static void assert_rows(const struct rows *rows)
{
	size_t n = 0;

	for (size_t cycle = 0; cycle < CYCLES; cycle++) {
		size_t runs[3] = {1, cycle % 3 ? 2 : 0, cycle % 2};

		for (size_t i = 0; i < 3; i++)
			for (size_t j = 0; j < runs[i]; j++, n++) {
				assert_int_equal(rows->row[n].cycle, cycle);
				assert_int_equal(rows->row[n].layer, i);
			}
	}
	assert_int_equal(n, rows->n);
}

static void test_rows(void **state)
{
	static struct rows rows;
	static struct jm_fit_layer layers[3];
	struct jm_fit_result result = {.layers = layers, .n_layers = 3};
	struct jm_timeline timeline;
	struct jm_summary summary;

	(void)state;
	make_timeline(&timeline, 0);
	for (int rules = JM_WINDOW_LATER; rules <= JM_WINDOW_FIRST; rules++) {
		walk(&timeline, (enum jm_window_rules)rules, &rows, &summary);
		assert_rows(&rows);
		assert_int_equal(summary.cycles, CYCLES);
		assert_true(fabs(summary.layers[0].per_cycle - 1) < 1e-12);
		assert_true(fabs(summary.layers[1].per_cycle - 1.32) < 1e-12);
		assert_true(fabs(summary.layers[2].per_cycle - 0.5) < 1e-12);
		jm_summary_release(&summary);
	}
	rows.n = 0;
	assert_int_equal(jm_map_fit_rows(&timeline, &result, 0, take_row, &rows), 0);
	assert_rows(&rows);
	jm_timeline_release(&timeline);
}

static void test_segments(void **state)
{
	struct jm_segments segments;
	struct jm_timeline timeline;
	double sum_s = 0;
	size_t between = 0;

	(void)state;
	make_timeline(&timeline, 0);
	assert_int_equal(jm_segments_init(&segments, &timeline, 1000000000, NULL), 0);
	assert_int_equal(segments.n_cycles, CYCLES);
	for (size_t i = 0; i < segments.n; i++)
		between += segments.column[i] == 3 + JM_COLUMN_BETWEEN;
	assert_int_equal(between, CYCLES - 1);
	for (size_t i = 0; i < 3; i++) {
		sum_s = (double)timeline.layers[i].n_executions * 1.000001e-3;
		assert_true(fabs(segments.total_s[i] - sum_s) < 1e-9);
	}
	jm_segments_release(&segments);
	/* Cycles in which nothing ran take no room, however far they reach. */
	assert_int_equal(jm_timeline_append_span(&timeline, 0, UINT32_MAX - 1, 0, 1000000000000,
				 1000001000000, NULL),
		0);
	assert_int_equal(jm_segments_init(&segments, &timeline, 1000000000, NULL), 0);
	assert_int_equal(segments.n_cycles, CYCLES + 1);
	jm_segments_release(&segments);
	jm_timeline_release(&timeline);
}

/* Lanes in turns are one sequence; lanes at once are none. */
static void test_lanes(void **state)
{
	struct jm_segments segments;
	struct jm_timeline timeline;
	struct jm_error error;

	(void)state;
	make_timeline(&timeline, 7);
	assert_int_equal(
		jm_segments_init(&segments, &timeline, 1000000000, &error), JM_EUNSUPPORTED);
	assert_string_equal(error.message, "layers overlap on 3 lanes; attribution of "
					   "overlapping layers is not there yet");
	jm_timeline_resolve(&timeline, JM_STAMP_BEGIN, NULL);
	assert_int_equal(
		jm_segments_init(&segments, &timeline, 1000000000, &error), JM_EUNSUPPORTED);
	timeline.layers[2].n_executions--;
	assert_int_equal(jm_segments_init(&segments, &timeline, 1000000000, &error), 0);
	jm_segments_release(&segments);
	jm_timeline_release(&timeline);
}

/* Callbacks come at the end of a cycle; a layer's runs lie back to back. */
static void test_callbacks(void **state)
{
	struct jm_timeline timeline;

	(void)state;
	make_timeline(&timeline, 0);
	for (size_t i = 0; i < 2; i++)
		timeline.layers[1].executions[i].stamp_ns = 2000000000;
	timeline.layers[0].executions[1].stamp_ns = 2000000000;
	timeline.layers[2].executions[0].stamp_ns = 2000000000;
	timeline.stamp = JM_STAMP_CALLBACK;
	assert_int_equal(jm_timeline_resolve(&timeline, JM_STAMP_END, NULL), 0);
	assert_true(timeline.layers[2].executions[0].stamp_ns == 2000000000);
	assert_true(timeline.layers[1].executions[1].stamp_ns == 2000000000 - 1000001);
	assert_true(timeline.layers[1].executions[0].stamp_ns == 2000000000 - 2 * 1000001);
	assert_true(timeline.layers[0].executions[1].stamp_ns == 2000000000 - 3 * 1000001);
	jm_timeline_release(&timeline);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_told_as_regular),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_segments),
		cmocka_unit_test(test_lanes),
		cmocka_unit_test(test_callbacks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
