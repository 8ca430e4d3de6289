/* SPDX-License-Identifier: Apache-2.0 */
#include "map/rail_fits.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attribute/fit_sum.h"
#include "base/error.h"
#include "base/known.h"
#include "base/progress.h"
#include "base/text.h"
#include "data/possible.h"
#include "map/map_fit.h"
#include "map/rail_power.h"
#include "run/rails.h"

/* Time constants of two rails' supplies differ by about this share. */
#define SUPPLIES_DIFFER 0.5

/* What the fits of one run hold on their way. */
struct work {
	const struct jm_recording *recording;
	const struct jm_fit_given *given;
	const struct jm_progress *progress;
	struct jm_power_log readings; /* every rail as it was read; none: only the power log */
	struct jm_rail_name *names;   /* [n], owned: of the run's rails in the readings */
	size_t n;
	struct jm_total total; /* which of them it is made of */
	struct jm_run_subject logged;
	struct jm_rail_fits *fits;
};

/* ---- Readings ------------------------------------------------------------------------ */

/*
 * Readings as they were made, where they were kept. JM_ENOMEM, and nothing else:
 * what else is wrong with them is said, and the power log is used.
 */
static int read_readings(struct work *work, struct jm_error *reterr)
{
	const struct jm_recording *recording = work->recording;
	const char *path = recording->files.path[JM_RUN_READINGS];
	struct jm_error error;
	int result;

	if (!path[0] || !recording->own_power_log)
		return 0;
	result = jm_map_fit_readings(path, &recording->run, &work->readings, &error);
	for (size_t i = 0; i < work->readings.n_rails && result == 0; i++)
		jm_mending_apply_rail(&recording->mending, &work->readings.rails[i]);
	if (result == 0)
		return 0;
	jm_power_log_release(&work->readings);
	if (result == JM_ENOMEM && reterr)
		*reterr = error;
	if (result != JM_ENOMEM && result != JM_ENOTFOUND)
		jm_note(work->progress, "%s: the power log is used instead", error.message);
	return result == JM_ENOMEM ? result : 0;
}

/* By its name; a log whose rails are called otherwise has them in the run's order. */
static struct jm_rail *readings_of(const struct work *work, size_t index)
{
	for (size_t i = 0; i < work->readings.n_rails && index < work->n; i++)
		if (strcmp(work->readings.rails[i].name, work->names[index].name) == 0)
			return &work->readings.rails[i];
	if (index < work->readings.n_rails && (!work->n || work->readings.n_rails == work->n))
		return &work->readings.rails[index];
	return NULL;
}

/*
 * A table of readings tells neither where counters wrap, nor what rails cannot
 * carry: tables of earlier versions have such values.
 */
static void set_ranges(struct work *work)
{
	size_t impossible = 0;

	for (size_t i = 0; i < work->readings.n_rails; i++)
		impossible += jm_rail_leave_out(&work->readings.rails[i], 0);
	for (size_t i = 0; i < work->n; i++) {
		struct jm_rail *rail = readings_of(work, i);
		struct jm_run_subject subject;
		double range;

		jm_run_rail_get(&work->recording->run, i, &subject);
		range = jm_known_or(subject.rail->range, 0);
		if (!rail)
			continue;
		if (rail->quantity == JM_QUANTITY_UJ)
			rail->range_uj = range;
		impossible += jm_rail_leave_out(rail, range);
	}
	if (impossible)
		jm_note(work->progress,
			"%zu readings in '%s' are beyond what their rails can carry: left out",
			impossible, work->recording->files.path[JM_RUN_READINGS]);
}

static int prepare(struct work *work, struct jm_error *reterr)
{
	const struct jm_run *run = &work->recording->run;
	int result = jm_run_rail_names(run, &work->names, reterr);

	work->n = jm_run_count_rails(run);
	jm_run_subject_get(run, &work->logged);
	if (result == 0)
		result = jm_run_total_init(run, work->n, &work->total, reterr);
	if (result == 0)
		result = read_readings(work, reterr);
	if (result < 0)
		return result;
	set_ranges(work);
	work->fits->fits = calloc(work->n + 2, sizeof(*work->fits->fits));
	return work->fits->fits ? 0 : jm_fail_memory(reterr, "the fits of a run");
}

