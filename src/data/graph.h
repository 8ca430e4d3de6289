/* SPDX-License-Identifier: Apache-2.0 */
/* Building and freeing struct jm_graph, for every engine. */
#ifndef JM_DATA_GRAPH_H
#define JM_DATA_GRAPH_H

#include "joulemap/engine.h"

/* Frees what a tensor, an array of tensors, a layer or a graph owns; zeroes it. */
void jm_tensor_release(struct jm_tensor *tensor);
void jm_tensors_free(struct jm_tensor *tensors, size_t n);
void jm_graph_layer_release(struct jm_graph_layer *layer);
void jm_graph_release(struct jm_graph *graph);

/* Deep copy; JM_ENOMEM leaves ret_tensor empty. */
int jm_tensor_copy(struct jm_tensor *ret_tensor, const struct jm_tensor *tensor);

/* The same for an array; *ret_n counts what is in *ret_tensors, also on failure. */
int jm_tensors_copy(struct jm_tensor **ret_tensors, size_t *ret_n,
	const struct jm_tensor *tensors, size_t n);

/* Product of the dimensions; NaN when one is not known. A scalar has 1. */
double jm_tensor_elements(const struct jm_tensor *tensor);

/*
 * Makes names of layers unique by "#2", "#3" ... behind the later ones, and
 * gives a nameless layer its type as name. JM_ENOMEM.
 */
int jm_graph_make_names_unique(struct jm_graph *graph, struct jm_error *reterr);

#endif
