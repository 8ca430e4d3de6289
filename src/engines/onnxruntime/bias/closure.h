/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the probes do not show: behind a real layer the runtime's book-keeping
 * finds colder caches than behind a probe. The network itself tells how much
 * that is: spans must add up to the time that it takes untraced.
 */
#ifndef JM_ENGINES_ONNXRUNTIME_BIAS_CLOSURE_H
#define JM_ENGINES_ONNXRUNTIME_BIAS_CLOSURE_H

#include "engines/onnxruntime/bias/calibrate.h"

/*
 * Runs the network by turns untraced and traced, and finds by how much every
 * layer still reads too long with `bias` [n_layers] taken out. 0 when the
 * difference is within 3 standard errors, the runs are too long to tell, or
 * spans come by profile; at most as much as the mean bias. *ret_ns per layer.
 */
int jm_ort_closure_find(struct jm_ort_network *network, const struct jm_ort_layer_bias *bias,
	double *ret_ns, struct jm_error *reterr);

#endif
