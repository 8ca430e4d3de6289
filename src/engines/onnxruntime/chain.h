/* SPDX-License-Identifier: Apache-2.0 */
/* A network that does next to nothing, to find out what tracing costs. */
#ifndef JM_ENGINES_ONNXRUNTIME_CHAIN_H
#define JM_ENGINES_ONNXRUNTIME_CHAIN_H

#include "engines/onnxruntime/proto.h"

/*
 * Writes an ONNX model: `n_nodes` nodes of operator `op`, one behind the other,
 * each reading its predecessor's output `n_reads` times; all tensors are one
 * float in `n_dims` dimensions. The writer must be zeroed; `failed` tells.
 */
void jm_ort_chain_write(struct jm_proto_writer *writer, const char *op, unsigned n_nodes,
	unsigned n_reads, unsigned n_dims);

#endif
