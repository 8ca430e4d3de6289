/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A struct as a JSON object, both ways from one table of its keys. Unknown is
 * said in one way: the key is not there (null reads the same), and the field
 * holds what the table says: NaN, "", 0, or a value outside its range.
 */
#ifndef JM_BASE_JSON_KEYS_H
#define JM_BASE_JSON_KEYS_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "joulemap/joulemap.h"

enum jm_key_kind {
	JM_KIND_TEXT,     /* char[size], "": unknown */
	JM_KIND_NUMBER,   /* double in [min, max], NaN: unknown */
	JM_KIND_INTEGER,  /* of 4 or 8 bytes, in [min, max]; `unknown`: unknown */
	JM_KIND_BOOL,     /* int; a negative one is unknown */
	JM_KIND_NAME,     /* int, an index of `names`, whose [0] is NULL where 0 is unknown */
	JM_KIND_INTEGERS, /* int64_t[size / 8] with a size_t of how many there are */
	JM_KIND_NUMBERS,  /* double[size / 8], NaN: null */
	JM_KIND_OPEN,     /* json_t *, an object of any keys, owned; NULL: unknown */
	JM_KIND_OBJECT,   /* a struct of its own; unknown when everything in it is */
	JM_KIND_LIST      /* pointer to structs, owned, with a size_t of how many there are */
};

struct jm_keys;

struct jm_key {
	const char *name;
	enum jm_key_kind kind;
	size_t offset, size;
	size_t count_offset; /* INTEGERS, LIST */
	double min, max;     /* NUMBER, INTEGER, INTEGERS; LIST: most elements */
	int64_t unknown;     /* INTEGER, BOOL: the field where the key is not there */
	const char *const *names;
	size_t n_names;
	const struct jm_keys *keys; /* OBJECT, LIST */
};

struct jm_keys {
	const struct jm_key *key; /* [n] */
	size_t n;
	size_t size; /* of the struct */
};

#define JM_KEY_TEXT(type, field, json)                                                         \
	{                                                                                      \
		.name = json, .kind = JM_KIND_TEXT, .offset = offsetof(type, field),           \
		.size = sizeof(((type *)0)->field)                                             \
	}
#define JM_KEY_NUMBER(type, field, json, low, high)                                            \
	{                                                                                      \
		.name = json, .kind = JM_KIND_NUMBER, .offset = offsetof(type, field),         \
		.min = low, .max = high                                                        \
	}
#define JM_KEY_INTEGER(type, field, json, low, high, none)                                     \
	{                                                                                      \
		.name = json, .kind = JM_KIND_INTEGER, .offset = offsetof(type, field),        \
		.size = sizeof(((type *)0)->field), .min = low, .max = high, .unknown = none   \
	}
#define JM_KEY_BOOL(type, field, json, none)                                                   \
	{                                                                                      \
		.name = json, .kind = JM_KIND_BOOL, .offset = offsetof(type, field),           \
		.unknown = none                                                                \
	}
#define JM_KEY_NAME(type, field, json, list)                                                   \
	{                                                                                      \
		.name = json, .kind = JM_KIND_NAME, .offset = offsetof(type, field),           \
		.names = list, .n_names = sizeof(list) / sizeof((list)[0])                     \
	}
#define JM_KEY_INTEGERS(type, field, count, json, low, high)                                   \
	{                                                                                      \
		.name = json, .kind = JM_KIND_INTEGERS, .offset = offsetof(type, field),       \
		.size = sizeof(((type *)0)->field), .count_offset = offsetof(type, count),     \
		.min = low, .max = high                                                        \
	}
#define JM_KEY_NUMBERS(type, field, json, low, high)                                           \
	{                                                                                      \
		.name = json, .kind = JM_KIND_NUMBERS, .offset = offsetof(type, field),        \
		.size = sizeof(((type *)0)->field), .min = low, .max = high                    \
	}
#define JM_KEY_OPEN(type, field, json)                                                         \
	{                                                                                      \
		.name = json, .kind = JM_KIND_OPEN, .offset = offsetof(type, field)            \
	}
#define JM_KEY_OBJECT(type, field, json, table)                                                \
	{                                                                                      \
		.name = json, .kind = JM_KIND_OBJECT, .offset = offsetof(type, field),         \
		.keys = table                                                                  \
	}
#define JM_KEY_LIST(type, field, count, json, table, most)                                     \
	{                                                                                      \
		.name = json, .kind = JM_KIND_LIST, .offset = offsetof(type, field),           \
		.count_offset = offsetof(type, count), .max = most, .keys = table              \
	}

/* A struct's table from the array of its keys. */
#define JM_KEYS(list, type)                                                                    \
	{                                                                                      \
		list, sizeof(list) / sizeof((list)[0]), sizeof(struct type)                    \
	}

/* Everything unknown. What the struct has beside the table's keys is zeroed. */
void jm_keys_init(const struct jm_keys *keys, void *object);

/* Frees what the struct owns by its table, and makes everything unknown. */
void jm_keys_release(const struct jm_keys *keys, void *object);

/* The caller owns the reference; NULL when out of memory. */
json_t *jm_keys_write(const struct jm_keys *keys, const void *object);

/*
 * Reads into a struct of jm_keys_init(); keys that are not in the table are
 * passed over. JM_EFORMAT names file and key. `object` is to be released after
 * a failure too. `where` is the way to this object in the file, "" for the top.
 */
int jm_keys_read(const struct jm_keys *keys, const json_t *json, const char *file,
	const char *where, void *object, struct jm_error *reterr);

#endif
