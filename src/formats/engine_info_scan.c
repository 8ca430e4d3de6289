/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/engine_info_scan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "base/text_kind.h"
#include "formats/json_text.h"

/* What stands at a place: a key's value, or an element. */
struct piece {
	const char *begin;
	size_t length;
};

struct scan {
	const char *name;
	const char *begin, *at, *end;
	jm_engine_info_fn *layer;
	void *context;
	int found; /* an array "Layers" */
	struct jm_error *reterr;
};

static int fail(const struct scan *scan, const char *problem)
{
	size_t line = 1;

	for (const char *c = scan->begin; c < scan->at; c++)
		line += *c == '\n';
	return jm_fail(scan->reterr, JM_EFORMAT, "'%s' line %zu: %s", scan->name, line,
		scan->at == scan->end ? "the text ends too early" : problem);
}

/* The next character that is no white space, '\0' at the end. */
static char next(struct scan *scan)
{
	while (scan->at < scan->end && strchr(" \t\r\n", *scan->at) && *scan->at)
		scan->at++;
	return scan->at < scan->end ? *scan->at : '\0';
}

/* ---- Values that nobody needs -------------------------------------------------- */

/* Of any bytes, up to the quote that no backslash precedes. */
static int skip_string(struct scan *scan, struct piece *ret_piece)
{
	ret_piece->begin = ++scan->at;
	while (scan->at < scan->end && *scan->at != '"')
		scan->at += *scan->at == '\\' && scan->at + 1 < scan->end ? 2 : 1;
	if (scan->at == scan->end)
		return fail(scan, "a text does not end");
	ret_piece->length = (size_t)(scan->at++ - ret_piece->begin);
	return 0;
}

/* A number or word, whatever it says. */
static int skip_word(struct scan *scan)
{
	const char *begin = scan->at;

	while (scan->at < scan->end && !strchr(",:]}[{\"", *scan->at) &&
		(unsigned char)*scan->at > ' ')
		scan->at++;
	return scan->at > begin ? 0 : fail(scan, "a value is missing");
}

/* An object or array with all that is in it. */
static int skip_nested(struct scan *scan)
{
	struct piece piece;
	size_t depth = 0;

	do {
		char c = next(scan);
		int result = 0;

		if (!c)
			return fail(scan, "a value does not end");
		if (c == '"') {
			result = skip_string(scan, &piece);
		} else {
			depth += c == '[' || c == '{';
			depth -= c == ']' || c == '}';
			scan->at++;
		}
		if (result < 0)
			return result;
	} while (depth);
	return 0;
}

/* Any value, and where it stood. */
static int skip_value(struct scan *scan, struct piece *ret_piece)
{
	char c = next(scan);
	struct piece text;
	int result;

	ret_piece->begin = scan->at;
	if (c == '"')
		result = skip_string(scan, &text);
	else if (c == '{' || c == '[')
		result = skip_nested(scan);
	else
		result = skip_word(scan);
	ret_piece->length = (size_t)(scan->at - ret_piece->begin);
	return result;
}

/* ---- Members of objects and arrays ----------------------------------------------- */

/*
 * Goes to the next member: 1 when there is one, 0 behind the closing character.
 * `first` is 1 before the first member; a comma behind the last one is nothing.
 */
static int go_on(struct scan *scan, char closing, int first)
{
	char c = next(scan);

	if (!first && c != closing) {
		if (c != ',')
			return fail(scan, "a ',' is missing between two values");
		scan->at++;
		c = next(scan);
	}
	if (c != closing)
		return c ? 1 : fail(scan, "a ']' or '}' is missing");
	scan->at++;
	return 0;
}

/* A key and its colon. */
static int take_key(struct scan *scan, struct piece *ret_key)
{
	int result = next(scan) == '"' ? skip_string(scan, ret_key)
				       : fail(scan, "a name in quotes is missing");

	if (result == 0 && next(scan) != ':')
		result = fail(scan, "a ':' is missing after a name");
	scan->at += result == 0;
	return result;
}

static int is_key(const struct piece *key, const char *name)
{
	return key->length == strlen(name) && memcmp(key->begin, name, key->length) == 0;
}

