/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/layer_energy_file.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "formats/csv.h"

enum {
	INDEX,
	NAME,
	TYPE,
	EXECUTIONS,
	RUNTIME,
	RUNTIME_SD,
	POWER,
	POWER_SD,
	POWER_LO,
	POWER_HI,
	DYNAMIC,
	ENERGY,
	ENERGY_SD,
	SHARE,
	READINGS,
	RESOLVED,
	GROUP,
	N_COLUMNS
};

static const char *const columns[N_COLUMNS] = {"layer_index", "layer_name", "layer_type",
	"executions", "runtime_ms", "runtime_sd_ms", "power_w", "power_sd_w", "power_lo_w",
	"power_hi_w", "dynamic_power_w", "energy_mj", "energy_sd_mj", "energy_share",
	"readings", "resolved", "group"};

#define GAP_NAME "(gap)"
#define TOTAL_NAME "(total)"

/* ---- Writing ----------------------------------------------------------------- */

struct output {
	jm_csv_put_fn *put;
	void *to;
};

static void put_to_writer(void *to, const char *text, size_t length)
{
	jm_writer_put(to, text, length);
}

static void put_text(const struct output *output, const char *text)
{
	output->put(output->to, text, strlen(text));
}

static void put_number(const struct output *output, double value, int digits)
{
	char text[40];

	if (isnan(value))
		text[0] = '\0';
	else
		snprintf(text, sizeof(text), "%.*g", digits, value);
	put_text(output, ",");
	put_text(output, text);
}

static void put_name(const struct output *output, const char *name)
{
	put_text(output, ",");
	jm_csv_put(output->put, output->to, name);
}

static void put_figures(const struct output *output, const struct jm_fit_layer *layer)
{
	const double figures[] = {layer->runtime_ms, layer->runtime_sd_ms, layer->power_w,
		layer->power_sd_w, layer->power_lo_w, layer->power_hi_w, layer->dynamic_power_w,
		layer->energy_mj, layer->energy_sd_mj, layer->energy_share, layer->readings};
	char text[64];

	snprintf(text, sizeof(text), ",%zu", layer->executions);
	put_text(output, text);
	for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++)
		put_number(output, figures[i], 9);
	snprintf(text, sizeof(text), ",%s,", jm_resolved_name(layer->resolved));
	put_text(output, text);
	if (layer->group >= 0) {
		snprintf(text, sizeof(text), "%d", layer->group);
		put_text(output, text);
	}
	put_text(output, "\n");
}

/* Both kinds of gaps in a cycle, as one row. */
static struct jm_fit_layer sum_of_gaps(const struct jm_fit_result *result)
{
	const struct jm_fit_layer *a = &result->gap, *b = &result->between;
	struct jm_fit_layer gap = *b;

	gap.energy_mj = a->energy_mj + b->energy_mj;
	gap.energy_sd_mj = hypot(a->energy_sd_mj, b->energy_sd_mj);
	gap.runtime_ms = a->runtime_ms + b->runtime_ms;
	gap.energy_share = a->energy_share + b->energy_share;
	gap.readings = a->readings + b->readings;
	if (gap.runtime_ms > 0) {
		gap.power_w = gap.energy_mj / gap.runtime_ms;
		gap.power_sd_w = gap.energy_sd_mj / gap.runtime_ms;
		gap.power_lo_w = gap.power_w - 1.96 * gap.power_sd_w;
		if (!(b->power_lo_w < 0)) /* as those of layers */
			gap.power_lo_w = fmax(0, gap.power_lo_w);
		gap.power_hi_w = gap.power_w + 1.96 * gap.power_sd_w;
		gap.dynamic_power_w = gap.power_w - (b->power_w - b->dynamic_power_w);
	}
	return gap;
}

static struct jm_fit_layer total_of(const struct jm_fit_result *result)
{
	const struct jm_fit_closure *closure = &result->closure;
	double none = (double)NAN, power_w = closure->measured_mj / closure->cycle_ms;
	struct jm_fit_layer total = {.power_w = power_w,
		.runtime_ms = closure->cycle_ms,
		.runtime_sd_ms = none,
		.power_sd_w = closure->sd_mj / closure->cycle_ms,
		.power_lo_w = none,
		.power_hi_w = none,
		.dynamic_power_w =
			power_w - (result->between.power_w - result->between.dynamic_power_w),
		.energy_mj = closure->measured_mj,
		.energy_sd_mj = closure->sd_mj,
		.energy_share = 1,
		.readings = (double)result->diagnostics.conversions,
		.executions = result->between.executions,
		.resolved = JM_RESOLVED_YES,
		.group = -1};

	return total;
}

