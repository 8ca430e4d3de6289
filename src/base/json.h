/* SPDX-License-Identifier: Apache-2.0 */
/* What the JSON library does not do well enough. */
#ifndef JM_BASE_JSON_H
#define JM_BASE_JSON_H

#include <stddef.h>

#include <jansson.h>

#include "joulemap/joulemap.h"

/*
 * json_dumps() that notices every lack of memory: jansson up to 2.14 can leave
 * a piece of the text out and still succeed. Freed with free(); NULL when out
 * of memory or when the value cannot be written with these flags.
 */
char *jm_json_dump(const json_t *value, size_t flags);

/*
 * For json_pack's "o": a text of any bytes as jm_text_sanitize writes it (paths
 * need not be UTF-8, a JSON string must); null for NULL. The caller owns the
 * reference; NULL when out of memory.
 */
json_t *jm_json_text(const char *text);

/* The same for a number; null for NaN and infinities, which JSON lacks. */
json_t *jm_json_number(double value);

/*
 * Any JSON of a text, behind a byte order mark if there is one. JM_EFORMAT names
 * file and line, or what else it is. The caller owns the reference; NULL after a
 * failure.
 */
int jm_json_load(const char *file, const char *text, size_t size, json_t **ret_json,
	struct jm_error *reterr);

/*
 * The one JSON object of a text, or of a file of at most max_bytes. JM_EFORMAT
 * names file and line. The caller owns the reference; NULL after a failure.
 */
int jm_json_parse(const char *file, const char *text, size_t size, json_t **ret_json,
	struct jm_error *reterr);
int jm_json_read(
	const char *file, size_t max_bytes, json_t **ret_json, struct jm_error *reterr);

/*
 * Indented text whose numbers read back as the same doubles, the shortest that
 * do, as in all our files. Freed with free(); NULL when out of memory.
 */
char *jm_json_print(const json_t *value);

/* The number under a key; NaN where it is not there, or is none. */
double jm_json_get_number(const json_t *object, const char *key);

/*
 * The object with {"schema": schema} as its first key, freed with json_decref().
 * Takes `taken` over, which may be NULL; NULL when out of memory.
 */
json_t *jm_json_with_schema(int schema, json_t *taken);

/* jm_json_print of an object that is taken over; NULL gives NULL. */
char *jm_json_print_taken(json_t *taken);

#endif
