/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attribute/stamp_steps.h"
#include "attribute/blocking.h"
#include "attribute/conversions.h"
#include "attribute/ticks.h"
#include "attribute/voltage.h"
#include "base/array.h"
#include "base/error.h"
#include "base/statistics.h"
#include "data/counter.h"

/* Periods looked for when nothing is known of the sensor. */
#define PERIOD_MIN_S 0.2e-3
#define PERIOD_MAX_S 0.25
/* Known periods may be off by this much. */
#define PERIOD_SLACK 0.03
/* Readings closer to a tick than this share of the period are left out. */
#define EDGE_SHARE 0.015
#define MIN_READINGS 16
/* More than this, in SI units, is no measurement. */
#define VALUE_MAX 1e15

struct reads {
	double *before_s, *after_s;
	double *value; /* what tells conversions apart */
	double *power_w;
	double *voltage; /* NULL: none */
	double range_j;  /* of a counter; 0: not known */
	size_t n;
};

static void reads_release(struct reads *reads)
{
	free(reads->before_s);
	free(reads->after_s);
	free(reads->value);
	free(reads->power_w);
	free(reads->voltage);
}

static int reads_allocate(struct reads *reads, size_t n, int with_voltage)
{
	size_t size = (n ? n : 1) * sizeof(double);

	reads->before_s = malloc(size);
	reads->after_s = malloc(size);
	reads->value = malloc(size);
	reads->power_w = malloc(size);
	reads->voltage = with_voltage ? malloc(size) : NULL;
	return reads->before_s && reads->after_s && reads->value && reads->power_w &&
	       (reads->voltage || !with_voltage);
}

static int is_value(double si)
{
	return fabs(si) <= VALUE_MAX;
}

/* Readings with a value, in order of time; SI units. */
static int reads_init(struct reads *reads, const struct jm_rail *rail, int64_t origin_ns,
	struct jm_error *reterr)
{
	int volts = rail->quantity == JM_QUANTITY_MV_MA;

	memset(reads, 0, sizeof(*reads));
	reads->range_j = rail->range_uj * 1e-6;
	if (!reads_allocate(reads, rail->n_readings, volts))
		return jm_fail_memory(reterr, "the readings");
	for (size_t i = 0; i < rail->n_readings; i++) {
		const struct jm_reading *reading = &rail->readings[i];
		double before = (double)(reading->before_ns - origin_ns) * 1e-9;
		double after = (double)(reading->after_ns - origin_ns) * 1e-9;
		double value = volts ? reading->value[1] * 1e-3 : reading->value[0] * 1e-6;
		double voltage = volts ? reading->value[0] * 1e-3 : 1;
		size_t n = reads->n;

		if (!is_value(value) || !is_value(voltage) || !is_value(voltage * value))
			continue;
		if (n && after <= reads->after_s[n - 1])
			continue;
		if (n) /* one read after the other */
			before = fmax(before, reads->after_s[n - 1]);
		reads->after_s[n] = after;
		reads->before_s[n] = fmin(before, after);
		reads->value[n] = value;
		reads->power_w[n] = voltage * value;
		if (volts)
			reads->voltage[n] = voltage;
		reads->n++;
	}
	return 0;
}

static double median_poll(const struct reads *reads, double *scratch)
{
	size_t n = reads->n - 1;

	for (size_t i = 0; i < n; i++)
		scratch[i] = reads->after_s[i + 1] - reads->after_s[i];
	return jm_median_upper(scratch, n);
}

/* Smallest step that at least a few values show. */
static double find_quantum(const double *values, size_t n, double *scratch)
{
	double step = 0;
	size_t seen = 0;

	memcpy(scratch, values, n * sizeof(*scratch));
	qsort(scratch, n, sizeof(*scratch), jm_compare_doubles);
	for (size_t i = 1; i < n; i++) {
		double d = scratch[i] - scratch[i - 1];

		if (d <= 1e-9 * fabs(scratch[i]) + 1e-12)
			continue;
		seen++;
		if (step == 0 || d < step)
			step = d;
	}
	return seen < n / 4 ? step : 0;
}

static size_t find_changes(
	const struct reads *reads, struct jm_bracket *brackets, size_t *index)
{
	size_t n = 0;

	for (size_t i = 1; i < reads->n; i++) {
		if (reads->value[i] == reads->value[i - 1])
			continue;
		brackets[n].low_s = reads->before_s[i - 1];
		brackets[n].high_s = reads->after_s[i];
		index[n++] = i;
	}
	return n;
}

static int search_rhythm(const struct jm_bracket *brackets, size_t n,
	const struct jm_fit_prior *prior, double given_round_s, double poll_s,
	struct jm_ticks *ret_ticks)
{
	double round_s = given_round_s > 0 ? given_round_s : prior->round_ms * 1e-3;
	double slack = given_round_s > 0 ? 1e-6 : PERIOD_SLACK;
	int result = JM_ENOTFOUND;

