/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a first-order supply does not describe. The response may take any shape
 * on a grid of taps when the evidence, with the taps' spread found from the
 * data, rises by more than chance would let it.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attribute/fit.h"
#include "base/error.h"

enum {
	TAPS_BEFORE = 5,
	TAPS_AFTER = 15,
	STEPS = 6
};

/* Grid of taps, in units of window and time constant together. */
#define TAP_STEP 0.11
/* Rise of the log evidence that is worth a richer response. */
#define WORTH 6.0

static struct jm_response with_taps(const struct jm_response *simple)
{
	struct jm_response response = *simple;
	double step = TAP_STEP * (simple->window_s + simple->tau_s);

	response.n_taps = TAPS_BEFORE + 1 + TAPS_AFTER;
	for (size_t m = 0; m < response.n_taps; m++) {
		response.offset_s[m] = ((double)m - TAPS_BEFORE) * step;
		response.tap[m] = m == TAPS_BEFORE;
	}
	return response;
}

int jm_fit_enrich(struct jm_fit *fit, struct jm_error *reterr)
{
	struct jm_response response = with_taps(&fit->alignment.response);
	struct jm_alignment rich;
	double before = fit->alignment.posterior.log_evidence;
	int result, worth = 0;

	if (response.age_s > 0 || fit->prior.delay_sd_s == 0 || response.low_pass > 0)
		return 0;
	result = jm_alignment_init(&rich, &fit->problem, &fit->belief, &fit->prior, &response);
	if (result >= 0) {
		memcpy(rich.power_w, fit->alignment.power_w,
			(fit->segments.n_layers + JM_N_GAP_COLUMNS) * sizeof(double));
		rich.posterior.hyper = fit->alignment.posterior.hyper;
		rich.posterior.hyper.extra2 = 1e-3;
		result = jm_alignment_refine(&rich, 1, 10);
	}
	if (result >= 0 && rich.posterior.log_evidence > before + WORTH)
		result = jm_alignment_refine(&rich, STEPS, 8);
	if (result >= 0 && rich.posterior.log_evidence > before + WORTH) {
		struct jm_alignment simple = fit->alignment;

		worth = 1;
		fit->alignment = rich;
		rich = simple;
	} else if (result >= 0) { /* the extra columns are the simple response's again */
		result = jm_alignment_refine(&fit->alignment, 1, 6);
	}
	jm_alignment_release(&rich);
	if (result < 0)
		return jm_fail(reterr, (enum jm_code)result, "the response has no solution");
	return worth;
}
