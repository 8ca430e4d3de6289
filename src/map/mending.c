/* SPDX-License-Identifier: Apache-2.0 */
#include "map/mending.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attribute/conversions.h"
#include "base/error.h"
#include "base/progress.h"
#include "data/cycles.h"
#include "data/breaks.h"
#include "map/mending_work.h"

/* Readings on either side of a cut from which the sensor's rhythm is told. */
#define RHYTHM_READINGS 20000
#define SAME_ROUND 1e-3
/* ---- Where both logs stand ------------------------------------------------------------- */

static int do_overlap(const struct jm_mending_work *work)
{
	const struct jm_rail *rail = work->rail;

	return rail->n_readings && work->run_begin_ns <= work->run_end_ns &&
	       rail->readings[0].after_ns < work->run_end_ns &&
	       rail->readings[rail->n_readings - 1].after_ns > work->run_begin_ns;
}

/* ---- What both logs lack -------------------------------------------------------------------
 */

/* Cycles of which more than a half lies where no reading was made. */
static void leave_out_uncovered(struct jm_mending_work *work)
{
	for (size_t k = 0; k < work->readings.n; k++) {
		const struct jm_break *own = &work->readings.item[k];
		size_t before = work->uncovered;

		for (size_t i = 0; i < work->spans.n; i++) {
			int64_t begin_ns = work->spans.begin_ns[i];
			int64_t end_ns = work->spans.end_ns[i], common_ns;

			if (work->left_out[i] || begin_ns > end_ns)
				continue;
			common_ns = (end_ns < own->end_ns ? end_ns : own->end_ns) -
				    (begin_ns > own->begin_ns ? begin_ns : own->begin_ns);
			if (common_ns < 0 || 2 * common_ns < end_ns - begin_ns)
				continue;
			work->left_out[i] = 1;
			work->uncovered++;
		}
		if (work->uncovered > before)
			work->uncovered_ns += own->end_ns - own->begin_ns;
	}
}

/* Phase of the sensor's rhythm on one side of a moment; 0 where there is none. */
static int find_phase(const struct jm_rail *rail, size_t first, size_t n, int64_t origin_ns,
	double *ret_round_s, double *ret_phase_s)
{
	struct jm_conversions conversions;
	struct jm_fit_input input;
	struct jm_rail part = *rail;
	int found;

	jm_fit_input_init(&input);
	part.readings += first;
	part.n_readings = n;
	found = jm_conversions_init(&conversions, &part, &input.prior, 0, origin_ns, NULL) >=
			0 &&
		conversions.moment == JM_MOMENT_TICK && conversions.round_s > 0;
	*ret_round_s = found ? conversions.round_s : 0;
	*ret_phase_s = found ? conversions.phase_s : 0;
	jm_conversions_release(&conversions);
	return found;
}

/*
 * How much longer a cut has to be for the sensor's rhythm to go on across it, at
 * most `most_ns`; 0 where the rhythm is not known.
 */
static int64_t to_rhythm_ns(
	const struct jm_mending_work *work, const struct jm_cut *cut, int64_t most_ns)
{
	const struct jm_rail *rail = work->rail;
	size_t last = jm_mending_find_reading(rail, cut->from_ns),
	       next = jm_mending_find_reading(rail, cut->to_ns);
	size_t before = last < RHYTHM_READINGS ? last : RHYTHM_READINGS;
	size_t after = rail->n_readings - next;
	double round[2], phase[2], longer;

	after = after < RHYTHM_READINGS ? after : RHYTHM_READINGS;
	if (!find_phase(rail, last - before, before, cut->from_ns, &round[0], &phase[0]) ||
		!find_phase(rail, next, after, cut->to_ns, &round[1], &phase[1]) ||
		fabs(round[1] / round[0] - 1) > SAME_ROUND)
		return 0;
	longer = fmod(phase[1] - phase[0], round[0]);
	while (longer > jm_mending_seconds(most_ns))
		longer -= round[0];
	while (longer + round[0] <= jm_mending_seconds(most_ns))
		longer += round[0];
	return (int64_t)llround(longer * 1e9);
}

/* What lies between two cycles that are far apart goes, but for a usual pause. */
static int add_cuts(struct jm_mending_work *work)
{
	struct jm_mending *mending = &work->recording->mending;
	int result = 0;

	for (size_t i = 0; i < work->cycles.n && result == 0; i++) {
		const struct jm_break *own = &work->cycles.item[i];
		struct jm_cut cut = {own->begin_ns + work->cycles.usual_ns, own->end_ns};

		cut.from_ns -= to_rhythm_ns(work, &cut, work->cycles.usual_ns);
		result = jm_cuts_add(&mending->cuts, cut.from_ns, cut.to_ns);
		work->stops++;
		work->stopped_ns += cut.to_ns - cut.from_ns;
	}
	return result;
}

