/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The marker: an operator of our own that reads the clock when its input is
 * there. It has no output, and does not look at the input.
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
	int on;           /* 0: markers do nothing */
};

struct jm_ort_marker {
	struct jm_ort_custom_op op; /* first: the runtime hands it back */
	int dtype;                  /* of the elements of what it reads */
	char name[JM_ORT_MARKER_NAME_MAX];
	const struct jm_ort *ort;
	struct jm_ort_stamps *stamps;
};

/* The operators of one network, one per type. Stays where it is until close. */
struct jm_ort_markers {
	const struct jm_ort *ort;
	struct OrtCustomOpDomain *domain;
	struct jm_ort_marker *operators; /* [n], owned */
	size_t n;
	struct jm_ort_stamps stamps;
};

/* Makes operators for `dtypes` [n], all different, and room for the stamps of n_markers. */
int jm_ort_markers_open(struct jm_ort_markers *markers, const struct jm_ort *ort,
	struct jm_ort_clock clock, const int *dtypes, size_t n, size_t n_markers,
	struct jm_error *reterr);

/* After the sessions that use them. Accepts a zeroed one. */
void jm_ort_markers_close(struct jm_ort_markers *markers);

/* Name of the operator that reads such elements. */
void jm_ort_marker_name(int dtype, char ret_name[JM_ORT_MARKER_NAME_MAX]);

#endif
