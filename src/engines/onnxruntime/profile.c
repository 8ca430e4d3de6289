/* SPDX-License-Identifier: Apache-2.0 */
#include "engines/onnxruntime/profile.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

/* What follows a name, and the arguments that no name can spoil. */
#define BEHIND_NAME "\",\"args\""

/* A line of the file. Texts are borrowed from it. */
struct event {
	int is_node;
	int64_t begin_us, duration_us;
	const char *name;
	size_t name_length;
};

/* Nodes of the run that is being read; texts lie in `text`, by offset. */
struct pending {
	size_t name, line; /* offsets; line 0: not kept */
	int64_t begin_us, duration_us;
};

struct parser {
	size_t n_described;
	struct pending *pending; /* [n], owned */
	size_t n, capacity;
	char *text; /* [text_used], owned; offset 0 is never used */
	size_t text_used, text_capacity;
	/* First node of a nested graph whose outer node has not come yet. */
	size_t nested_from;
	int has_nested;
	size_t n_runs, n_events;
	struct jm_ort_profile_node *nodes; /* [nodes_capacity], owned */
	size_t nodes_capacity;
	jm_ort_profile_run_fn *run;
	void *context;
};

/* ---- A line ------------------------------------------------------------------------ */

/* What follows `key` in [from, end), or NULL. */
static const char *after(const char *from, const char *end, const char *key)
{
	const char *found = memmem(from, (size_t)(end - from), key, strlen(key));

	return found ? found + strlen(key) : NULL;
}

static const char *scan_number(const char *from, const char *end, const char *key, int64_t *ret)
{
	const char *at = from ? after(from, end, key) : NULL;
	double value;
	size_t n;

	while (at && at < end && (*at == ' ' || *at == ':'))
		at++;
	n = at ? jm_text_scan_double(at, (size_t)(end - at), &value) : 0;
	if (!n)
		return NULL;
	*ret = (int64_t)value;
	return at + n;
}

/*
 * The runtime writes one event per line with its keys in one order, the name
 * behind the numbers: so nothing inside a name can be taken for a key. It does
 * not escape names: what stands behind one tells where it ends.
 */
static int scan_line(const char *line, size_t length, struct event *ret_event)
{
	const char *end = line + length, *at = after(line, end, "\"cat\"");

	while (at && at < end && (*at == ' ' || *at == ':'))
		at++;
	ret_event->is_node = at && (size_t)(end - at) > 6 && memcmp(at, "\"Node\"", 6) == 0;
	at = scan_number(at, end, "\"dur\"", &ret_event->duration_us);
	at = scan_number(at, end, "\"ts\"", &ret_event->begin_us);
	at = at ? after(at, end, "\"name\"") : NULL;
	while (at && at < end && (*at == ' ' || *at == ':'))
		at++;
	if (!at || at == end || *at++ != '"')
		return -1;
	ret_event->name = at;
	at = memmem(at, (size_t)(end - at), BEHIND_NAME, strlen(BEHIND_NAME));
	if (!at)
		return -1;
	ret_event->name_length = (size_t)(at - ret_event->name);
	return 0;
}

static int is_named(const struct event *event, const char *name)
{
	return event->name_length == strlen(name) &&
	       memcmp(event->name, name, event->name_length) == 0;
}

static int is_kernel(const struct event *event)
{
	static const char ending[] = "_kernel_time";
	size_t n = sizeof(ending) - 1;

	return event->is_node && event->name_length > n &&
	       memcmp(event->name + event->name_length - n, ending, n) == 0;
}

/* ---- A run ------------------------------------------------------------------------- */

static int keep_text(struct parser *parser, const char *text, size_t length, size_t *ret_offset)
{
	if (!parser->text || parser->text_capacity - parser->text_used < length + 2) {
		size_t capacity = (parser->text_capacity + length) * 2 + 4096;
		char *grown = realloc(parser->text, capacity);

		if (!grown)
			return JM_ENOMEM;
		parser->text = grown;
		parser->text_capacity = capacity;
	}
	if (!parser->text_used)
		parser->text_used = 1;
	*ret_offset = parser->text_used;
	memcpy(parser->text + parser->text_used, text, length);
	parser->text[parser->text_used + length] = '\0';
	parser->text_used += length + 1;
	return 0;
}

/* Drops nodes that ran inside the graph of a node that has now ended. */
static void close_nested(struct parser *parser)
{
	if (parser->has_nested && parser->n > parser->nested_from)
		parser->n = parser->nested_from;
	parser->has_nested = 0;
}

static int add_node(
	struct parser *parser, const struct event *event, const char *line, size_t length)
{
	struct pending *node;

