/* SPDX-License-Identifier: Apache-2.0 */
/* How much too long a traced node reads, found out on this machine. */
#ifndef JM_ENGINES_ONNXRUNTIME_CALIBRATE_H
#define JM_ENGINES_ONNXRUNTIME_CALIBRATE_H

#include "engines/onnxruntime/plugin.h"

struct jm_ort_bias {
	double mean_ns; /* a span is longer than the node by this much */
	double sd_ns;   /* spread of the calibration */
	int64_t head_ns, tail_ns; /* parts of the mean before and after the node */
};

int jm_ort_calibrate(struct jm_ort_bias *ret_bias, struct jm_ort_plugin *plugin, int threads,
	struct jm_error *reterr);

/* Shortens a span by the bias; never to less than nothing. */
void jm_ort_bias_remove(const struct jm_ort_bias *bias, int64_t *begin_ns, int64_t *end_ns);

#endif
