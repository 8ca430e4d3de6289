/* SPDX-License-Identifier: Apache-2.0 */
/* Where the value of a key lies in its struct. */
#ifndef JM_BASE_JSON_KEYS_PLACE_H
#define JM_BASE_JSON_KEYS_PLACE_H

#include <string.h>

#include "base/json_keys.h"

static inline void *jm_key_place(const struct jm_key *key, void *object)
{
	return (char *)object + key->offset;
}

static inline const void *jm_key_const_place(const struct jm_key *key, const void *object)
{
	return (const char *)object + key->offset;
}

static inline size_t *jm_key_count(const struct jm_key *key, void *object)
{
	return (size_t *)(void *)((char *)object + key->count_offset);
}

static inline size_t jm_key_const_count(const struct jm_key *key, const void *object)
{
	return *(const size_t *)(const void *)((const char *)object + key->count_offset);
}

static inline void jm_key_put_integer(const struct jm_key *key, void *object, int64_t value)
{
	if (key->size == sizeof(int64_t))
		memcpy(jm_key_place(key, object), &value, sizeof(value));
	else
		*(int32_t *)jm_key_place(key, object) = (int32_t)value;
}

static inline int64_t jm_key_get_integer(const struct jm_key *key, const void *object)
{
	int64_t value;

	if (key->size != sizeof(int64_t))
		return *(const int32_t *)jm_key_const_place(key, object);
	memcpy(&value, jm_key_const_place(key, object), sizeof(value));
	return value;
}

static inline int jm_key_in_range(const struct jm_key *key, int64_t value)
{
	return (double)value >= key->min && (double)value <= key->max;
}

#endif
