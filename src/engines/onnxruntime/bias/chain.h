/* SPDX-License-Identifier: Apache-2.0 */
/* A network that does next to nothing, to find out what tracing costs. */
#ifndef JM_ENGINES_ONNXRUNTIME_BIAS_CHAIN_H
#define JM_ENGINES_ONNXRUNTIME_BIAS_CHAIN_H

#include "onnx/proto.h"

/*
 * Writes an ONNX model: `n_nodes` nodes of operator `op` of domain `domain`, one
 * behind the other, each reading its predecessor's output `n_reads` times; all
 * tensors are one float in 4 dimensions. The writer must be zeroed; `failed` tells.
 */
void jm_ort_chain_write(struct jm_proto_writer *writer, const char *domain, const char *op,
	unsigned n_nodes, unsigned n_reads);

#endif
