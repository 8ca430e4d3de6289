/* SPDX-License-Identifier: Apache-2.0 */
/* Reads of drivers that wait for a conversion: what their ends tell of it. */
#ifndef JM_ATTRIBUTE_BLOCKING_H
#define JM_ATTRIBUTE_BLOCKING_H

#include <stddef.h>

#include "attribute/ticks.h"

enum jm_ends {
	JM_ENDS_UNKNOWN = 0,     /* reads end at any moment after the conversion */
	JM_ENDS_CONVERSIONS = 1, /* reads end with it */
	JM_ENDS_RHYTHM = 2 /* at any moment, but those that need not wait tell the rhythm */
};

/*
 * before_s[] and after_s[] of n reads, in order of time. round_s: the sensor's
 * round as it is told, 0: not told. *ret_last_s: how long a read takes that
 * finds its conversion ready; the value was made before that part of each read.
 * Returns an enum jm_ends, or JM_ENOMEM; *ret_ticks is set with JM_ENDS_RHYTHM.
 */
int jm_blocking_find(const double *before_s, const double *after_s, size_t n, double round_s,
	struct jm_ticks *ret_ticks, double *ret_last_s);

#endif
