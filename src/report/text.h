/* SPDX-License-Identifier: Apache-2.0 */
/* Text on a terminal. */
#ifndef JM_REPORT_TEXT_H
#define JM_REPORT_TEXT_H

#include <stddef.h>
#include <stdio.h>

/* Number of UTF-8 characters. */
size_t jm_text_columns(const char *text);

/*
 * Prints exactly `width` columns: padded, or cut in the middle, where names of
 * layers differ least. Control characters, which could steer a terminal, come
 * out as '?'.
 */
void jm_text_print_cut(FILE *out, const char *text, size_t width);

#endif
