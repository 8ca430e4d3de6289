/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Comma separated values: "a,""quoted"" text,3" lines.
 *
 * Spreadsheets take a cell that begins with '=', '+', '-' or '@' for a formula,
 * and names of layers come out of files of strangers. So a text that begins with
 * one of these (also in their full width), a tab or a line break gets a "'" in
 * front, as does one that begins with "'" before such a one; readers take it away
 * again. Numbers, and tables that have to be as others write them, are left as
 * they are.
 */
#ifndef JM_FORMATS_CSV_H
#define JM_FORMATS_CSV_H

#include <stdio.h>

#include "base/file.h"

#define JM_CSV_COLUMNS_MAX 32

/* A borrowed piece of text, ended by '\0' too. */
struct jm_csv_field {
	char *text;
	size_t length;
};

struct jm_csv_reader {
	struct jm_reader *reader; /* borrowed */
	size_t line;              /* on which the last row began, from 1 */
	size_t next_line;
	size_t n_fields;
	/* Until the next row, exact; those that the row does not have are empty. */
	struct jm_csv_field fields[JM_CSV_COLUMNS_MAX];
	char *row; /* owned */
	size_t capacity;
};

void jm_csv_init(struct jm_csv_reader *csv, struct jm_reader *reader);
void jm_csv_release(struct jm_csv_reader *csv);

/* Reads the next row. Returns 1, 0 at the end of the file, or an error. */
int jm_csv_next(struct jm_csv_reader *csv, struct jm_error *reterr);

/*
 * Value of a field that holds a number; an empty one is NaN. JM_EFORMAT names
 * the line and `column`.
 */
int jm_csv_number(const struct jm_csv_reader *csv, size_t field, const char *column,
	double *ret_value, struct jm_error *reterr);

/* The same for a whole number; an empty one is an error. */
int jm_csv_integer(const struct jm_csv_reader *csv, size_t field, const char *column,
	int64_t *ret_value, struct jm_error *reterr);

/*
 * A field that holds a text, without what makes it harmless; borrowed until the
 * next row. JM_EFORMAT where the row has no such column.
 */
int jm_csv_text(const struct jm_csv_reader *csv, size_t field, const char *column,
	const char **ret_text, struct jm_error *reterr);

/* Index of the column of that name in the row read last, or -1. */
int jm_csv_find(const struct jm_csv_reader *csv, const char *column);

/* Where a text goes, piece by piece. */
typedef void jm_csv_put_fn(void *to, const char *text, size_t length);

/* Writes a text as one field: harmless, and quoted where it must be. */
void jm_csv_put(jm_csv_put_fn *put, void *to, const char *text);

/*
 * What puts into a stream, whose own state tells of failures: all of a text into
 * a file or pipe, '?' for its control characters on a terminal.
 */
jm_csv_put_fn *jm_csv_put_of(FILE *out);

/* A text as one field of a stream. */
void jm_csv_print(FILE *out, const char *text);

/* Room that the next two need for a text of that length. */
#define JM_CSV_TEXT_MAX(length) (2 * (length) + 3)

/* The same into memory. Returns the length (no '\0'). */
size_t jm_csv_format(const char *text, char *ret_text);

/* The text as it is, quoted where it must be: for tables in the form of others. */
size_t jm_csv_format_exact(const char *text, char *ret_text);

#endif
