/* SPDX-License-Identifier: Apache-2.0 */
/* Idle power: the mean with nothing running, and how well it is known. */
#ifndef JM_MEASURE_IDLE_H
#define JM_MEASURE_IDLE_H

#include <stddef.h>
#include <stdint.h>

#include "sensors/set.h"

struct jm_idle_result {
	double mean_uw; /* of the readings, as the original computes it */
	double sd_uw;   /* of one conversion; NaN with fewer than two */
	/*
	 * Standard error of mean_uw. A reading that repeats its predecessor
	 * counts once, slow changes count as far as means of 32 parts of the
	 * time show them, and the sensor's quantum counts: see docs/sensors.md. NaN when the
	 * value never changes and its quantum is unknown.
	 */
	double error_uw;
	uint64_t readings;    /* that have a value */
	uint64_t missing;     /* that have none */
	uint64_t impossible;  /* of all rails: that cannot be, and count as none */
	uint64_t conversions; /* distinct ones: changes of value + 1 */
	double seconds;       /* from the first reading to the last */
	int64_t begin_ns;     /* the first reading, on the sensors' clock */
	int64_t end_ns;
};

/*
 * Called about ten times a second with the time spent and the mean so far
 * (uW, NaN: none); a return other than 0 ends the measurement.
 */
typedef int jm_idle_progress_fn(void *context, double seconds, double mean_uw);

/*
 * Opens the sensors and reads them for `seconds`, in the calling process, each
 * at its own rate, and takes the mean of the total (data/total.h). They are
 * closed on return, and their infos are those of the open ones. JM_EINTERRUPTED
 * when `progress` (may be NULL) ended it; the sensors' own errors; JM_ESENSOR
 * when no reading has a value.
 */
int jm_idle_measure(struct jm_sensor_set *set, double seconds, jm_idle_progress_fn *progress,
	void *context, struct jm_idle_result *ret_result, struct jm_error *reterr);

#endif
