/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening engines in tests. Tests of an engine whose runtime is missing fail,
 * unless JOULEMAP_TEST_WITHOUT_ORT=1 says that this is meant: then they skip.
 */
#ifndef JM_TESTS_ENGINE_UNIT_H
#define JM_TESTS_ENGINE_UNIT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "engines/registry.h"

#define MODEL(name) (JM_TEST_DATA "/models/" name ".onnx")

/* An engine with a model open. */
struct engine_unit {
	const struct jm_engine_ops *ops;
	struct jm_model model;
	struct jm_engine_options options;
	struct jm_engine_info info;
	struct jm_error error;
	void *state;
	const struct jm_graph *graph;
};

static inline void engine_unit_require(const struct jm_engine_ops *ops)
{
	struct jm_engine_options options = {
		.optimization_level = -1, .now_ns = jm_clock_monotonic_ns};
	struct jm_engine_info info;
	struct jm_error error;
	const char *without = getenv("JOULEMAP_TEST_WITHOUT_ORT");

	if (ops->probe(&options, &info, &error) == 0)
		return;
	if (without && strcmp(without, "1") == 0)
		skip();
	fail_msg("engine '%s' cannot be tested: %s (JOULEMAP_TEST_WITHOUT_ORT=1 skips)",
		ops->name, error.message);
}

static inline void engine_unit_init(
	struct engine_unit *unit, const struct jm_engine_ops *ops, const char *path)
{
	memset(unit, 0, sizeof(*unit));
	unit->ops = ops;
	unit->model.path = path;
	unit->options = (struct jm_engine_options){.model = &unit->model,
		.optimization_level = -1,
		.threads = 1,
		.seed = 1,
		.now_ns = jm_clock_monotonic_ns};
	unit->state = calloc(1, ops->state_size);
	assert_non_null(unit->state);
}

/* Opens; a failure fails the test with its message. */
static inline void engine_unit_open(struct engine_unit *unit)
{
	if (unit->ops->open(unit->state, &unit->options, &unit->info, &unit->error) < 0)
		fail_msg("%s", unit->error.message);
	unit->graph = unit->ops->graph(unit->state);
	assert_non_null(unit->graph);
}

static inline void engine_unit_close(struct engine_unit *unit)
{
	unit->ops->close(unit->state);
	free(unit->state);
	unit->state = NULL;
}

/* Expects open to fail with `code` and a one-line message that has `text`. */
static inline void engine_unit_expect_failure(
	struct engine_unit *unit, int code, const char *text)
{
	int result = unit->ops->open(unit->state, &unit->options, &unit->info, &unit->error);

	if (result != code || unit->error.code != code || !strstr(unit->error.message, text))
		fail_msg("expected %s with \"%s\", got %s: %s", jm_code_name(code), text,
			jm_code_name(result), unit->error.message);
	assert_null(strchr(unit->error.message, '\n'));
	engine_unit_close(unit);
}

/* Index of a layer by name; fails the test when there is none. */
static inline size_t engine_unit_layer(const struct engine_unit *unit, const char *name)
{
	for (size_t i = 0; i < unit->graph->n_layers; i++)
		if (strcmp(unit->graph->layers[i].name, name) == 0)
			return i;
	for (size_t i = 0; i < unit->graph->n_layers; i++)
		fprintf(stderr, "has %s (%s)\n", unit->graph->layers[i].name,
			unit->graph->layers[i].type);
	fail_msg("no layer '%s'", name);
	return 0;
}

#endif
