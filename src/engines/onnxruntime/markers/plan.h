/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where markers go. Behind every step stands one that reads what the step wrote;
 * nothing reads a marker. The runtime executes, one after the other, what nobody
 * waits for, from the last in the file to the first, and before each whatever it
 * waits for. So with the markers at the file's end, the last one first, a marker
 * and its step run before the next marker and its step: the order that the
 * network had, and nothing of the network is changed.
 */
#ifndef JM_ENGINES_ONNXRUNTIME_MARKERS_PLAN_H
#define JM_ENGINES_ONNXRUNTIME_MARKERS_PLAN_H

#include "engines/onnxruntime/markers/operator.h"
#include "engines/onnxruntime/markers/saved.h"
#include "engines/onnxruntime/step.h"

#define JM_ORT_NO_TWIN SIZE_MAX

/* Place i is before step i; place n is behind the last. */
struct jm_ort_plan {
	size_t *order;          /* [n], owned: node of each step */
	uint32_t *reads;        /* [n + 1], owned: of the marker there; JM_ORT_NO_VALUE: none */
	unsigned char *is_leaf; /* [n], owned: no marker can read it, and no node does */
	size_t n, n_marks;      /* n_marks: places that have a marker */
	size_t twin;            /* place that has two, or JM_ORT_NO_TWIN */
	size_t n_markers;
};

/*
 * Plans markers for a saved model whose nodes execute as `steps` tell. Its
 * values learn their types from them. Nothing can be read of a step that writes
 * no tensor: there is no marker behind it. It will run right before the first
 * step that needs it, to which `steps` are put in order. In the middle of the
 * network two markers stand, one behind the other: between them is what a marker
 * takes. JM_ENOTFOUND: the steps are not those nodes. JM_EUNSUPPORTED: names of
 * the model are markers' names.
 */
int jm_ort_plan_make(struct jm_ort_plan *ret_plan, struct jm_ort_saved *saved,
	struct jm_ort_steps *steps, struct jm_error *reterr);

static inline int jm_ort_plan_is_marked(const struct jm_ort_plan *plan, size_t place)
{
	return plan->reads[place] != JM_ORT_NO_VALUE;
}

/* How many markers stand before a place: 0, 1 or 2 each. */
size_t jm_ort_plan_count_before(const struct jm_ort_plan *plan, size_t place);

void jm_ort_plan_release(struct jm_ort_plan *plan);

#endif
