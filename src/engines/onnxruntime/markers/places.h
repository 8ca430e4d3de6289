/* SPDX-License-Identifier: Apache-2.0 */
/* Where markers can stand, and what keeps the nodes between them in their order. */
#ifndef JM_ENGINES_ONNXRUNTIME_MARKERS_PLACES_H
#define JM_ENGINES_ONNXRUNTIME_MARKERS_PLACES_H

#include "engines/onnxruntime/markers/plan.h"

/*
 * Fills in all of a plan behind its order, for values whose types are known.
 * JM_ENOMEM.
 */
int jm_ort_places_choose(struct jm_ort_plan *plan, const struct jm_ort_saved *saved);

#endif
