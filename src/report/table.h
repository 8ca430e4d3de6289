/* SPDX-License-Identifier: Apache-2.0 */
/* The summary of a run as text: for people, as JSON, as CSV. */
#ifndef JM_REPORT_TABLE_H
#define JM_REPORT_TABLE_H

#include <stdio.h>

#include "attribute/summary.h"

/* What stands above the table; any text but method may be NULL. */
struct jm_table_header {
	const char *model;
	const char *engine;  /* "onnxruntime 1.30.0" */
	const char *sensor;  /* "ina3221:1-0040 VDD_IN" */
	const char *method;  /* "window, later rules" */
	int simulated;       /* says so, loudly */
	double pause_max_ms; /* of random pauses between cycles; 0: none known */
};

/* ", with random pauses of up to 0.825 ms" behind the time of a cycle, if there were any. */
void jm_table_print_pauses(FILE *out, const struct jm_table_header *header);

void jm_table_print(
	FILE *out, const struct jm_summary *summary, const struct jm_table_header *header);

/*
 * One row per layer: layer_index,layer_name,layer_type,executions,runtime_ms,
 * runtime_sd_ms,power_w,power_se_w,dynamic_power_w,energy_mj,
 * dynamic_energy_mj,samples,resolved,simulated.
 */
void jm_table_print_csv(
	FILE *out, const struct jm_summary *summary, const struct jm_table_header *header);

/* Returns 0 or JM_ENOMEM. */
int jm_table_print_json(FILE *out, const struct jm_summary *summary,
	const struct jm_table_header *header, struct jm_error *reterr);

#endif
