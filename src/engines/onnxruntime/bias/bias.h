/* SPDX-License-Identifier: Apache-2.0 */
/* How much too long the layers of a network read, all that is known of it put together. */
#ifndef JM_ENGINES_ONNXRUNTIME_BIAS_BIAS_H
#define JM_ENGINES_ONNXRUNTIME_BIAS_BIAS_H

#include "engines/onnxruntime/bias/calibrate.h"

/*
 * Calibrates, and asks the network itself. *ret_bias [n_layers] is on the heap;
 * the mean over its layers and the spread for a single node go into *info.
 */
int jm_ort_bias_find(struct jm_ort_network *network, const struct jm_graph *graph,
	struct jm_ort_layer_bias **ret_bias, struct jm_engine_info *info,
	struct jm_error *reterr);

#endif
