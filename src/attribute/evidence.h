/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Empirical Bayes: the posterior of all unknowns, with the spread of layer
 * power, the stiffness of the baseline and the noise found from the data.
 */
#ifndef JM_ATTRIBUTE_EVIDENCE_H
#define JM_ATTRIBUTE_EVIDENCE_H

#include "attribute/normal.h"

enum { JM_TYPES_MAX = 12 };

/* What is believed of the unknowns before the data. */
struct jm_belief {
	const unsigned char *type; /* [n_layers], below n_types */
	size_t n_types;
	size_t n_layers;    /* columns of the first regime; then those of others */
	size_t pivot;       /* column that does not change with the regime */
	double noise_min_w; /* of a conversion: quantisation leaves that much */
	double scale_w;     /* typical power: weak priors scale with it */
	double extra_mean[JM_EXTRA_MAX];
	double extra_sd[JM_EXTRA_MAX];  /* HUGE_VAL: flat */
	int extra_scaled[JM_EXTRA_MAX]; /* group whose sd is found from the data; 0: none */
};

struct jm_hyper {
	double noise_w2;                /* variance of one conversion */
	double spread_w2[JM_TYPES_MAX]; /* of layers around the mean of their type */
	double type_w2;                 /* of the types around the common mean */
	double drift_w2;                /* of second differences of the baseline */
	double extra2;                  /* of extra columns in a scaled group */
	double gain[JM_REGIMES_MAX]; /* power above the pivot, over that of the first regime */
	double regime_w2[JM_REGIMES_MAX]; /* of layers around that */
};

struct jm_posterior {
	size_t p, total;    /* unknowns of the data; with means of types behind them */
	double *mean;       /* [total], owned; power above the reference */
	double *covariance; /* [total * total], owned */
	double reference_w;
	struct jm_hyper hyper;
	double chi2;      /* weighted sum of squared residuals */
	double effective; /* number of parameters that the data determine */
	double log_evidence;
	double common_w; /* mean of layer power */
};

/*
 * ret_posterior is zeroed or initialised before; its hyper is where the search
 * begins when hyper.noise_w2 > 0. Returns 0, JM_ENOMEM, or JM_ENUMERIC when the
 * equations have no solution.
 */
int jm_evidence_solve(const struct jm_normal *normal, const struct jm_belief *belief,
	int iterations, struct jm_posterior *ret_posterior);
void jm_posterior_release(struct jm_posterior *posterior);

#endif
