/* SPDX-License-Identifier: Apache-2.0 */
/* Opens a session and runs it to see what executes. */
#ifndef JM_ENGINES_ONNXRUNTIME_DISCOVER_H
#define JM_ENGINES_ONNXRUNTIME_DISCOVER_H

#include "engines/onnxruntime/profiled.h"
#include "engines/onnxruntime/step.h"

/* Runs of a session that profiles before those that count. */
#define JM_ORT_WARM_UPS 1

/*
 * The outermost nodes in the order of their execution, told by callbacks (for
 * which `setup` needs a plug-in) or by a profile, whose events per run go to
 * *ret_n_events. The session is warm then, and profiles no more. On failure
 * both are released.
 */
int jm_ort_discover(struct jm_ort_profiled *ret_session,
	const struct jm_ort_session_setup *setup, int by_callbacks, struct jm_ort_clock clock,
	struct jm_ort_steps *ret_steps, size_t *ret_n_events, struct jm_error *reterr);

/* Appends what a profile tells of a run. JM_EENGINE, JM_ENOMEM. */
int jm_ort_discover_nodes(struct jm_ort_steps *steps, const struct jm_ort *ort,
	const struct jm_ort_profile_node *nodes, size_t n, struct jm_error *reterr);

#endif
