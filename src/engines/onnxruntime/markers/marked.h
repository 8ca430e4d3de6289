/* SPDX-License-Identifier: Apache-2.0 */
/* A network with markers between its layers, checked against the one without. */
#ifndef JM_ENGINES_ONNXRUNTIME_MARKERS_MARKED_H
#define JM_ENGINES_ONNXRUNTIME_MARKERS_MARKED_H

#include "engines/onnxruntime/discover.h"
#include "engines/onnxruntime/markers/plan.h"
#include "engines/onnxruntime/markers/turns.h"
#include "engines/onnxruntime/trace.h"

struct jm_ort_marked {
	struct jm_ort_saved saved; /* until the session is open, which takes copies */
	struct jm_ort_markers markers;
	struct jm_ort_profiled session;
	struct jm_ort_plan plan;
	struct jm_ort_cost cost;
	size_t twin;               /* place of the marker that has one, or JM_ORT_NO_TWIN */
	int64_t cost_ns;           /* of one marker, at least 0: spans are shortened by it */
	double cost_error_ns;      /* of that */
	size_t n_layers;           /* steps, but those that are joined to the next */
	struct jm_ort_span *spans; /* [n_layers], owned: of the last run */
};

/*
 * Builds it from what the session `plain`, opened with *like, has saved (into
 * *saved, which is taken over, also on failure). Puts `steps` into the order in
 * which they run with markers, if some cannot be marked. Fails, and is released, when
 * the network cannot be marked or is another one with markers: nodes in another
 * order, an answer that differs in a bit, markers that cost too much. The error
 * says why, as an end of "markers cannot be used: ...".
 */
int jm_ort_marked_open(struct jm_ort_marked *marked, struct jm_ort_saved *saved,
	const struct jm_ort_session_setup *like, int by_callbacks, struct jm_ort_clock clock,
	struct jm_ort_steps *steps, struct jm_ort_session *plain, struct jm_error *reterr);

/* Whether step `i` has no marker behind it: it is one layer with the next step. */
int jm_ort_marked_is_joined(const struct jm_ort_marked *marked, size_t i);

/*
 * One run; spans of the layers go to `sink` as those of `cycle`. NULL: markers
 * do nothing.
 */
int jm_ort_marked_run(struct jm_ort_marked *marked, const struct jm_span_sink *sink,
	uint32_t cycle, struct jm_error *reterr);

/* Accepts a zeroed or half-opened one. */
void jm_ort_marked_close(struct jm_ort_marked *marked);

#endif
