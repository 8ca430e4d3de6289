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

static int is_value(const struct planned *planned, uint32_t value, const char *name)
{
	struct jm_ort_piece piece = {name, strlen(name)};

	return jm_ort_saved_find(&planned->saved, piece) == value;
}

/* What the marker at each place reads; "": there is none. */
static void expect_reads_of(const struct planned *planned, const char *const *names)
{
	if (planned->result < 0)
		fail_msg("%s", planned->error.message);
	for (size_t i = 0; i <= planned->plan.n; i++)
		if (!is_value(planned, planned->plan.reads[i], names[i]))
			fail_msg("the marker at place %zu does not read '%s'", i, names[i]);
}

/* In the order of execution. */
static void expect_steps(const struct planned *planned, const char *const *names)
{
	for (size_t i = 0; i < planned->plan.n; i++) {
		struct jm_ort_piece name = planned->saved.nodes[planned->plan.order[i]].name;

		assert_int_equal(name.size, strlen(names[i]));
		assert_memory_equal(name.data, names[i], name.size);
		assert_int_equal(
			strncmp(planned->steps.steps[i].event, names[i], name.size), 0);
	}
}

/* ---- Marks --------------------------------------------------------------------------- */

static const struct marker_unit_node chain[] = {
	{"neg", "Neg", {"x"}, {"a"}, ONE, ONE},
	{"add", "Add", {"a", "w"}, {"b"}, TWO, ONE},
	{"abs", "Abs", {"b"}, {"y"}, ONE, ONE},
};

static void test_chain(void **state)
{
	static const char *const reads[] = {"x", "a", "b", "y"};
	struct planned planned;

	(void)state;
	plan(&planned, chain, NULL, COUNT(chain));
	expect_reads_of(&planned, reads);
	assert_int_equal(planned.plan.n_marks, 4);
	assert_int_equal(planned.plan.n_markers, 5); /* one has a twin */
	assert_int_equal(planned.plan.twin, 2);
	assert_int_equal(jm_ort_plan_count_before(&planned.plan, 2), 2);
	assert_int_equal(jm_ort_plan_count_before(&planned.plan, 3), 4);
	release(&planned);
}

/* The order is that of the run, not that of the file. */
static void test_beside(void **state)
{
	static const struct marker_unit_node nodes[] = {
		{"neg", "Neg", {"x"}, {"a"}, ONE, ONE},
		{"abs", "Abs", {"x"}, {"b"}, ONE, ONE},
		{"add", "Add", {"a", "b"}, {"y"}, TWO, ONE},
	};
	static const size_t other_way[] = {1, 0, 2};
	static const char *const reads[] = {"x", "a", "b", "y"};
	static const char *const other_reads[] = {"x", "b", "a", "y"};
	struct planned planned;

	(void)state;
	plan(&planned, nodes, NULL, COUNT(nodes));
	expect_reads_of(&planned, reads);
	release(&planned);
	plan(&planned, nodes, other_way, COUNT(nodes));
	expect_reads_of(&planned, other_reads);
	release(&planned);
}

/* No marker can read a sequence: the step that writes it runs with the one that reads it. */
static void test_sequence(void **state)
{
	static const struct marker_unit_node nodes[] = {
		{"neg", "Neg", {"x"}, {"a"}, ONE, ONE},
		{"split", "SplitToSequence", {"a"}, {"s"}, ONE, NONE},
		{"insert", "SequenceInsert", {"s", "a"}, {"t"}, ONE, NONE},
		{"abs", "Abs", {"a"}, {"b"}, ONE, ONE},
		{"at", "SequenceAt", {"t", "w"}, {"c"}, ONE, ONE},
		{"add", "Add", {"b", "c"}, {"y"}, TWO, ONE},
	};
	static const char *const steps[] = {"neg", "abs", "split", "insert", "at", "add"};
	static const char *const reads[] = {"x", "a", "b", "", "", "c", "y"};
	struct planned planned;

	(void)state;
	plan(&planned, nodes, NULL, COUNT(nodes));
	expect_reads_of(&planned, reads);
	expect_steps(&planned, steps);
	for (size_t i = 0; i < COUNT(nodes); i++)
		assert_false(planned.plan.is_leaf[i]);
	release(&planned);
}

/* Steps that read nothing computed have their place too. */
static void test_loose(void **state)
{
	static const struct marker_unit_node nodes[] = {
		{"dice", "RandomUniform", {NULL}, {"r"}, NONE, ONE},
		{"neg", "Neg", {"x"}, {"a"}, ONE, ONE},
		{"scale", "Mul", {"w", "w"}, {"v"}, TWO, ONE},
		{"sum", "Sum", {"a", "r", "v"}, {"y"}, TWO, ONE},
	};
	static const char *const reads[] = {"", "r", "a", "v", "y"};
	struct planned planned;

	(void)state;
	plan(&planned, nodes, NULL, COUNT(nodes));
	expect_reads_of(&planned, reads);
	assert_int_equal(planned.plan.n_marks, 4);
	release(&planned);
}

