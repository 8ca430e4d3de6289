/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Latency files have millions of pairs, so they are scanned by hand and in
 * pieces: memory holds the executions, never the text.
 */
#include "formats/latency_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "base/text_kind.h"
#include "data/name_index.h"
#include "formats/json_text.h"
#include "formats/latency_scan.h"

/* ---- One layer ---------------------------------------------------------------- */

/* Makes a whole string visible; the reader stands behind its first quote. */
static int find_string_end(struct jm_latency_scan *scan, size_t *ret_length)
{
	struct jm_reader *reader = scan->reader;
	size_t i = 0;

	for (;;) {
		const char *text = reader->data + reader->position;
		size_t available = reader->end - reader->position;
		int result;

		while (i < available && text[i] != '"')
			i += text[i] == '\\' ? 2 : 1;
		if (i < available) {
			*ret_length = i;
			return 0;
		}
		if (i > JM_LATENCY_TOKEN_MAX)
			return jm_latency_fail_at(
				scan, reader->position, "a name does not end");
		result = jm_reader_fill(reader, scan->reterr);
		if (result < 0)
			return result;
		if (result == 0)
			return jm_latency_fail_truncated(scan);
	}
}

static int take_name(struct jm_latency_scan *scan)
{
	size_t length = 0;
	const char *problem;
	char *name;
	int result = jm_latency_take(scan, '"', "a layer name in quotes is missing");

	if (result < 0)
		return result;
	result = find_string_end(scan, &length);
	if (result < 0)
		return result;
	name = malloc(length + 1);
	if (!name)
		return jm_fail_memory(scan->reterr, "a layer name");
	problem = jm_json_unescape(scan->reader->data + scan->reader->position, length, name);
	if (problem) {
		char text[64];

		jm_text_copy(text, sizeof(text), "a layer name ");
		jm_text_copy(text + strlen(text), sizeof(text) - strlen(text), problem);
		result = jm_latency_fail_at(scan, scan->reader->position, text);
	} else {
		scan->reader->position += length + 1;
		result = jm_timeline_add_layer(scan->timeline, name, NULL, scan->reterr);
	}
	free(name);
	return result < 0 ? result : 0;
}

/* Takes one layer and what follows it. Returns 1 when there is another one. */
static int take_layer(struct jm_latency_scan *scan)
{
	int result = take_name(scan);

	if (result < 0)
		return result;
	scan->layer = scan->timeline->n_layers - 1;
	result = jm_latency_take(scan, ':', "a ':' is missing after the name");
	if (result < 0)
		return result;
	result = jm_latency_take_pairs(scan);
	if (result < 0)
		return result;
	return jm_latency_take_separator(scan, '}', "a ',' or '}' is missing after a layer");
}

static int take_layers(struct jm_latency_scan *scan)
{
	int c, more = 1, result = jm_latency_take(scan, '{', "no JSON object begins");

	if (result < 0)
		return result;
	c = jm_latency_next(scan);
	if (c == '}') {
		scan->reader->position++;
		more = 0;
	}
	while (more > 0)
		more = take_layer(scan);
	if (more < 0)
		return more;
	c = jm_latency_next(scan);
	if (c == JM_LATENCY_AT_END)
		return 0;
	return c < 0 ? c
		     : jm_latency_fail_at(
			       scan, scan->reader->position, "text follows the data");
}

/* ---- The whole file ----------------------------------------------------------- */

/*
 * A name that is written twice: the later value counts, in the place of the
 * first, as JSON readers of scripting languages have it.
 */
static int merge_repeated(
	struct jm_timeline *timeline, struct jm_latency_notes *notes, struct jm_error *reterr)
{
	struct jm_name_index index;
	size_t kept = 0;
	int result = jm_name_index_init(&index, timeline, reterr);

	if (result < 0)
		return result;
	for (size_t i = 0; i + 1 < index.n_entries; i++) {
		struct jm_named *own = &index.entries[i], *next = own + 1;
		struct jm_layer *layers = timeline->layers;
		struct jm_layer first = layers[own->index];

		if (strcmp(own->name, next->name) != 0)
			continue;
		/* The later layer moves forward, the emptied one is dropped below. */
		layers[own->index] = layers[next->index];
		layers[next->index] = first;
		free(first.name);
		layers[next->index].name = NULL;
		next->name = own->name = layers[own->index].name;
		next->index = own->index;
		notes->repeated_names++;
	}
	jm_name_index_release(&index);
	for (size_t i = 0; i < timeline->n_layers; i++) {
		struct jm_layer *layer = &timeline->layers[i];

		if (layer->name) {
			timeline->layers[kept++] = *layer;
			continue;
		}
		free(layer->type);
		free(layer->executions);
	}
	timeline->n_layers = kept;
	return 0;
}

static int finish(struct jm_latency_scan *scan)
{
	struct jm_timeline *timeline = scan->timeline;
	int result = merge_repeated(timeline, &scan->notes, scan->reterr);

	if (result < 0)
		return result;
	for (size_t i = 0; i < timeline->n_layers; i++) {
		size_t n = timeline->layers[i].n_executions;

		scan->notes.executions += n;
		if (n != timeline->layers[0].n_executions)
			scan->notes.unequal = 1;
	}
	if (scan->notes.executions)
		return 0;
	return jm_fail(scan->reterr, JM_EFORMAT,
		"'%s' holds no execution of any layer: the profiler was not on; measure again",
		scan->reader->path);
}

int jm_latency_read_steps(struct jm_reader *reader, struct jm_timeline *timeline,
	struct jm_latency_notes *ret_notes, struct jm_clock_steps *ret_steps,
	struct jm_error *reterr)
{
	struct jm_latency_scan scan = {.reader = reader,
		.timeline = timeline,
		.steps = ret_steps,
		.line = 1,
		.reterr = reterr};
	int result;

	jm_timeline_init(timeline);
	result = take_layers(&scan);
	if (result >= 0)
		result = finish(&scan);
	if (result < 0)
		jm_timeline_release(timeline);
	else if (ret_notes)
		*ret_notes = scan.notes;
	return result;
}

int jm_latency_read_from(struct jm_reader *reader, struct jm_timeline *timeline,
	struct jm_latency_notes *ret_notes, struct jm_error *reterr)
{
	return jm_latency_read_steps(reader, timeline, ret_notes, NULL, reterr);
}

int jm_latency_read_stepping(const char *path, struct jm_timeline *timeline,
	struct jm_latency_notes *ret_notes, struct jm_clock_steps *ret_steps,
	struct jm_error *reterr)
{
	struct jm_reader reader;
	int result;

	jm_timeline_init(timeline);
	result = jm_reader_open(&reader, path, reterr);
	if (result < 0)
		return result;
	result = jm_latency_read_steps(&reader, timeline, ret_notes, ret_steps, reterr);
	jm_reader_close(&reader);
	return result;
}

int jm_latency_read(const char *path, struct jm_timeline *timeline,
	struct jm_latency_notes *ret_notes, struct jm_error *reterr)
{
	return jm_latency_read_stepping(path, timeline, ret_notes, NULL, reterr);
}
