/* SPDX-License-Identifier: Apache-2.0 */
/* How finely times were written, told from the times themselves. */
#ifndef JM_ATTRIBUTE_STAMP_STEPS_H
#define JM_ATTRIBUTE_STAMP_STEPS_H

#include "attribute/fit.h"

/*
 * The step of which all times are multiples (1 ms, 15.625 ms), in s; 0 where it
 * is below 0.1 ms, or there are too few of them to tell. Readings that follow
 * each other by just that step are regular, and layers whose durations have steps
 * too are exact: 0.
 */
double jm_rail_stamp_step_s(const struct jm_rail *rail);
double jm_timeline_stamp_step_s(const struct jm_timeline *timeline);

/* 1 where stamps have steps as long as what they should tell: nothing can be placed. */
int jm_fit_has_coarse_stamps(const struct jm_fit *fit);

/*
 * 1, and the advice of the result, where stamps of the readings or of the layers
 * have steps as long as what they should tell.
 */
int jm_fit_explain_stamps(const struct jm_fit *fit, struct jm_fit_result *result);

#endif
