/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Alignment: delay, window and time constant by the marginal likelihood. The
 * derivatives of the prediction join the design as columns of their own, so
 * that one solution gives the step of all parameters at fitted powers
 * (Gauss-Newton) and, in the end, their posterior with the powers'.
 */
#ifndef JM_ATTRIBUTE_ALIGNMENT_H
#define JM_ATTRIBUTE_ALIGNMENT_H

#include "attribute/evidence.h"

/*
 * The first two describe one thing, how late the load is seen: the delay at a
 * fixed tau, and tau at a fixed sum of both, because the data know that sum
 * far better than either.
 */
enum jm_parameter {
	JM_PARAMETER_DELAY = 0,
	JM_PARAMETER_TAU = 1,
	JM_PARAMETER_WINDOW = 2,
	JM_PARAMETER_SHAPE = 3,
	JM_PARAMETER_SKEW = 4,
	JM_PARAMETER_TAP = 5 /* and on: of every tap but the main one */
};

/* What is known of the response before: mean and standard deviation. */
struct jm_response_prior {
	double delay_s, delay_sd_s; /* sd HUGE_VAL: nothing; 0: given */
	double window_s, window_sd_s;
	double tau_s, tau_sd_s;
	double shape_sd; /* around the start's */
	double skew_sd;
	double tap_sd;
	double delay_min_s, delay_max_s;
};

struct jm_alignment {
	struct jm_problem *problem; /* borrowed; its extra columns are set here */
	struct jm_belief *belief;   /* borrowed; the same */
	const struct jm_response_prior *prior;
	struct jm_response response;
	double shape; /* the start's */
	size_t main_tap;
	double done; /* refined when no parameter moves by more of its deviation */
	struct jm_normal normal;
	struct jm_posterior posterior;
	double *columns; /* owned */
	size_t n_columns;
	size_t column_of[JM_PARAMETER_TAP + JM_TAPS_MAX]; /* + 1; 0: held fixed */
	double *power_w; /* owned: of every column, as last solved */
	double *fitted;  /* [n], owned: prediction without the baseline */
};

/* 0 or JM_ENOMEM. Begins at `start`. */
int jm_alignment_init(struct jm_alignment *alignment, struct jm_problem *problem,
	struct jm_belief *belief, const struct jm_response_prior *prior,
	const struct jm_response *start);
void jm_alignment_release(struct jm_alignment *alignment);

/*
 * At most `steps` steps of Gauss-Newton; ends earlier when steps are far below
 * what the data can tell. Leaves posterior and fitted values of the last one.
 */
int jm_alignment_refine(struct jm_alignment *alignment, int steps, int iterations);

/* One solution at the present response and powers, without a step. */
int jm_alignment_solve(struct jm_alignment *alignment, int iterations);

/* Residuals y - fit with the baseline, [n]. 0 or JM_ENOMEM. */
int jm_alignment_residuals(const struct jm_alignment *alignment, double *ret_residual);

#endif