static void note(const struct jm_mending_work *work, size_t torn)
{
	if (work->uncovered)
		jm_note(work->progress,
			"the power log has no readings for %.3f s of the run: %zu cycles that "
			"none covers are left out",
			jm_mending_seconds(work->uncovered_ns), work->uncovered);
	if (torn)
		jm_note(work->progress,
			"%zu cycle%s in which the run stood still, or the clock was set, %s "
			"left out",
			torn, torn == 1 ? "" : "s", torn == 1 ? "is" : "are");
	if (work->stops)
		jm_note(work->progress,
			"%.3f s in %zu place%s in which no cycle counts (clocks that were set, "
			"a machine or process that was stopped, missing readings) are taken "
			"out of both logs",
			jm_mending_seconds(work->stopped_ns), work->stops,
			work->stops == 1 ? "" : "s");
}

/* ---- All together ---------------------------------------------------------------------------
 */

/* What the window method goes by stays as it was. */
static int keep_originals(struct jm_recording *recording, struct jm_error *reterr)
{
	const struct jm_rail *rail = &recording->log.rails[0];
	struct jm_power_log *kept = &recording->log_as_read;
	int result = 0;

	if (!recording->as_read.n_layers)
		result = jm_timeline_copy(&recording->timeline, &recording->as_read, reterr);
	if (result == 0)
		result = jm_power_log_add_rail(kept, rail->name, rail->quantity, reterr);
	if (result < 0)
		return result;
	kept->rails[0].readings = malloc((rail->n_readings + 1) * sizeof(*rail->readings));
	if (!kept->rails[0].readings)
		return jm_fail_memory(reterr, "the power log");
	memcpy(kept->rails[0].readings, rail->readings,
		rail->n_readings * sizeof(*rail->readings));
	kept->rails[0].n_readings = kept->rails[0].capacity = rail->n_readings;
	return 0;
}

static int mend(struct jm_mending_work *work)
{
	struct jm_recording *recording = work->recording;
	struct jm_mending *mending = &recording->mending;
	size_t torn = 0;
	int left;

	mending->any = 1;
	mending->n_cycles = work->spans.n;
	mending->number = malloc((work->spans.n + 1) * sizeof(*mending->number));
	work->left_out = calloc(work->spans.n + 1, 1);
	if (!mending->number || !work->left_out)
		return JM_ENOMEM;
	left = jm_mending_settle_steps(work);
	if (left > 0) {
		for (size_t i = 0; i < work->spans.n; i++) {
			torn += work->spans.left_out[i] && !work->left_out[i];
			work->left_out[i] |= work->spans.left_out[i];
		}
		leave_out_uncovered(work);
		left = jm_mending_find_breaks(work);
	}
	if (left < 0 || add_cuts(work) < 0)
		return JM_ENOMEM;
	note(work, torn);
	jm_timeline_leave_out(
		&recording->timeline, work->left_out, work->spans.n, mending->number);
	jm_cuts_apply_timeline(&mending->cuts, &recording->timeline);
	jm_cuts_apply_rail(&mending->cuts, work->rail);
	return 0;
}

int jm_recording_mend(struct jm_recording *recording, const struct jm_progress *progress,
	struct jm_error *reterr)
{
	struct jm_mending_work work = {
		.recording = recording, .progress = progress, .rail = &recording->log.rails[0]};
	int result = jm_mending_find_breaks(&work);

	recording->mending.keep_from_ns = INT64_MIN;
	recording->mending.keep_to_ns = INT64_MAX;
	if (result >= 0 && recording->lone_step.by_ns)
		result = 1;
	if (result > 0 && do_overlap(&work)) {
		result = keep_originals(recording, reterr);
		if (result == 0 && mend(&work) < 0)
			result = jm_fail_memory(reterr, "both logs of the run");
	} else if (result < 0) {
		jm_fail_memory(reterr, "both logs of the run");
	}
	jm_mending_release_breaks(&work);
	free(work.left_out);
	return result < 0 ? result : 0;
}

void jm_mending_apply_rail(const struct jm_mending *mending, struct jm_rail *rail)
{
	if (!mending->any)
		return;
	jm_mending_clip(mending, rail);
	jm_cuts_apply_rail(&mending->cuts, rail);
}

int jm_mending_apply_timeline(
	const struct jm_mending *mending, struct jm_timeline *timeline, struct jm_error *reterr)
{
	unsigned char *left_out = calloc(mending->n_cycles + 1, 1);
	size_t *number = malloc((mending->n_cycles + 1) * sizeof(*number));

	if (left_out && number) {
		for (size_t i = 0; i < mending->n_cycles; i++)
			left_out[i] = mending->number[i] == SIZE_MAX;
		jm_timeline_shift(timeline, mending->shift_ns);
		jm_timeline_leave_out(timeline, left_out, mending->n_cycles, number);
		jm_cuts_apply_timeline(&mending->cuts, timeline);
	}
	free(left_out);
	free(number);
	return left_out && number ? 0 : jm_fail_memory(reterr, "the layers of the run");
}

void jm_mending_release(struct jm_mending *mending)
{
	jm_cuts_release(&mending->cuts);
	free(mending->number);
	memset(mending, 0, sizeof(*mending));
}
