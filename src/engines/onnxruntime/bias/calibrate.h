/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much too long a traced node reads, found out on this machine: the runtime
 * describes the inputs between our begin and the node, and formats what it knows
 * between the node and our end. A chain of probes, which know when they really
 * ran, shows both parts.
 */
#ifndef JM_ENGINES_ONNXRUNTIME_BIAS_CALIBRATE_H
#define JM_ENGINES_ONNXRUNTIME_BIAS_CALIBRATE_H

#include "engines/onnxruntime/network.h"

struct jm_ort_bias {
	double head_ns;           /* before a node with one input */
	double head_per_input_ns; /* more for every further input */
	double tail_ns;           /* behind a node that leaves the caches warm */
	double tail_cold_ns;      /* behind one that moves JM_ORT_COLD_BYTES */
	double sd_ns;             /* of head + tail of a single node */
};

#define JM_ORT_COLD_BYTES ((size_t)1 << 20)

/* `like`: how the network is run; its model, inputs and level do not matter. */
int jm_ort_calibrate(struct jm_ort_bias *ret_bias, const struct jm_ort_session_setup *like,
	int by_callbacks, struct jm_ort_clock clock, struct jm_error *reterr);

/*
 * Parts of the bias for a layer that moves `bytes`; whole numbers of at least 0.
 * Nodes inside the layer add theirs to its tail.
 */
struct jm_ort_layer_bias {
	int64_t head_ns, tail_ns;
};

struct jm_ort_layer_bias jm_ort_bias_of(
	const struct jm_ort_bias *bias, const struct jm_ort_step *step, double bytes);

/* Shortens a span from both ends, never to less than nothing. */
void jm_ort_bias_remove(struct jm_ort_layer_bias bias, int64_t *begin_ns, int64_t *end_ns);

#endif
