/* SPDX-License-Identifier: Apache-2.0 */
/* Begin and end of every node of one run, taken in the runtime's callbacks. */
#ifndef JM_ENGINES_ONNXRUNTIME_TRACE_H
#define JM_ENGINES_ONNXRUNTIME_TRACE_H

#include "engines/onnxruntime/api.h"
#include "engines/onnxruntime/step.h"

struct jm_ort_span {
	int64_t begin_ns, end_ns;
	uint32_t layer;
};

/*
 * Recorder of one session. In its first run (`steps` set) it describes every
 * node; in later ones it keeps the spans of the outermost nodes, whose names
 * are known by then. Nothing is allocated while a known network runs.
 */
struct jm_ort_trace {
	const struct jm_ort *ort;
	int64_t (*now_ns)(void *clock);
	void *clock;
	struct jm_ort_steps *steps; /* describe into this; NULL: record spans */

	const char *const *events; /* [n_layers], borrowed: names in order */
	size_t n_layers;
	unsigned depth; /* of the layers */
	size_t next;    /* layer that is expected now */

	struct jm_ort_span *spans; /* [n_layers], owned; layer i at most once */
	size_t n_spans;
	size_t n_strange; /* events that belong to no layer, or to one twice */
	int out_of_memory;
};

/*
 * Gets ready for a run on this thread, and ends it: events that come without,
 * or on other threads, are not recorded.
 */
void jm_ort_trace_begin(struct jm_ort_trace *trace);
void jm_ort_trace_end(struct jm_ort_trace *trace);

/* Called by the plug-in: the first thing after begin, the last before end. */
void jm_ort_trace_start_event(void);
void jm_ort_trace_stop_event(const struct OrtProfilingEvent *event);

#endif
