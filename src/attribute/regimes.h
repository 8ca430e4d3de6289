/* SPDX-License-Identifier: Apache-2.0 */
/* When the machine changed its pace: layers last longer or shorter from then on. */
#ifndef JM_ATTRIBUTE_REGIMES_H
#define JM_ATTRIBUTE_REGIMES_H

#include "attribute/segments.h"

/*
 * Finds the regimes of a run by the time that its cycles' layers take, and
 * sets segments->regime and n_regimes (at most JM_REGIMES_MAX). 0, JM_ENOMEM.
 */
int jm_regimes_find(struct jm_segments *segments);

#endif
