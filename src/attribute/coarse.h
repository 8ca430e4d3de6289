/* SPDX-License-Identifier: Apache-2.0 */
/* Coarse alignment: which delays deserve a closer look. */
#ifndef JM_ATTRIBUTE_COARSE_H
#define JM_ATTRIBUTE_COARSE_H

#include "attribute/response.h"

enum { JM_START_MAX = 16 };

struct jm_coarse_options {
	double delay_min_s, delay_max_s;
	const double *tau_s;
	size_t n_tau;
	const double *window_s;
	size_t n_window;
	size_t per_column; /* conversions that are looked at */
};

/* Where a refinement should begin. */
struct jm_start {
	double delay_s, tau_s, window_s;
	double cost; /* n ln(sum of squares): smaller is better */
	size_t rank; /* among those of the same time constant and window */
};

/*
 * Scans the delay on a grid, for each time constant and window; layers are
 * lumped into groups if they are many. Returns the number of starts or
 * JM_ENOMEM. The best of each scan come first: a fast filter fits anything
 * better than a slow one does, so costs of different ones do not compare.
 */
int jm_coarse_search(const struct jm_segments *segments, const struct jm_moments *moments,
	const double *power_w, const struct jm_coarse_options *options,
	struct jm_start ret_starts[JM_START_MAX]);

#endif
