/* SPDX-License-Identifier: Apache-2.0 */
/* What an opened run tells, and what can be made of it. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/progress.h"
#include "base/text.h"
#include "map/map_fit.h"
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

/*
 * Readings as they were made, where they were kept; the power log otherwise.
 * JM_ENOMEM, and nothing else: what else is wrong with them is said.
 */
static int choose_rail(const struct jm_recording *recording, const struct jm_progress *progress,
	struct jm_power_log *readings, const struct jm_rail **ret_rail, struct jm_error *reterr)
{
	const char *path = recording->files.path[JM_RUN_READINGS];
	struct jm_run_subject subject;
	struct jm_error error;
	int result;

	*ret_rail = &recording->log.rails[0];
	if (!path[0] || !recording->own_power_log)
		return 0;
	jm_run_subject_get(&recording->run, &subject);
	result = jm_map_fit_readings(path, &recording->run, readings, &error);
	if (result == 0 && subject.index < readings->n_rails)
		*ret_rail = &readings->rails[subject.index];
	if (result == JM_ENOMEM && reterr)
		*reterr = error;
	if (result < 0 && result != JM_ENOMEM && result != JM_ENOTFOUND)
		jm_note(progress, "%s: the power log is used instead", error.message);
	return result == JM_ENOMEM ? result : 0;
}

/* Whose readings they are, where that is known. */
static void name_rail(const struct jm_recording *recording, struct jm_fit_of_rail *fit,
	const struct jm_rail *rail)
{
	const struct jm_run *run = &recording->run;
	const char *name = rail->name;
	struct jm_run_subject subject;

	jm_run_subject_get(run, &subject);
	fit->from_readings = rail != &recording->log.rails[0];
	fit->is_part = fit->from_readings && subject.is_part;
	if (!fit->from_readings && subject.rail)
		name = run->power_log.rail[0] ? run->power_log.rail : subject.rail->name;
	jm_text_copy(fit->rail, sizeof(fit->rail), name);
	if (subject.sensor)
		jm_text_copy(fit->sensor, sizeof(fit->sensor), subject.sensor->id);
}

int jm_recording_fit_rail(const struct jm_recording *recording,
	const struct jm_fit_given *given, const struct jm_progress *progress,
	struct jm_fit_of_rail *ret_fit, struct jm_error *reterr)
{
	struct jm_power_log readings;
	struct jm_fit_input input;
	int result, dropped = 0;

	memset(ret_fit, 0, sizeof(*ret_fit));
	jm_power_log_init(&readings);
	jm_fit_input_init(&input);
	if (given)
		input.given = *given;
	input.timeline = &recording->timeline;
	result = choose_rail(recording, progress, &readings, &input.rail, reterr);
	if (result == 0) {
		name_rail(recording, ret_fit, input.rail);
		/* Idle power is that of the sum: what the rail's own log shows is its part. */
		input.idle_power_w = ret_fit->is_part ? (double)NAN : recording->idle_uw * 1e-6;
		result = jm_map_fit_run(
			&input, &recording->run, &ret_fit->result, &dropped, reterr);
	}
	if (result == 0 && ret_fit->is_part)
		jm_note(progress,
			"the power log is the sum of several rails, the fit is of one of them: "
			"%s "
			"of %s; '--method window' maps the sum",
			ret_fit->rail, ret_fit->sensor);
	if (result == 0 && dropped)
		jm_note(progress,
			"the calibration of the board contradicts this run and is not used: "
			"'joulemap calibrate' makes a new one");
	ret_fit->given_response = given != NULL;
	ret_fit->calibration_dropped = dropped;
	ret_fit->calibrated = !dropped && jm_map_fit_is_calibrated(&recording->run);
	jm_power_log_release(&readings);
	return result;
}

double jm_recording_idle_of_fit_uw(
	const struct jm_recording *recording, const struct jm_fit_result *result)
{
	struct jm_run_subject subject;

	jm_run_subject_get(&recording->run, &subject);
	if (!subject.is_part)
		return recording->idle_uw;
	return (result->between.power_w - result->between.dynamic_power_w) * 1e6;
}

int jm_recording_fit(const struct jm_recording *recording, const struct jm_progress *progress,
	struct jm_fit_result *ret_result, struct jm_error *reterr)
{
	struct jm_fit_of_rail fit;
	int result = jm_recording_fit_rail(recording, NULL, progress, &fit, reterr);

	*ret_result = fit.result;
	return result;
}

int jm_recording_rows(const struct jm_recording *recording, const struct jm_fit_result *result,
	jm_cycle_power_fn *row, void *context, struct jm_error *reterr)
{
	if (result->n_layers != recording->timeline.n_layers)
		return jm_fail(reterr, JM_EINVAL,
			"the fit is of another run: it has %zu layers, the run has %zu",
			result->n_layers, recording->timeline.n_layers);
	return jm_map_fit_rows(&recording->timeline, result,
		jm_recording_idle_of_fit_uw(recording, result), row, context);
}
