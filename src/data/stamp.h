/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JM_DATA_STAMP_H
#define JM_DATA_STAMP_H

#include <stddef.h>

#include "joulemap/joulemap.h"

/* Two executions, one after the other: stamps apart, and how long they lasted. */
struct jm_stamp_pair {
	double apart_us;
	double before_us, own_us;
};

/*
 * As jm_timeline_detect_stamp, from pairs of one inference each that somebody else
 * has chosen. `unfit_us` speaks against callbacks: time of layers, per pair, that
 * does not fit between those of two inferences. JM_STAMP_END where it is not certain.
 */
enum jm_stamp jm_stamp_of_pairs(
	const struct jm_stamp_pair *pairs, size_t n, double unfit_us, int *ret_certain);

#endif
