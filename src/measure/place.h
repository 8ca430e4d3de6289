/* SPDX-License-Identifier: Apache-2.0 */
/* The run folder of a measurement, locked and free of unfinished runs. */
#ifndef JM_MEASURE_PLACE_H
#define JM_MEASURE_PLACE_H

#include "run/session.h"

struct jm_place {
	char run_folder[JM_PATH_MAX]; /* RESULT_DIR/model */
	struct jm_session_paths paths;
	int lock_fd; /* -1: not held */
};

/*
 * Makes RESULT_DIR/model and takes its lock. An earlier run that was cut off
 * is completed first, or set aside if it cannot be; `progress` (NULL: none) is
 * told. Released with jm_place_release in every case.
 */
int jm_place_take(struct jm_place *place, const char *result_dir, const char *model,
	const struct jm_progress *progress, struct jm_error *reterr);

/* Gives the lock back; a place without a run in it is removed. */
void jm_place_release(struct jm_place *place);

#endif
