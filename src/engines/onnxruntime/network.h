/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A network that can be run untraced, and traced by callbacks or by profiles,
 * with the same answer: spans of its outermost nodes, as the clock read them.
 */
#ifndef JM_ENGINES_ONNXRUNTIME_NETWORK_H
#define JM_ENGINES_ONNXRUNTIME_NETWORK_H

#include "engines/onnxruntime/profiled.h"
#include "engines/onnxruntime/session.h"
#include "engines/onnxruntime/trace.h"

struct jm_ort_network {
	struct jm_ort_session_setup setup;
	int by_callbacks;
	struct jm_ort_steps steps; /* the layers, in order */
	const char **events;       /* [steps.n], names borrowed from steps */

	/* By callbacks: one session. By profile: the one whose profile ended. */
	struct jm_ort_profiled plain;
	struct jm_ort_trace trace;

	/* By profile: the session that profiles, and what it may still take. */
	struct jm_ort_profiled traced;
	int open_traced;
	size_t events_per_run, events_used, events_max;

	uint32_t cycle; /* of the run that is delivered next */
};

/*
 * Opens a session, warms it up, and runs it once to see what executes. With a
 * plug-in in `setup` and by_callbacks the spans come by callbacks. By profile
 * more sessions are opened later: everything in *setup must live until close.
 */
int jm_ort_network_open(struct jm_ort_network *network,
	const struct jm_ort_session_setup *setup, int by_callbacks, struct jm_ort_clock clock,
	struct jm_error *reterr);

/* One run; sink NULL: untraced. By profile the spans come later, at flush. */
int jm_ort_network_run(struct jm_ort_network *network, const struct jm_span_sink *sink,
	struct jm_error *reterr);

/* Delivers what is held back; the next traced run opens a session again. */
int jm_ort_network_flush(struct jm_ort_network *network, const struct jm_span_sink *sink,
	struct jm_error *reterr);

/* Accepts a zeroed or half-opened one. */
void jm_ort_network_close(struct jm_ort_network *network);

#endif
