/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The optimised model as a session saves it: into memory files, its weights in
 * one of their own, so that neither a disk nor the 2 GB of a protobuf limit it.
 */
#ifndef JM_ENGINES_ONNXRUNTIME_MARKERS_SAVED_H
#define JM_ENGINES_ONNXRUNTIME_MARKERS_SAVED_H

#include <stddef.h>
#include <stdint.h>

#include "joulemap/engine.h"

#define JM_ORT_NO_VALUE UINT32_MAX

/* Piece of the image; not terminated. */
struct jm_ort_piece {
	const char *data;
	size_t size;
};

/* Something that nodes read and write. */
struct jm_ort_saved_value {
	struct jm_ort_piece name;
	struct jm_ort_piece type; /* a TypeProto; empty: the model does not tell */
	int dtype;                /* of its elements; 0: no tensor, or not known */
	/* What it was in a run, borrowed from who tells; NULL: not known. */
	const struct jm_tensor *seen;
	int is_constant;
};

struct jm_ort_saved_node {
	struct jm_ort_piece all; /* a NodeProto */
	struct jm_ort_piece name, op;
	const uint32_t *inputs, *outputs; /* [n_...] values, or JM_ORT_NO_VALUE: left out */
	size_t n_inputs, n_outputs;
};

struct jm_ort_saved {
	int model_fd, weights_fd;
	char path[32];         /* where a session is to save; "": not open */
	char weights_name[16]; /* what the model calls the file of weights */

	/* After read. */
	void *image, *weights; /* [n_...], mapped */
	size_t n_image, n_weights;
	struct jm_ort_piece graph;         /* a GraphProto */
	struct jm_ort_saved_node *nodes;   /* [n_nodes], owned, in the file's order */
	struct jm_ort_saved_value *values; /* [n_values], owned, sorted by name */
	size_t n_nodes, n_values;
	uint32_t *ends; /* what nodes' lists point into; owned */
};

/* Makes the files. JM_EUNSUPPORTED and others: there are no memory files here. */
int jm_ort_saved_open(struct jm_ort_saved *saved, struct jm_error *reterr);

/* Maps and reads what a session has saved. JM_EFORMAT, JM_ENOMEM. */
int jm_ort_saved_read(struct jm_ort_saved *saved, struct jm_error *reterr);

/* Value of that name, or JM_ORT_NO_VALUE. */
uint32_t jm_ort_saved_find(const struct jm_ort_saved *saved, struct jm_ort_piece name);

int jm_ort_piece_compare(struct jm_ort_piece a, struct jm_ort_piece b);

/* Accepts a zeroed or half-opened one. */
void jm_ort_saved_close(struct jm_ort_saved *saved);

#endif
