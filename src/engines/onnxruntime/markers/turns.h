/* SPDX-License-Identifier: Apache-2.0 */
/* What markers cost: the network with and without them, in turns. */
#ifndef JM_ENGINES_ONNXRUNTIME_MARKERS_TURNS_H
#define JM_ENGINES_ONNXRUNTIME_MARKERS_TURNS_H

#include "engines/onnxruntime/markers/plan.h"
#include "engines/onnxruntime/session.h"

struct jm_ort_cost {
	double plain_ns, marked_ns; /* medians of a run */
	double fastest_extra_ns;    /* of the fastest marked run over the fastest plain one */
	double extra_ns;            /* of a marked run; median of neighbouring turns */
	double extra_sd_ns;         /* standard error of that */
	double twin_ns, twin_sd_ns; /* from a marker to its twin: median, spread; NaN: none */
};

/*
 * Runs both by turns for about a second. `twin`: place of the first of two
 * markers that stand together, or JM_ORT_NO_TWIN. JM_EENGINE: markers did not
 * run in their order; what a run returns.
 */
int jm_ort_turns_measure(struct jm_ort_session *plain, struct jm_ort_session *marked,
	struct jm_ort_stamps *stamps, size_t twin, struct jm_ort_cost *ret_cost,
	struct jm_error *reterr);

/*
 * What one of n markers takes off the layers, in ns, at least 0. Twins tell it
 * without noise, but stand where nothing else has just run, which is true to a
 * third; turns tell it as it is, but two sessions of one network differ by some
 * per cent of its time whatever is in them. The mean of both, each by its error.
 */
double jm_ort_cost_of_marker(const struct jm_ort_cost *cost, size_t n, double *ret_error_ns);

/* One marked run, whose stamps are checked. */
int jm_ort_turns_run_marked(
	struct jm_ort_session *marked, struct jm_ort_stamps *stamps, struct jm_error *reterr);

#endif
