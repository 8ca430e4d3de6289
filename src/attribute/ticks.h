/* SPDX-License-Identifier: Apache-2.0 */
/* Finding the sensor's rhythm: period and phase from brackets of time. */
#ifndef JM_ATTRIBUTE_TICKS_H
#define JM_ATTRIBUTE_TICKS_H

#include <stddef.h>

/* A tick lies in (low_s, high_s]. */
struct jm_bracket {
	double low_s, high_s;
};

struct jm_ticks {
	double period_s;
	double phase_s;   /* ticks are at phase_s + k * period_s */
	double hit_share; /* of the brackets short enough to tell */
	double score;     /* standard deviations above chance */
	size_t n_useful;
};

/*
 * Finds the rhythm that most brackets agree with, between two periods.
 * Returns 0, JM_ENOTFOUND when there is none, or JM_ENOMEM.
 */
int jm_ticks_find(const struct jm_bracket *brackets, size_t n, double period_min_s,
	double period_max_s, struct jm_ticks *ret_ticks);

#endif
