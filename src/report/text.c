/* SPDX-License-Identifier: Apache-2.0 */
#include "report/text.h"

#include <stdint.h>
#include <string.h>

#include "base/text.h"

/* What is printed for one character or one stray byte. */
struct piece {
	char text[8];
	size_t length; /* of text */
	size_t columns;
	size_t taken; /* bytes of the source; 0 at its end */
};

static int is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7F && code < 0xA0);
}

static struct piece next_piece(const char *text)
{
	struct piece piece = {.columns = 1};
	uint32_t code = 0;

	if (!*text)
		return piece;
	piece.taken = jm_text_scan_utf8(text, JM_UTF8_MAX, &code);
	if (!piece.taken) {
		piece.taken = 1;
		piece.length = (size_t)snprintf(
			piece.text, sizeof(piece.text), "\\x%02x", (unsigned char)*text);
		piece.columns = piece.length;
	} else if (is_control(code)) {
		piece.text[0] = code == '\n' || code == '\r' || code == '\t' ? ' ' : '?';
		piece.length = 1;
	} else {
		memcpy(piece.text, text, piece.taken);
		piece.length = piece.taken;
	}
	return piece;
}

size_t jm_text_columns(const char *text)
{
	struct piece piece;
	size_t n = 0;

	for (; (piece = next_piece(text)).taken; text += piece.taken)
		n += piece.columns;
	return n;
}

/* Prints what lies whole in columns [first, last), blanks for the rest. */
static void print_range(FILE *out, const char *text, size_t first, size_t last)
{
	struct piece piece;
	size_t column = 0, printed = 0;

	for (; (piece = next_piece(text)).taken && column < last; text += piece.taken) {
		if (column >= first && column + piece.columns <= last) {
			fwrite(piece.text, 1, piece.length, out);
			printed += piece.columns;
		}
		column += piece.columns;
	}
	if (printed < last - first)
		fprintf(out, "%*s", (int)(last - first - printed), "");
}

void jm_text_print(FILE *out, const char *text)
{
	print_range(out, text, 0, jm_text_columns(text));
}

void jm_text_print_padded(FILE *out, const char *text, size_t width)
{
	size_t columns = jm_text_columns(text);

	print_range(out, text, 0, columns > width ? columns : width);
}

void jm_text_print_cut(FILE *out, const char *text, size_t width)
{
	size_t columns = jm_text_columns(text);
	size_t head = (width - 2) / 2;

	if (columns <= width) {
		print_range(out, text, 0, width);
		return;
	}
	print_range(out, text, 0, head);
	fputs("..", out);
	print_range(out, text, columns - (width - 2 - head), columns);
}