static void put_head(const struct output *output)
{
	for (int i = 0; i < N_COLUMNS; i++) {
		put_text(output, i ? "," : "");
		put_text(output, columns[i]);
	}
	put_text(output, "\n");
}

/* Begins a row; NULL: there is one rail, which need not be told. */
static void put_rail(const struct output *output, const struct jm_layer_energy_rail *rail)
{
	if (!rail)
		return;
	jm_csv_put(output->put, output->to, rail->rail);
	put_text(output, ",");
	put_text(output, rail->role);
	put_text(output, ",");
}

static void put_rows(const struct output *output, const struct jm_timeline *timeline,
	const struct jm_fit_result *result, const struct jm_layer_energy_rail *rail)
{
	struct jm_fit_layer gap = sum_of_gaps(result), total = total_of(result);

	for (size_t i = 0; i < result->n_layers; i++) {
		char text[32];

		put_rail(output, rail);
		snprintf(text, sizeof(text), "%zu", i);
		put_text(output, text);
		put_name(output, timeline->layers[i].name);
		put_name(output, timeline->layers[i].type);
		put_figures(output, &result->layers[i]);
	}
	put_rail(output, rail);
	put_text(output, "," GAP_NAME ",");
	put_figures(output, &gap);
	put_rail(output, rail);
	put_text(output, "," TOTAL_NAME ",");
	put_figures(output, &total);
}

static void put_all(const struct output *output, const struct jm_timeline *timeline,
	const struct jm_fit_result *result)
{
	put_head(output);
	put_rows(output, timeline, result, NULL);
}

static void put_rails(const struct output *output, const struct jm_timeline *timeline,
	const struct jm_layer_energy_rail *rails, size_t n)
{
	put_text(output, "rail,role,");
	put_head(output);
	for (size_t i = 0; i < n; i++)
		put_rows(output, timeline, rails[i].result, &rails[i]);
}

int jm_layer_energy_write(const char *path, const struct jm_timeline *timeline,
	const struct jm_fit_result *result, struct jm_error *reterr)
{
	struct jm_writer writer;
	struct output output = {put_to_writer, &writer};
	int status = jm_writer_open(&writer, path, reterr);

	if (status < 0)
		return status;
	put_all(&output, timeline, result);
	return jm_writer_commit(&writer, reterr);
}

int jm_layer_energy_by_rail_write(const char *path, const struct jm_timeline *timeline,
	const struct jm_layer_energy_rail *rails, size_t n, struct jm_error *reterr)
{
	struct jm_writer writer;
	struct output output = {put_to_writer, &writer};
	int status = jm_writer_open(&writer, path, reterr);

	if (status < 0)
		return status;
	put_rails(&output, timeline, rails, n);
	return jm_writer_commit(&writer, reterr);
}

void jm_layer_energy_by_rail_print(FILE *out, const struct jm_timeline *timeline,
	const struct jm_layer_energy_rail *rails, size_t n)
{
	struct output output = {jm_csv_put_of(out), out};

	put_rails(&output, timeline, rails, n);
}

void jm_layer_energy_print(
	FILE *out, const struct jm_timeline *timeline, const struct jm_fit_result *result)
{
	struct output output = {jm_csv_put_of(out), out};

	put_all(&output, timeline, result);
}

/* ---- Reading ------------------------------------------------------------------- */

static int read_figures(const struct jm_csv_reader *csv, const int *at,
	struct jm_fit_layer *layer, struct jm_error *reterr)
{
	double *const to[N_COLUMNS] = {[RUNTIME] = &layer->runtime_ms,
		[RUNTIME_SD] = &layer->runtime_sd_ms,
		[POWER] = &layer->power_w,
		[POWER_SD] = &layer->power_sd_w,
		[POWER_LO] = &layer->power_lo_w,
		[POWER_HI] = &layer->power_hi_w,
		[DYNAMIC] = &layer->dynamic_power_w,
		[ENERGY] = &layer->energy_mj,
		[ENERGY_SD] = &layer->energy_sd_mj,
		[SHARE] = &layer->energy_share,
		[READINGS] = &layer->readings};
	int result = 0;

	for (int i = 0; i < N_COLUMNS && result >= 0; i++) {
		if (!to[i])
			continue;
		*to[i] = (double)NAN;
		if (at[i] >= 0)
			result = jm_csv_number(csv, (size_t)at[i], columns[i], to[i], reterr);
	}
	return result;
}

