/* SPDX-License-Identifier: Apache-2.0 */
/* Inferences told apart by time, from lists keyed by name. */
#include "unit.h"

#include <string.h>

#include "data/inferences.h"

/* A run is words of layers, "ABAC", one after the other; 10 us a layer, 1 ms between. */
struct lists {
	struct jm_timeline timeline;
	int64_t at_us;
	int64_t pause_us;
	int callbacks;
};

static void init(struct lists *lists, const char *names)
{
	*lists = (struct lists){.pause_us = 1000};
	jm_timeline_init(&lists->timeline);
	for (; *names; names++) {
		char name[2] = {*names, 0};

		assert_true(jm_timeline_add_layer(&lists->timeline, name, NULL, NULL) >= 0);
	}
}

static void run_layer(struct lists *lists, char name, int64_t duration_us)
{
	struct jm_execution execution = {0, (double)duration_us * 1e-3};
	size_t layer = 0;

	while (lists->timeline.layers[layer].name[0] != name)
		layer++;
	lists->at_us += lists->callbacks ? 4 : duration_us;
	execution.stamp_ns = lists->at_us * 1000;
	assert_int_equal(jm_timeline_append(&lists->timeline, layer, execution, NULL), 0);
}

/* Layer A lasts 10 us, B 13 us, ...; places of a name differ by 30 us. */
static void run_word(struct lists *lists, const char *word)
{
	int seen[26] = {0};

	if (lists->callbacks)
		for (const char *c = word; *c; c++)
			lists->at_us += 10 + 3 * (*c - 'A');
	for (const char *c = word; *c; c++) {
		int *own = &seen[*c - 'A'];

		run_layer(lists, *c, 10 + 3 * (*c - 'A') + 30 * *own);
		++*own;
	}
	lists->at_us += lists->pause_us;
}

static void release(struct lists *lists, struct jm_inferences *found)
{
	jm_timeline_release(&lists->timeline);
	jm_inferences_release(found);
}

static const struct jm_layer *layer_named(const struct jm_inferences *found, const char *name)
{
	for (size_t k = 0; k < found->timeline.n_layers; k++)
		if (strcmp(found->timeline.layers[k].name, name) == 0)
			return &found->timeline.layers[k];
	fail_msg("no layer '%s'", name);
	return NULL;
}

static void test_plain(void **state)
{
	struct lists lists;
	struct jm_inferences found;

	(void)state;
	init(&lists, "ABC");
	for (int i = 0; i < 20; i++)
		run_word(&lists, "ABC");
	assert_int_equal(jm_inferences_form(&lists.timeline, &found, NULL), 0);
	assert_int_equal(found.timeline.n_layers, 0);
	release(&lists, &found);
}

/* Each place is a layer of its own, and the n-th entry is of the n-th inference again. */
static void test_repeated(void **state)
{
	static const char *const words[] = {"ABCDA", "ABACDA", "AABCD"};

	(void)state;
	for (size_t w = 0; w < 3; w++)
		for (int pause = 0; pause < 2; pause++) {
			struct lists lists;
			struct jm_inferences found;

			init(&lists, "ABCD");
			lists.pause_us = pause ? 1000 : 0;
			for (int i = 0; i < 50; i++)
				run_word(&lists, words[w]);
			assert_int_equal(jm_inferences_form(&lists.timeline, &found, NULL), 1);
			assert_int_equal(found.n_cycles, 50);
			assert_int_equal(found.n_optional, 0);
			assert_int_equal(found.timeline.stamp, JM_STAMP_END);
			if (w < 2) {
				const struct jm_layer *second = layer_named(&found, "A (2)");

				assert_int_equal(second->n_executions, 50);
				assert_null(second->cycles);
				assert_true(second->executions[7].duration_ms == 0.04);
			}
			if (w == 2) /* in place: one layer */
				assert_int_equal(layer_named(&found, "A")->n_executions, 100);
			release(&lists, &found);
		}
}

