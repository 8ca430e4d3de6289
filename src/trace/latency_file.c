/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Latency files have millions of pairs, so they are scanned by hand and in
 * pieces: memory holds the executions, never the text.
 */
#include "trace/latency_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"
#include "trace/clock_change.h"
#include "trace/json_text.h"
#include "trace/name_index.h"

#define DURATION_MAX_MS 3.6e6
#define TOKEN_MAX_BYTES ((size_t)1 << 16)
#define AT_END 256
#define SECOND_LENGTH 17 /* "YYYYmmdd-HH:MM:SS" */

struct scan {
	struct jm_reader *reader;
	struct jm_timeline *timeline;
	struct jm_civil_cache cache;
	char second_text[SECOND_LENGTH]; /* of the last stamp, and its time */
	int64_t second_ns;
	struct jm_clock_series clock;
	int64_t first_ns; /* first stamp of the layer before */
	int has_first;
	size_t line;
	size_t layer;
	struct jm_latency_notes notes;
	struct jm_error *reterr;
};

static int fail_at(const struct scan *scan, size_t position, const char *problem)
{
	return jm_fail(scan->reterr, JM_EFORMAT,
		"'%s' line %zu, byte %llu: %s; expected {\"layer\": [[milliseconds, "
		"\"YYYYmmdd-HH:MM:SS.ffffff\"], ...], ...}",
		scan->reader->path, scan->line,
		(unsigned long long)(scan->reader->offset + position + 1), problem);
}

static int fail_truncated(const struct scan *scan)
{
	return jm_fail(scan->reterr, JM_ETRUNCATED,
		"'%s' ends too early, at line %zu, byte %llu: the file was cut while it was "
		"written or copied; copy it again or measure again",
		scan->reader->path, scan->line,
		(unsigned long long)(scan->reader->offset + scan->reader->end));
}

/* Skips white space. Returns the next character (not taken), AT_END or < 0. */
static int next_character(struct scan *scan)
{
	struct jm_reader *reader = scan->reader;

	for (;;) {
		while (reader->position < reader->end) {
			unsigned char c = (unsigned char)reader->data[reader->position];

			if (c != ' ' && c != '\n' && c != '\r' && c != '\t')
				return c;
			scan->line += c == '\n';
			reader->position++;
		}
		int result = jm_reader_fill(reader, scan->reterr);

		if (result < 0)
			return result;
		if (result == 0)
			return AT_END;
	}
}

/* Takes the character `wanted` after white space. 0 or an error. */
static int take_character(struct scan *scan, char wanted, const char *problem)
{
	int c = next_character(scan);

	if (c < 0)
		return c;
	if (c == AT_END)
		return fail_truncated(scan);
	if (c != wanted)
		return fail_at(scan, scan->reader->position, problem);
	scan->reader->position++;
	return 0;
}

/*
 * Takes "]" or "}" (returns 0), or "," (returns 1) after white space.
 */
static int take_separator(struct scan *scan, char closing, const char *problem)
{
	int c = next_character(scan);

	if (c < 0)
		return c;
	if (c == AT_END)
		return fail_truncated(scan);
	if (c != closing && c != ',')
		return fail_at(scan, scan->reader->position, problem);
	scan->reader->position++;
	return c == ',';
}

/* ---- One pair ----------------------------------------------------------------- */

static const char *skip_white(const char *p, const char *end, size_t *lines)
{
	while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
		*lines += *p++ == '\n';
	return p;
}

/* Value of ".ffffff" at text, -1 where it has another form. */
static int64_t six_decimals_ns(const char *text)
{
	int64_t us = 0;

	if (text[0] != '.')
		return -1;
	for (int i = 1; i <= 6; i++) {
		if ((unsigned)(text[i] - '0') > 9)
			return -1;
		us = us * 10 + (text[i] - '0');
	}
	return us * JM_NS_PER_US;
}

