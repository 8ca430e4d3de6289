/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text of any origin on a terminal. What could steer one comes out harmless:
 * line breaks and tabs as blanks, other control characters (U+0001 to U+001F,
 * U+007F to U+009F) as '?', bytes that are not UTF-8 as "\xNN".
 */
#ifndef JM_REPORT_TEXT_H
#define JM_REPORT_TEXT_H

#include <stddef.h>
#include <stdio.h>

/* Columns that the functions below need: one per character, 4 per "\xNN". */
size_t jm_text_columns(const char *text);

/* Prints all of it. */
void jm_text_print(FILE *out, const char *text);

/* Prints all of it, and blanks up to `width` columns. */
void jm_text_print_padded(FILE *out, const char *text, size_t width);

/*
 * Prints exactly `width` columns, at least 8: padded, or cut in the middle,
 * where names of layers differ least, but never inside a character.
 */
void jm_text_print_cut(FILE *out, const char *text, size_t width);

#endif