/* ---- One rail -------------------------------------------------------------------------- */

/* idle_w: NaN: of the rail's own log. */
static int fit_rail(const struct work *work, const struct jm_rail *rail,
	const struct jm_run_subject *subject, double idle_w, int note_dropped,
	struct jm_fit_of_rail *ret_fit, struct jm_error *reterr)
{
	struct jm_fit_input input;
	int result, dropped = 0;

	jm_fit_input_init(&input);
	if (work->given)
		input.given = *work->given;
	input.timeline = &work->recording->timeline;
	input.rail = rail;
	input.idle_power_w = idle_w;
	input.progress = work->progress;
	result = jm_map_fit_run(&input, subject, &ret_fit->result, &dropped, reterr);
	if (result == 0 && dropped && note_dropped)
		jm_note(work->progress,
			"the calibration of %s contradicts this run and is not used: "
			"'joulemap calibrate' makes a new one",
			work->n > 1 ? ret_fit->rail : "the board");
	ret_fit->given_response = work->given != NULL;
	ret_fit->calibration_dropped = dropped;
	ret_fit->calibrated = !dropped && jm_map_fit_is_calibrated(subject);
	return result;
}

/* The power log itself, or the readings of the rail that it holds. */
static int fit_logged(struct work *work, struct jm_error *reterr)
{
	const struct jm_recording *recording = work->recording;
	struct jm_run_subject *subject = &work->logged;
	const struct jm_rail *rail = readings_of(work, subject->index);
	struct jm_fit_of_rail *fit = &work->fits->fits[0];
	const char *name;

	fit->from_readings = rail != NULL;
	if (!rail)
		rail = &recording->log.rails[0];
	name = rail->name;
	if (!fit->from_readings && subject->rail)
		name = recording->run.power_log.rail[0] ? recording->run.power_log.rail
							: subject->rail->name;
	jm_text_copy(fit->rail, sizeof(fit->rail), name);
	if (subject->sensor)
		jm_text_copy(fit->sensor, sizeof(fit->sensor), subject->sensor->id);
	if (!fit->from_readings && subject->is_sum)
		subject->rail = NULL; /* no rail's calibration is that of a sum */
	work->fits->n = 1;
	return fit_rail(work, rail, subject, recording->idle_uw * 1e-6, 1, fit, reterr);
}

/* ---- Several rails ---------------------------------------------------------------------- */

/* A rail that was tried: its fit, or why there is none, and what is known anyway. */
struct attempt {
	struct jm_fit_of_rail *fit;
	size_t index; /* among the run's rails */
	struct jm_rail_power power;
	struct jm_error error;
	int failed;
};

/* Its own alignment, window and idle power: nothing is taken from another rail. */
static int try_rail(
	struct work *work, size_t index, struct attempt *ret, struct jm_error *reterr)
{
	const struct jm_rail *rail = readings_of(work, index);
	struct jm_fit_of_rail *fit = &work->fits->fits[work->fits->n];
	struct jm_run_subject subject;
	int result = JM_EINVAL;

