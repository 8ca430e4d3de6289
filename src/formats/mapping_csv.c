/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/mapping_csv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "formats/csv.h"

enum { CYCLE, NAME, TYPE, POWER, DYNAMIC, DURATION, N_COLUMNS };

static const char *const columns[N_COLUMNS] = {
	[CYCLE] = "cycle",
	[NAME] = "layer_name",
	[TYPE] = "layer_type",
	[POWER] = "layer_power_including_idle_power_micro_watt",
	[DYNAMIC] = "layer_power_excluding_idle_power_micro_watt",
	[DURATION] = "layer_run_time",
};

/* ---- Writing --------------------------------------------------------------- */

struct jm_mapping_text {
	char *text;
	size_t length;
};

static int make_text(struct jm_mapping_text *ret_text, const struct jm_layer *layer)
{
	size_t size =
		JM_CSV_TEXT_MAX(strlen(layer->name)) + JM_CSV_TEXT_MAX(strlen(layer->type));
	char *text = malloc(size + 3);
	size_t n = 0;

	if (!text)
		return 0;
	text[n++] = ',';
	n += jm_csv_format_exact(layer->name, text + n);
	text[n++] = ',';
	n += jm_csv_format_exact(layer->type, text + n);
	text[n++] = ',';
	ret_text->text = text;
	ret_text->length = n;
	return 1;
}

static int make_texts(struct jm_mapping_writer *writer, const struct jm_timeline *timeline,
	struct jm_error *reterr)
{
	writer->layers = calloc(timeline->n_layers + 1, sizeof(*writer->layers));
	if (!writer->layers)
		return jm_fail_memory(reterr, "the names of a table");
	for (size_t i = 0; i < timeline->n_layers; i++, writer->n_layers++) {
		if (!make_text(&writer->layers[i], &timeline->layers[i]))
			return jm_fail_memory(reterr, "the names of a table");
		if (writer->layers[i].length > JM_WRITER_CAPACITY / 2)
			return jm_fail(reterr, JM_EINVAL, "layer name '%.40s...' is too long",
				timeline->layers[i].name);
	}
	return 0;
}

int jm_mapping_writer_open(struct jm_mapping_writer *writer, const char *path,
	const struct jm_timeline *timeline, struct jm_error *reterr)
{
	int result;

	memset(writer, 0, sizeof(*writer));
	result = jm_writer_open(&writer->file, path, reterr);
	if (result < 0)
		return result;
	result = make_texts(writer, timeline, reterr);
	if (result < 0) {
		jm_mapping_writer_abandon(writer);
		return result;
	}
	for (size_t i = 0; i < N_COLUMNS; i++) {
		jm_writer_text(&writer->file, columns[i]);
		jm_writer_put(&writer->file, i + 1 < N_COLUMNS ? "," : "\n", 1);
	}
	return 0;
}

static char *put_number(char *text, double value, char end)
{
	if (!isnan(value))
		text += jm_text_format_double(value, text);
	*text = end;
	return text + 1;
}

int jm_mapping_writer_row(void *context, const struct jm_cycle_power *row)
{
	struct jm_mapping_writer *writer = context;
	const struct jm_mapping_text *layer = &writer->layers[row->layer];
	char *text = jm_writer_reserve(&writer->file,
		sizeof(writer->cycle_text) + layer->length + 3 * JM_DOUBLE_TEXT_MAX);
	char *end = text;

	if (!text)
		return 0;
	if (writer->cycle != row->cycle + 1) {
		writer->cycle = row->cycle + 1;
		writer->cycle_length =
			jm_text_format_unsigned(writer->cycle, writer->cycle_text);
	}
	memcpy(end, writer->cycle_text, sizeof(writer->cycle_text));
	end += writer->cycle_length;
	memcpy(end, layer->text, layer->length);
	end += layer->length;
	end = put_number(end, row->power_uw, ',');
	end = put_number(end, row->dynamic_power_uw, ',');
	end = put_number(end, row->duration_ms, '\n');
	jm_writer_advance(&writer->file, (size_t)(end - text));
	writer->rows++;
	return 0;
}

