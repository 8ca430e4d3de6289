/* SPDX-License-Identifier: Apache-2.0 */
/* Chooses what each marker of a plan reads. */
#ifndef JM_ENGINES_ONNXRUNTIME_MARKERS_PLACES_H
#define JM_ENGINES_ONNXRUNTIME_MARKERS_PLACES_H

#include "engines/onnxruntime/markers/plan.h"

/* Fills in all but the order, which it changes for steps without a marker. JM_ENOMEM. */
int jm_ort_places_choose(
	struct jm_ort_plan *plan, const struct jm_ort_saved *saved, struct jm_ort_steps *steps);

#endif
