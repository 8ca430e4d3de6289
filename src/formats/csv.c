/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/csv.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/error.h"
#include "base/text.h"
#include "base/text_kind.h"

void jm_csv_init(struct jm_csv_reader *csv, struct jm_reader *reader)
{
	memset(csv, 0, sizeof(*csv));
	csv->reader = reader;
	csv->next_line = 1;
}

void jm_csv_release(struct jm_csv_reader *csv)
{
	free(csv->row);
	csv->row = NULL;
	csv->capacity = 0;
}

/* Appends a line of the file and a '\0' to the row. */
static int append_line(struct jm_csv_reader *csv, size_t used, const char *line, size_t length,
	struct jm_error *reterr)
{
	char *row = jm_array_grow(csv->row, &csv->capacity, used + length + 1, 1);

	if (!row)
		return jm_fail_memory(reterr, "a row of a table");
	csv->row = row;
	memcpy(row + used, line, length);
	row[used + length] = '\0';
	return 0;
}

/* 1 when the number of quotes in text[0..length) is odd. */
static int has_odd_quotes(const char *text, size_t length)
{
	int odd = 0;

	for (size_t i = 0; i < length; i++)
		odd ^= text[i] == '"';
	return odd;
}

/* No field points into an earlier row, which may be gone. */
static void forget_fields(struct jm_csv_reader *csv)
{
	static char nothing[] = "";

	csv->n_fields = 0;
	for (size_t i = 0; i < JM_CSV_COLUMNS_MAX; i++)
		csv->fields[i] = (struct jm_csv_field){nothing, 0};
}

static int split(struct jm_csv_reader *csv, size_t length, struct jm_error *reterr)
{
	char *in = csv->row, *out = csv->row;
	const char *end = csv->row + length;
	int quoted = 0;

	csv->fields[0].text = out;
	for (;; in++) {
		if (in < end && *in == '"') {
			/* A doubled quote inside quotes is a quote. */
			if (quoted && in + 1 < end && in[1] == '"')
				*out++ = *in++;
			else
				quoted = !quoted;
			continue;
		}
		if (in < end && (quoted || *in != ',')) {
			*out++ = *in;
			continue;
		}
		csv->fields[csv->n_fields].length =
			(size_t)(out - csv->fields[csv->n_fields].text);
		*out++ = '\0';
		csv->n_fields++;
		if (in >= end)
			return 1;
		if (csv->n_fields == JM_CSV_COLUMNS_MAX)
			return jm_fail(reterr, JM_EFORMAT,
				"'%s' line %zu: more than %d columns", csv->reader->path,
				csv->line, JM_CSV_COLUMNS_MAX);
		csv->fields[csv->n_fields].text = out;
	}
}

int jm_csv_next(struct jm_csv_reader *csv, struct jm_error *reterr)
{
	size_t length = 0, used = 0;
	const char *line;
	int result = csv->next_line == 1 ? jm_reader_begin_text(csv->reader, reterr) : 0;
	int open = 0;

	csv->line = csv->next_line;
	forget_fields(csv);
	if (result < 0)
		return result;
	do {
		result = jm_reader_line(csv->reader, &line, &length, reterr);
		if (result < 0)
			return result;
		if (result == 0)
			return open ? jm_fail(reterr, JM_ETRUNCATED,
					      "'%s' line %zu: a quoted field does not end",
					      csv->reader->path, csv->line)
				    : 0;
		csv->next_line++;
		if (open)
			csv->row[used++] = '\n';
		if (used > (size_t)1 << 20)
			return jm_fail(reterr, JM_EFORMAT, "'%s' line %zu: a row is too long",
				csv->reader->path, csv->line);
		result = append_line(csv, used, line, length, reterr);
		if (result < 0)
			return result;
		open ^= has_odd_quotes(csv->row + used, length);
		used += length;
	} while (open);
	return split(csv, used, reterr);
}

static int fail_number(const struct jm_csv_reader *csv, size_t field, const char *column,
	struct jm_error *reterr)
{
	return jm_fail(reterr, JM_EFORMAT,
		"'%s' line %zu: column '%s' holds '%.40s', not a number", csv->reader->path,
		csv->line, column, field < csv->n_fields ? csv->fields[field].text : "");
}

