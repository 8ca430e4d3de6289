/* SPDX-License-Identifier: Apache-2.0 */
/* From a square-wave load and what a rail showed of it to the sensor's response. */
#ifndef JM_CALIBRATE_CALIBRATE_FIT_H
#define JM_CALIBRATE_CALIBRATE_FIT_H

#include "run/calibration.h"

/*
 * `timeline` has one layer, whose executions are the spans of the load; `rail`
 * is what the sensor `info` showed. The attribution's fit (jm_attribute_fit)
 * does the work; what the sensor says of itself enters as a weak prior. Begins
 * and ends of spans are known to edge_ms. Fills what was found, and the
 * sensor's setting; the rest of *ret_calibration is left alone.
 *
 * JM_EUNRESOLVED: the load does not move the rail, or not as a first-order or
 * richer supply would, or there are too few readings; the message says which.
 */
int jm_calibrate_fit(const struct jm_rail *rail, const struct jm_timeline *timeline,
	const struct jm_sensor_info *info, double edge_ms,
	struct jm_calibration *ret_calibration, struct jm_error *reterr);

#endif
