/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include <stdarg.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digits.h"

size_t jm_text_format_unsigned(uint64_t value, char *ret_text)
{
	size_t n = jm_digits_count(value);

	jm_digits_put(value, n, ret_text);
	return n;
}

int jm_text_starts_with(const char *text, const char *part)
{
	return strncmp(text, part, strlen(part)) == 0;
}

int jm_text_ends_with(const char *text, const char *part)
{
	size_t length = strlen(text);
	size_t n = strlen(part);

	return n <= length && memcmp(text + length - n, part, n) == 0;
}

void jm_text_copy(char *ret_text, size_t size, const char *text)
{
	size_t n = strnlen(text, size - 1);

	memcpy(ret_text, text, n);
	ret_text[n] = '\0';
}

void jm_text_append(char *text, size_t size, const char *format, ...)
{
	size_t used = strlen(text);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text + used, size - used, format, arguments);
	va_end(arguments);
}

char *jm_text_duplicate(const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = malloc(size);

	if (copy)
		memcpy(copy, text, size);
	return copy;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

size_t jm_text_distance(const char *a, const char *b)
{
	enum { MAX = 63 };
	size_t rows[3][MAX + 1];
	size_t *before = rows[0], *above = rows[1], *row = rows[2];
	size_t n_a = strnlen(a, MAX), n_b = strnlen(b, MAX);

	for (size_t j = 0; j <= n_b; j++)
		above[j] = j;
	for (size_t i = 1; i <= n_a; i++) {
		size_t *oldest = before;

		row[0] = i;
		for (size_t j = 1; j <= n_b; j++) {
			row[j] = least(above[j] + 1, row[j - 1] + 1);
			row[j] = least(row[j], above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], before[j - 2] + 1);
		}
		before = above;
		above = row;
		row = oldest;
	}
	return above[n_b];
}