int jm_csv_number(const struct jm_csv_reader *csv, size_t field, const char *column,
	double *ret_value, struct jm_error *reterr)
{
	const struct jm_csv_field *own = &csv->fields[field];

	*ret_value = (double)NAN;
	if (field < csv->n_fields && !own->length)
		return 0;
	if (field >= csv->n_fields ||
		jm_text_scan_double(own->text, own->length, ret_value) != own->length)
		return fail_number(csv, field, column, reterr);
	return 0;
}

int jm_csv_integer(const struct jm_csv_reader *csv, size_t field, const char *column,
	int64_t *ret_value, struct jm_error *reterr)
{
	char *end;

	if (field >= csv->n_fields || !csv->fields[field].length)
		return fail_number(csv, field, column, reterr);
	errno = 0;
	*ret_value = strtoll(csv->fields[field].text, &end, 10);
	if (errno || *end)
		return fail_number(csv, field, column, reterr);
	return 0;
}

/* ---- Cells that are no formulas ------------------------------------------------ */

/* 1 where a spreadsheet may take the text for a formula, or would drop its "'". */
static int is_formula(const char *text)
{
	static const char *const begins[] = {"=", "+", "-", "@", "\t", "\r", "\n",
		"\xef\xbc\x9d", "\xef\xbc\x8b", "\xef\xbc\x8d", "\xef\xbc\xa0"};

	text += strspn(text, "'");
	for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++)
		if (jm_text_starts_with(text, begins[i]))
			return 1;
	return 0;
}

int jm_csv_text(const struct jm_csv_reader *csv, size_t field, const char *column,
	const char **ret_text, struct jm_error *reterr)
{
	const char *text;

	if (field >= csv->n_fields)
		return jm_fail(reterr, JM_EFORMAT, "'%s' line %zu: column '%s' is missing",
			csv->reader->path, csv->line, column);
	text = csv->fields[field].text;
	*ret_text = text + (text[0] == '\'' && is_formula(text));
	return 0;
}

int jm_csv_find(const struct jm_csv_reader *csv, const char *column)
{
	for (size_t i = 0; i < csv->n_fields; i++)
		if (strcmp(csv->fields[i].text, column) == 0)
			return (int)i;
	return -1;
}

/* ---- Writing ------------------------------------------------------------------- */

static void put_exact(jm_csv_put_fn *put, void *to, const char *prefix, const char *text)
{
	const char *quote;

	if (!strpbrk(text, ",\"\n\r")) {
		put(to, prefix, strlen(prefix));
		put(to, text, strlen(text));
		return;
	}
	put(to, "\"", 1);
	put(to, prefix, strlen(prefix));
	for (; (quote = strchr(text, '"')) != NULL; text = quote + 1) {
		put(to, text, (size_t)(quote + 1 - text));
		put(to, "\"", 1);
	}
	put(to, text, strlen(text));
	put(to, "\"", 1);
}

void jm_csv_put(jm_csv_put_fn *put, void *to, const char *text)
{
	put_exact(put, to, is_formula(text) ? "'" : "", text);
}

static void put_to_stream(void *to, const char *text, size_t length)
{
	fwrite(text, 1, length, to);
}

/* What a terminal may obey: U+0001 to U+001F but line ends, U+007F to U+009F. */
static size_t control_length(const char *text, size_t length)
{
	unsigned char c = (unsigned char)text[0];
	unsigned char next = length > 1 ? (unsigned char)text[1] : 0;

	if (c == 0xc2 && next >= 0x80 && next < 0xa0)
		return 2;
	return (c < ' ' && c != '\n') || c == 0x7f;
}

static void put_to_terminal(void *to, const char *text, size_t length)
{
	for (size_t i = 0; i < length;) {
		size_t n = control_length(text + i, length - i);

		putc(n ? '?' : text[i], to);
		i += n ? n : 1;
	}
}

jm_csv_put_fn *jm_csv_put_of(FILE *out)
{
	return isatty(fileno(out)) ? put_to_terminal : put_to_stream;
}

void jm_csv_print(FILE *out, const char *text)
{
	jm_csv_put(jm_csv_put_of(out), out, text);
}

static void put_to_memory(void *to, const char *text, size_t length)
{
	char **end = to;

	memcpy(*end, text, length);
	*end += length;
}

size_t jm_csv_format(const char *text, char *ret_text)
{
	char *end = ret_text;

	jm_csv_put(put_to_memory, &end, text);
	return (size_t)(end - ret_text);
}

size_t jm_csv_format_exact(const char *text, char *ret_text)
{
	char *end = ret_text;

	put_exact(put_to_memory, &end, "", text);
	return (size_t)(end - ret_text);
}
