/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of an optimised network that run on their own, without any tracer. */
#ifndef JM_BENCH_CUT_H
#define JM_BENCH_CUT_H

#include "engines/onnxruntime/markers/plan.h"
#include "engines/onnxruntime/plugin.h"
#include "engines/onnxruntime/session.h"
#include "engines/onnxruntime/step.h"
#include "joulemap/engine.h"
#include "onnx/model.h"

struct cutter {
	struct jm_ort ort;
	struct OrtEnv *env;
	struct jm_ort_plugin plugin;
	struct jm_ort_capture capture;
	struct jm_onnx_inputs inputs;
	struct jm_ort_session_setup setup;
	struct jm_ort_steps steps;
	struct jm_ort_saved saved;
	struct jm_ort_plan plan;
	struct jm_graph graph;  /* a layer is a node */
	unsigned char *is_used; /* [saved.n_values], of the part that is being cut */
};

/* Optimises the network as the engine would; what *options has must live until close. */
int cutter_open(
	struct cutter *cutter, const struct jm_engine_options *options, struct jm_error *error);

/*
 * Opens the nodes from `first` to `last`, in the order of execution, as a network
 * of its own, whose output is the shape of what the last one writes.
 */
int cutter_cut(struct cutter *cutter, struct jm_ort_session *ret_session, size_t first,
	size_t last, struct jm_error *error);

/* After the sessions. Accepts what is zeroed or half open. */
void cutter_close(struct cutter *cutter);

#endif
