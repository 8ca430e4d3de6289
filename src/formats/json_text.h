/* SPDX-License-Identifier: Apache-2.0 */
/* JSON strings, for the JSON files that are too large for a JSON library. */
#ifndef JM_FORMATS_JSON_TEXT_H
#define JM_FORMATS_JSON_TEXT_H

#include <stddef.h>

#include "base/file.h"

/*
 * Turns the inside of a JSON string (between its quotes) into UTF-8 with a
 * '\0', which needs at most length + 1 bytes at ret_text. Returns NULL, or what
 * is wrong with it. Half a surrogate pair becomes U+FFFD.
 */
const char *jm_json_unescape(const char *text, size_t length, char *ret_text);

/*
 * The same of any bytes, mended: what is no UTF-8, a zero, or half a surrogate
 * pair becomes U+FFFD, an unknown escape stands for itself. Needs at most
 * JM_JSON_MEND_MAX(length) bytes.
 */
#define JM_JSON_MEND_MAX(length) (3 * (length) + 1)
void jm_json_mend(const char *text, size_t length, char *ret_text);

/* 1 when the text is well-formed UTF-8. */
int jm_json_is_utf8(const char *text);

/* Writes text as a JSON string, quotes included, in ASCII as Python does. */
void jm_json_write_string(struct jm_writer *writer, const char *text);

#endif