	if (round_s > 0)
		result = jm_ticks_find(
			brackets, n, round_s * (1 - slack), round_s * (1 + slack), ret_ticks);
	if (result != JM_ENOTFOUND || given_round_s > 0)
		return result;
	return jm_ticks_find(
		brackets, n, fmax(PERIOD_MIN_S, 1.05 * poll_s), PERIOD_MAX_S, ret_ticks);
}

/* The same where reads wait for a conversion; those that end with one tell its moment. */
static int search_ends(struct jm_conversions *conversions, struct reads *reads,
	const struct jm_fit_prior *prior, double given_round_s, struct jm_ticks *ret_ticks)
{
	double round_s = given_round_s > 0 ? given_round_s : prior->round_ms * 1e-3, last_s;
	int result = jm_blocking_find(
		reads->before_s, reads->after_s, reads->n, round_s, ret_ticks, &last_s);

	if (result == JM_ENOMEM)
		return result;
	if (result == JM_ENDS_CONVERSIONS)
		conversions->moment = JM_MOMENT_CHANGE;
	/* A conversion that came while the value was on its way may be in it or not. */
	for (size_t i = 0; i < reads->n && result == JM_ENDS_RHYTHM; i++)
		reads->before_s[i] = fmax(reads->before_s[i], reads->after_s[i] - last_s);
	return result == JM_ENDS_RHYTHM ? 0 : JM_ENOTFOUND;
}

static int allocate(struct jm_conversions *conversions, size_t n, int with_width)
{
	conversions->time_s = malloc((n + 1) * sizeof(double));
	conversions->power_w = malloc((n + 1) * sizeof(double));
	conversions->width_s = with_width ? malloc((n + 1) * sizeof(double)) : NULL;
	return conversions->time_s && conversions->power_w &&
	       (conversions->width_s || !with_width);
}

/*
 * One value per tick: of the reading nearest to the middle of its round.
 * Voltage and value move to the front of their arrays with it.
 */
static void take_ticks(struct jm_conversions *conversions, struct reads *reads)
{
	double round_s = conversions->round_s, best = 0;
	int64_t last = INT64_MIN;

	for (size_t i = 0; i < reads->n; i++) {
		double position = (reads->after_s[i] - conversions->phase_s) / round_s;
		double begin = (reads->before_s[i] - conversions->phase_s) / round_s;
		int64_t tick = (int64_t)floor(position);
		double inside = fmin(position - (double)tick, (double)(tick + 1) - position);
		size_t n = conversions->n;

		if (inside < EDGE_SHARE || begin < (double)tick)
			continue;
		if (tick == last && inside <= best)
			continue;
		if (tick == last)
			n = --conversions->n;
		conversions->time_s[n] = conversions->phase_s + (double)tick * round_s;
		conversions->power_w[n] = reads->power_w[i];
		if (reads->voltage) {
			reads->voltage[n] = reads->voltage[i];
			reads->value[n] = reads->value[i];
		}
		conversions->n++;
		best = inside;
		last = tick;
	}
}

static void take_readings(struct jm_conversions *conversions, const struct reads *reads)
{
	for (size_t i = 0; i < reads->n; i++) {
		conversions->time_s[i] = reads->after_s[i];
		conversions->power_w[i] = reads->power_w[i];
	}
	conversions->n = reads->n;
}

/* Energy between two updates over the time between them. */
static void take_counter(struct jm_conversions *conversions, const struct reads *reads,
	const struct jm_bracket *brackets, const size_t *index, size_t n)
{
	double last_s = 0, last_j = 0, power_w;
	int have = 0;

	for (size_t i = 0; i < n; i++) {
		double low = brackets[i].low_s, high = brackets[i].high_s;
		double at = 0.5 * (low + high), energy = reads->value[index[i]];
		size_t m = conversions->n;

		if (conversions->moment == JM_MOMENT_TICK)
			at = conversions->phase_s +
			     conversions->round_s *
				     round((at - conversions->phase_s) / conversions->round_s);
		at = fmin(fmax(at, low), high); /* updates jitter around their ticks */
		power_w = jm_counter_power(last_j, energy, reads->range_j, at - last_s, 1);
		if (have && !isnan(power_w) && at - last_s < 1.0) {
			conversions->time_s[m] = at;
			conversions->width_s[m] = at - last_s;
			conversions->power_w[m] = power_w;
			conversions->n++;
		}
		have = 1;
		last_s = at;
		last_j = energy;
	}
}

static int too_few(const struct reads *reads, size_t n_changes, const struct jm_rail *rail,
	struct jm_error *reterr)
{
	double step_s = reads->n < MIN_READINGS ? jm_rail_stamp_step_s(rail) : 0;