/* jm_civil_scan() of stamps that mostly share their second. */
static size_t scan_stamp(struct scan *scan, const char *text, size_t length, int64_t *ret_ns)
{
	int64_t fraction_ns = -1;
	size_t n;

	if (length > JM_STAMP_TEXT_LENGTH && text[JM_STAMP_TEXT_LENGTH] == '"'
		&& memcmp(text, scan->second_text, SECOND_LENGTH) == 0)
		fraction_ns = six_decimals_ns(text + SECOND_LENGTH);
	if (fraction_ns >= 0) {
		*ret_ns = scan->second_ns + fraction_ns;
		return JM_STAMP_TEXT_LENGTH;
	}
	n = jm_civil_scan(text, length, &scan->cache, ret_ns);
	if (n && jm_civil_scan(text, SECOND_LENGTH, &scan->cache, &scan->second_ns))
		memcpy(scan->second_text, text, SECOND_LENGTH);
	return n;
}

/*
 * Scans "[milliseconds, "stamp"" at p[0..end), where *end is its ']'. Returns
 * NULL, or what is wrong at *ret_wrong.
 */
static const char *scan_pair(struct scan *scan, const char *p, const char *end,
	struct jm_execution *ret_execution, const char **ret_wrong)
{
	double ms = 0;
	size_t n;

	p = skip_white(p + 1, end, &scan->line);
	*ret_wrong = p;
	n = jm_text_scan_double(p, (size_t)(end - p), &ms);
	if (!n)
		return "the duration is not a number";
	if (!(ms >= 0 && ms <= DURATION_MAX_MS))
		return "the duration is not between 0 ms and an hour";
	ret_execution->duration_ms = ms;
	p = skip_white(p + n, end, &scan->line);
	*ret_wrong = p;
	if (p == end || *p != ',')
		return "a ',' is missing after the duration";
	p = skip_white(p + 1, end, &scan->line);
	*ret_wrong = p;
	if (p == end || *p != '"')
		return "the time stamp is missing";
	p++;
	n = scan_stamp(scan, p, (size_t)(end - p), &ret_execution->stamp_ns);
	if (!n || p + n == end || p[n] != '"')
		return "the time stamp is not of the form \"YYYYmmdd-HH:MM:SS.ffffff\"";
	p = skip_white(p + n + 1, end, &scan->line);
	*ret_wrong = p;
	return p == end ? NULL : "a ']' is missing after the time stamp";
}

/* Makes a whole pair visible: *ret_end is its ']'. 0 or an error. */
static int find_pair_end(struct scan *scan, const char **ret_end)
{
	struct jm_reader *reader = scan->reader;
	size_t seen = 0;

	for (;;) {
		size_t available = reader->end - reader->position;
		const char *begin = reader->data + reader->position;
		int result;

		*ret_end = memchr(begin + seen, ']', available - seen);
		if (*ret_end)
			return 0;
		seen = available;
		if (seen > TOKEN_MAX_BYTES)
			return fail_at(scan, reader->position, "a pair does not end");
		result = jm_reader_fill(reader, scan->reterr);
		if (result < 0)
			return result;
		if (result == 0)
			return fail_truncated(scan);
	}
}

static int fail_order(const struct scan *scan, int64_t stamp_ns)
{
	return jm_fail(scan->reterr, JM_EFORMAT,
		"'%s' line %zu: time runs back by %.6f s in cycle %zu of layer '%.100s'; the "
		"clock was set during the run: measure again",
		scan->reader->path, scan->line,
		(double)(scan->clock.previous_ns - stamp_ns) * 1e-9, scan->clock.stamps + 1,
		scan->timeline->layers[scan->layer].name);
}

/* Each layer is a series of its own, beginning beside the layer before. */
static int continue_clock(struct scan *scan, int64_t *stamp_ns)
{
	if (scan->clock.stamps)
		return jm_clock_continue(&scan->clock, stamp_ns);
	jm_clock_begin(&scan->clock, scan->has_first ? &scan->first_ns : NULL, stamp_ns);
	scan->first_ns = *stamp_ns;
	scan->has_first = 1;
	return 0;
}

static int take_pair(struct scan *scan)
{
	struct jm_reader *reader = scan->reader;
	struct jm_execution execution = {0, 0};
	const char *end, *wrong, *problem;
	int result = find_pair_end(scan, &end);

	if (result < 0)
		return result;
	problem = scan_pair(scan, reader->data + reader->position, end, &execution, &wrong);
	if (problem)
		return fail_at(scan, (size_t)(wrong - reader->data), problem);
	if (continue_clock(scan, &execution.stamp_ns) < 0)
		return fail_order(scan, execution.stamp_ns);
	reader->position = (size_t)(end + 1 - reader->data);
	return jm_timeline_append(scan->timeline, scan->layer, execution, scan->reterr);
}

