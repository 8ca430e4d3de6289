/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks that were set in one log only: one log against the other. */
#include <math.h>
#include <string.h>

#include "base/progress.h"
#include "data/cycles.h"
#include "map/mending_work.h"

/* Readings that a mean power is told from; the ends of an interval may be of others. */
#define READINGS_MIN 8
#define MARGIN_NS INT64_C(50000000)
/* Busy and idle power differ by at least this share, else power tells nothing. */
#define CONTRAST 0.05
/* A log that ends this long before the run has not seen its end. */
#define LATE_NS INT64_C(500000000)
/* Clocks that are set on one side only, in one run. */
#define STEPS_MAX 8

/* ---- What the power log shows -------------------------------------------------------- */

size_t jm_mending_find_reading(const struct jm_rail *rail, int64_t moment_ns)
{
	size_t low = 0, high = rail->n_readings;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (rail->readings[middle].after_ns < moment_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Mean power between two moments, NaN where too few readings tell. */
static double mean_uw(const struct jm_rail *rail, int64_t from_ns, int64_t to_ns)
{
	double sum = 0;
	size_t n = 0;

	for (size_t i = jm_mending_find_reading(rail, from_ns);
		i < rail->n_readings && rail->readings[i].after_ns <= to_ns; i++) {
		double power = jm_reading_power_uw(&rail->readings[i], rail->quantity);

		if (isnan(power))
			continue;
		sum += power;
		n++;
	}
	return n >= READINGS_MIN ? sum / (double)n : (double)NAN;
}

/* 1: the machine was as busy between two moments as in the run; -1: as idle as before; 0. */
static int was_busy(
	const struct jm_mending_work *work, int64_t from_ns, int64_t to_ns, int64_t until_ns)
{
	double busy = mean_uw(work->rail, work->run_begin_ns, until_ns);
	double idle = mean_uw(work->rail, INT64_MIN, work->run_begin_ns - MARGIN_NS);
	double own = mean_uw(work->rail, from_ns + MARGIN_NS, to_ns - MARGIN_NS);

	if (isnan(idle))
		idle = work->recording->idle_uw;
	if (isnan(own) || !(fabs(busy - idle) > CONTRAST * fabs(busy)))
		return 0;
	return fabs(own - busy) < fabs(own - idle) ? 1 : -1;
}

/* ---- A clock that was set in one log only ------------------------------------------------ */

/* Cycles that end before a moment, and of those that count. */
static size_t count_before(
	const struct jm_mending_work *work, int64_t moment_ns, size_t *ret_all)
{
	size_t n = 0;

	*ret_all = 0;
	for (size_t i = 0; i < work->spans.n; i++) {
		if (work->spans.left_out[i] || work->spans.begin_ns[i] > work->spans.end_ns[i])
			continue;
		++*ret_all;
		n += work->spans.end_ns[i] <= moment_ns;
	}
	return n;
}

static int is_within(const struct jm_mending_work *work, const struct jm_break *own)
{
	for (size_t i = 0; i < work->spans.n; i++)
		if (work->spans.begin_ns[i] <= work->spans.end_ns[i] &&
			work->spans.begin_ns[i] >= own->begin_ns &&
			work->spans.end_ns[i] <= own->end_ns)
			return 1;
	return 0;
}

/*
 * Readings are missing while cycles ran. Were they not made, or was the clock of the
 * log put forward? Then it goes on after the run by as much, and shows the run there.
 */
static int is_step_of_log(const struct jm_mending_work *work, const struct jm_break *own)
{
	const struct jm_rail *rail = work->rail;
	int64_t step_ns = own->end_ns - own->begin_ns - work->readings.usual_ns;
	int64_t end_ns = rail->readings[rail->n_readings - 1].after_ns;

	if (!is_within(work, own) || end_ns - step_ns < work->run_end_ns - LATE_NS)
		return 0;
	return was_busy(work, work->run_end_ns,
		       work->run_end_ns + step_ns < end_ns ? work->run_end_ns + step_ns
							   : end_ns,
		       own->begin_ns) > 0;
}

/*
 * No cycle ran while readings were made. Was the process stopped, or the clock of the
 * timeline put forward? Then the power is that of the run.
 */
static int is_step_of_run(const struct jm_mending_work *work, const struct jm_break *own)
{
	size_t inside = jm_mending_find_reading(work->rail, own->end_ns - MARGIN_NS) -
			jm_mending_find_reading(work->rail, own->begin_ns + MARGIN_NS);

	return inside >= READINGS_MIN &&
	       was_busy(work, own->begin_ns, own->end_ns, own->begin_ns) > 0;
}

void jm_mending_clip(const struct jm_mending *mending, struct jm_rail *rail)
{
	size_t first = jm_mending_find_reading(rail, mending->keep_from_ns);
	size_t end = mending->keep_to_ns == INT64_MAX
			     ? rail->n_readings
			     : jm_mending_find_reading(rail, mending->keep_to_ns + 1);

	rail->n_readings = end > first ? end - first : 0;
	memmove(rail->readings, rail->readings + first,
		rail->n_readings * sizeof(*rail->readings));
}

/* The longer part stays: the other one's place in the other log is not known well. */
static void keep_part(struct jm_mending_work *work, const struct jm_break *own, int of_log)
{
	struct jm_mending *mending = &work->recording->mending;
	size_t all, before = count_before(work, own->begin_ns, &all);
	int first = 2 * before >= all;
	int64_t step_ns = own->end_ns - own->begin_ns -
			  (of_log ? work->readings.usual_ns : work->cycles.usual_ns);

	jm_note(work->progress,
		"the clock of the %s was put forward by %.3f s while the %s went on: %zu of "
		"%zu cycles, %s, are left out",
		of_log ? "power log" : "layer times", jm_mending_seconds(step_ns),
		of_log ? "layers" : "readings", first ? all - before : before, all,
		first ? "those after it" : "those before it");
	if (first) {
		mending->keep_to_ns = own->begin_ns;
	} else {
		int64_t shift_ns = of_log ? step_ns : -step_ns;

		mending->keep_from_ns = own->end_ns - (of_log ? 0 : step_ns);
		mending->shift_ns += shift_ns;
		jm_timeline_shift(&work->recording->timeline, shift_ns);
		for (size_t i = 0; i < work->spans.n; i++) {
			work->spans.begin_ns[i] += shift_ns;
			work->spans.end_ns[i] += shift_ns;
		}
	}
	for (size_t i = 0; i < work->spans.n; i++)
		work->left_out[i] |= first ? work->spans.end_ns[i] > mending->keep_to_ns
					   : work->spans.begin_ns[i] < mending->keep_from_ns;
	jm_mending_clip(mending, work->rail);
}

/* The same for a clock that was set back: both sides have been moved together. */
static void keep_lone(struct jm_mending_work *work)
{
	const struct jm_lone_step *step = &work->recording->lone_step;
	struct jm_mending *mending = &work->recording->mending;
	size_t all, before = count_before(work, step->at_ns, &all);
	int first = 2 * before >= all;

	jm_note(work->progress,
		"the clock of the %s was set back by %.3f s while the %s went on: %zu of %zu "
		"cycles, %s, are left out",
		step->of_log ? "power log" : "layer times", jm_mending_seconds(step->by_ns),
		step->of_log ? "layers" : "readings", first ? all - before : before, all,
		first ? "those after it" : "those before it");
	if (first)
		mending->keep_to_ns = step->at_ns - 1;
	else
		mending->keep_from_ns = step->at_ns;
	for (size_t i = 0; i < work->spans.n; i++)
		work->left_out[i] |= first ? work->spans.end_ns[i] > mending->keep_to_ns
					   : work->spans.begin_ns[i] < mending->keep_from_ns;
	jm_mending_clip(mending, work->rail);
}

/* Steps of one clock, one after the other; 1 when there is a break left. */
int jm_mending_settle_steps(struct jm_mending_work *work)
{
	int left = 1;

	if (work->recording->lone_step.by_ns)
		keep_lone(work);
	if (work->recording->lone_step.by_ns)
		left = jm_mending_find_breaks(work);
	for (int k = 0; k < STEPS_MAX && left > 0; k++) {
		int found = 0;

		for (size_t i = 0; i < work->readings.n && !found; i++)
			if (is_step_of_log(work, &work->readings.item[i])) {
				keep_part(work, &work->readings.item[i], 1);
				found = 1;
			}
		for (size_t i = 0; i < work->cycles.n && !found; i++)
			if (is_step_of_run(work, &work->cycles.item[i])) {
				keep_part(work, &work->cycles.item[i], 0);
				found = 1;
			}
		if (!found)
			break;
		left = jm_mending_find_breaks(work);
	}
	return left;
}
