/* SPDX-License-Identifier: Apache-2.0 */
/* What an opened run tells, and what can be made of it. */
#include <string.h>

#include "base/error.h"
#include "base/progress.h"
#include "base/text.h"
#include "map/map_fit.h"
#include "map/rail_fits.h"
#include "map/recording.h"

const struct jm_power_log *jm_recording_power_log(const struct jm_recording *recording)
{
	return &recording->log;
}

const struct jm_timeline *jm_recording_timeline(const struct jm_recording *recording)
{
	return &recording->timeline;
}

const char *jm_recording_model(const struct jm_recording *recording)
{
	return recording->model;
}

const char *jm_recording_engine(const struct jm_recording *recording)
{
	return recording->engine;
}

const char *jm_recording_sensor(const struct jm_recording *recording)
{
	return recording->sensor;
}

double jm_recording_idle_power_w(const struct jm_recording *recording)
{
	return recording->idle_uw * 1e-6;
}

int jm_recording_is_simulated(const struct jm_recording *recording)
{
	return recording->simulated;
}

size_t jm_recording_cycles(const struct jm_recording *recording)
{
	return jm_timeline_cycles(&recording->timeline);
}

/* ---- The fit ------------------------------------------------------------------------ */

int jm_recording_fit(const struct jm_recording *recording, const struct jm_progress *progress,
	struct jm_fit_result *ret_result, struct jm_error *reterr)
{
	struct jm_rail_fits fits;
	int result = jm_rail_fits_make(recording, NULL, 0, progress, &fits, reterr);

	memset(ret_result, 0, sizeof(*ret_result));
	if (result == 0) { /* taken */
		*ret_result = fits.fits[0].result;
		memset(&fits.fits[0].result, 0, sizeof(fits.fits[0].result));
	}
	jm_rail_fits_release(&fits);
	return result;
}

int jm_recording_rows(const struct jm_recording *recording, const struct jm_fit_result *result,
	jm_cycle_power_fn *row, void *context, struct jm_error *reterr)
{
	if (result->n_layers != recording->timeline.n_layers)
		return jm_fail(reterr, JM_EINVAL,
			"the fit is of another run: it has %zu layers, the run has %zu",
			result->n_layers, recording->timeline.n_layers);
	return jm_map_fit_rows(&recording->timeline, result, recording->idle_uw, row, context);
}