/* ---- One layer ---------------------------------------------------------------- */

/* Makes a whole string visible; the reader stands behind its first quote. */
static int find_string_end(struct scan *scan, size_t *ret_length)
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
		if (i > TOKEN_MAX_BYTES)
			return fail_at(scan, reader->position, "a name does not end");
		result = jm_reader_fill(reader, scan->reterr);
		if (result < 0)
			return result;
		if (result == 0)
			return fail_truncated(scan);
	}
}

static int take_name(struct scan *scan)
{
	size_t length = 0;
	const char *problem;
	char *name;
	int result = take_character(scan, '"', "a layer name in quotes is missing");

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
		result = fail_at(scan, scan->reader->position, text);
	} else {
		scan->reader->position += length + 1;
		result = jm_timeline_add_layer(scan->timeline, name, NULL, scan->reterr);
	}
	free(name);
	return result < 0 ? result : 0;
}

static void note_series(struct scan *scan)
{
	struct jm_latency_notes *notes = &scan->notes;

	if (!scan->clock.shift_ns)
		return;
	notes->clock_changes++;
	if (llabs(scan->clock.shift_ns) > llabs(notes->clock_shift_ns))
		notes->clock_shift_ns = scan->clock.shift_ns;
}

static int take_pairs(struct scan *scan)
{
	int c, more = 1, result = take_character(scan, '[', "a '[' is missing after the name");

	if (result < 0)
		return result;
	c = next_character(scan);
	if (c == ']') {
		scan->reader->position++;
		return 0;
	}
	memset(&scan->clock, 0, sizeof(scan->clock));
	while (more > 0) {
		c = next_character(scan);
		if (c < 0)
			return c;
		if (c == AT_END)
			return fail_truncated(scan);
		if (c != '[')
			return fail_at(scan, scan->reader->position,
				"a pair [milliseconds, \"stamp\"] is missing");
		result = take_pair(scan);
		if (result < 0)
			return result;
		more = take_separator(scan, ']', "a ',' or ']' is missing after a pair");
	}
	note_series(scan);
	return more;
}

/* Takes one layer and what follows it. Returns 1 when there is another one. */
static int take_layer(struct scan *scan)
{
	int result = take_name(scan);

	if (result < 0)
		return result;
	scan->layer = scan->timeline->n_layers - 1;
	result = take_character(scan, ':', "a ':' is missing after the name");
	if (result < 0)
		return result;
	result = take_pairs(scan);
	if (result < 0)
		return result;
	return take_separator(scan, '}', "a ',' or '}' is missing after a layer");
}

static int take_layers(struct scan *scan)
{
	int c, more = 1, result = take_character(scan, '{', "no JSON object begins");

	if (result < 0)
		return result;
	c = next_character(scan);
	if (c == '}') {
		scan->reader->position++;
		more = 0;
	}
	while (more > 0)
		more = take_layer(scan);
	if (more < 0)
		return more;
	c = next_character(scan);
	if (c == AT_END)
		return 0;
	return c < 0 ? c : fail_at(scan, scan->reader->position, "text follows the data");
}

/* ---- The whole file ----------------------------------------------------------- */

/*
 * A name that is written twice: the later value counts, in the place of the
 * first, as JSON readers of scripting languages have it.
 */
static int merge_repeated(struct jm_timeline *timeline, struct jm_latency_notes *notes,
	struct jm_error *reterr)
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

static int finish(struct scan *scan)
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

int jm_latency_read_from(struct jm_reader *reader, struct jm_timeline *timeline,
	struct jm_latency_notes *ret_notes, struct jm_error *reterr)
{
	struct scan scan = {
		.reader = reader, .timeline = timeline, .line = 1, .reterr = reterr};
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

int jm_latency_read(const char *path, struct jm_timeline *timeline,
	struct jm_latency_notes *ret_notes, struct jm_error *reterr)
{
	struct jm_reader reader;
	int result;

	jm_timeline_init(timeline);
	result = jm_reader_open(&reader, path, reterr);
	if (result < 0)
		return result;
	result = jm_latency_read_from(&reader, timeline, ret_notes, reterr);
	jm_reader_close(&reader);
	return result;
}
