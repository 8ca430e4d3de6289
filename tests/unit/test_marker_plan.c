/* SPDX-License-Identifier: Apache-2.0 */
/* Where markers go in a saved model, and what is written: without a runtime. */
#include "unit.h"

#include <stdlib.h>
#include <unistd.h>

#include "engines/onnxruntime/markers/write.h"
#include "marker_unit.h"

#define NONE MARKER_UNIT_NONE
#define ONE MARKER_UNIT_ONE
#define TWO MARKER_UNIT_TWO
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A model, its steps and its plan. */
struct planned {
	struct jm_proto_writer image;
	struct jm_ort_saved saved;
	struct jm_ort_steps steps;
	struct jm_ort_plan plan;
	struct jm_error error;
	int result;
};

static void plan(struct planned *planned, const struct marker_unit_node *nodes,
	const size_t *order, size_t n)
{
	memset(planned, 0, sizeof(*planned));
	marker_unit_put_model(&planned->image, nodes, n);
	if (marker_unit_read(&planned->saved, planned->image.data, planned->image.size,
		    &planned->error) < 0)
		fail_msg("%s", planned->error.message);
	assert_int_equal(planned->saved.n_nodes, n);
	assert_int_equal(marker_unit_steps(&planned->steps, nodes, order, n), 0);
	planned->result = jm_ort_plan_make(
		&planned->plan, &planned->saved, &planned->steps, &planned->error);
}

static void release(struct planned *planned)
{
	jm_ort_plan_release(&planned->plan);
	jm_ort_steps_release(&planned->steps);
	jm_ort_saved_close(&planned->saved);
	jm_proto_writer_release(&planned->image);
}

/* "1011": places with a mark. */
static void expect_marks(const struct planned *planned, const char *marks)
{
	assert_int_equal(planned->result, 0);
	assert_int_equal(strlen(marks), planned->plan.n + 1);
	for (size_t i = 0; marks[i]; i++)
		if (planned->plan.is_marked[i] != (marks[i] == '1'))
			fail_msg("mark %zu of '%s' is not so", i, marks);
}

static int is_value(const struct planned *planned, uint32_t value, const char *name)
{
	struct jm_ort_piece piece = {name, strlen(name)};

	return jm_ort_saved_find(&planned->saved, piece) == value;
}

/* NULL: none. */
static void expect_marker(const struct planned *planned, size_t i, size_t at, int stamps,
	const char *through, const char *after)
{
	const struct jm_ort_plan_marker *marker = &planned->plan.markers[i];

	assert_true(i < planned->plan.n_all);
	assert_int_equal(marker->at, at);
	assert_int_equal(marker->stamps, stamps);
	assert_true(is_value(planned, marker->through, through ? through : ""));
	assert_true(is_value(planned, marker->after, after ? after : ""));
}

/* ---- Marks --------------------------------------------------------------------------- */

static const struct marker_unit_node chain[] = {
	{"neg", "Neg", {"x"}, {"a"}, ONE, ONE},
	{"add", "Add", {"a", "w"}, {"b"}, TWO, ONE},
	{"abs", "Abs", {"b"}, {"y"}, ONE, ONE},
};

static void test_chain(void **state)
{
	struct planned planned;

	(void)state;
	plan(&planned, chain, NULL, COUNT(chain));
	expect_marks(&planned, "1111");
	assert_int_equal(planned.plan.n_marks, 4);
	assert_int_equal(planned.plan.n_markers, 5); /* one has a twin */
	assert_int_equal(planned.plan.n_all, 5);
	assert_int_equal(planned.plan.twin, 1);
	expect_marker(&planned, 0, 0, 1, "x", NULL);
	expect_marker(&planned, 1, 1, 1, "a", NULL);
	expect_marker(&planned, 2, 1, 1, "a", NULL);
	expect_marker(&planned, 3, 2, 1, "b", NULL);
	expect_marker(&planned, 4, 3, 1, NULL, "y");
	release(&planned);
}

/* What the next one does not read, the marker waits for. */
static void test_beside(void **state)
{
	static const struct marker_unit_node nodes[] = {
		{"neg", "Neg", {"x"}, {"a"}, ONE, ONE},
		{"abs", "Abs", {"x"}, {"b"}, ONE, ONE},
		{"add", "Add", {"a", "b"}, {"y"}, TWO, ONE},
	};
	static const size_t other_way[] = {1, 0, 2};
	struct planned planned;

	(void)state;
	plan(&planned, nodes, NULL, COUNT(nodes));
	expect_marks(&planned, "1111");
	expect_marker(&planned, planned.plan.twin == 0 ? 2 : 1, 1, 1, "x", "a");
	release(&planned);
	plan(&planned, nodes, other_way, COUNT(nodes));
	assert_int_equal(planned.plan.order[0], 1);
	expect_marker(&planned, planned.plan.twin == 0 ? 2 : 1, 1, 1, "x", "b");
	release(&planned);
}