/* 0 to INT_MAX; -1 where the field is empty, as it may be in all but one column. */
static int read_number(const struct jm_csv_reader *csv, const int *at, int column,
	int *ret_number, struct jm_error *reterr)
{
	const struct jm_csv_field *field = &csv->fields[at[column]];
	int64_t number = -1;
	int result = 0;

	if (field->length || column == EXECUTIONS)
		result = jm_csv_integer(
			csv, (size_t)at[column], columns[column], &number, reterr);
	if (result == 0 && field->length && (number < 0 || number > INT_MAX))
		result = jm_fail(reterr, JM_EFORMAT,
			"'%s' line %zu: column '%s' holds %s, not a number from 0 to %d",
			csv->reader->path, csv->line, columns[column], field->text, INT_MAX);
	*ret_number = (int)number;
	return result;
}

static int read_text(const struct jm_csv_reader *csv, const int *at, int column,
	char ret_text[JM_LAYER_ENERGY_TEXT_MAX], struct jm_error *reterr)
{
	const char *text;
	int result = jm_csv_text(csv, (size_t)at[column], columns[column], &text, reterr);

	if (result == 0)
		jm_text_copy(ret_text, JM_LAYER_ENERGY_TEXT_MAX, text);
	return result;
}

static int read_resolved(const struct jm_csv_reader *csv, const int *at,
	enum jm_resolved *ret_resolved, struct jm_error *reterr)
{
	const char *text;
	int result = jm_csv_text(csv, (size_t)at[RESOLVED], columns[RESOLVED], &text, reterr);

	if (result == 0)
		*ret_resolved = strcmp(text, "yes") == 0     ? JM_RESOLVED_YES
				: strcmp(text, "group") == 0 ? JM_RESOLVED_GROUP
							     : JM_RESOLVED_NO;
	return result;
}

static int read_row(const struct jm_csv_reader *csv, const int *at,
	struct jm_layer_energy_row *row, struct jm_error *reterr)
{
	int executions = 0, index = 0;
	int result = read_figures(csv, at, &row->layer, reterr);

	if (result >= 0)
		result = read_text(csv, at, NAME, row->name, reterr);
	if (result >= 0)
		result = read_text(csv, at, TYPE, row->type, reterr);
	if (result >= 0)
		result = read_number(csv, at, EXECUTIONS, &executions, reterr);
	if (result >= 0)
		result = read_resolved(csv, at, &row->layer.resolved, reterr);
	if (result >= 0)
		result = read_number(csv, at, GROUP, &row->layer.group, reterr);
	if (result >= 0)
		result = read_number(csv, at, INDEX, &index, reterr);
	if (result < 0)
		return result;
	row->layer.executions = (size_t)executions;
	row->index = index >= 0 ? index : strcmp(row->name, GAP_NAME) == 0 ? -1 : -2;
	return 0;
}

static int find_columns(
	const struct jm_csv_reader *csv, int *ret_at, const char *path, struct jm_error *reterr)
{
	for (int i = 0; i < N_COLUMNS; i++) {
		ret_at[i] = jm_csv_find(csv, columns[i]);
		if (ret_at[i] < 0)
			return jm_fail(reterr, JM_EFORMAT,
				"'%s' has no column '%s'; 'joulemap map' writes it", path,
				columns[i]);
	}
	return 0;
}

static int read_rows(struct jm_csv_reader *csv, struct jm_layer_energy_row *own,
	jm_layer_energy_fn *row, void *context, struct jm_error *reterr)
{
	int at[N_COLUMNS], rows = 0;
	int result = jm_csv_next(csv, reterr);

	if (result >= 0)
		result = find_columns(csv, at, csv->reader->path, reterr);
	while (result >= 0 && (result = jm_csv_next(csv, reterr)) > 0) {
		result = read_row(csv, at, own, reterr);
		if (result >= 0)
			result = row(context, own);
		rows++;
	}
	return result < 0 ? result : rows;
}

int jm_layer_energy_read_from(struct jm_reader *reader, jm_layer_energy_fn *row, void *context,
	struct jm_error *reterr)
{
	struct jm_layer_energy_row *own = calloc(1, sizeof(*own));
	struct jm_csv_reader csv;
	int rows;

	if (!own)
		return jm_fail_memory(reterr, "a table of layers");
	jm_csv_init(&csv, reader);
	rows = read_rows(&csv, own, row, context, reterr);
	jm_csv_release(&csv);
	free(own);
	return rows;
}

int jm_layer_energy_read(
	const char *path, jm_layer_energy_fn *row, void *context, struct jm_error *reterr)
{
	struct jm_reader reader;
	int rows = jm_reader_open(&reader, path, reterr);

	if (rows < 0)
		return rows;
	rows = jm_layer_energy_read_from(&reader, row, context, reterr);
	jm_reader_close(&reader);
	return rows;
}
