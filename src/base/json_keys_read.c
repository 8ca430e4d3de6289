/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json_keys_place.h"
#include "base/text.h"

#define WHERE_MAX 256

/* Where a value stands: the file, the way to its object, its key. */
struct spot {
	const char *file;
	const char *where;
	const struct jm_key *key;
};

static int refuse(const struct spot *spot, const char *expected, struct jm_error *reterr)
{
	return jm_fail(reterr, JM_EFORMAT, "'%s': '%s%s%s' is not %s", spot->file, spot->where,
		spot->where[0] ? "." : "", spot->key->name, expected);
}

static int refuse_range(const struct spot *spot, struct jm_error *reterr)
{
	char expected[96];

	snprintf(expected, sizeof(expected), "a number from %.12g to %.12g", spot->key->min,
		spot->key->max);
	return refuse(spot, expected, reterr);
}

static int read_text(
	const struct spot *spot, const json_t *json, void *object, struct jm_error *reterr)
{
	const char *text = json_string_value(json);
	char expected[64];

	if (!text)
		return refuse(spot, "a text", reterr);
	if (strlen(text) >= spot->key->size) {
		snprintf(expected, sizeof(expected), "a text of less than %zu bytes",
			spot->key->size);
		return refuse(spot, expected, reterr);
	}
	jm_text_copy(jm_key_place(spot->key, object), spot->key->size, text);
	return 0;
}

static int read_number(
	const struct spot *spot, const json_t *json, double *ret_value, struct jm_error *reterr)
{
	const char *text = json_string_value(json);
	double value = json_number_value(json);

	if (text && strcmp(text, "inf") == 0)
		value = (double)INFINITY;
	else if (text && strcmp(text, "-inf") == 0)
		value = -(double)INFINITY;
	else if (!json_is_number(json))
		return refuse(spot, "a number", reterr);
	if (!(value >= spot->key->min && value <= spot->key->max))
		return refuse_range(spot, reterr);
	*ret_value = value;
	return 0;
}

static int read_integer(const struct spot *spot, const json_t *json, int64_t *ret_value,
	struct jm_error *reterr)
{
	int64_t value = json_integer_value(json);

	if (!json_is_integer(json))
		return refuse(spot, "a whole number", reterr);
	if (!jm_key_in_range(spot->key, value))
		return refuse_range(spot, reterr);
	*ret_value = value;
	return 0;
}

/* By name, or by number as earlier versions wrote it. */
static int read_name(
	const struct spot *spot, const json_t *json, void *object, struct jm_error *reterr)
{
	const struct jm_key *key = spot->key;
	const char *text = json_string_value(json);
	json_int_t number = json_is_integer(json) ? json_integer_value(json) : -1;
	char expected[200] = "one of ";

	for (size_t i = 0; i < key->n_names; i++) {
		size_t used = strlen(expected);

		if (!key->names[i])
			continue;
		if ((text && strcmp(text, key->names[i]) == 0) || number == (json_int_t)i) {
			*(int *)jm_key_place(key, object) = (int)i;
			return 0;
		}
		snprintf(expected + used, sizeof(expected) - used, "%s%s",
			used > strlen("one of ") ? ", " : "", key->names[i]);
	}
	return refuse(spot, expected, reterr);
}

static int read_array(
	const struct spot *spot, const json_t *json, void *object, struct jm_error *reterr)
{
	const struct jm_key *key = spot->key;
	int64_t *integers = jm_key_place(key, object);
	double *numbers = jm_key_place(key, object);
	size_t n = json_array_size(json), most = key->size / sizeof(double);
	int result = 0;

	if (!json_is_array(json) || n > most || (key->kind == JM_KIND_NUMBERS && n != most))
		return refuse(spot, "a list of that many numbers", reterr);
	for (size_t i = 0; i < n && result == 0; i++) {
		const json_t *value = json_array_get(json, i);

		if (key->kind == JM_KIND_INTEGERS)
			result = read_integer(spot, value, &integers[i], reterr);
		else if (!json_is_null(value))
			result = read_number(spot, value, &numbers[i], reterr);
	}
	if (key->kind == JM_KIND_INTEGERS && result == 0)
		*jm_key_count(key, object) = n;
	return result;
}