/* A sequence cannot be waited for: all until it is read is one layer, tied to it. */
static void test_sequence(void **state)
{
	static const struct marker_unit_node nodes[] = {
		{"neg", "Neg", {"x"}, {"a"}, ONE, ONE},
		{"split", "SplitToSequence", {"a"}, {"s"}, ONE, NONE},
		{"abs", "Abs", {"a"}, {"b"}, ONE, ONE},
		{"at", "SequenceAt", {"s", "w"}, {"c"}, ONE, ONE},
		{"add", "Add", {"b", "c"}, {"y"}, TWO, ONE},
	};
	struct planned planned;
	size_t i = 0;

	(void)state;
	plan(&planned, nodes, NULL, COUNT(nodes));
	expect_marks(&planned, "110011");
	while (planned.plan.markers[i].at < 2)
		i++;
	expect_marker(&planned, i, 2, 0, "a", NULL);
	assert_int_equal(planned.plan.markers[i].after_marker, i - 1);
	expect_marker(&planned, i + 1, 4, 1, "c", "b");
	for (size_t j = 0; j < COUNT(nodes); j++)
		assert_int_equal(planned.plan.turns[j], JM_ORT_TURN_IN_ORDER);
	release(&planned);
}

/* A step that reads nothing computed comes first in the file, and is waited for. */
static void test_loose(void **state)
{
	static const struct marker_unit_node nodes[] = {
		{"neg", "Neg", {"x"}, {"a"}, ONE, ONE},
		{"dice", "RandomUniform", {NULL}, {"r"}, NONE, ONE},
		{"scale", "Mul", {"w", "w"}, {"v"}, TWO, ONE},
		{"abs", "Abs", {"a"}, {"b"}, ONE, ONE},
		{"sum", "Sum", {"b", "r", "v"}, {"y"}, MARKER_UNIT_TWO, ONE},
	};
	struct planned planned;
	size_t i = 0;

	(void)state;
	plan(&planned, nodes, NULL, COUNT(nodes));
	expect_marks(&planned, "100111");
	assert_int_equal(planned.plan.turns[1], JM_ORT_TURN_FIRST);
	assert_int_equal(planned.plan.turns[2], JM_ORT_TURN_FIRST);
	while (planned.plan.markers[i].at < 3)
		i++;
	expect_marker(&planned, i, 3, 0, "a", "r");
	expect_marker(&planned, i + 1, 3, 1, "a", "v");
	assert_false(planned.saved.is_repeatable);
	release(&planned);
}

/* What nobody reads and is no tensor comes last in the file. */
static void test_leaf(void **state)
{
	static const struct marker_unit_node nodes[] = {
		{"neg", "Neg", {"x"}, {"a"}, ONE, ONE},
		{"split", "SplitToSequence", {"a"}, {"t"}, ONE, NONE},
		{"abs", "Abs", {"a"}, {"b"}, ONE, ONE},
		{"split2", "SplitToSequence", {"b"}, {"z"}, ONE, NONE},
	};
	struct planned planned;

	(void)state;
	plan(&planned, nodes, NULL, COUNT(nodes));
	expect_marks(&planned, "11110");
	assert_int_equal(planned.plan.turns[1], JM_ORT_TURN_LAST);
	assert_int_equal(planned.plan.turns[3], JM_ORT_TURN_LAST);
	release(&planned);
}

/* An optional that holds a tensor looks like one in a run. */
static void test_optional(void **state)
{
	static const struct marker_unit_node nodes[] = {
		{"wrap", "Optional", {"x"}, {"o"}, ONE, ONE},
		{"keep", "Identity", {"o"}, {"p"}, ONE, ONE},
		{"unwrap", "OptionalGetElement", {"p"}, {"a"}, ONE, ONE},
		{"neg", "Neg", {"a"}, {"y"}, ONE, ONE},
	};
	struct planned planned;

	(void)state;
	plan(&planned, nodes, NULL, COUNT(nodes));
	expect_marks(&planned, "10011");
	release(&planned);
}

