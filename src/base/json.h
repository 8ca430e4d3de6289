/* SPDX-License-Identifier: Apache-2.0 */
/* What the JSON library does not do well enough. */
#ifndef JM_BASE_JSON_H
#define JM_BASE_JSON_H

#include <stddef.h>

#include <jansson.h>

/*
 * json_dumps() that notices every lack of memory: jansson up to 2.14 can leave
 * a piece of the text out and still succeed. Freed with free(); NULL when out
 * of memory or when the value cannot be written with these flags.
 */
char *jm_json_dump(const json_t *value, size_t flags);

#endif
