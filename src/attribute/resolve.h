/* SPDX-License-Identifier: Apache-2.0 */
/* Which layers are resolved; groups; cause and remedy for the others. */
#ifndef JM_ATTRIBUTE_RESOLVE_H
#define JM_ATTRIBUTE_RESOLVE_H

#include "attribute/fit.h"

/* Beyond these the model is taken to have failed, in a run as in a calibration. */
#define JM_FIT_DISTURBED_MAX 0.2
#define JM_FIT_INFLATION_MAX 6.0

int jm_fit_resolve(
	const struct jm_fit *fit, struct jm_fit_result *result, struct jm_error *reterr);

/*
 * The rules, for a fit and for a sum of fits alike. power_sd_w and prior_sd_w of
 * the layers are set; known_layers is how many the data determine; what powers
 * and energies are compared with is base_w.
 */
double jm_fit_known_layers(const struct jm_fit_result *result);
int jm_fit_is_known(const struct jm_fit_layer *layer, double base_w, double known_layers);
/* Of layers together: is their mean power known well enough? energy: above base_w. */
int jm_fit_group_is_known(double energy, double energy_sd, double time, double prior_sd);

/* 1 where energies are negative: they are no shares of their sum then. */
int jm_fit_has_negative(const struct jm_fit_result *result);

/* Takes back what was said of a row. */
void jm_fit_forget(struct jm_fit_layer *layer);

#endif