static void go_down(const struct spot *spot, const char *index, char ret_where[WHERE_MAX])
{
	snprintf(ret_where, WHERE_MAX, "%.180s%s%s%s", spot->where, spot->where[0] ? "." : "",
		spot->key->name, index);
}

static int read_list(
	const struct spot *spot, const json_t *json, void *object, struct jm_error *reterr)
{
	const struct jm_key *key = spot->key;
	size_t n = json_array_size(json);
	char where[WHERE_MAX], index[32];
	char *list;
	int result = 0;

	if (!json_is_array(json) || (double)n > key->max)
		return refuse(spot, "a list of objects", reterr);
	if (!n)
		return 0;
	list = calloc(n, key->keys->size);
	if (!list)
		return jm_fail_memory(reterr, key->name);
	memcpy(jm_key_place(key, object), &list, sizeof(list));
	for (size_t i = 0; i < n && result == 0; i++) {
		jm_keys_init(key->keys, list + i * key->keys->size);
		*jm_key_count(key, object) = i + 1;
		snprintf(index, sizeof(index), "[%zu]", i);
		go_down(spot, index, where);
		result = jm_keys_read(key->keys, json_array_get(json, i), spot->file, where,
			list + i * key->keys->size, reterr);
	}
	return result;
}

static int read_open(
	const struct spot *spot, const json_t *json, void *object, struct jm_error *reterr)
{
	if (!json_is_object(json))
		return refuse(spot, "an object", reterr);
	/* Shared, and nobody writes into it. */
	*(json_t **)jm_key_place(spot->key, object) = json_incref((json_t *)(uintptr_t)json);
	return 0;
}

static int read_one(
	const struct spot *spot, const json_t *json, void *object, struct jm_error *reterr)
{
	const struct jm_key *key = spot->key;
	char where[WHERE_MAX];
	int64_t integer = 0;
	int result;

	switch (key->kind) {
	case JM_KIND_TEXT:
		return read_text(spot, json, object, reterr);
	case JM_KIND_NUMBER:
		return read_number(spot, json, jm_key_place(key, object), reterr);
	case JM_KIND_INTEGER:
		result = read_integer(spot, json, &integer, reterr);
		if (result == 0)
			jm_key_put_integer(key, object, integer);
		return result;
	case JM_KIND_BOOL:
		if (!json_is_boolean(json))
			return refuse(spot, "true or false", reterr);
		*(int *)jm_key_place(key, object) = json_is_true(json);
		return 0;
	case JM_KIND_NAME:
		return read_name(spot, json, object, reterr);
	case JM_KIND_INTEGERS:
	case JM_KIND_NUMBERS:
		return read_array(spot, json, object, reterr);
	case JM_KIND_OPEN:
		return read_open(spot, json, object, reterr);
	case JM_KIND_OBJECT:
		go_down(spot, "", where);
		return jm_keys_read(
			key->keys, json, spot->file, where, jm_key_place(key, object), reterr);
	case JM_KIND_LIST:
		return read_list(spot, json, object, reterr);
	}
	return JM_EINVAL;
}

int jm_keys_read(const struct jm_keys *keys, const json_t *json, const char *file,
	const char *where, void *object, struct jm_error *reterr)
{
	if (!json_is_object(json))
		return jm_fail(reterr, JM_EFORMAT, "'%s': '%s' is not an object", file, where);
	for (size_t i = 0; i < keys->n; i++) {
		struct spot spot = {file, where, &keys->key[i]};
		const json_t *value = json_object_get(json, keys->key[i].name);
		int result;

		if (!value || json_is_null(value))
			continue;
		result = read_one(&spot, value, object, reterr);
		if (result < 0)
			return result;
	}
	return 0;
}
