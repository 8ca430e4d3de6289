/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/readings_file.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "formats/csv.h"

/* Columns of a quantity; the second is NULL where there is one value. */
static const struct {
	enum jm_quantity quantity;
	const char *columns[2];
} quantities[] = {
	{JM_QUANTITY_MV_MA, {"mv", "ma"}},
	{JM_QUANTITY_UW, {"uw", NULL}},
	{JM_QUANTITY_UJ, {"uj", NULL}},
};

enum { N_QUANTITIES = sizeof(quantities) / sizeof(quantities[0]) };

/* ---- Writing --------------------------------------------------------------- */

static int has_quantity(const struct jm_power_log *log, enum jm_quantity quantity)
{
	for (size_t i = 0; i < log->n_rails; i++)
		if (log->rails[i].quantity == quantity)
			return 1;
	return 0;
}

static char *put_values(char *end, const struct jm_reading *reading, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		*end++ = ',';
		if (!isnan(reading->value[i]))
			end += jm_text_format_double(reading->value[i], end);
	}
	return end;
}

static void write_reading(struct jm_writer *writer, const char *name,
	const struct jm_reading *reading, enum jm_quantity quantity, const int *present)
{
	char *text = jm_writer_reserve(writer, JM_CSV_TEXT_MAX(JM_NAME_MAX) + 256);
	char *end = text;

	if (!text)
		return;
	end += jm_csv_format(name, end);
	end += sprintf(end, ",%" PRId64 ",%" PRId64, reading->before_ns, reading->after_ns);
	for (size_t q = 0; q < N_QUANTITIES; q++) {
		size_t n = quantities[q].columns[1] ? 2 : 1;

		if (!present[q])
			continue;
		if (quantities[q].quantity == quantity) {
			end = put_values(end, reading, n);
		} else {
			memset(end, ',', n);
			end += n;
		}
	}
	*end++ = '\n';
	jm_writer_advance(writer, (size_t)(end - text));
}

int jm_readings_write(const char *path, const struct jm_power_log *log, struct jm_error *reterr)
{
	int present[N_QUANTITIES];
	struct jm_writer writer;
	int result = jm_writer_open(&writer, path, reterr);

	if (result < 0)
		return result;
	jm_writer_text(&writer, "rail,before_ns,after_ns");
	for (size_t q = 0; q < N_QUANTITIES; q++) {
		present[q] = has_quantity(log, quantities[q].quantity);
		for (size_t i = 0; i < 2 && present[q] && quantities[q].columns[i]; i++)
			jm_writer_format(&writer, ",%s", quantities[q].columns[i]);
	}
	jm_writer_put(&writer, "\n", 1);
	for (size_t i = 0; i < log->n_rails; i++) {
		const struct jm_rail *rail = &log->rails[i];

		for (size_t j = 0; j < rail->n_readings; j++)
			write_reading(&writer, rail->name, &rail->readings[j], rail->quantity,
				present);
	}
	return jm_writer_commit(&writer, reterr);
}

/* A century on a clock that counts from boot: sums and differences are times too. */
#define TIME_MAX_NS (INT64_C(100) * 366 * 86400 * INT64_C(1000000000))

/* ---- Reading --------------------------------------------------------------- */

struct table {
	struct jm_csv_reader csv;
	int rail, before, after;
	int value[N_QUANTITIES][2]; /* column, or -1 */
	size_t last_rail;
};

static int find_columns(struct table *table, struct jm_error *reterr)
{
	const struct jm_csv_reader *csv = &table->csv;
	int values = 0;

	table->rail = jm_csv_find(csv, "rail");
	table->before = jm_csv_find(csv, "before_ns");
	table->after = jm_csv_find(csv, "after_ns");
	for (size_t q = 0; q < N_QUANTITIES; q++) {
		for (size_t i = 0; i < 2; i++) {
			const char *column = quantities[q].columns[i];

			table->value[q][i] = column ? jm_csv_find(csv, column) : -1;
		}
		if (quantities[q].columns[1] && table->value[q][1] < 0)
			table->value[q][0] = -1;
		values += table->value[q][0] >= 0;
	}
	if (table->rail >= 0 && table->before >= 0 && table->after >= 0 && values)
		return 0;
	return jm_fail(reterr, JM_EFORMAT,
		"'%s' is no table of readings: expected columns rail, before_ns, after_ns and "
		"mv, ma or uw or uj",
		csv->reader->path);
}

