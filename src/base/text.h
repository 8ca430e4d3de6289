/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers as text, fast and exact. */
#ifndef JM_BASE_TEXT_H
#define JM_BASE_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "joulemap/joulemap.h"

/* Room for any double as jm_text_format_double writes it, with '\0'. */
#define JM_DOUBLE_TEXT_MAX 32

/*
 * Writes the shortest decimal that reads back as `value`, in the form that
 * Python's repr gives ("5750000.0", "0.061", "1e-07", "nan", "inf").
 * Returns the length, without the '\0' that is written too.
 */
size_t jm_text_format_double(double value, char ret_text[JM_DOUBLE_TEXT_MAX]);

/*
 * Reads a JSON number ("-12.5e-3"; a leading '+' or '.' is no number) at
 * text[0..length), correctly rounded. Returns bytes read; 0: no number here.
 */
size_t jm_text_scan_double(const char *text, size_t length, double *ret_value);

/* Writes an unsigned number; returns its length (no '\0'). Room: 20 bytes. */
size_t jm_text_format_unsigned(uint64_t value, char *ret_text);

/* 1 if `text` begins with / ends with `part`. */
int jm_text_starts_with(const char *text, const char *part);
int jm_text_ends_with(const char *text, const char *part);

/* Copies at most size - 1 bytes and ends them with '\0'. */
void jm_text_copy(char *ret_text, size_t size, const char *text);

/* Writes behind what is in a buffer of `size` bytes; what has no room is cut. */
void jm_text_append(char *text, size_t size, const char *format, ...) JM_PRINTF(3, 4);

/* Heap copy of a text, freed with free(); NULL when out of memory. */
char *jm_text_duplicate(const char *text);

/*
 * Bytes of the well-formed UTF-8 character at text[0..length), 1 to 4 (RFC
 * 3629: no surrogates, nothing overlong); 0: not one, or the end of the text.
 * Reads up to the first byte that does not fit, so that with a '\0' at the end
 * JM_UTF8_MAX will do as length. ret_code, its code point, may be NULL.
 */
#define JM_UTF8_MAX 4
size_t jm_text_scan_utf8(const char *text, size_t length, uint32_t *ret_code);

/* Writes a code point as UTF-8; returns its length (no '\0'). */
size_t jm_text_put_utf8(uint32_t code, char ret_text[JM_UTF8_MAX]);

/*
 * Copies a text of any bytes, such as a path, as well-formed UTF-8: a byte that
 * is not part of it comes out as "\xNN". Cut at `size`, never inside a
 * character. Returns the length without '\0'; with size 0 (ret_text may be
 * NULL) the length that the whole needs.
 */
size_t jm_text_sanitize(char *ret_text, size_t size, const char *text);

/* Edits (insert, delete, replace, swap of letters) between two short names. */
size_t jm_text_distance(const char *a, const char *b);

#endif
