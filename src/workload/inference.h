/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inference process: runs the network cycle after cycle and spools when
 * each layer ran.
 *
 * It tells its parent by bytes on status_fd where it is, and waits for one
 * byte on control_fd before the first measured cycle; the end of that pipe
 * means that the parent is gone.
 */
#ifndef JM_WORKLOAD_INFERENCE_H
#define JM_WORKLOAD_INFERENCE_H

#include <stdatomic.h>

#include "joulemap/engine.h"
#include "workload/model.h"

#define JM_INFERENCE_READY 'R' /* loaded and warm */
#define JM_INFERENCE_DONE 'D'  /* all cycles run, spool closed */
#define JM_INFERENCE_GO 'G'    /* parent: begin */

/* Lives in memory shared with the parent. */
struct jm_inference_shared {
	_Atomic uint32_t cycles; /* done so far */
	_Atomic int stop;        /* set by the parent: end after this cycle */
	double cycle_ms;         /* one inference, traced; valid once it is ready */
	double pause_max_ms;     /* likewise; 0: no pauses */
	struct jm_error error;   /* code != 0: why it ended; valid after its end */
};

struct jm_inference_config {
	const struct jm_engine_ops *ops;
	struct jm_engine_options options; /* .model is filled in by the process */
	const struct jm_model_source *model;
	uint32_t runs;
	uint32_t warmup;
	double pause_max_ms; /* between cycles; 0: none; NaN: chosen, see workload/pauses.h */
	double round_ms;     /* of the sensor, for that choice; 0: unknown */
	const char *spool_path;
	int status_fd;
	int control_fd;
	struct jm_inference_shared *shared;
};

/* Runs until all cycles are done or it is told to stop. 0 or an error. */
int jm_inference_run(const struct jm_inference_config *config, struct jm_error *reterr);

#endif
