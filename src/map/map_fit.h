/* SPDX-License-Identifier: Apache-2.0 */
/* The fit, for the files of a run. */
#ifndef JM_MAP_MAP_FIT_H
#define JM_MAP_MAP_FIT_H

#include "run/run.h"

/*
 * Takes the sensor's own account of itself from run.json, and the rail's
 * calibration.
 */
void jm_map_fit_prior(const struct jm_run_subject *subject, struct jm_fit_prior *ret_prior);

/* 1 when the run has a calibration of the rail. */
int jm_map_fit_is_calibrated(const struct jm_run_subject *subject);

/*
 * Fits with the calibration of the rail that is in run.json, where there is
 * one. Where the readings contradict it, or where a fit without it is likelier
 * (tried when a layer is not resolved, or the response is odd), that is the result,
 * and *ret_dropped is 1. Errors of jm_attribute_fit.
 */
int jm_map_fit_run(struct jm_fit_input *input, const struct jm_run_subject *subject,
	struct jm_fit_result *ret_result, int *ret_dropped, struct jm_error *reterr);

/*
 * Reads readings.csv (times from boot) into the civil time that the timeline
 * has, as run.json relates them. JM_ENOTFOUND: run.json does not.
 * The log is to be released after a failure too.
 */
int jm_map_fit_readings(const char *path, const struct jm_run *run, struct jm_power_log *log,
	struct jm_error *reterr);

/* Hands out every execution with its layer's fitted power, cycle by cycle. */
int jm_map_fit_rows(const struct jm_timeline *timeline, const struct jm_fit_result *result,
	double idle_uw, jm_cycle_power_fn *row, void *context);

#endif
