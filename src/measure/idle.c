/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/idle.h"

#include <math.h>
#include <poll.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"

#define PARTS 32
#define PROGRESS_NS (JM_NS_PER_S / 10)

/* Mean and sum of squared deviations of a stream (Welford). */
struct moments {
	double n;
	double mean;
	double squares;
};

struct idle {
	struct jm_sensor_set *set;
	struct jm_total total;
	struct moments readings;
	struct moments conversions; /* runs of one and the same value count once */
	struct moments parts[PARTS];
	double last_uw;
	int64_t last_ns;     /* of the sum before */
	double time_s, uw_s; /* power by time: what counters count */
	uint64_t taken;      /* readings of what is summed */
	uint64_t missing;
	int64_t begin_ns;
	int64_t end_ns;
	double part;            /* of the time that is over, 0..1 */
	struct pollfd *watched; /* [n_members], owned: descriptors; fd -1: polled */
	int watches;            /* any of them is a descriptor */
};

static void moments_add(struct moments *moments, double value)
{
	double deviation = value - moments->mean;

	moments->n += 1.0;
	moments->mean += deviation / moments->n;
	moments->squares += deviation * (value - moments->mean);
}

static double moments_variance(const struct moments *moments)
{
	return moments->n > 1.0 ? moments->squares / (moments->n - 1.0) : (double)NAN;
}

static int take(void *context, size_t rail, const struct jm_reading *reading)
{
	struct idle *idle = context;
	size_t index = idle->part < 1.0 ? (size_t)(idle->part * PARTS) : PARTS - 1;
	struct jm_reading sum;
	double power_uw;

	if (!jm_total_has(&idle->total, rail))
		return 0;
	if (!idle->begin_ns)
		idle->begin_ns = reading->before_ns;
	idle->end_ns = reading->after_ns;
	idle->taken++;
	if (!jm_total_put(&idle->total, rail, reading, &sum))
		return 0;
	power_uw = sum.value[0];
	if (isnan(power_uw)) {
		idle->missing++;
		return 0;
	}
	if (idle->readings.n < 0.5 || power_uw != idle->last_uw)
		moments_add(&idle->conversions, power_uw);
	moments_add(&idle->readings, power_uw);
	moments_add(&idle->parts[index], power_uw);
	if (idle->last_ns) {
		double time_s = (double)(sum.after_ns - idle->last_ns) * 1e-9;

		idle->time_s += time_s;
		idle->uw_s += power_uw * time_s;
	}
	idle->last_uw = power_uw;
	idle->last_ns = sum.after_ns;
	return 0;
}

/*
 * The largest of three: independent conversions; means over parts of the time,
 * which see slow changes; the rounding of a value that hardly changes. A value
 * that never changes and whose quantum is unknown has an unknown error: NaN.
 */
static double standard_error_uw(const struct idle *idle)
{
	double n = idle->conversions.n;
	double squares = moments_variance(&idle->conversions) / n;
	double quantum_uw = idle->total.quantum_uw;
	struct moments means = {0};

	for (size_t i = 0; i < PARTS; i++)
		if (idle->parts[i].n > 0.5)
			moments_add(&means, idle->parts[i].mean);
	if (n < 1.5 && !(quantum_uw > 0.0))
		return (double)NAN;
	if (means.n > 7.5)
		squares = fmax(squares, moments_variance(&means) / means.n);
	return sqrt(fmax(squares, quantum_uw * quantum_uw / 12.0 / n));
}

/* ---- Reading ------------------------------------------------------------------- */

static int watch_descriptors(struct idle *idle, struct jm_error *reterr)
{
	const struct jm_sensor_set *set = idle->set;

	idle->watched = calloc(set->n_members + 1, sizeof(*idle->watched));
	if (!idle->watched)
		return jm_fail_memory(reterr, "the idle measurement");
	for (size_t i = 0; i < set->n_members; i++) {
		idle->watched[i].fd = set->members[i].descriptor;
		idle->watched[i].events = POLLIN;
		idle->watches |= idle->watched[i].fd >= 0;
	}
	return 0;
}

/* Reads what descriptors offer now; waits for them at most until the deadline. */
static int read_descriptors(struct idle *idle, const struct jm_reading_sink *sink,
	int64_t until_ns, struct jm_error *reterr)
{
	struct jm_sensor_set *set = idle->set;
	int64_t left_ns = until_ns - jm_clock_monotonic_ns(NULL);
	struct timespec timeout = {.tv_nsec = (long)(left_ns < 0 ? 0 : left_ns)};
	int result = 0;

	if (ppoll(idle->watched, set->n_members, &timeout, NULL) <= 0)
		return 0;
	for (size_t i = 0; i < set->n_members && result == 0; i++)
		if (idle->watched[i].fd >= 0 && idle->watched[i].revents)
			result = jm_sensor_set_read(&set->members[i], sink, reterr);
	return result;
}

