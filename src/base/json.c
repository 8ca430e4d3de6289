/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "base/text_kind.h"

struct text {
	char *data;
	size_t used, capacity;
	int lost;
};

static int append(const char *piece, size_t size, void *context)
{
	struct text *text = context;
	char *data = jm_array_grow(text->data, &text->capacity, text->used + size + 1, 1);

	if (!data) {
		text->lost = 1;
		return -1;
	}
	text->data = data;
	memcpy(data + text->used, piece, size);
	text->used += size;
	data[text->used] = '\0';
	return 0;
}

char *jm_json_dump(const json_t *value, size_t flags)
{
	struct text text = {0};

	/* An embedded object without members has no text at all. */
	if (json_dump_callback(value, append, &text, flags) == 0 && append("", 0, &text) == 0 &&
		!text.lost)
		return text.data;
	free(text.data);
	return NULL;
}

json_t *jm_json_text(const char *text)
{
	size_t size;
	char *clean;
	json_t *value;

	if (!text)
		return json_null();
	size = jm_text_sanitize(NULL, 0, text) + 1;
	clean = malloc(size);
	if (!clean)
		return NULL;
	jm_text_sanitize(clean, size, text);
	value = json_string(clean);
	free(clean);
	return value;
}

json_t *jm_json_number(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

/* ---- Files ------------------------------------------------------------------ */

int jm_json_load(const char *file, const char *text, size_t size, json_t **ret_json,
	struct jm_error *reterr)
{
	json_error_t problem;
	int mark = jm_text_begin(file, text, size, reterr);

	*ret_json = NULL;
	if (mark < 0)
		return mark;
	*ret_json = json_loadb(text + mark, size - (size_t)mark, 0, &problem);
	if (*ret_json)
		return 0;
	return jm_fail(
		reterr, JM_EFORMAT, "'%s' line %d: %s", file, problem.line, problem.text);
}

int jm_json_parse(const char *file, const char *text, size_t size, json_t **ret_json,
	struct jm_error *reterr)
{
	json_t *json;
	int result = jm_json_load(file, text, size, &json, reterr);

	*ret_json = NULL;
	if (result < 0)
		return result;
	if (!json_is_object(json)) {
		json_decref(json);
		return jm_fail(reterr, JM_EFORMAT, "'%s' holds no JSON object", file);
	}
	*ret_json = json;
	return 0;
}

int jm_json_read(const char *file, size_t max_bytes, json_t **ret_json, struct jm_error *reterr)
{
	char *text;
	size_t size;
	int result = jm_file_read(file, max_bytes, &text, &size, reterr);

	*ret_json = NULL;
	if (result < 0)
		return result;
	result = jm_json_parse(file, text, size, ret_json, reterr);
	free(text);
	return result;
}

/* ---- Exact text ----------------------------------------------------------------- */

static void add(struct text *text, const char *piece)
{
	append(piece, strlen(piece), text);
}

static void add_line(struct text *text, size_t depth)
{
	add(text, "\n");
	for (size_t i = 0; i < depth; i++)
		add(text, "  ");
}

static void print_value(struct text *text, const json_t *value, size_t depth);

static void print_string(struct text *text, const json_t *value)
{
	if (!value || json_dump_callback(value, append, text, JSON_ENCODE_ANY) != 0)
		text->lost = 1;
}

static void print_object(struct text *text, const json_t *value, size_t depth)
{
	json_t *mutable_value = (json_t *)(uintptr_t)value; /* only walked */
	const char *separator = "", *key;
	json_t *member;

	add(text, "{");
	json_object_foreach(mutable_value, key, member)
	{
		json_t *name = json_string(key);

		add(text, separator);
		add_line(text, depth + 1);
		print_string(text, name);
		json_decref(name);
		add(text, ": ");
		print_value(text, member, depth + 1);
		separator = ",";
	}
	if (*separator)
		add_line(text, depth);
	add(text, "}");
}

/* Plain values stand in one line. */
static void print_array(struct text *text, const json_t *value, size_t depth)
{
	size_t n = json_array_size(value);
	int plain = 1;

	for (size_t i = 0; i < n; i++)
		plain &= !json_is_object(json_array_get(value, i)) &&
			 !json_is_array(json_array_get(value, i));
	add(text, "[");
	for (size_t i = 0; i < n; i++) {
		add(text, i ? plain ? ", " : "," : "");
		if (!plain)
			add_line(text, depth + 1);
		print_value(text, json_array_get(value, i), depth + 1);
	}
	if (!plain)
		add_line(text, depth);
	add(text, "]");
}

static void print_value(struct text *text, const json_t *value, size_t depth)
{
	char number[JM_DOUBLE_TEXT_MAX] = "";

	if (json_is_object(value))
		print_object(text, value, depth);
	else if (json_is_array(value))
		print_array(text, value, depth);
	else if (json_is_real(value))
		append(number, jm_text_format_double(json_real_value(value), number), text);
	else
		print_string(text, value);
}

char *jm_json_print(const json_t *value)
{
	struct text text = {0};

	print_value(&text, value, 0);
	add(&text, "\n");
	if (!text.lost)
		return text.data;
	free(text.data);
	return NULL;
}

json_t *jm_json_with_schema(int schema, json_t *taken)
{
	json_t *json = taken ? json_pack("{s:i}", "schema", schema) : NULL;

	if (json && json_object_update(json, taken) != 0) {
		json_decref(json);
		json = NULL;
	}
	json_decref(taken);
	return json;
}

char *jm_json_print_taken(json_t *taken)
{
	char *text = taken ? jm_json_print(taken) : NULL;

	json_decref(taken);
	return text;
}

double jm_json_get_number(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return json_is_number(value) ? json_number_value(value) : (double)NAN;
}