static void release_texts(struct jm_mapping_writer *writer)
{
	for (size_t i = 0; i < writer->n_layers; i++)
		free(writer->layers[i].text);
	free(writer->layers);
	writer->layers = NULL;
	writer->n_layers = 0;
}

int jm_mapping_writer_commit(struct jm_mapping_writer *writer, struct jm_error *reterr)
{
	release_texts(writer);
	return jm_writer_commit(&writer->file, reterr);
}

void jm_mapping_writer_abandon(struct jm_mapping_writer *writer)
{
	release_texts(writer);
	jm_writer_abandon(&writer->file);
}

/* ---- Reading --------------------------------------------------------------- */

static int find_columns(
	const struct jm_csv_reader *csv, size_t ret_fields[N_COLUMNS], struct jm_error *reterr)
{
	for (size_t i = 0; i < N_COLUMNS; i++) {
		int field = jm_csv_find(csv, columns[i]);

		if (field < 0)
			return jm_fail(reterr, JM_EFORMAT,
				"'%s' has no column '%s': not a table made by 'joulemap map'",
				csv->reader->path, columns[i]);
		ret_fields[i] = (size_t)field;
	}
	return 0;
}

static int read_row(const struct jm_csv_reader *csv, const size_t fields[N_COLUMNS],
	struct jm_mapping_row *ret_row, struct jm_error *reterr)
{
	double *values[] = {
		&ret_row->power_uw, &ret_row->dynamic_power_uw, &ret_row->duration_ms};
	int64_t cycle = 0;
	int result = jm_csv_integer(csv, fields[CYCLE], columns[CYCLE], &cycle, reterr);

	if (result == 0 && cycle < 1)
		result = jm_fail(reterr, JM_EFORMAT, "'%s' line %zu: cycles count from 1",
			csv->reader->path, csv->line);
	for (size_t i = 0; i < 3 && result == 0; i++)
		result = jm_csv_number(
			csv, fields[POWER + i], columns[POWER + i], values[i], reterr);
	if (result == 0 && (fields[NAME] >= csv->n_fields || fields[TYPE] >= csv->n_fields))
		result = jm_fail(reterr, JM_EFORMAT, "'%s' line %zu: columns are missing",
			csv->reader->path, csv->line);
	if (result < 0)
		return result;
	ret_row->cycle = (size_t)cycle - 1;
	ret_row->layer_name = csv->fields[fields[NAME]].text;
	ret_row->layer_type = csv->fields[fields[TYPE]].text;
	return 0;
}

static int64_t read_rows(struct jm_csv_reader *csv, jm_mapping_row_fn *row, void *context,
	struct jm_error *reterr)
{
	size_t fields[N_COLUMNS];
	int64_t rows = 0;
	int result = jm_csv_next(csv, reterr);

	if (result == 0)
		return jm_fail(reterr, JM_EFORMAT, "'%s' is empty", csv->reader->path);
	if (result > 0)
		result = find_columns(csv, fields, reterr);
	while (result >= 0 && (result = jm_csv_next(csv, reterr)) > 0) {
		struct jm_mapping_row own;

		result = read_row(csv, fields, &own, reterr);
		if (result == 0)
			result = row(context, &own);
		rows++;
	}
	return result < 0 ? result : rows;
}

int64_t jm_mapping_read_from(struct jm_reader *reader, jm_mapping_row_fn *row, void *context,
	struct jm_error *reterr)
{
	struct jm_csv_reader csv;
	int64_t rows;

	jm_csv_init(&csv, reader);
	rows = read_rows(&csv, row, context, reterr);
	jm_csv_release(&csv);
	return rows;
}

int64_t jm_mapping_read(
	const char *path, jm_mapping_row_fn *row, void *context, struct jm_error *reterr)
{
	struct jm_reader reader;
	int64_t rows = jm_reader_open(&reader, path, reterr);

	if (rows < 0)
		return rows;
	rows = jm_mapping_read_from(&reader, row, context, reterr);
	jm_reader_close(&reader);
	return rows;
}
