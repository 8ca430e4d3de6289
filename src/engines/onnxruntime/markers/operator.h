/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The marker: an operator of our own that reads the clock where it stands in
 * the graph. Its output lies where its input does, so that it moves nothing.
 */
#ifndef JM_ENGINES_ONNXRUNTIME_MARKERS_OPERATOR_H
#define JM_ENGINES_ONNXRUNTIME_MARKERS_OPERATOR_H

#include "engines/onnxruntime/clock.h"
#include "engines/onnxruntime/custom_op.h"
#include "joulemap/joulemap.h"

#define JM_ORT_MARKER_DOMAIN "joulemap"
#define JM_ORT_MARKER_NAME_MAX 32
/* Attributes: its place among those that stamp (-1: it does not), and 1: its
 * shape never changes. */
#define JM_ORT_MARKER_PLACE "place"
#define JM_ORT_MARKER_FIXED "fixed"

/* Where the markers of one run write. */
struct jm_ort_stamps {
	struct jm_ort_clock clock;
	int64_t *ns; /* [capacity], owned: when each marker ran, in their order */
	size_t n, capacity;
	size_t n_strange; /* markers that ran out of turn, or failed */
	int on;           /* 0: markers only hand their input on */
};

/*
 * Element types of what a marker reads: `through` is handed on, as the output,
 * 0: nothing is; `after` is only waited for, 0: nothing is.
 */
struct jm_ort_marker_kind {
	int through, after;
};

struct jm_ort_marker {
	struct jm_ort_custom_op op; /* first: the runtime hands it back */
	struct jm_ort_marker_kind kind;
	char name[JM_ORT_MARKER_NAME_MAX];
	const struct jm_ort *ort;
	struct jm_ort_stamps *stamps;
};

/* The operators of one network, one per kind. Stays where it is until close. */
struct jm_ort_markers {
	const struct jm_ort *ort;
	struct OrtCustomOpDomain *domain;
	struct jm_ort_marker *operators; /* [n], owned */
	size_t n;
	struct jm_ort_stamps stamps;
};

/*
 * Makes the operators of `kinds` [n], all different, and room for the stamps of
 * n_markers. The runtime must be of JM_ORT_API_MARKERS or later.
 */
int jm_ort_markers_open(struct jm_ort_markers *markers, const struct jm_ort *ort,
	struct jm_ort_clock clock, const struct jm_ort_marker_kind *kinds, size_t n,
	size_t n_markers, struct jm_error *reterr);

/* After the sessions that use them. Accepts a zeroed one. */
void jm_ort_markers_close(struct jm_ort_markers *markers);

/* Name of the operator of a kind. */
void jm_ort_marker_name(struct jm_ort_marker_kind kind, char ret_name[JM_ORT_MARKER_NAME_MAX]);

#endif
