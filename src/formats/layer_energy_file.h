/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layer_energy.csv: one row per layer, then (gap) and (total). Columns:
 * layer_index,layer_name,layer_type,executions,runtime_ms,runtime_sd_ms,
 * power_w,power_sd_w,power_lo_w,power_hi_w,dynamic_power_w,energy_mj,
 * energy_sd_mj,energy_share,readings,resolved,group. Missing values are empty.
 * Energies of layers are per execution, those of (gap) and (total) per cycle;
 * (total) is what the sensor saw, so that the rows' sum can be held against it.
 */
#ifndef JM_FORMATS_LAYER_ENERGY_FILE_H
#define JM_FORMATS_LAYER_ENERGY_FILE_H

#include <stdio.h>

#include "base/file.h"
#include "joulemap/joulemap.h"

#define JM_LAYER_ENERGY_NAME "layer_energy.csv"
#define JM_LAYER_ENERGY_BY_RAIL_NAME "layer_energy_by_rail.csv"
#define JM_LAYER_ENERGY_TEXT_MAX 256

/* Writes the file whole or not at all. */
int jm_layer_energy_write(const char *path, const struct jm_timeline *timeline,
	const struct jm_fit_result *result, struct jm_error *reterr);

/* The same text to a stream. */
void jm_layer_energy_print(
	FILE *out, const struct jm_timeline *timeline, const struct jm_fit_result *result);

/* A rail's part of layer_energy_by_rail.csv; everything borrowed. */
struct jm_layer_energy_rail {
	const char *rail;
	const char *role; /* what it is to the total: "total", "part", "inside", "other" */
	const struct jm_fit_result *result;
};

/* The same rows for every rail, with `rail` and `role` before the other columns. */
int jm_layer_energy_by_rail_write(const char *path, const struct jm_timeline *timeline,
	const struct jm_layer_energy_rail *rails, size_t n, struct jm_error *reterr);
void jm_layer_energy_by_rail_print(FILE *out, const struct jm_timeline *timeline,
	const struct jm_layer_energy_rail *rails, size_t n);

/* One row as read; index -1: (gap), -2: (total). */
struct jm_layer_energy_row {
	long index;
	char name[JM_LAYER_ENERGY_TEXT_MAX];
	char type[JM_LAYER_ENERGY_TEXT_MAX];
	struct jm_fit_layer layer;
};

typedef int jm_layer_energy_fn(void *context, const struct jm_layer_energy_row *row);

/*
 * Reads such a file (columns in any order, others ignored) row by row. Returns
 * the number of rows, the negative value that `row` returned, or an error.
 */
int jm_layer_energy_read(
	const char *path, jm_layer_energy_fn *row, void *context, struct jm_error *reterr);

/* The same from an open reader, which stays open. */
int jm_layer_energy_read_from(struct jm_reader *reader, jm_layer_energy_fn *row, void *context,
	struct jm_error *reterr);

#endif