/* The row's values go to the first quantity that has one, or that is there. */
static int read_values(const struct table *table, struct jm_reading *reading,
	enum jm_quantity *ret_quantity, struct jm_error *reterr)
{
	int found = -1, given = 0;

	for (size_t q = 0; q < N_QUANTITIES && !given; q++) {
		double values[2] = {0, 0};

		if (table->value[q][0] < 0)
			continue;
		for (size_t i = 0; i < 2 && quantities[q].columns[i]; i++) {
			int result = jm_csv_number(&table->csv, (size_t)table->value[q][i],
				quantities[q].columns[i], &values[i], reterr);

			if (result < 0)
				return result;
			given |= !isnan(values[i]);
		}
		if (found >= 0 && !given)
			continue;
		found = (int)q;
		memcpy(reading->value, values, sizeof(values));
	}
	*ret_quantity = quantities[found].quantity;
	return given;
}

static int find_rail(struct table *table, struct jm_power_log *log, const char *name,
	enum jm_quantity quantity, struct jm_error *reterr)
{
	if (table->last_rail < log->n_rails &&
		strcmp(log->rails[table->last_rail].name, name) == 0)
		return (int)table->last_rail;
	for (size_t i = 0; i < log->n_rails; i++)
		if (strcmp(log->rails[i].name, name) == 0)
			return (int)i;
	return jm_power_log_add_rail(log, name, quantity, reterr);
}

static int take_row(struct table *table, struct jm_power_log *log, struct jm_error *reterr)
{
	const struct jm_csv_reader *csv = &table->csv;
	struct jm_reading reading = {0};
	enum jm_quantity quantity = JM_QUANTITY_MV_MA;
	const char *name = "";
	struct jm_rail *rail;
	int given, index;
	int result = jm_csv_integer(
		csv, (size_t)table->before, "before_ns", &reading.before_ns, reterr);

	if (result == 0)
		result = jm_csv_integer(
			csv, (size_t)table->after, "after_ns", &reading.after_ns, reterr);
	if (result == 0)
		result = jm_csv_text(csv, (size_t)table->rail, "rail", &name, reterr);
	if (result < 0)
		return result;
	if (reading.before_ns < -TIME_MAX_NS || reading.after_ns > TIME_MAX_NS ||
		reading.before_ns > reading.after_ns)
		return jm_fail(reterr, JM_EFORMAT,
			"'%s' line %zu: no reading lasts from %lld to %lld ns",
			csv->reader->path, csv->line, (long long)reading.before_ns,
			(long long)reading.after_ns);
	given = read_values(table, &reading, &quantity, reterr);
	if (given < 0)
		return given;
	index = find_rail(table, log, name, quantity, reterr);
	if (index < 0)
		return index;
	table->last_rail = (size_t)index;
	rail = &log->rails[index];
	/* Readings without a value do not tell the quantity; the first one does. */
	if (given && rail->quantity != quantity) {
		if (rail->n_readings && !isnan(rail->readings[rail->n_readings - 1].value[0]))
			return jm_fail(reterr, JM_EFORMAT,
				"'%s' line %zu: rail '%s' has values of two quantities",
				csv->reader->path, csv->line, rail->name);
		rail->quantity = quantity;
	}
	return jm_power_log_append(log, (size_t)index, &reading, reterr);
}

int jm_readings_read_from(
	struct jm_reader *reader, struct jm_power_log *log, struct jm_error *reterr)
{
	struct table table = {0};
	int result;

	jm_power_log_init(log);
	jm_csv_init(&table.csv, reader);
	result = jm_csv_next(&table.csv, reterr);
	if (result >= 0)
		result = find_columns(&table, reterr);
	while (result >= 0 && (result = jm_csv_next(&table.csv, reterr)) > 0)
		result = take_row(&table, log, reterr);
	jm_csv_release(&table.csv);
	if (result < 0)
		jm_power_log_release(log);
	return result;
}

int jm_readings_read(const char *path, struct jm_power_log *log, struct jm_error *reterr)
{
	struct jm_reader reader;
	int result;

	jm_power_log_init(log);
	result = jm_reader_open(&reader, path, reterr);
	if (result < 0)
		return result;
	result = jm_readings_read_from(&reader, log, reterr);
	jm_reader_close(&reader);
	return result;
}