static void test_branches(void **state)
{
	static const char *const words[][2] = {
		{"ABCD", "ABC"}, {"ABCD", "BCD"}, {"ABD", "ACD"}, {"ABCDA", "ABDA"}};
	uint32_t random = 1;

	(void)state;
	for (size_t w = 0; w < 4; w++)
		for (int callbacks = 0; callbacks < 2; callbacks++) {
			struct lists lists;
			struct jm_inferences found;

			init(&lists, "ABCD");
			lists.callbacks = callbacks;
			for (int i = 0; i < 200; i++) {
				random = random * 1664525u + 1013904223u;
				run_word(&lists, words[w][i && random >> 31]);
			}
			assert_int_equal(jm_inferences_form(&lists.timeline, &found, NULL), 1);
			assert_int_equal(found.n_cycles, 200);
			assert_int_equal(found.n_optional, w == 2 ? 2 : 1);
			assert_int_equal(found.timeline.stamp,
				callbacks ? JM_STAMP_CALLBACK : JM_STAMP_END);
			release(&lists, &found);
		}
}

/* Every second inference skips a layer: pauses tell, or nothing does. */
static void test_alternating(void **state)
{
	static const char *const words[][2] = {
		{"ABCD", "ABC"}, {"ABCD", "BCD"}, {"BCD", "ABCD"}, {"ABCD", "ABD"}};
	struct jm_error error = {0};

	(void)state;
	for (size_t w = 0; w < 4; w++)
		for (int pause = 0; pause < 2; pause++) {
			struct lists lists;
			struct jm_inferences found;
			int result;

			init(&lists, "ABCD");
			lists.pause_us = pause ? 1000 : 0;
			for (int i = 0; i < 60; i++)
				run_word(&lists, words[w][i % 2]);
			result = jm_inferences_form(&lists.timeline, &found, &error);
			assert_int_equal(result, pause ? 1 : JM_EUNSUPPORTED);
			if (pause)
				assert_int_equal(found.n_cycles, 60);
			else
				assert_non_null(
					strstr(error.message, "one inference or several"));
			release(&lists, &found);
		}
}

/* An inference that runs a part of itself twice, with one pause. */
static void test_part_twice(void **state)
{
	struct lists lists;
	struct jm_inferences found;

	(void)state;
	init(&lists, "ABCD");
	for (int i = 0; i < 60; i++)
		run_word(&lists, "ABCABCD");
	assert_int_equal(jm_inferences_form(&lists.timeline, &found, NULL), 1);
	assert_int_equal(found.n_cycles, 60);
	assert_int_equal(found.timeline.n_layers, 7);
	assert_int_equal(found.n_repeated, 3);
	assert_int_equal(found.origin[4], 1); /* B (2) */
	release(&lists, &found);
}

static void test_no_order(void **state)
{
	struct lists lists;
	struct jm_inferences found;
	struct jm_error error = {0};
	uint32_t random = 1;

	(void)state;
	init(&lists, "ABCDEFGH");
	for (int i = 0; i < 3000; i++) {
		random = random * 1664525u + 1013904223u;
		run_layer(&lists, (char)('A' + (random >> 29)), 10);
	}
	assert_int_equal(jm_inferences_form(&lists.timeline, &found, &error), JM_EUNSUPPORTED);
	assert_non_null(strstr(error.message, "in no order that repeats"));
	release(&lists, &found);
}

/* Callbacks of a name that comes at two places are laid out in their order. */
static void test_callbacks_in_order(void **state)
{
	struct lists lists;
	struct jm_inferences found;
	const struct jm_layer *first, *second;

	(void)state;
	init(&lists, "ABC");
	lists.callbacks = 1;
	for (int i = 0; i < 40; i++)
		run_word(&lists, i % 7 == 3 ? "ACA" : "ABCA");
	assert_int_equal(jm_inferences_form(&lists.timeline, &found, NULL), 1);
	assert_int_equal(found.n_cycles, 40);
	assert_int_equal(jm_timeline_resolve(&found.timeline, JM_STAMP_END, NULL), 0);
	first = layer_named(&found, "A");
	second = layer_named(&found, "A (2)");
	for (size_t i = 0; i < 40; i++) /* B and C, or C, and A once more: 40 us */
		assert_int_equal(second->executions[i].stamp_ns - first->executions[i].stamp_ns,
			(i % 7 == 3 ? 16 + 40 : 13 + 16 + 40) * 1000);
	release(&lists, &found);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_repeated),
		cmocka_unit_test(test_branches),
		cmocka_unit_test(test_alternating),
		cmocka_unit_test(test_part_twice),
		cmocka_unit_test(test_no_order),
		cmocka_unit_test(test_callbacks_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