/* ---- One layer ---------------------------------------------------------------------- */

/* Heap copy of a string with its quotes, NULL where it is no string. 0 or JM_ENOMEM. */
static int take_text(const struct scan *scan, const struct piece *piece, char **ret_text)
{
	if (!piece->length || piece->begin[0] != '"')
		return 0;
	free(*ret_text);
	*ret_text = malloc(JM_JSON_MEND_MAX(piece->length));
	if (!*ret_text)
		return jm_fail_memory(scan->reterr, "the name of a layer");
	jm_json_mend(piece->begin + 1, piece->length - 2, *ret_text);
	return 0;
}

static void take_number(const struct piece *piece, double *ret_value)
{
	double value;

	if (jm_text_scan_double(piece->begin, piece->length, &value) == piece->length &&
		piece->length && isfinite(value))
		*ret_value = value;
}

static int take_member(const struct scan *scan, const struct piece *key,
	const struct piece *value, struct jm_engine_info_layer *layer, char *texts[2])
{
	if (is_key(key, "Name"))
		return take_text(scan, value, &texts[0]);
	if (is_key(key, "LayerType"))
		return take_text(scan, value, &texts[1]);
	if (is_key(key, "MACs"))
		take_number(value, &layer->macs);
	else if (is_key(key, "Parameters"))
		take_number(value, &layer->parameters);
	else if (is_key(key, "BytesMoved"))
		take_number(value, &layer->bytes);
	return 0;
}

static int take_object(struct scan *scan, struct jm_engine_info_layer *layer, char *texts[2])
{
	struct piece key, value;
	int first = 1, more;

	scan->at++;
	while ((more = go_on(scan, '}', first)) > 0) {
		int result = take_key(scan, &key);

		if (result == 0)
			result = skip_value(scan, &value);
		if (result == 0)
			result = take_member(scan, &key, &value, layer, texts);
		if (result < 0)
			return result;
		first = 0;
	}
	return more;
}

/* An object, or the name alone. */
static int take_layer(struct scan *scan)
{
	struct jm_engine_info_layer layer = {NULL, NULL, (double)NAN, (double)NAN, (double)NAN};
	struct piece piece;
	char *texts[2] = {NULL, NULL};
	int result;

	if (next(scan) == '{') {
		result = take_object(scan, &layer, texts);
	} else {
		result = skip_value(scan, &piece);
		if (result == 0)
			result = take_text(scan, &piece, &texts[0]);
	}
	layer.name = texts[0];
	layer.type = texts[1];
	if (result == 0)
		result = scan->layer(scan->context, &layer, scan->reterr);
	free(texts[0]);
	free(texts[1]);
	return result;
}

/* ---- The file ------------------------------------------------------------------------ */

static int take_layers(struct scan *scan)
{
	int first = 1, more;

	scan->found = 1;
	scan->at++;
	while ((more = go_on(scan, ']', first)) > 0) {
		int result = take_layer(scan);

		if (result < 0)
			return result;
		first = 0;
	}
	return more;
}

static int take_file(struct scan *scan)
{
	struct piece key, value;
	int first = 1, more;

	if (next(scan) != '{')
		return fail(scan, "no JSON object begins");
	scan->at++;
	while ((more = go_on(scan, '}', first)) > 0) {
		int result = take_key(scan, &key);

		if (result == 0)
			result = is_key(&key, "Layers") && next(scan) == '['
					 ? take_layers(scan)
					 : skip_value(scan, &value);
		if (result < 0)
			return result;
		first = 0;
	}
	return more;
}

int jm_engine_info_scan(const char *name, const char *text, size_t size,
	jm_engine_info_fn *layer, void *context, struct jm_error *reterr)
{
	struct scan scan = {.name = name,
		.begin = text,
		.at = text,
		.end = text + size,
		.layer = layer,
		.context = context,
		.reterr = reterr};
	int result = jm_text_begin(name, text, size, reterr);

	if (result < 0)
		return result;
	scan.at += result;
	result = take_file(&scan);
	if (result < 0 || scan.found)
		return result;
	return jm_fail(reterr, JM_EFORMAT,
		"'%s' has no array \"Layers\": give a trt_engine_info.json", name);
}
