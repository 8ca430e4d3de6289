/* SPDX-License-Identifier: Apache-2.0 */
/* Which layers are resolved; groups; cause and remedy for the others. */
#ifndef JM_ATTRIBUTE_RESOLVE_H
#define JM_ATTRIBUTE_RESOLVE_H

#include "attribute/fit.h"

int jm_fit_resolve(
	const struct jm_fit *fit, struct jm_fit_result *result, struct jm_error *reterr);

/* Takes back what was said of a row. */
void jm_fit_forget(struct jm_fit_layer *layer);

#endif