static void test_nothing_to_mark(void **state)
{
	static const struct marker_unit_node nodes[] = {
		{"dice", "RandomUniform", {NULL}, {"y"}, NONE, NONE},
	};
	struct planned planned;

	(void)state;
	plan(&planned, nodes, NULL, COUNT(nodes));
	assert_int_equal(planned.result, 0);
	assert_int_equal(planned.plan.n_all, planned.plan.n_markers);
	release(&planned);
	plan(&planned, NULL, NULL, 0);
	assert_int_equal(planned.result, 0);
	assert_int_equal(planned.plan.n_markers, 0);
	release(&planned);
}

/* ---- Which node a step is -------------------------------------------------------------- */

static void test_nameless(void **state)
{
	static const struct marker_unit_node nodes[] = {
		{"", "Neg", {"x"}, {"a"}, ONE, ONE},
		{"", "Neg", {"a"}, {"b"}, ONE, ONE},
		{"", "Abs", {"x"}, {"c"}, ONE, ONE},
		{"", "Neg", {"b"}, {"y"}, ONE, ONE},
	};
	static const size_t order[] = {2, 0, 1, 3};
	struct planned planned;

	(void)state;
	plan(&planned, nodes, order, COUNT(nodes));
	assert_int_equal(planned.result, 0);
	assert_memory_equal(planned.plan.order, order, sizeof(order));
	release(&planned);
}

static void refuse_steps(const struct marker_unit_node *nodes, size_t n)
{
	struct planned planned;

	plan(&planned, chain, NULL, COUNT(chain));
	jm_ort_plan_release(&planned.plan);
	jm_ort_steps_release(&planned.steps);
	assert_int_equal(marker_unit_steps(&planned.steps, nodes, NULL, n), 0);
	assert_int_equal(
		jm_ort_plan_make(&planned.plan, &planned.saved, &planned.steps, &planned.error),
		JM_ENOTFOUND);
	assert_non_null(strstr(planned.error.message, "are not the"));
	assert_null(planned.plan.markers);
	release(&planned);
}

static void test_other_steps(void **state)
{
	static const struct marker_unit_node renamed[] = {
		{"neg", "Neg", {NULL}, {NULL}, ONE, ONE},
		{"other", "Add", {NULL}, {NULL}, TWO, ONE},
		{"abs", "Abs", {NULL}, {NULL}, ONE, ONE},
	};
	static const struct marker_unit_node swapped[] = {
		{"add", "Add", {NULL}, {NULL}, TWO, ONE},
		{"neg", "Neg", {NULL}, {NULL}, ONE, ONE},
		{"abs", "Abs", {NULL}, {NULL}, ONE, ONE},
	};

	(void)state;
	refuse_steps(renamed, COUNT(renamed));
	refuse_steps(swapped, COUNT(swapped)); /* "a" is not there yet */
	refuse_steps(chain, COUNT(chain) - 1);
}

static void test_our_names(void **state)
{
	static const struct marker_unit_node value[] = {
		{"neg", "Neg", {"x"}, {"joulemap-marker-x"}, ONE, ONE},
	};
	static const struct marker_unit_node node[] = {
		{"joulemap-marker-7", "Neg", {"x"}, {"y"}, ONE, ONE},
	};
	struct planned planned;

	(void)state;
	plan(&planned, value, NULL, 1);
	assert_int_equal(planned.result, JM_EUNSUPPORTED);
	release(&planned);
	plan(&planned, node, NULL, 1);
	assert_int_equal(planned.result, JM_EUNSUPPORTED);
	release(&planned);
}

/* ---- What is written ------------------------------------------------------------------- */

static const struct jm_ort_saved_node *find_node(
	const struct jm_ort_saved *saved, const char *name, size_t *ret_index)
{
	for (size_t i = 0; i < saved->n_nodes; i++)
		if (saved->nodes[i].name.size == strlen(name) &&
			memcmp(saved->nodes[i].name.data, name, strlen(name)) == 0) {
			*ret_index = i;
			return &saved->nodes[i];
		}
	fail_msg("no node '%s'", name);
	return NULL;
}

static void expect_reads(
	const struct jm_ort_saved *saved, const char *node, size_t input, const char *value)
{
	size_t at;
	const struct jm_ort_saved_node *found = find_node(saved, node, &at);
	struct jm_ort_piece piece = {value, strlen(value)};

	assert_true(input < found->n_inputs);
	assert_int_equal(found->inputs[input], jm_ort_saved_find(saved, piece));
}

