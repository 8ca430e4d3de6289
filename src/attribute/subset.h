/* SPDX-License-Identifier: Apache-2.0 */
/* A part of a problem: blocks of conversions spread over the run. */
#ifndef JM_ATTRIBUTE_SUBSET_H
#define JM_ATTRIBUTE_SUBSET_H

#include "attribute/normal.h"

struct jm_subset {
	struct jm_problem problem;                   /* borrows the arrays below */
	double *time_s, *width_s, *power_w, *weight; /* owned */
};

/*
 * About `wanted` conversions, at least several per unknown; in one piece if a
 * low-pass ties each to those before. 0, JM_ENOMEM.
 */
int jm_subset_init(
	struct jm_subset *subset, const struct jm_problem *whole, size_t wanted, int one_piece);
void jm_subset_release(struct jm_subset *subset);

#endif
