/* SPDX-License-Identifier: Apache-2.0 */
#include "engines/onnxruntime/markers/turns.h"

#include <math.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/statistics.h"

#define TURNS_MIN 5
#define TURNS_MAX 400
#define BUDGET_NS (1000 * JM_NS_PER_MS)
/* A turn: the first run finds the other network's weights in the caches. */
#define RUNS_PER_TURN 4
/* From this time on one run of a turn will do: caches make no difference. */
#define LONG_RUN_NS (50 * JM_NS_PER_MS)

/* Of what twins say, and of a network's time from session to session. */
#define TWIN_ERROR 0.35
#define SESSION_ERROR 0.03

int jm_ort_turns_run_marked(
	struct jm_ort_session *marked, struct jm_ort_stamps *stamps, struct jm_error *reterr)
{
	int result;

	stamps->n = stamps->n_strange = 0;
	stamps->on = 1;
	result = jm_ort_session_run(marked, 0, reterr);
	stamps->on = 0;
	if (result == 0 && (stamps->n != stamps->capacity || stamps->n_strange))
		result = jm_fail(reterr, JM_EENGINE,
			"%zu of %zu markers ran in their order; the network changes from run "
			"to run, which cannot be measured",
			stamps->n, stamps->capacity);
	return result;
}

/* Median time of the runs of a turn, without the first of several. */
static int take_turn(struct jm_ort_session *session, struct jm_ort_stamps *stamps, int marked,
	double *ret_ns, struct jm_error *reterr)
{
	const struct jm_ort_clock *clock = &stamps->clock;
	double times[RUNS_PER_TURN];
	size_t n = 0, first;

	while (n < RUNS_PER_TURN && (n != 1 || times[0] < (double)LONG_RUN_NS)) {
		int64_t begin_ns = jm_ort_now(clock);
		int result = marked ? jm_ort_turns_run_marked(session, stamps, reterr)
				    : jm_ort_session_run(session, 0, reterr);

		if (result < 0)
			return result;
		times[n++] = (double)(jm_ort_now(clock) - begin_ns);
	}
	first = n > 1;
	*ret_ns = jm_median(times + first, n - first);
	return 0;
}

/* Median and spread of n values, from their median deviation; changes values. */
static double summarise(double *values, size_t n, double *ret_sd)
{
	double middle = jm_median(values, n);

	for (size_t i = 0; i < n; i++)
		values[i] = fabs(values[i] - middle);
	*ret_sd = jm_median(values, n) / 0.6745;
	return middle;
}

static double smallest(const double *values, size_t n)
{
	double least = values[0];

	for (size_t i = 1; i < n; i++)
		least = fmin(least, values[i]);
	return least;
}

static double twin_gap(const struct jm_ort_stamps *stamps, size_t twin)
{
	return twin == JM_ORT_NO_TWIN ? (double)NAN
				      : (double)(stamps->ns[twin + 1] - stamps->ns[twin]);
}

int jm_ort_turns_measure(struct jm_ort_session *plain, struct jm_ort_session *marked,
	struct jm_ort_stamps *stamps, size_t twin, struct jm_ort_cost *ret_cost,
	struct jm_error *reterr)
{
	double without[TURNS_MAX], with[TURNS_MAX], extra[TURNS_MAX], gaps[TURNS_MAX];
	int64_t start_ns = jm_clock_monotonic_ns(NULL);
	size_t n = 0;
	int result = 0;

	while (n < TURNS_MAX &&
		(n < TURNS_MIN || jm_clock_monotonic_ns(NULL) - start_ns < BUDGET_NS)) {
		result = take_turn(plain, stamps, 0, &without[n], reterr);
		if (result == 0)
			result = take_turn(marked, stamps, 1, &with[n], reterr);
		if (result)
			return result;
		gaps[n] = twin_gap(stamps, twin);
		extra[n] = with[n] - without[n];
		n++;
	}
	ret_cost->plain_ns = jm_median(without, n);
	ret_cost->marked_ns = jm_median(with, n);
	ret_cost->fastest_extra_ns = smallest(with, n) - smallest(without, n);
	ret_cost->extra_ns = summarise(extra, n, &ret_cost->extra_sd_ns);
	ret_cost->extra_sd_ns *= 1.2533 / sqrt((double)n); /* error of a median */
	ret_cost->twin_ns = summarise(gaps, n, &ret_cost->twin_sd_ns);
	return 0;
}

double jm_ort_cost_of_marker(const struct jm_ort_cost *cost, size_t n, double *ret_error_ns)
{
	double by_turns = fmax(cost->extra_ns, 0) / (double)n;
	double turns_error =
		hypot(cost->extra_sd_ns, SESSION_ERROR * cost->plain_ns) / (double)n;
	double twin_error = TWIN_ERROR * cost->twin_ns;
	double turns_weight = 1 / (turns_error * turns_error);
	double twin_weight = 1 / (twin_error * twin_error);

	*ret_error_ns = turns_error;
	if (!(twin_error > 0))
		return by_turns;
	*ret_error_ns = 1 / sqrt(turns_weight + twin_weight);
	return (by_turns * turns_weight + cost->twin_ns * twin_weight) /
	       (turns_weight + twin_weight);
}
