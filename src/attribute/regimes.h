/* SPDX-License-Identifier: Apache-2.0 */
/* When the machine changed its pace: layers last longer or shorter from then on. */
#ifndef JM_ATTRIBUTE_REGIMES_H
#define JM_ATTRIBUTE_REGIMES_H

#include "attribute/segments.h"

/*
 * Finds the regimes of a run (at most JM_REGIMES_MAX) by the time that its
 * cycles' layers take, and gives layers a column for each. 0, JM_ENOMEM.
 */
int jm_regimes_find(struct jm_segments *segments);

#endif
