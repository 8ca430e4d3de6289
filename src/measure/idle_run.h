/* SPDX-License-Identifier: Apache-2.0 */
/* Idle power of a result folder: taken from its file, or measured now. */
#ifndef JM_MEASURE_IDLE_RUN_H
#define JM_MEASURE_IDLE_RUN_H

#include "sensors/set.h"

struct jm_idle_config {
	struct jm_sensor_set *set;          /* chosen, not open */
	const char *result_dir;             /* NULL (for jm_idle_run): no files */
	double seconds;                     /* 0: do not measure */
	int again;                          /* measure although the folder has one */
	const struct jm_progress *progress; /* NULL: none */
};

struct jm_idle_power {
	double mean_uw;  /* NaN: none */
	double error_uw; /* standard error; NaN: unknown */
	int measured_now;
	uint64_t readings;
	uint64_t conversions;
};

/*
 * Measures idle power and writes its two files into the result folder.
 * JM_EINTERRUPTED on Ctrl-C.
 */
int jm_idle_run(const struct jm_idle_config *config, struct jm_idle_power *ret_power,
	struct jm_error *reterr);

/*
 * What `measure` needs: the folder's idle power if it is of this sensor, else
 * measured now.
 */
int jm_idle_provide(const struct jm_idle_config *config, struct jm_idle_power *ret_power,
	struct jm_error *reterr);

#endif