	memset(ret, 0, sizeof(*ret));
	ret->fit = fit;
	ret->index = index;
	jm_run_rail_get(&work->recording->run, index, &subject);
	fit->from_readings = 1;
	fit->is_part = work->logged.is_sum && jm_total_has(&work->total, index);
	fit->is_inside = !jm_total_has(&work->total, index);
	fit->is_other = !fit->is_part && !fit->is_inside;
	jm_text_copy(fit->rail, sizeof(fit->rail), work->names[index].name);
	jm_text_copy(fit->sensor, sizeof(fit->sensor), subject.sensor->id);
	ret->power = jm_rail_power_in_run(rail, &work->recording->timeline);
	ret->power.sd_w =
		hypot(ret->power.sd_w, jm_rail_rounding_w(rail, subject.rail->quantum));
	if (rail)
		result = fit_rail(work, rail, &subject, (double)NAN, 1, fit, &ret->error);
	else
		jm_fail(&ret->error, JM_EINVAL, "rail '%s' has no readings", fit->rail);
	ret->failed = result < 0;
	if (result == JM_ENOMEM && reterr)
		*reterr = ret->error;
	work->fits->n++;
	return result == JM_ENOMEM ? result : 0;
}

/*
 * Where a rail alone does not show when its conversions are: as that of another
 * rail of its sensor, whose supply may be slower or faster. Stays as it was
 * where that does not help.
 */
static void align_as_another(struct work *work, struct attempt *attempt)
{
	struct jm_fit_of_rail *fit = attempt->fit, again = *fit;
	const struct jm_fit_of_rail *like = jm_rail_fits_aligned(work->fits, fit);
	const struct jm_fit_response *response;
	struct jm_run_subject subject;
	struct jm_run_rail rail;

	jm_run_rail_get(&work->recording->run, attempt->index, &subject);
	if (!like || work->given || subject.rail->calibrated)
		return;
	response = &like->result.response;
	rail = *subject.rail;
	rail.calibrated = 1;
	rail.calibration = (struct jm_calibration){.simulated = subject.sensor->simulated,
		.delay_ms = response->delay_ms,
		.delay_sd_ms = response->delay_sd_ms,
		.tau_ms = response->tau_ms,
		.tau_sd_ms = hypot(response->tau_sd_ms, SUPPLIES_DIFFER * response->tau_ms),
		.window_ms = response->window_ms,
		.window_sd_ms = response->window_sd_ms};
	jm_text_copy(rail.calibration.rail, sizeof(rail.calibration.rail), rail.name);
	subject.rail = &rail;
	memset(&again.result, 0, sizeof(again.result));
	if (fit_rail(work, readings_of(work, attempt->index), &subject, (double)NAN, 0, &again,
		    NULL) < 0)
		return;
	if (again.calibration_dropped || jm_fit_is_withheld(&again.result)) {
		jm_fit_result_release(&again.result);
		return;
	}
	jm_fit_result_release(&fit->result);
	*fit = again;
	fit->calibrated = 0;
	jm_text_copy(fit->aligned_as, sizeof(fit->aligned_as), like->rail);
	jm_note(work->progress,
		"rail %s is aligned as %s is: alone it does not show when its "
		"conversions are",
		fit->rail, like->rail);
}

/* Gives a rail without a fit its mean power; 0 where it has none either. */
static int complete(struct work *work, struct attempt *attempt,
	const struct jm_fit_result *like, struct jm_error *reterr)
{
	const char *name = attempt->fit ? attempt->fit->rail : NULL;
	double mean_w = attempt->power.mean_w;
	int result;

	if (!name)
		return 0; /* it was never tried */
	if (!attempt->failed) {
		if (jm_fit_is_withheld(&attempt->fit->result))
			align_as_another(work, attempt);
		if (jm_fit_is_withheld(&attempt->fit->result))
			jm_note(work->progress,
				"rail %s: no figures for layers, %s; its mean power is %.3f W",
				name, jm_fit_cause_text(attempt->fit->result.cause), mean_w);
		return 1;
	}
	if (isnan(mean_w))
		jm_note(work->progress, "rail %s has no value%s", name,
			attempt->fit->is_part ? ": the total is without it" : "");
	else
		jm_note(work->progress, "rail %s is not fitted: %s; its mean power is %.3f W",
			name, attempt->error.message, mean_w);
	result = jm_fit_of_mean(like, mean_w, attempt->power.sd_w, &attempt->error,
		&attempt->fit->result, reterr);
	return result < 0 ? result : !isnan(attempt->power.mean_w);
}

