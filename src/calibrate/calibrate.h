/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calibration of a sensor on its board: a square-wave load in one process and
 * the power logger in another, as in a measurement; then the fit, with the load
 * as the only layer; then the result is kept (run/calibration.h).
 */
#ifndef JM_CALIBRATE_CALIBRATE_H
#define JM_CALIBRATE_CALIBRATE_H

#include "run/calibration.h"

struct jm_calibrate_config {
	const char *sensor; /* as given to jm_sensor_set_select; NULL: best */
	const char *load;   /* "cpu", "gpu", "auto": gpu for a GPU's own sensor */
	int threads;        /* of the CPU's load; 0: all but one */
	double seconds;
	double rate_hz;         /* 0: the sensor's own */
	const char *result_dir; /* keep the run in RESULT_DIR/calibration; NULL: do not */
	uint64_t seed;          /* of the pattern and of a simulated sensor */
	const struct jm_progress *progress; /* NULL: none */
};

struct jm_calibrate_result {
	struct jm_calibration *rails; /* [n_rails] that follow the load, owned */
	size_t n_rails;
	char path[JM_PATH_MAX];       /* where they are kept */
	char run_folder[JM_PATH_MAX]; /* "": not kept */
	int interrupted;              /* the user ended it early; it was enough */
};

/*
 * *ret_result is released in any case. JM_EUNRESOLVED: no rail follows the load; nothing was
 * stored. JM_EINTERRUPTED: the user ended it too early; nothing was stored. JM_EFORMAT before
 * anything is measured when the file of calibrations cannot be understood.
 */
int jm_calibrate_run(const struct jm_calibrate_config *config,
	struct jm_calibrate_result *ret_result, struct jm_error *reterr);

void jm_calibrate_result_release(struct jm_calibrate_result *result);

#endif
