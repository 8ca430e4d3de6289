/* SPDX-License-Identifier: Apache-2.0 */
/* The result of a fit as text: for people, and as JSON. */
#ifndef JM_REPORT_FIT_TABLE_H
#define JM_REPORT_FIT_TABLE_H

#include <stdio.h>

#include "report/table.h"

void jm_fit_table_print(FILE *out, const struct jm_timeline *timeline,
	const struct jm_fit_result *result, const struct jm_table_header *header);

/* Returns 0 or JM_ENOMEM. */
int jm_fit_table_print_json(FILE *out, const struct jm_timeline *timeline,
	const struct jm_fit_result *result, const struct jm_table_header *header,
	struct jm_error *reterr);

#endif
