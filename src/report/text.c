/* SPDX-License-Identifier: Apache-2.0 */
#include "report/text.h"

#include <string.h>

static int begins_character(char c)
{
	return ((unsigned char)c & 0xC0) != 0x80;
}

size_t jm_text_columns(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += (size_t)begins_character(*text);
	return n;
}

/* Prints the characters [first, last) of a text. */
static void print_range(FILE *out, const char *text, size_t first, size_t last)
{
	size_t column = 0;

	for (; *text; text++) {
		column += (size_t)begins_character(*text);
		if (column > last)
			return;
		if (column > first)
			fputc((unsigned char)*text < 32 || *text == 127 ? '?' : *text, out);
	}
}

void jm_text_print_cut(FILE *out, const char *text, size_t width)
{
	size_t columns = jm_text_columns(text);
	size_t head;

	if (columns <= width) {
		print_range(out, text, 0, columns);
		fprintf(out, "%*s", (int)(width - columns), "");
		return;
	}
	head = (width - 2) / 2;
	print_range(out, text, 0, head);
	fputs("..", out);
	print_range(out, text, columns - (width - 2 - head), columns);
}
