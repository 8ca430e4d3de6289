/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where markers go. Behind every node stands one: it reads what that node
 * wrote, and hands on something that the next one reads. So it can run neither
 * sooner nor later, and the nodes keep the order that they had.
 */
#ifndef JM_ENGINES_ONNXRUNTIME_MARKERS_PLAN_H
#define JM_ENGINES_ONNXRUNTIME_MARKERS_PLAN_H

#include "engines/onnxruntime/markers/operator.h"
#include "engines/onnxruntime/markers/saved.h"
#include "engines/onnxruntime/step.h"

/* The marker before a node, or behind the last. */
struct jm_ort_mark {
	int is_set;
	uint32_t through, after; /* values, or JM_ORT_NO_VALUE */
};

struct jm_ort_plan {
	size_t *order;             /* [n], owned: node of each step */
	struct jm_ort_mark *marks; /* [n + 1], owned: before each step, and at the end */
	size_t n, n_marks;         /* marks that are set */
	size_t twin;               /* mark that has two markers, or JM_ORT_NO_TWIN */
	size_t n_markers;
};

#define JM_ORT_NO_TWIN SIZE_MAX

/*
 * Plans markers for a saved model whose nodes execute as `steps` tell, which
 * must live as long as `saved`: its values learn their types from them. A place
 * cannot be marked where the node before writes no tensor or the next one reads
 * none that is computed. In the middle of the network two markers stand, one
 * behind the other: between them is what a marker takes. JM_ENOTFOUND: the steps
 * are not those nodes.
 */
int jm_ort_plan_make(struct jm_ort_plan *ret_plan, struct jm_ort_saved *saved,
	const struct jm_ort_steps *steps, struct jm_error *reterr);

/* Element types of what a marker reads. */
struct jm_ort_marker_kind jm_ort_mark_kind(
	const struct jm_ort_saved *saved, const struct jm_ort_mark *mark);

void jm_ort_plan_release(struct jm_ort_plan *plan);

#endif
