/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_keys.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

#define WHERE_MAX 256

static void *place(const struct jm_key *key, void *object)
{
	return (char *)object + key->offset;
}

static const void *const_place(const struct jm_key *key, const void *object)
{
	return (const char *)object + key->offset;
}

static size_t *count_of(const struct jm_key *key, void *object)
{
	return (size_t *)(void *)((char *)object + key->count_offset);
}

static size_t const_count_of(const struct jm_key *key, const void *object)
{
	return *(const size_t *)(const void *)((const char *)object + key->count_offset);
}

static void put_integer(const struct jm_key *key, void *object, int64_t value)
{
	if (key->size == sizeof(int64_t))
		memcpy(place(key, object), &value, sizeof(value));
	else
		*(int32_t *)place(key, object) = (int32_t)value;
}

static int64_t get_integer(const struct jm_key *key, const void *object)
{
	int64_t value;

	if (key->size != sizeof(int64_t))
		return *(const int32_t *)const_place(key, object);
	memcpy(&value, const_place(key, object), sizeof(value));
	return value;
}

static int in_range(const struct jm_key *key, int64_t value)
{
	return (double)value >= key->min && (double)value <= key->max;
}

/* ---- Begin and end ------------------------------------------------------------- */

static void init_one(const struct jm_key *key, void *object)
{
	double *numbers = place(key, object);

	switch (key->kind) {
	case JM_KIND_NUMBER:
		*numbers = (double)NAN;
		break;
	case JM_KIND_NUMBERS:
		for (size_t i = 0; i < key->size / sizeof(double); i++)
			numbers[i] = (double)NAN;
		break;
	case JM_KIND_INTEGER:
		put_integer(key, object, key->unknown);
		break;
	case JM_KIND_BOOL:
		*(int *)place(key, object) = (int)key->unknown;
		break;
	case JM_KIND_OBJECT:
		jm_keys_init(key->keys, place(key, object));
		break;
	default:
		break; /* zeroed */
	}
}

void jm_keys_init(const struct jm_keys *keys, void *object)
{
	memset(object, 0, keys->size);
	for (size_t i = 0; i < keys->n; i++)
		init_one(&keys->key[i], object);
}

static void release_list(const struct jm_key *key, void *object)
{
	char *list;

	memcpy(&list, place(key, object), sizeof(list));
	for (size_t i = 0; list && i < *count_of(key, object); i++)
		jm_keys_release(key->keys, list + i * key->keys->size);
	free(list);
}

void jm_keys_release(const struct jm_keys *keys, void *object)
{
	for (size_t i = 0; i < keys->n; i++) {
		const struct jm_key *key = &keys->key[i];

		if (key->kind == JM_KIND_OPEN)
			json_decref(*(json_t **)place(key, object));
		else if (key->kind == JM_KIND_OBJECT)
			jm_keys_release(key->keys, place(key, object));
		else if (key->kind == JM_KIND_LIST)
			release_list(key, object);
	}
	jm_keys_init(keys, object);
}

/* ---- Writing --------------------------------------------------------------------- */

/* Infinities exist in no JSON: texts. */
static json_t *write_number(double value)
{
	if (isnan(value))
		return json_null();
	return isinf(value) ? json_string(value > 0 ? "inf" : "-inf") : json_real(value);
}

static json_t *write_text(const struct jm_key *key, const void *object)
{
	const char *text = const_place(key, object);
	char *clean;
	json_t *value;

	if (!text[0])
		return json_null();
	clean = malloc(key->size); /* what is written can be read */
	if (!clean)
		return NULL;
	jm_text_sanitize(clean, key->size, text);
	value = json_string(clean);
	free(clean);
	return value;
}

static json_t *write_array(const struct jm_key *key, const void *object)
{
	const double *numbers = const_place(key, object);
	const int64_t *integers = const_place(key, object);
	int whole = key->kind == JM_KIND_INTEGERS, known = 0;
	size_t n = whole ? const_count_of(key, object) : key->size / sizeof(double);
	json_t *array = json_array();

	for (size_t i = 0; array && i < n; i++) {
		known |= whole || !isnan(numbers[i]);
		if (json_array_append_new(array,
			    whole ? json_integer(integers[i]) : write_number(numbers[i])) == 0)
			continue;
		json_decref(array);
		return NULL;
	}
	if (!array || known)
		return array;
	json_decref(array);
	return json_null();
}

