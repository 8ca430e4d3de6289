/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_keys.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_keys_place.h"
#include "base/text.h"

/* ---- Begin and end ------------------------------------------------------------- */

static void init_one(const struct jm_key *key, void *object)
{
	double *numbers = jm_key_place(key, object);

	switch (key->kind) {
	case JM_KIND_NUMBER:
		*numbers = (double)NAN;
		break;
	case JM_KIND_NUMBERS:
		for (size_t i = 0; i < key->size / sizeof(double); i++)
			numbers[i] = (double)NAN;
		break;
	case JM_KIND_INTEGER:
		jm_key_put_integer(key, object, key->unknown);
		break;
	case JM_KIND_BOOL:
		*(int *)jm_key_place(key, object) = (int)key->unknown;
		break;
	case JM_KIND_OBJECT:
		jm_keys_init(key->keys, jm_key_place(key, object));
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

	memcpy(&list, jm_key_place(key, object), sizeof(list));
	for (size_t i = 0; list && i < *jm_key_count(key, object); i++)
		jm_keys_release(key->keys, list + i * key->keys->size);
	free(list);
}

void jm_keys_release(const struct jm_keys *keys, void *object)
{
	for (size_t i = 0; i < keys->n; i++) {
		const struct jm_key *key = &keys->key[i];

		if (key->kind == JM_KIND_OPEN)
			json_decref(*(json_t **)jm_key_place(key, object));
		else if (key->kind == JM_KIND_OBJECT)
			jm_keys_release(key->keys, jm_key_place(key, object));
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
	const char *text = jm_key_const_place(key, object);
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
	const double *numbers = jm_key_const_place(key, object);
	const int64_t *integers = jm_key_const_place(key, object);
	int whole = key->kind == JM_KIND_INTEGERS, known = 0;
	size_t n = whole ? jm_key_const_count(key, object) : key->size / sizeof(double);
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
	size_t n = jm_key_const_count(key, object);
	json_t *array = n ? json_array() : json_null();
	const char *list;

	memcpy(&list, jm_key_const_place(key, object), sizeof(list));
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
	json_t *json = jm_keys_write(key->keys, jm_key_const_place(key, object));

	if (!json || json_object_size(json))
		return json;
	json_decref(json);
	return json_null();
}

static json_t *write_integer(const struct jm_key *key, const void *object)
{
	int64_t value = jm_key_get_integer(key, object);

	return value != key->unknown && jm_key_in_range(key, value) ? json_integer(value)
								    : json_null();
}

static json_t *write_name(const struct jm_key *key, const void *object)
{
	int value = *(const int *)jm_key_const_place(key, object);

	if (value < 0 || (size_t)value >= key->n_names || !key->names[value])
		return json_null();
	return json_string(key->names[value]);
}

/* null: unknown; NULL: out of memory. */
static json_t *write_one(const struct jm_key *key, const void *object)
{
	const int *truth = jm_key_const_place(key, object);
	json_t *const *open = jm_key_const_place(key, object);

	switch (key->kind) {
	case JM_KIND_TEXT:
		return write_text(key, object);
	case JM_KIND_NUMBER:
		return write_number(*(const double *)jm_key_const_place(key, object));
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