	close_nested(parser);
	if (parser->n == parser->capacity) {
		size_t capacity = parser->capacity ? parser->capacity * 2 : 256;
		struct pending *grown = realloc(parser->pending, capacity * sizeof(*grown));

		if (!grown)
			return JM_ENOMEM;
		parser->pending = grown;
		parser->capacity = capacity;
	}
	node = &parser->pending[parser->n];
	*node = (struct pending){0, 0, event->begin_us, event->duration_us};
	if (keep_text(parser, event->name, event->name_length, &node->name) < 0)
		return JM_ENOMEM;
	if (parser->n_runs < parser->n_described &&
		keep_text(parser, line, length, &node->line) < 0)
		return JM_ENOMEM;
	parser->n++;
	return 0;
}

/* An executor has ended: the nodes since its begin are its own. */
static void end_executor(struct parser *parser, const struct event *event)
{
	size_t from = parser->n;

	while (from && parser->pending[from - 1].begin_us >= event->begin_us)
		from--;
	if (!parser->has_nested || from < parser->nested_from)
		parser->nested_from = from;
	parser->has_nested = 1;
}

static int end_run(struct parser *parser, struct jm_error *reterr)
{
	int result;

	if (parser->n > parser->nodes_capacity) {
		struct jm_ort_profile_node *grown =
			realloc(parser->nodes, parser->n * sizeof(*grown));

		if (!grown)
			return jm_fail_memory(reterr, "a run of the profile");
		parser->nodes = grown;
		parser->nodes_capacity = parser->n;
	}
	for (size_t i = 0; i < parser->n; i++) {
		const struct pending *node = &parser->pending[i];

		parser->nodes[i] = (struct jm_ort_profile_node){parser->text + node->name,
			node->line ? parser->text + node->line : NULL, node->begin_us,
			node->duration_us};
	}
	result = parser->run(
		parser->context, parser->n_runs++, parser->nodes, parser->n, reterr);
	parser->n = 0;
	parser->text_used = 0;
	parser->has_nested = 0;
	return result;
}

static int take_line(
	struct parser *parser, const char *line, size_t length, struct jm_error *reterr)
{
	struct event event;

	if (!memchr(line, '{', length))
		return 0;
	parser->n_events++;
	if (scan_line(line, length, &event) < 0)
		return 0; /* torn, or nothing that we know */
	if (is_kernel(&event))
		return add_node(parser, &event, line, length) < 0
			       ? jm_fail_memory(reterr, "a run of the profile")
			       : 0;
	if (is_named(&event, "SequentialExecutor::Execute"))
		end_executor(parser, &event);
	else if (is_named(&event, "model_run"))
		return end_run(parser, reterr);
	return 0;
}

int jm_ort_profile_read(const char *path, size_t n_described, jm_ort_profile_run_fn *run,
	void *context, size_t *ret_n_events, struct jm_error *reterr)
{
	struct parser parser = {.n_described = n_described, .run = run, .context = context};
	struct jm_reader reader;
	const char *line;
	size_t length;
	int result = jm_reader_open(&reader, path, reterr);

	if (result < 0)
		return result;
	while ((result = jm_reader_line(&reader, &line, &length, reterr)) > 0) {
		result = take_line(&parser, line, length, reterr);
		if (result < 0)
			break;
	}
	jm_reader_close(&reader);
	free(parser.pending);
	free(parser.text);
	free(parser.nodes);
	*ret_n_events = parser.n_events;
	return result < 0 ? result : 0;
}

/* ---- What a node is ------------------------------------------------------------------ */

/* The arguments of a line: `{"cat" : ..., "name" :"...","args" : {...}},`. */
static json_t *load_arguments(const char *line)
{
	const char *from = strstr(line, BEHIND_NAME), *end = line + strlen(line);

	from = from ? strchr(from, '{') : NULL;
	while (end > line && end[-1] != '}')
		end--;
	return from && from < end ? json_loadb(from, (size_t)(end - 1 - from), 0, NULL) : NULL;
}

static const char *text_of(const json_t *arguments, const char *key)
{
	return json_string_value(json_object_get(arguments, key));
}

int jm_ort_profile_describe(const struct jm_ort_profile_node *node, struct jm_ort_steps *steps)
{
	json_t *arguments = load_arguments(node->line);
	const char *op = text_of(arguments, "op_name");
	char *inputs, *outputs;
	struct jm_ort_step_texts texts = {.event = node->name,
		.op = op ? op : "Unknown",
		.activation = text_of(arguments, "activation_size"),
		.parameter = text_of(arguments, "parameter_size"),
		.output = text_of(arguments, "output_size")};
	int result;

	if (!arguments)
		return JM_EFORMAT;
	inputs = json_dumps(json_object_get(arguments, "input_type_shape"), JSON_COMPACT);
	outputs = json_dumps(json_object_get(arguments, "output_type_shape"), JSON_COMPACT);
	texts.input_shapes = inputs;
	texts.output_shapes = outputs;
	result = jm_ort_steps_append(steps, &texts, 0);
	free(inputs);
	free(outputs);
	json_decref(arguments);
	return result;
}