static json_t *write_list(const struct jm_key *key, const void *object)
{
	size_t n = const_count_of(key, object);
	json_t *array = n ? json_array() : json_null();
	const char *list;

	memcpy(&list, const_place(key, object), sizeof(list));
	for (size_t i = 0; array && i < n; i++) {
		if (json_array_append_new(
			    array, jm_keys_write(key->keys, list + i * key->keys->size)) == 0)
			continue;
		json_decref(array);
		return NULL;
	}
	return array;
}

static json_t *write_object(const struct jm_key *key, const void *object)
{
	json_t *json = jm_keys_write(key->keys, const_place(key, object));

	if (!json || json_object_size(json))
		return json;
	json_decref(json);
	return json_null();
}

static json_t *write_integer(const struct jm_key *key, const void *object)
{
	int64_t value = get_integer(key, object);

	return value != key->unknown && in_range(key, value) ? json_integer(value)
							     : json_null();
}

static json_t *write_name(const struct jm_key *key, const void *object)
{
	int value = *(const int *)const_place(key, object);

	if (value < 0 || (size_t)value >= key->n_names || !key->names[value])
		return json_null();
	return json_string(key->names[value]);
}

/* null: unknown; NULL: out of memory. */
static json_t *write_one(const struct jm_key *key, const void *object)
{
	const int *truth = const_place(key, object);
	json_t *const *open = const_place(key, object);

	switch (key->kind) {
	case JM_KIND_TEXT:
		return write_text(key, object);
	case JM_KIND_NUMBER:
		return write_number(*(const double *)const_place(key, object));
	case JM_KIND_INTEGER:
		return write_integer(key, object);
	case JM_KIND_BOOL:
		return *truth < 0 ? json_null() : json_boolean(*truth);
	case JM_KIND_NAME:
		return write_name(key, object);
	case JM_KIND_INTEGERS:
	case JM_KIND_NUMBERS:
		return write_array(key, object);
	case JM_KIND_OPEN:
		return *open ? json_incref(*open) : json_null();
	case JM_KIND_OBJECT:
		return write_object(key, object);
	case JM_KIND_LIST:
		return write_list(key, object);
	}
	return NULL;
}

json_t *jm_keys_write(const struct jm_keys *keys, const void *object)
{
	json_t *json = json_object();

	for (size_t i = 0; json && i < keys->n; i++) {
		json_t *value = write_one(&keys->key[i], object);

		if (json_is_null(value))
			continue;
		if (value && json_object_set_new(json, keys->key[i].name, value) == 0)
			continue;
		json_decref(json);
		return NULL;
	}
	return json;
}

/* ---- Reading ----------------------------------------------------------------------- */

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
	jm_text_copy(place(spot->key, object), spot->key->size, text);
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
	if (!in_range(spot->key, value))
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
			*(int *)place(key, object) = (int)i;
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
	int64_t *integers = place(key, object);
	double *numbers = place(key, object);
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
		*count_of(key, object) = n;
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
	memcpy(place(key, object), &list, sizeof(list));
	for (size_t i = 0; i < n && result == 0; i++) {
		jm_keys_init(key->keys, list + i * key->keys->size);
		*count_of(key, object) = i + 1;
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
	*(json_t **)place(spot->key, object) = json_incref((json_t *)(uintptr_t)json);
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
		return read_number(spot, json, place(key, object), reterr);
	case JM_KIND_INTEGER:
		result = read_integer(spot, json, &integer, reterr);
		if (result == 0)
			put_integer(key, object, integer);
		return result;
	case JM_KIND_BOOL:
		if (!json_is_boolean(json))
			return refuse(spot, "true or false", reterr);
		*(int *)place(key, object) = json_is_true(json);
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
			key->keys, json, spot->file, where, place(key, object), reterr);
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
