/* SPDX-License-Identifier: Apache-2.0 */
/* Layers that no marker stands between are one, and the user is told. */
#ifndef JM_ENGINES_ONNXRUNTIME_MARKERS_JOINED_H
#define JM_ENGINES_ONNXRUNTIME_MARKERS_JOINED_H

#include "engines/onnxruntime/markers/marked.h"

/*
 * Makes one layer of those of `graph` (one per step) that are joined: it has
 * the name of the last one, the types and the work of all. Writes into *info
 * how the network is traced, and what that costs.
 */
int jm_ort_joined_describe(const struct jm_ort_marked *marked, struct jm_graph *graph,
	struct jm_engine_info *info, struct jm_error *reterr);

#endif
