/* SPDX-License-Identifier: Apache-2.0 */
/* Power by layer and rail as text: for people, and as JSON. */
#ifndef JM_REPORT_RAIL_TABLE_H
#define JM_REPORT_RAIL_TABLE_H

#include <stdio.h>

#include "formats/layer_energy_file.h"
#include "report/table.h"

/* The total first, as jm_rail_fits_table gives them; n is at least 1. */
void jm_rail_table_print(FILE *out, const struct jm_timeline *timeline,
	const struct jm_layer_energy_rail *rails, size_t n,
	const struct jm_table_header *header);

/* A list of what jm_fit_table_print_json prints, each with its rail and role. JM_ENOMEM. */
int jm_rail_table_print_json(FILE *out, const struct jm_timeline *timeline,
	const struct jm_layer_energy_rail *rails, size_t n,
	const struct jm_table_header *header, struct jm_error *reterr);

#endif
