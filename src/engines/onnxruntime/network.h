/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A network that can be run untraced, and traced by markers, by callbacks or by
 * profiles, with the same answer: spans of its outermost nodes, on the clock.
 */
#ifndef JM_ENGINES_ONNXRUNTIME_NETWORK_H
#define JM_ENGINES_ONNXRUNTIME_NETWORK_H

#include "engines/onnxruntime/markers/marked.h"
#include "engines/onnxruntime/profiled.h"
#include "engines/onnxruntime/session.h"
#include "engines/onnxruntime/trace.h"

/* How the spans of a run are got. */
enum jm_ort_way { JM_ORT_BY_MARKERS, JM_ORT_BY_CALLBACKS, JM_ORT_BY_PROFILE };

struct jm_ort_network {
	struct jm_ort_session_setup setup;
	enum jm_ort_way way;
	struct jm_ort_steps steps;          /* the nodes, in order */
	const char **events;                /* [steps.n], names borrowed from steps */
	struct jm_tensor *inputs, *outputs; /* [n_...], of the whole network, owned */
	size_t n_inputs, n_outputs;

	/* By markers: the network has them; the others are closed. */
	struct jm_ort_marked marked;
	struct jm_error why_not; /* markers were wanted, and could not be used */

	/* By callbacks: one session. By profile: the one whose profile ended. */
	struct jm_ort_profiled plain;
	struct jm_ort_trace trace;

	/* By profile: the session that profiles, and what it may still take. */
	struct jm_ort_profiled traced;
	int open_traced;
	size_t events_per_run, events_used, events_max;

	uint32_t cycle; /* of the run that is delivered next */
};

/* How to trace. Without callbacks, which need a plug-in in `setup`: profiles. */
struct jm_ort_ways {
	int markers; /* try them first */
	int callbacks;
};

/*
 * Opens a session, warms it up, and runs it once to see what executes. Where
 * markers cannot be used, `why_not` says why. By profile more sessions are
 * opened later: everything in *setup must live until close.
 */
int jm_ort_network_open(struct jm_ort_network *network,
	const struct jm_ort_session_setup *setup, struct jm_ort_ways ways,
	struct jm_ort_clock clock, struct jm_error *reterr);

/*
 * One run; sink NULL: untraced (markers, where there are some, only hand on).
 * By profile the spans come later, at flush. Spans by markers are of layers:
 * steps that are joined are one.
 */
int jm_ort_network_run(struct jm_ort_network *network, const struct jm_span_sink *sink,
	struct jm_error *reterr);

/* Delivers what is held back; the next traced run opens a session again. */
int jm_ort_network_flush(struct jm_ort_network *network, const struct jm_span_sink *sink,
	struct jm_error *reterr);

/* Accepts a zeroed or half-opened one. */
void jm_ort_network_close(struct jm_ort_network *network);

#endif
