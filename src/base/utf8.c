/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include <stdio.h>
#include <string.h>

/* What the first byte of a character promises. */
struct lead {
	size_t length;
	uint32_t bits;
	uint32_t least; /* the code point that needs this length */
};

static struct lead lead_of(unsigned char byte)
{
	if (byte < 0x80)
		return (struct lead){1, byte, 0};
	if (byte >= 0xC2 && byte < 0xE0)
		return (struct lead){2, byte & 0x1Fu, 0x80};
	if (byte >= 0xE0 && byte < 0xF0)
		return (struct lead){3, byte & 0x0Fu, 0x800};
	if (byte >= 0xF0 && byte < 0xF5)
		return (struct lead){4, byte & 0x07u, 0x10000};
	return (struct lead){0, 0, 0};
}

size_t jm_text_scan_utf8(const char *text, size_t length, uint32_t *ret_code)
{
	const unsigned char *bytes = (const unsigned char *)text;
	struct lead lead = lead_of(length ? bytes[0] : 0);
	uint32_t code = lead.bits;

	if (!length || !bytes[0] || lead.length > length)
		return 0;
	for (size_t i = 1; i < lead.length; i++) {
		if ((bytes[i] & 0xC0) != 0x80)
			return 0;
		code = code << 6 | (bytes[i] & 0x3Fu);
	}
	if (code < lead.least || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000))
		return 0;
	if (ret_code && lead.length)
		*ret_code = code;
	return lead.length;
}

size_t jm_text_put_utf8(uint32_t code, char ret_text[JM_UTF8_MAX])
{
	static const unsigned char leads[] = {0, 0, 0xC0, 0xE0, 0xF0};
	unsigned char *text = (unsigned char *)ret_text;
	size_t n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

	for (size_t i = n - 1; i > 0; i--, code >>= 6)
		text[i] = (unsigned char)(0x80 | (code & 0x3F));
	text[0] = (unsigned char)(leads[n] | code);
	return n;
}

size_t jm_text_sanitize(char *ret_text, size_t size, const char *text)
{
	size_t used = 0;

	while (*text) {
		char escaped[sizeof("\\xNN")];
		const char *piece = text;
		size_t n = jm_text_scan_utf8(text, JM_UTF8_MAX, NULL), length = n;

		if (!n) {
			snprintf(escaped, sizeof(escaped), "\\x%02x", (unsigned char)*text);
			piece = escaped;
			n = 1;
			length = 4;
		}
		if (size && used + length >= size)
			break;
		if (size)
			memcpy(ret_text + used, piece, length);
		used += length;
		text += n;
	}
	if (size)
		ret_text[used] = '\0';
	return used;
}
