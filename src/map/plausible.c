/* SPDX-License-Identifier: Apache-2.0 */
#include "map/plausible.h"

#include <math.h>

#include "base/error.h"
#include "base/progress.h"
#include "data/breaks.h"
#include "data/cycles.h"

/* Layers that take longer, by their durations, than there is from one inference to the
 * next; overlaps and durations that are somewhat too long are known to the fit. */
#define LONG_DURATIONS 2.0
/* Layers that fill less than this share of their inference by the stamps. */
#define SHORT_DURATIONS 0.005
/* A run draws more than with nothing running, but not any amount more. */
#define BELOW_IDLE 0.9
#define ABOVE_IDLE 300.0
/* Units mixed up are thousands; half of that on a logarithmic scale. */
#define UNIT 30.0
/* Idle power, and what the log shows before the run. */
#define LEAD_RATIO 2.0
#define READINGS_MIN 20
#define CYCLES_MIN 4

/* What the timeline tells, per inference; times in ms. */
struct times {
	double busy;   /* sum of the durations of its layers */
	double extent; /* from the first stamp to the last */
	double cycle;  /* from one inference to the next */
	int64_t begin_ns, end_ns;
	size_t n;
};

static double busy_ms(const struct jm_timeline *timeline)
{
	double sum = 0;

	for (size_t k = 0; k < timeline->n_layers; k++)
		for (size_t j = 0; j < timeline->layers[k].n_executions; j++)
			sum += timeline->layers[k].executions[j].duration_ms;
	return sum;
}

/* Extents by the stamps alone: durations are what is doubted. */
static int take_times(const struct jm_timeline *timeline, struct times *ret)
{
	struct jm_timeline stamps = *timeline;
	struct jm_cycle_spans spans;
	double extent = 0;
	int64_t last_ns = 0;

	*ret = (struct times){.busy = busy_ms(timeline)};
	stamps.stamp = 0; /* of no meaning: begin and end are the stamp */
	if (jm_cycle_spans_init(&spans, &stamps) < 0)
		return 0;
	for (size_t i = 0; i < spans.n; i++) {
		if (spans.begin_ns[i] > spans.end_ns[i])
			continue;
		extent += (double)(spans.end_ns[i] - spans.begin_ns[i]) * 1e-6;
		if (!ret->n++)
			ret->begin_ns = spans.begin_ns[i];
		last_ns = spans.begin_ns[i];
		ret->end_ns = spans.end_ns[i];
	}
	jm_cycle_spans_release(&spans);
	if (ret->n < CYCLES_MIN)
		return 0;
	ret->busy /= (double)ret->n;
	ret->extent = extent / (double)ret->n;
	ret->cycle = (double)(last_ns - ret->begin_ns) * 1e-6 / (double)(ret->n - 1);
	return 1;
}

static void compare_durations(struct jm_recording *recording, const struct times *times,
	const struct jm_progress *progress)
{
	const struct jm_timeline *timeline = &recording->timeline;

	if (jm_timeline_has_lanes(timeline) || !(times->cycle > 0))
		return;
	if (times->busy > LONG_DURATIONS * times->cycle)
		jm_fail(&recording->implausible, JM_EFORMAT,
			"by their durations the layers of an inference take %.6g ms, by their "
			"stamps there are %.6g ms from one inference to the next: one of both "
			"is wrong%s",
			times->busy, times->cycle,
			times->busy > UNIT * times->cycle ? " (durations in us, not in ms?)"
							  : "");
	else if (timeline->stamp != JM_STAMP_CALLBACK && timeline->n_layers > 2 &&
		 times->busy < SHORT_DURATIONS * times->extent)
		jm_note(progress,
			"by their durations the layers of an inference take %.6g ms, by their "
			"stamps they run over %.6g ms: durations in s, not in ms?",
			times->busy, times->extent);
}

/* Mean power between two moments, NaN where few readings tell. */
static double mean_w(const struct jm_rail *rail, int64_t from_ns, int64_t to_ns)
{
	double sum = 0;
	size_t n = 0;

	for (size_t i = 0; i < rail->n_readings; i++) {
		const struct jm_reading *reading = &rail->readings[i];
		double power = jm_reading_power_uw(reading, rail->quantity);

		if (reading->after_ns < from_ns || reading->after_ns > to_ns || isnan(power))
			continue;
		sum += power;
		n++;
	}
	return n >= READINGS_MIN ? sum / (double)n * 1e-6 : (double)NAN;
}

static void compare_power(const struct jm_recording *recording, const struct times *times,
	const struct jm_progress *progress)
{
	const struct jm_rail *rail = &recording->log.rails[0];
	double idle = recording->idle_uw * 1e-6;
	double run = mean_w(rail, times->begin_ns, times->end_ns);
	double lead = mean_w(rail, INT64_MIN, times->begin_ns);

	if (run < BELOW_IDLE * idle)
		jm_note(progress,
			"the run draws %.6g W on average, less than the idle power of %.6g W: "
			"idle power of another board or state%s",
			run, idle,
			run < idle / UNIT ? ", or V and A where mV and mA are meant?" : "?");
	else if (run > ABOVE_IDLE * idle && idle > 0)
		jm_note(progress,
			"the run draws %.6g W on average, %.3g times the idle power of %.6g W: "
			"are units mixed up?",
			run, run / idle, idle);
	else if (lead > LEAD_RATIO * idle || lead < idle / LEAD_RATIO)
		jm_note(progress,
			"before the run the power log shows %.6g W, the idle power is %.6g W: "
			"other work, or idle power of another board or state?",
			lead, idle);
}

void jm_recording_compare_sources(
	struct jm_recording *recording, const struct jm_progress *progress)
{
	struct times times;

	if (!take_times(&recording->timeline, &times))
		return;
	if (!recording->unformed.code)
		compare_durations(recording, &times, progress);
	compare_power(recording, &times, progress);
}
