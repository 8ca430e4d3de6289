/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two processes of a measurement, and their parent's watch over them.
 *
 *     parent ──go──► inference ──► timeline.spool
 *        └───stop──► logger    ──► power.spool
 *
 * Neither outlives the parent; the death of one ends the other in order.
 */
#ifndef JM_MEASURE_CHILDREN_H
#define JM_MEASURE_CHILDREN_H

#include "logger/logger.h"
#include "workload/inference.h"

struct jm_children_config {
	struct jm_inference_config inference; /* fds and shared are filled in */
	struct jm_logger_config logger;       /* likewise */
	int64_t lead_ns; /* power logged before the first and after the last cycle */
	const struct jm_progress *progress; /* NULL: none */
	/*
	 * What runs in the inference's place, with its manners: it is given
	 * `inference` with pipes and shared memory. NULL: the inference.
	 */
	int (*work)(const struct jm_inference_config *place, void *context,
		struct jm_error *reterr);
	void *work_context;
	const char *work_name; /* in messages: "load" */
};

struct jm_children_result {
	uint32_t cycles;
	int interrupted; /* the user asked to end early */
	double children_cpu_s;
	struct jm_sensor_info sensor; /* as opened; id "": never opened */
};

/*
 * Runs both processes to their end. 0 when all cycles were run or the user
 * ended it; else the first thing that went wrong. In every case both processes
 * are gone on return, and the spools hold what was measured.
 */
int jm_children_run(struct jm_children_config *config, struct jm_children_result *ret_result,
	struct jm_error *reterr);

#endif