/* What nobody reads and is no tensor stands among the markers. */
static void test_leaf(void **state)
{
	static const struct marker_unit_node nodes[] = {
		{"neg", "Neg", {"x"}, {"a"}, ONE, ONE},
		{"split", "SplitToSequence", {"a"}, {"t"}, ONE, NONE},
		{"abs", "Abs", {"a"}, {"b"}, ONE, ONE},
		{"split2", "SplitToSequence", {"b"}, {"z"}, ONE, NONE},
	};
	static const char *const steps[] = {"neg", "split", "abs", "split2"};
	static const char *const reads[] = {"x", "a", "", "b", ""};
	struct planned planned;

	(void)state;
	plan(&planned, nodes, NULL, COUNT(nodes));
	expect_reads_of(&planned, reads);
	expect_steps(&planned, steps);
	assert_true(planned.plan.is_leaf[1] && planned.plan.is_leaf[3]);
	assert_false(planned.plan.is_leaf[0] || planned.plan.is_leaf[2]);
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
	static const char *const reads[] = {"x", "", "", "a", "y"};
	struct planned planned;

	(void)state;
	plan(&planned, nodes, NULL, COUNT(nodes));
	expect_reads_of(&planned, reads);
	release(&planned);
}

static void test_nothing_to_mark(void **state)
{
	static const struct marker_unit_node nodes[] = {
		{"dice", "RandomUniform", {NULL}, {"z"}, NONE, NONE},
	};
	struct planned planned;

	(void)state;
	plan(&planned, nodes, NULL, COUNT(nodes));
	assert_int_equal(planned.result, 0);
	assert_int_equal(planned.plan.n_markers, 0);
	assert_true(planned.plan.is_leaf[0]);
	release(&planned);
	plan(&planned, NULL, NULL, 0);
	assert_int_equal(planned.result, JM_ENOTFOUND);
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
	assert_null(planned.plan.reads);
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
	assert_int_equal(ret_saved->n_nodes, planned->plan.n + planned->plan.n_markers);
}

static void expect_nodes(const struct jm_ort_saved *saved, const char *const *names)
{
	for (size_t i = 0; i < saved->n_nodes; i++) {
		struct jm_ort_piece name = saved->nodes[i].name;

		if (name.size != strlen(names[i]) ||
			memcmp(name.data, names[i], name.size) != 0)
			fail_msg("node %zu is '%.*s', not '%s'", i, (int)name.size, name.data,
				names[i]);
	}
}

/* Nodes as they were, then markers from the last to the first. */
static void test_write(void **state)
{
	static const char *const nodes[] = {"neg", "add", "abs", "joulemap-marker-4",
		"joulemap-marker-3", "joulemap-marker-2", "joulemap-marker-1",
		"joulemap-marker-0"};
	static const char *const reads[] = {"x", "a", "b", "b", "y"};
	struct planned planned;
	struct jm_ort_saved again;

	(void)state;
	plan(&planned, chain, NULL, COUNT(chain));
	read_again(&planned, &again);
	expect_nodes(&again, nodes);
	for (size_t i = 0; i < COUNT(reads); i++) {
		char name[64];

		snprintf(name, sizeof(name), "joulemap-marker-%zu", i);
		expect_reads(&again, name, 0, reads[i]);
	}
	expect_reads(&again, "add", 0, "a");
	expect_reads(&again, "add", 1, "w");
	jm_ort_saved_close(&again);
	release(&planned);
}

/* Nodes that have no name get that of their step. */
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
	expect_reads(&again, "Add", 1, "x");
	expect_reads(&again, "Mul", 2, "x");
	jm_ort_saved_close(&again);
	release(&planned);
}

/* What nothing waits for has its place among the markers. */
static void test_write_leaf(void **state)
{
	static const struct marker_unit_node nodes[] = {
		{"neg", "Neg", {"x"}, {"a"}, ONE, ONE},
		{"split", "SplitToSequence", {"a"}, {"s"}, ONE, NONE},
		{"add", "Add", {"a", "w"}, {"y"}, TWO, ONE},
	};
	static const char *const wanted[] = {"neg", "add", "joulemap-marker-3",
		"joulemap-marker-2", "split", "joulemap-marker-1", "joulemap-marker-0"};
	struct planned planned;
	struct jm_ort_saved again;

	(void)state;
	plan(&planned, nodes, NULL, COUNT(nodes));
	assert_int_equal(planned.plan.twin, 3);
	read_again(&planned, &again);
	expect_nodes(&again, wanted);
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
		cmocka_unit_test(test_write_leaf),
		cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