	if (step_s > 0 && rail->n_readings > 2 * reads->n)
		return jm_fail(reterr, JM_EINVAL,
			"time stamps of rail '%s' have steps of %.4g ms, %zu readings have "
			"only %zu of them: write them to the us",
			rail->name, step_s * 1e3, rail->n_readings, reads->n);
	if (reads->n < MIN_READINGS)
		return jm_fail(reterr, JM_EINVAL,
			"rail '%s' has %zu readings; attribution needs hundreds: poll faster "
			"or "
			"run more cycles",
			rail->name, reads->n);
	if (n_changes < 2)
		return jm_fail(reterr, JM_EINVAL,
			"rail '%s' always reads %.6g W; it does not see the load: choose "
			"another rail",
			rail->name, reads->power_w[0]);
	return 0;
}

/* Power with the droop that voltage and current of the same readings show. */
static int take_voltage(
	struct jm_conversions *conversions, struct reads *reads, struct jm_error *reterr)
{
	size_t n = conversions->n;
	double slope, significance;

	conversions->voltage_v = reads->voltage;
	conversions->current_a = reads->value;
	reads->voltage = reads->value = NULL;
	if (jm_voltage_slope(conversions->time_s, conversions->voltage_v,
		    conversions->current_a, n, &slope, &significance) < 0 ||
		jm_voltage_power(conversions->time_s, conversions->voltage_v,
			conversions->current_a, n, fmin(0, fmax(-JM_DROOP_MAX, slope)),
			conversions->power_w) < 0)
		return jm_fail_memory(reterr, "the voltages");
	return 0;
}

static int take(struct jm_conversions *conversions, struct reads *reads,
	const struct jm_rail *rail, const struct jm_fit_prior *prior, double given_round_s,
	struct jm_bracket *brackets, size_t *index, struct jm_error *reterr)
{
	size_t n = find_changes(reads, brackets, index);
	int counter = rail->quantity == JM_QUANTITY_UJ;
	struct jm_ticks ticks = {0};
	int result = too_few(reads, n, rail, reterr);

	if (result < 0)
		return result;
	if (!allocate(conversions, reads->n, counter))
		return jm_fail_memory(reterr, "the conversions");
	conversions->n_readings = reads->n;
	conversions->n_changes = n;
	conversions->poll_s = median_poll(reads, conversions->time_s);
	conversions->moment = counter || prior->stamped ? JM_MOMENT_CHANGE : JM_MOMENT_READING;
	result = prior->stamped ? JM_ENOTFOUND
		 : prior->blocking && !counter
			 ? search_ends(conversions, reads, prior, given_round_s, &ticks)
			 : search_rhythm(brackets, n, prior, given_round_s, conversions->poll_s,
				   &ticks);
	if (result == JM_ENOMEM)
		return jm_fail_memory(reterr, "the search for the sensor's rhythm");
	if (result == 0) {
		conversions->moment = JM_MOMENT_TICK;
		conversions->round_s = ticks.period_s;
		conversions->phase_s = ticks.phase_s;
	}
	conversions->hit_share = ticks.hit_share;
	if (!counter && conversions->moment == JM_MOMENT_CHANGE)
		conversions->round_s = conversions->poll_s;
	if (counter)
		take_counter(conversions, reads, brackets, index, n);
	else if (conversions->moment == JM_MOMENT_TICK)
		take_ticks(conversions, reads);
	else
		take_readings(conversions, reads);
	return reads->voltage ? take_voltage(conversions, reads, reterr) : 0;
}

int jm_conversions_init(struct jm_conversions *conversions, const struct jm_rail *rail,
	const struct jm_fit_prior *prior, double given_round_s, int64_t origin_ns,
	struct jm_error *reterr)
{
	struct jm_bracket *brackets = NULL;
	size_t *index = NULL;
	double *scratch = NULL;
	struct reads reads;
	int result;

	memset(conversions, 0, sizeof(*conversions));
	result = reads_init(&reads, rail, origin_ns, reterr);
	if (result < 0)
		goto out;
	brackets = malloc((reads.n + 1) * sizeof(*brackets));
	index = malloc((reads.n + 1) * sizeof(*index));
	scratch = malloc((reads.n + 1) * sizeof(*scratch));
	if (!brackets || !index || !scratch) {
		result = jm_fail_memory(reterr, "the readings");
		goto out;
	}
	if (reads.n >= MIN_READINGS && rail->quantity != JM_QUANTITY_UJ)
		conversions->quantum_w = find_quantum(reads.value, reads.n, scratch) *
					 (reads.voltage ? fabs(reads.voltage[0]) : 1);
	result = take(conversions, &reads, rail, prior, given_round_s, brackets, index, reterr);
out:
	reads_release(&reads);
	free(brackets);
	free(index);
	free(scratch);
	if (result < 0)
		jm_conversions_release(conversions);
	return result;
}

void jm_conversions_release(struct jm_conversions *conversions)
{
	free(conversions->time_s);
	free(conversions->power_w);
	free(conversions->width_s);
	free(conversions->voltage_v);
	free(conversions->current_a);
	memset(conversions, 0, sizeof(*conversions));
}
