/* SPDX-License-Identifier: Apache-2.0 */
/* From what executes back to the model: names of nodes, and what was fused. */
#ifndef JM_ENGINES_ONNXRUNTIME_NAMING_H
#define JM_ENGINES_ONNXRUNTIME_NAMING_H

#include "engines/onnxruntime/capture.h"
#include "engines/onnxruntime/step.h"

#define JM_ORT_NO_NODE ((size_t)-1)
#define JM_ORT_FUSED_MAX 6

/* What one executed node stands for. */
struct jm_ort_origin {
	size_t node;                    /* of the captured graph, or JM_ORT_NO_NODE */
	size_t fused[JM_ORT_FUSED_MAX]; /* nodes computed along with it, in order */
	size_t n_fused;
	int same_kind; /* node has the operator that executes, plain or fused */
};

/*
 * Finds the origin of every step. Names come back unchanged, or with endings
 * that the optimisers add ("_nchwc", "_token_12", "/MatMulAddFusion"); a layout
 * change names a node after its output, from which the way back leads through
 * the activations that were fused. ret_origins [steps->n].
 */
void jm_ort_origins_find(const struct jm_ort_steps *steps, const struct jm_ort_capture *capture,
	struct jm_ort_origin *ret_origins);

/* The node that makes a tensor; JM_ORT_NO_NODE: none, as of inputs and weights. */
size_t jm_ort_producer_find(const struct jm_ort_capture *capture, const char *tensor);

/* 1: no node of the model, but a change of type that the runtime needs. */
int jm_ort_is_inserted_cast(const struct jm_ort_step *step);

/*
 * Name to show for a step: that of its origin, without what optimisers add to
 * it. A node that they inserted has the runtime's own name and the shape that it
 * works on, "ReorderOutput[1x64x56x56]": its number and its place in the order
 * differ from session to session. Not unique. Heap; NULL: no memory.
 */
char *jm_ort_origin_name(const struct jm_ort_step *step, const struct jm_ort_capture *capture,
	const struct jm_ort_origin *origin);

#endif
