/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The driver's word for "wait" is not the same everywhere. One that polls the
 * chip often ends with the conversion. The INA3221's of Linux 5.10 asks once
 * and, if nothing is ready, sleeps for up to a round: its reads end anywhere in
 * the next round. Now and then a conversion becomes ready just before it asks;
 * such a read is short, and brackets its conversion.
 */
#include <math.h>
#include <stdlib.h>

#include "attribute/blocking.h"
#include "base/error.h"

/* Ends that keep the sensor's rhythm to this share of a round, or time. */
#define EXACT_SHARE 0.02
#define EXACT_MIN_S 60e-6
/* Reads up to this share of a round need not have waited. */
#define SHORT_SHARE 0.4
#define SHORT_MIN 30
/* Rounds are known this well. */
#define ROUND_SLACK 0.03

static int find(
	const struct jm_bracket *brackets, size_t n, double round_s, struct jm_ticks *ret_ticks)
{
	return jm_ticks_find(brackets, n, round_s * (1 - ROUND_SLACK),
		round_s * (1 + ROUND_SLACK), ret_ticks);
}

static size_t bracket_ends(
	const double *after_s, size_t n, double round_s, struct jm_bracket *brackets)
{
	double width_s = fmax(EXACT_SHARE * round_s, EXACT_MIN_S);

	for (size_t i = 0; i < n; i++)
		brackets[i] = (struct jm_bracket){after_s[i] - width_s, after_s[i]};
	return n;
}

static double shortest(const double *before_s, const double *after_s, size_t n)
{
	double least_s = HUGE_VAL;

	for (size_t i = 0; i < n; i++)
		least_s = fmin(least_s, after_s[i] - before_s[i]);
	return least_s;
}

/* The read before has taken the flag of its conversion away: one read's time earlier. */
static size_t bracket_short(const double *before_s, const double *after_s, size_t n,
	double round_s, double last_s, struct jm_bracket *brackets)
{
	size_t used = 0;

	for (size_t i = 0; i < n; i++)
		if (after_s[i] - before_s[i] <= SHORT_SHARE * round_s)
			brackets[used++] =
				(struct jm_bracket){before_s[i] - last_s, after_s[i]};
	return used;
}

int jm_blocking_find(const double *before_s, const double *after_s, size_t n, double round_s,
	struct jm_ticks *ret_ticks, double *ret_last_s)
{
	struct jm_bracket *brackets = calloc(n + 1, sizeof(*brackets));
	int ends = JM_ENDS_UNKNOWN, result = JM_ENOTFOUND;
	size_t used;

	*ret_last_s = shortest(before_s, after_s, n);
	if (!brackets)
		return JM_ENOMEM;
	if (!(round_s > 0)) /* any rhythm, also that of the polling, would be found */
		goto out;
	used = bracket_ends(after_s, n, round_s, brackets);
	result = find(brackets, used, round_s, ret_ticks);
	if (result != JM_ENOTFOUND) {
		ends = JM_ENDS_CONVERSIONS;
		goto out;
	}
	used = bracket_short(before_s, after_s, n, round_s, *ret_last_s, brackets);
	if (used >= SHORT_MIN)
		result = find(brackets, used, round_s, ret_ticks);
	if (result == 0)
		ends = JM_ENDS_RHYTHM;
out:
	free(brackets);
	return result == JM_ENOMEM ? JM_ENOMEM : ends;
}
