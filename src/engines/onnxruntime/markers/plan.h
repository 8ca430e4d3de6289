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

#define JM_ORT_NO_MARKER SIZE_MAX
#define JM_ORT_NO_TWIN SIZE_MAX

/*
 * One node of ours. Several before one step hand on to each other; the last of
 * them does to the step.
 */
struct jm_ort_plan_marker {
	size_t at;               /* step that it stands before; n: behind the last */
	uint32_t through, after; /* values, or JM_ORT_NO_VALUE */
	size_t after_marker;     /* waits for that one, or JM_ORT_NO_MARKER */
	int stamps;              /* 0: it only keeps the order */
};

/*
 * What a node waits for, the runtime executes from the last in the file to the
 * first, and begins with the last that nobody waits for. So a step that cannot be
 * held back comes first in the file, and runs when there is nothing else to wait
 * for; one that cannot be waited for comes last, and runs as soon as it can.
 */
enum { JM_ORT_TURN_IN_ORDER, JM_ORT_TURN_FIRST, JM_ORT_TURN_LAST };

/* A mark is a place with a stamp: before a step, or behind the last. */
struct jm_ort_plan {
	size_t *order;                      /* [n], owned: node of each step */
	unsigned char *is_marked;           /* [n + 1], owned: places */
	unsigned char *turns;               /* [n], owned: JM_ORT_TURN_..., in the file */
	struct jm_ort_plan_marker *markers; /* [n_all], owned, by place */
	size_t n, n_marks;
	size_t twin;             /* mark that has two stamps, or JM_ORT_NO_TWIN */
	size_t n_all, n_markers; /* n_markers: those that stamp */
};

/*
 * Plans markers for a saved model whose nodes execute as `steps` tell, which
 * must live as long as `saved`: its values learn their types from them. A place
 * cannot be marked where the node before writes no tensor or the next one reads
 * none that is computed; nodes without a mark between them are one layer, and
 * markers without a stamp see to it that they are no other nodes. In the middle
 * of the network two markers stand, one behind the other: between them is what a
 * marker takes. JM_ENOTFOUND: the steps are not those nodes. JM_EUNSUPPORTED:
 * names of the model are markers' names.
 */
int jm_ort_plan_make(struct jm_ort_plan *ret_plan, struct jm_ort_saved *saved,
	const struct jm_ort_steps *steps, struct jm_error *reterr);

/* Element types of what a marker reads. */
struct jm_ort_marker_kind jm_ort_plan_kind(const struct jm_ort_plan *plan,
	const struct jm_ort_saved *saved, const struct jm_ort_plan_marker *marker);

void jm_ort_plan_release(struct jm_ort_plan *plan);

#endif
