/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a network with markers is the same network. */
#ifndef JM_ENGINES_ONNXRUNTIME_MARKERS_CHECK_H
#define JM_ENGINES_ONNXRUNTIME_MARKERS_CHECK_H

#include "engines/onnxruntime/markers/plan.h"
#include "engines/onnxruntime/markers/turns.h"

/* Marked steps are `steps` in their order, with the markers of the plan between. */
int jm_ort_check_order(const struct jm_ort_plan *plan, const struct jm_ort_steps *steps,
	const struct jm_ort_steps *marked, struct jm_error *reterr);

/* Both give the same answer, bit by bit. */
int jm_ort_check_answer(
	struct jm_ort_session *plain, struct jm_ort_session *marked, struct jm_error *reterr);

/*
 * The markers themselves cost no more than 5 % of the network's time and 1 us
 * each, and with them it takes at most a quarter more: that much, two sessions
 * of one network may differ by their place in memory alone.
 */
int jm_ort_check_cost(
	const struct jm_ort_cost *cost, size_t n_markers, struct jm_error *reterr);

#endif
