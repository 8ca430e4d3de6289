/* SPDX-License-Identifier: Apache-2.0 */
/*
 * power_runtime_mapping_layerwise.csv: one row per layer and cycle, in the form
 * in which the original scripts wrote it.
 */
#ifndef JM_FORMATS_MAPPING_CSV_H
#define JM_FORMATS_MAPPING_CSV_H

#include "base/file.h"
#include "joulemap/joulemap.h"

struct jm_mapping_text;

struct jm_mapping_writer {
	struct jm_writer file;
	struct jm_mapping_text *layers; /* [n_layers], ",name,type," of each */
	size_t n_layers;
	char cycle_text[24];
	size_t cycle_length;
	size_t cycle; /* that cycle_text shows, from 1; 0: none */
	uint64_t rows;
};

/* Begins the file beside `path`; the timeline's names and types are copied. */
int jm_mapping_writer_open(struct jm_mapping_writer *writer, const char *path,
	const struct jm_timeline *timeline, struct jm_error *reterr);

/*
 * Writes one row; `writer` is a struct jm_mapping_writer *. Always 0: a failure
 * to write shows in commit. Fits jm_attribute_window().
 */
int jm_mapping_writer_row(void *writer, const struct jm_cycle_power *row);

/* Finishes the file, which appears at `path` now. Closes on failure too. */
int jm_mapping_writer_commit(struct jm_mapping_writer *writer, struct jm_error *reterr);

/* Leaves no file. Accepts a zeroed, failed or committed writer. */
void jm_mapping_writer_abandon(struct jm_mapping_writer *writer);

/* One row as read; texts are borrowed until the call returns. */
struct jm_mapping_row {
	size_t cycle; /* from 0 */
	const char *layer_name;
	const char *layer_type;
	double power_uw;         /* NaN: none */
	double dynamic_power_uw; /* NaN: none */
	double duration_ms;
};

typedef int jm_mapping_row_fn(void *context, const struct jm_mapping_row *row);

/*
 * Reads such a file (columns in any order, others ignored) row by row. Returns
 * the number of rows, the negative value that `row` returned, or an error.
 */
int64_t jm_mapping_read(
	const char *path, jm_mapping_row_fn *row, void *context, struct jm_error *reterr);

/* The same from an open reader, which stays open. */
int64_t jm_mapping_read_from(struct jm_reader *reader, jm_mapping_row_fn *row, void *context,
	struct jm_error *reterr);

#endif
