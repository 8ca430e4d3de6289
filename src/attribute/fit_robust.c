/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attribute/fit.h"
#include "base/error.h"

int jm_fit_robust(struct jm_fit *fit, struct jm_error *reterr)
{
	(void)reterr;
	jm_alignment_residuals(&fit->alignment, fit->residual);
	return 0;
}