static int add_up(
	struct work *work, struct attempt *attempts, size_t n, struct jm_error *reterr)
{
	struct jm_fit_part *parts = calloc(n + 1, sizeof(*parts));
	const struct jm_fit_result *like = NULL;
	struct jm_fit_of_rail *sum = &work->fits->fits[0];
	size_t n_parts = 0;
	int result = 0;

	if (!parts)
		return jm_fail_memory(reterr, "the sum of the rails");
	for (size_t i = 0; i < n; i++)
		if (!attempts[i].failed && (!like || jm_fit_is_withheld(like)))
			like = &attempts[i].fit->result;
	if (!like && reterr)
		*reterr = attempts[0].error;
	if (!like)
		result = attempts[0].error.code;
	for (size_t i = 0; i < n && result >= 0; i++) {
		result = complete(work, &attempts[i], like, reterr);
		if (result > 0)
			parts[n_parts++] = (struct jm_fit_part){attempts[i].fit->rail,
				&attempts[i].fit->result, attempts[i].power.sd_w};
	}
	if (result >= 0)
		result = jm_fit_sum(
			parts, n_parts, work->recording->idle_uw * 1e-6, &sum->result, reterr);
	free(parts);
	return result;
}

/* Every root by itself, then their sum. */
static int fit_sum(struct work *work, struct jm_error *reterr)
{
	struct attempt *attempts = calloc(work->total.n_roots + 1, sizeof(*attempts));
	struct jm_fit_of_rail *sum = &work->fits->fits[0];
	size_t n = 0;
	int result = 0;

	if (!attempts)
		return jm_fail_memory(reterr, "the rails of a sum");
	work->fits->n = 1;
	sum->is_sum = sum->from_readings = 1;
	sum->given_response = work->given != NULL;
	jm_text_copy(sum->rail, sizeof(sum->rail), JM_TOTAL_NAME);
	jm_text_copy(sum->sensor, sizeof(sum->sensor), work->recording->run.power_log.sensor);
	for (size_t i = 0; i < work->n && result == 0; i++)
		if (jm_total_has(&work->total, i))
			result = try_rail(work, i, &attempts[n++], reterr);
	if (result == 0)
		result = add_up(work, attempts, n, reterr);
	free(attempts);
	return result;
}

/* What the total does not consist of: rails inside others. */
static int fit_others(struct work *work, struct jm_error *reterr)
{
	int result = 0;

	for (size_t i = 0; i < work->n && result >= 0; i++) {
		struct attempt attempt;

		if (work->logged.is_sum ? jm_total_has(&work->total, i)
					: i == work->logged.index)
			continue;
		result = try_rail(work, i, &attempt, reterr);
		if (result == 0)
			result = complete(work, &attempt, &work->fits->fits[0].result, reterr);
	}
	return result < 0 ? result : 0;
}

int jm_rail_fits_make(const struct jm_recording *recording, const struct jm_fit_given *given,
	int with_all, const struct jm_progress *progress, struct jm_rail_fits *ret_fits,
	struct jm_error *reterr)
{
	struct work work = {
		.recording = recording, .given = given, .progress = progress, .fits = ret_fits};
	const struct jm_error *refusal = jm_recording_refusal(recording);
	int result;

	memset(ret_fits, 0, sizeof(*ret_fits));
	if (refusal) {
		if (reterr)
			*reterr = *refusal;
		return refusal->code;
	}
	jm_power_log_init(&work.readings);
	result = prepare(&work, reterr);
	if (result == 0)
		result = work.readings.n_rails && work.logged.is_sum && work.total.n_roots > 1
				 ? fit_sum(&work, reterr)
				 : fit_logged(&work, reterr);
	if (result == 0 && with_all && work.readings.n_rails)
		result = fit_others(&work, reterr);
	jm_power_log_release(&work.readings);
	jm_total_release(&work.total);
	free(work.names);
	return result;
}
