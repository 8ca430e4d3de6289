/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/json_text.h"

#include <stdint.h>
#include <string.h>

#include "base/text.h"

#define REPLACEMENT 0xfffdu

/* Value of four hexadecimal digits, or -1. */
static int32_t four_digits(const char *text, size_t length)
{
	int32_t value = 0;

	if (length < 4)
		return -1;
	for (size_t i = 0; i < 4; i++) {
		char c = text[i];
		int digit = c >= '0' && c <= '9'   ? c - '0'
			    : c >= 'a' && c <= 'f' ? c - 'a' + 10
			    : c >= 'A' && c <= 'F' ? c - 'A' + 10
						   : -1;

		if (digit < 0)
			return -1;
		value = value * 16 + digit;
	}
	return value;
}

/* Reads "XXXX" or "XXXX\uXXXX" behind "\u". Returns bytes used, 0: wrong. */
static size_t take_unicode_escape(const char *text, size_t length, uint32_t *ret_code)
{
	int32_t high = four_digits(text, length), low;

	if (high < 0)
		return 0;
	*ret_code = (uint32_t)high;
	if (high < 0xd800 || high > 0xdfff)
		return 4;
	*ret_code = REPLACEMENT;
	if (high > 0xdbff || length < 10 || text[4] != '\\' || text[5] != 'u')
		return 4;
	low = four_digits(text + 6, length - 6);
	if (low < 0xdc00 || low > 0xdfff)
		return 4;
	*ret_code = 0x10000u + (((uint32_t)high & 0x3ff) << 10) + ((uint32_t)low & 0x3ff);
	return 10;
}

/* Reads what follows a backslash. Returns bytes used, 0: wrong. */
static size_t take_escape(const char *text, size_t length, uint32_t *ret_code)
{
	static const char letters[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
	const char *found;
	size_t n;

	if (!length || !text[0])
		return 0;
	if (text[0] == 'u') {
		n = take_unicode_escape(text + 1, length - 1, ret_code);
		return n ? n + 1 : 0;
	}
	found = strchr(letters, text[0]);
	if (!found)
		return 0;
	*ret_code = (uint32_t)values[found - letters];
	return 1;
}

const char *jm_json_unescape(const char *text, size_t length, char *ret_text)
{
	size_t i = 0, used = 0;

	while (i < length) {
		uint32_t code;
		size_t n;

		if ((unsigned char)text[i] < ' ')
			return "has a control character";
		if (text[i] == '\\') {
			n = take_escape(text + i + 1, length - i - 1, &code);
			if (!n++)
				return "has an unknown escape";
			if (!code)
				return "has a zero character";
		} else {
			n = jm_text_scan_utf8(text + i, length - i, &code);
			if (!n)
				return "is not UTF-8";
		}
		used += jm_text_put_utf8(code, ret_text + used);
		i += n;
	}
	ret_text[used] = '\0';
	return NULL;
}

void jm_json_mend(const char *text, size_t length, char *ret_text)
{
	size_t i = 0, used = 0;

	while (i < length) {
		uint32_t code = REPLACEMENT;
		size_t n;

		if (text[i] == '\\') {
			n = take_escape(text + i + 1, length - i - 1, &code);
			/* The backslash of an unknown one stands for itself. */
			code = n ? code : '\\';
			n++;
		} else {
			n = jm_text_scan_utf8(text + i, length - i, &code);
		}
		used += jm_text_put_utf8(code ? code : REPLACEMENT, ret_text + used);
		i += n ? n : 1;
	}
	ret_text[used] = '\0';
}

int jm_json_is_utf8(const char *text)
{
	size_t length = strlen(text), i = 0;

	while (i < length) {
		uint32_t code;
		size_t n = jm_text_scan_utf8(text + i, length - i, &code);

		if (!n)
			return 0;
		i += n;
	}
	return 1;
}

static void write_unit(struct jm_writer *writer, uint32_t unit)
{
	jm_writer_format(writer, "\\u%04x", unit);
}

static void write_code(struct jm_writer *writer, uint32_t code)
{
	static const char values[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
	const char *found = code && code < 128 ? strchr(values, (int)code) : NULL;

	if (found) {
		char escape[2] = {'\\', letters[found - values]};

		jm_writer_put(writer, escape, 2);
	} else if (code >= ' ' && code < 127) {
		char c = (char)code;

		jm_writer_put(writer, &c, 1);
	} else if (code < 0x10000) {
		write_unit(writer, code);
	} else {
		write_unit(writer, 0xd800 + ((code - 0x10000) >> 10));
		write_unit(writer, 0xdc00 + ((code - 0x10000) & 0x3ff));
	}
}

void jm_json_write_string(struct jm_writer *writer, const char *text)
{
	size_t length = strlen(text), i = 0;

	jm_writer_put(writer, "\"", 1);
	while (i < length) {
		uint32_t code = REPLACEMENT;
		size_t n = jm_text_scan_utf8(text + i, length - i, &code);

		write_code(writer, code);
		i += n ? n : 1;
	}
	jm_writer_put(writer, "\"", 1);
}
