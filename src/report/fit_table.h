/* SPDX-License-Identifier: Apache-2.0 */
/* The result of a fit as text: for people, and as JSON. */
#ifndef JM_REPORT_FIT_TABLE_H
#define JM_REPORT_FIT_TABLE_H

#include <jansson.h>
#include <stdio.h>

#include "report/table.h"

void jm_fit_table_print(FILE *out, const struct jm_timeline *timeline,
	const struct jm_fit_result *result, const struct jm_table_header *header);

/* Returns 0 or JM_ENOMEM. */
int jm_fit_table_print_json(FILE *out, const struct jm_timeline *timeline,
	const struct jm_fit_result *result, const struct jm_table_header *header,
	struct jm_error *reterr);

/* ---- Parts of it, for the table by rail ------------------------------------------ */

/* Columns of the names. */
size_t jm_fit_table_name_width(const struct jm_timeline *timeline);
/* What stands above: the run, its sensor, its cycles. */
void jm_fit_table_print_header(
	FILE *out, const struct jm_fit_result *result, const struct jm_table_header *header);
/* The caller owns the reference; NULL when out of memory. */
json_t *jm_fit_table_json(const struct jm_timeline *timeline,
	const struct jm_fit_result *result, const struct jm_table_header *header);
/* Prints and releases it. JM_ENOMEM where there is none. */
int jm_json_print_report(FILE *out, json_t *taken, struct jm_error *reterr);

#endif
