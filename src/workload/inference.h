/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inference process: runs the network cycle after cycle and spools when
 * each layer ran. One of the workers that link.h and seat.h tell of.
 */
#ifndef JM_WORKLOAD_INFERENCE_H
#define JM_WORKLOAD_INFERENCE_H

#include "joulemap/engine.h"
#include "workload/link.h"
#include "workload/model.h"

struct jm_inference_config {
	const struct jm_engine_ops *ops;
	struct jm_engine_options options; /* .model is filled in by the process */
	const struct jm_model_source *model;
	uint32_t warmup;
};

/*
 * A worker (measure/children.h): `context` is a struct jm_inference_config.
 * Runs until all cycles are done or it is told to stop. 0 or an error.
 */
int jm_inference_run(struct jm_link *link, void *context, struct jm_error *reterr);

#endif
