/* SPDX-License-Identifier: Apache-2.0 */
/* What all who go through a timeline ask of it. */
#ifndef JM_DATA_CYCLES_H
#define JM_DATA_CYCLES_H

#include "joulemap/joulemap.h"

/* 1 when executions of any layer have cycles of their own (lanes: lanes). */
int jm_timeline_has_cycles(const struct jm_timeline *timeline);
int jm_timeline_has_lanes(const struct jm_timeline *timeline);

/* Adds shift_ns to every stamp. */
void jm_timeline_shift(struct jm_timeline *timeline, int64_t shift_ns);

/* jm_layer_first_execution without a call where it is simple: in loops over all of them. */
static inline size_t jm_cycle_begin(const struct jm_layer *layer, size_t cycle)
{
	if (layer->cycles)
		return jm_layer_first_execution(layer, cycle);
	return cycle < layer->n_executions ? cycle : layer->n_executions;
}

#endif