/* Until a member is due, but no longer than progress can wait. */
static int read_next(
	struct idle *idle, const struct jm_reading_sink *sink, struct jm_error *reterr)
{
	struct jm_sensor_member *polled = jm_sensor_set_next(idle->set);
	int64_t now_ns = jm_clock_monotonic_ns(NULL), until_ns = now_ns + PROGRESS_NS;
	int result = 0;

	if (polled && polled->deadline_ns < until_ns)
		until_ns = polled->deadline_ns;
	if (idle->watches)
		result = read_descriptors(idle, sink, until_ns, reterr);
	else
		jm_clock_sleep_until(until_ns);
	if (result < 0 || !polled || jm_clock_monotonic_ns(NULL) < polled->deadline_ns)
		return result;
	result = jm_sensor_set_read(polled, sink, reterr);
	jm_sensor_member_advance(polled, jm_clock_monotonic_ns(NULL));
	return result;
}

static int read_all(struct idle *idle, double seconds, jm_idle_progress_fn *progress,
	void *context, struct jm_error *reterr)
{
	const struct jm_reading_sink sink = {take, idle};
	int64_t start_ns = jm_clock_monotonic_ns(NULL), now_ns = start_ns, shown_ns = start_ns;

	jm_sensor_set_start(idle->set, start_ns);
	while ((double)(now_ns - start_ns) < seconds * 1e9) {
		int result;

		idle->part = (double)(now_ns - start_ns) / (seconds * 1e9);
		result = read_next(idle, &sink, reterr);
		if (result < 0)
			return result;
		if (progress && now_ns - shown_ns >= PROGRESS_NS) {
			double mean =
				idle->readings.n > 0.5 ? idle->readings.mean : (double)NAN;

			shown_ns = now_ns;
			if (progress(context, (double)(now_ns - start_ns) * 1e-9, mean) != 0)
				return jm_fail(reterr, JM_EINTERRUPTED,
					"idle measurement interrupted");
		}
		now_ns = jm_clock_monotonic_ns(NULL);
	}
	return 0;
}

static int conclude(
	const struct idle *idle, struct jm_idle_result *ret_result, struct jm_error *reterr)
{
	char id[4 * JM_NAME_MAX];

	if (idle->readings.n < 0.5) {
		jm_sensor_set_id(idle->set, id, sizeof(id));
		if (jm_sensor_set_impossible(idle->set))
			return jm_fail(reterr, JM_ESENSOR,
				"sensor '%s' delivered no value that its rails can carry in "
				"%llu readings",
				id, (unsigned long long)idle->taken);
		return jm_fail(reterr, JM_ESENSOR,
			"sensor '%s' delivered no value in %llu readings", id,
			(unsigned long long)idle->taken);
	}
	ret_result->mean_uw = idle->readings.mean;
	if (jm_total_has_counter(&idle->total) && idle->time_s > 0)
		ret_result->mean_uw = idle->uw_s / idle->time_s;
	ret_result->sd_uw = sqrt(moments_variance(&idle->conversions));
	ret_result->error_uw = standard_error_uw(idle);
	ret_result->readings = (uint64_t)idle->readings.n;
	ret_result->missing = idle->missing;
	ret_result->impossible = jm_sensor_set_impossible(idle->set);
	ret_result->conversions = (uint64_t)idle->conversions.n;
	ret_result->begin_ns = idle->begin_ns;
	ret_result->end_ns = idle->end_ns;
	ret_result->seconds = (double)(idle->end_ns - idle->begin_ns) * 1e-9;
	return 0;
}

int jm_idle_measure(struct jm_sensor_set *set, double seconds, jm_idle_progress_fn *progress,
	void *context, struct jm_idle_result *ret_result, struct jm_error *reterr)
{
	struct idle idle = {.set = set};
	int result;

	if (!(seconds > 0.0 && seconds <= 1e6))
		return jm_fail(reterr, JM_EINVAL,
			"idle duration %g s is not from 0 to 1000000 s", seconds);
	result = jm_sensor_set_open(set, 0.0, reterr);
	if (result == 0)
		result = jm_sensor_set_total(set, &idle.total, reterr);
	if (result == 0)
		result = watch_descriptors(&idle, reterr);
	if (result == 0)
		result = read_all(&idle, seconds, progress, context, reterr);
	if (result == 0)
		result = conclude(&idle, ret_result, reterr);
	jm_sensor_set_close(set);
	jm_total_release(&idle.total);
	free(idle.watched);
	return result;
}
