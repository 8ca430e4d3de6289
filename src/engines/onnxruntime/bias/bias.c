/* SPDX-License-Identifier: Apache-2.0 */
#include "engines/onnxruntime/bias/bias.h"

#include <stdlib.h>

#include "base/error.h"
#include "engines/onnxruntime/bias/closure.h"

int jm_ort_bias_find(struct jm_ort_network *network, const struct jm_graph *graph,
	struct jm_ort_layer_bias **ret_bias, struct jm_engine_info *info,
	struct jm_error *reterr)
{
	struct jm_ort_layer_bias *layers = calloc(graph->n_layers + 1, sizeof(*layers));
	size_t n = graph->n_layers;
	struct jm_ort_bias bias;
	double sum_ns = 0, rest_ns = 0;
	int result;

	*ret_bias = layers;
	if (!layers)
		return jm_fail_memory(reterr, "the bias of layers");
	result = jm_ort_calibrate(&bias, &network->setup, network->way == JM_ORT_BY_CALLBACKS,
		network->trace.clock, reterr);
	if (result < 0)
		return result;
	for (size_t i = 0; i < n; i++)
		layers[i] =
			jm_ort_bias_of(&bias, &network->steps.steps[i], graph->layers[i].bytes);
	result = jm_ort_closure_find(network, layers, &rest_ns, reterr);
	for (size_t i = 0; i < n; i++) {
		layers[i].tail_ns += (int64_t)rest_ns;
		sum_ns += (double)(layers[i].head_ns + layers[i].tail_ns);
	}
	info->trace_bias_us = sum_ns / (double)n / 1e3;
	info->trace_bias_sd_us = bias.sd_ns / 1e3;
	return result;
}