static void read_again(struct planned *planned, struct jm_ort_saved *ret_saved)
{
	struct jm_proto_writer image = {0};

	jm_ort_marked_write(&image, &planned->saved, &planned->plan, &planned->steps);
	assert_false(image.failed);
	if (marker_unit_read(ret_saved, image.data, image.size, &planned->error) < 0)
		fail_msg("%s", planned->error.message);
	jm_proto_writer_release(&image);
	assert_int_equal(ret_saved->n_nodes, planned->plan.n + planned->plan.n_all);
}

static void test_write(void **state)
{
	struct planned planned;
	struct jm_ort_saved again;

	(void)state;
	plan(&planned, chain, NULL, COUNT(chain));
	read_again(&planned, &again);
	expect_reads(&again, "joulemap-marker-0", 0, "x");
	expect_reads(&again, "neg", 0, "joulemap-marker-0");
	expect_reads(&again, "joulemap-marker-1", 0, "a");
	expect_reads(&again, "joulemap-marker-2", 0, "joulemap-marker-1");
	expect_reads(&again, "add", 0, "joulemap-marker-2");
	expect_reads(&again, "add", 1, "w");
	expect_reads(&again, "joulemap-marker-4", 0, "y");
	jm_ort_saved_close(&again);
	release(&planned);
}

/* Nodes that have no name get that of their step; an input that is read twice. */
static void test_write_nameless(void **state)
{
	static const struct marker_unit_node nodes[] = {
		{"", "Add", {"x", "x"}, {"a"}, TWO, ONE},
		{"", "Mul", {"a", "", "x"}, {"y"}, TWO, ONE},
	};
	struct planned planned;
	struct jm_ort_saved again;

	(void)state;
	plan(&planned, nodes, NULL, COUNT(nodes));
	read_again(&planned, &again);
	expect_reads(&again, "Add", 0,
		planned.plan.twin == 0 ? "joulemap-marker-1" : "joulemap-marker-0");
	expect_reads(&again, "Add", 1,
		planned.plan.twin == 0 ? "joulemap-marker-1" : "joulemap-marker-0");
	expect_reads(&again, "Mul", 2, "x");
	jm_ort_saved_close(&again);
	release(&planned);
}

static void test_write_turns(void **state)
{
	static const struct marker_unit_node nodes[] = {
		{"neg", "Neg", {"x"}, {"a"}, ONE, ONE},
		{"split", "SplitToSequence", {"a"}, {"s"}, ONE, NONE},
		{"dice", "RandomUniform", {NULL}, {"r"}, NONE, ONE},
		{"add", "Add", {"a", "r"}, {"y"}, TWO, ONE},
	};
	struct planned planned;
	struct jm_ort_saved again;
	size_t at;

	(void)state;
	plan(&planned, nodes, NULL, COUNT(nodes));
	read_again(&planned, &again);
	find_node(&again, "dice", &at);
	assert_int_equal(at, 0);
	find_node(&again, "split", &at);
	assert_int_equal(at, again.n_nodes - 1);
	jm_ort_saved_close(&again);
	release(&planned);
}

/* ---- What cannot be read ----------------------------------------------------------------- */

static void test_damaged(void **state)
{
	struct jm_proto_writer image = {0};
	struct jm_ort_saved saved;
	struct jm_error error;

	(void)state;
	marker_unit_put_model(&image, chain, COUNT(chain));
	assert_int_equal(marker_unit_read(&saved, "", 0, &error), JM_EFORMAT);
	jm_ort_saved_close(&saved);
	assert_int_equal(marker_unit_read(&saved, "no model", 8, &error), JM_EFORMAT);
	assert_string_equal(error.message, "the optimised model cannot be read");
	jm_ort_saved_close(&saved);
	for (size_t n = 1; n < image.size; n++) {
		assert_int_equal(marker_unit_read(&saved, image.data, n, &error), JM_EFORMAT);
		jm_ort_saved_close(&saved);
	}
	assert_int_equal(marker_unit_read(&saved, image.data, image.size, &error), 0);
	assert_true(saved.is_repeatable);
	jm_ort_saved_close(&saved);
	jm_ort_saved_close(&saved); /* one that is closed */
	jm_proto_writer_release(&image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chain),
		cmocka_unit_test(test_beside),
		cmocka_unit_test(test_sequence),
		cmocka_unit_test(test_loose),
		cmocka_unit_test(test_leaf),
		cmocka_unit_test(test_optional),
		cmocka_unit_test(test_nothing_to_mark),
		cmocka_unit_test(test_nameless),
		cmocka_unit_test(test_other_steps),
		cmocka_unit_test(test_our_names),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_write_nameless),
		cmocka_unit_test(test_write_turns),
		cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
