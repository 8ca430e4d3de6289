/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every bracket must contain a tick of phase + k period. A period is scored by
 * the largest number of brackets that agree on a phase, in standard deviations
 * above what brackets of that length would reach by chance; a fraction of the
 * true period explains them as well but scores lower, a multiple explains half
 * of them. Short spans of the log narrow the periods down for longer ones.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attribute/ticks.h"
#include "base/error.h"

enum {
	BINS = 96,
	FIRST_SPAN = 160,
	MAX_CANDIDATES = 256,
	SETTLE_STEPS = 6,
	SETTLE_LEVELS = 6,
	SETTLE_MAX = 6000
};

/* A bracket longer than this share of the period tells nothing. */
#define USEFUL_SHARE 0.92
/* Period steps: ticks at the ends of the span move by this share of a bracket. */
#define STEP_SHARE 0.12
/* The phase must be found by chance this much less often. */
#define ACCEPT_HITS 0.93
#define ACCEPT_SCORE 6.0

struct candidate {
	double period_s, score;
};

static double fold(double time_s, double period_s)
{
	double x = time_s / period_s;

	return x - floor(x);
}

/* Largest overlap of the folded brackets, counted in bins of the period. */
static double quick_score(const struct jm_bracket *brackets, size_t n, double period_s)
{
	int change[BINS + 1] = {0};
	int level = 0, best = 0;
	double chance = 0, useful = 0, p;

	for (size_t i = 0; i < n; i++) {
		double width = (brackets[i].high_s - brackets[i].low_s) / period_s;
		double low = fold(brackets[i].low_s, period_s) * BINS;
		size_t from, to;

		if (width > USEFUL_SHARE)
			continue;
		from = (size_t)low;
		to = (size_t)(low + width * BINS);
		useful++;
		chance += width;
		change[from]++;
		if (to < BINS) {
			change[to + 1]--;
		} else {
			change[0]++;
			change[(to + 1) % BINS]--;
		}
	}
	if (useful < 0.4 * (double)n || useful < 8)
		return 0;
	for (size_t i = 0; i < BINS; i++) {
		level += change[i];
		best = level > best ? level : best;
	}
	p = chance / useful + 1.0 / BINS;
	if (p > 0.98)
		return 0;
	return (best - useful * p) / sqrt(useful * p * (1 - p));
}

static double mean_width(const struct jm_bracket *brackets, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += 1 / (brackets[i].high_s - brackets[i].low_s);
	return (double)n / sum; /* harmonic mean: short brackets count */
}

static int compare_candidates(const void *a, const void *b)
{
	double x = ((const struct candidate *)a)->score,
	       y = ((const struct candidate *)b)->score;

	return (x < y) - (x > y);
}

/* Keeps the best of what was scored, one of each neighbourhood. */
static size_t keep_best(struct candidate *list, size_t n, size_t wanted, double apart)
{
	size_t kept = 0;

	qsort(list, n, sizeof(*list), compare_candidates);
	for (size_t i = 0; i < n && kept < wanted; i++) {
		size_t j = 0;

		while (j < kept && fabs(list[j].period_s / list[i].period_s - 1) > apart)
			j++;
		if (j == kept)
			list[kept++] = list[i];
	}
	return kept;
}

static double relative_step(const struct jm_bracket *brackets, size_t n)
{
	double span = brackets[n - 1].high_s - brackets[0].low_s;

	return STEP_SHARE * mean_width(brackets, n) / span;
}

static size_t scan(const struct jm_bracket *brackets, size_t n, double min_s, double max_s,
	struct candidate **ret_list)
{
	double step = relative_step(brackets, n);
	double steps = log(max_s / min_s) / step;
	size_t count = steps > 2e6 ? (size_t)2e6 : (size_t)steps + 2;
	struct candidate *list = malloc(count * sizeof(*list));

	*ret_list = list;
	if (!list)
		return 0;
	for (size_t i = 0; i < count; i++) {
		list[i].period_s =
			min_s * exp((double)i / (double)(count - 1) * log(max_s / min_s));
		list[i].score = quick_score(brackets, n, list[i].period_s);
	}
	return keep_best(list, count, MAX_CANDIDATES, 0.5 * step);
}

/* Scores finer periods around each candidate on a longer span. */
static size_t refine(const struct jm_bracket *brackets, size_t n, double old_step,
	struct candidate *list, size_t n_list, size_t wanted)
{
	double step = relative_step(brackets, n);
	int half = (int)fmin(ceil(1.5 * old_step / step), 40);

	for (size_t i = 0; i < n_list; i++) {
		struct candidate best = {list[i].period_s, -1};

		for (int k = -half; k <= half; k++) {
			double period = list[i].period_s * (1 + k * step);
			double score = quick_score(brackets, n, period);

			if (score > best.score)
				best = (struct candidate){period, score};
		}
		list[i] = best;
	}
	return keep_best(list, n_list, wanted, 0.5 * step);
}

struct edge {
	double at;
	int change;
};

static int compare_edges(const void *a, const void *b)
{
	const struct edge *x = a, *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return y->change - x->change;
}

/* Exact: the interval of phases that most brackets contain. */
static size_t best_phase(const struct jm_bracket *brackets, size_t n, double period_s,
	struct edge *edges, double *ret_low, double *ret_high)
{
	size_t m = 0;
	int level = 0, best = -1;

	for (size_t i = 0; i < n; i++) {
		double width = (brackets[i].high_s - brackets[i].low_s) / period_s;
		double low = fold(brackets[i].low_s, period_s), high = low + width;

		if (width > USEFUL_SHARE)
			continue;
		edges[m++] = (struct edge){low, 1};
		if (high < 1) {
			edges[m++] = (struct edge){high, -1};
		} else {
			level++;
			edges[m++] = (struct edge){high - 1, -1};
		}
	}
	qsort(edges, m, sizeof(*edges), compare_edges);
	*ret_low = *ret_high = 0;
	for (size_t i = 0; i < m; i++) {
		level += edges[i].change;
		if (level > best) {
			best = level;
			*ret_low = edges[i].at;
			*ret_high = i + 1 < m ? edges[i + 1].at : 1;
		}
	}
	return best > 0 ? (size_t)best : 0;
}

static size_t count_useful(const struct jm_bracket *brackets, size_t n, double period_s)
{
	size_t useful = 0;

	for (size_t i = 0; i < n; i++)
		useful += (brackets[i].high_s - brackets[i].low_s) / period_s <= USEFUL_SHARE;
	return useful;
}

/* The centre of the periods that explain most brackets, around the present one. */
static void settle(const struct jm_bracket *brackets, size_t n, double step, struct edge *edges,
	struct jm_ticks *ticks)
{
	double sum = 0, sum_phase = 0, low, high, reference = 0, period_s = ticks->period_s;
	size_t best = 0, count = 0;
	/* Phases are compared at the middle of the log, not at its origin. */
	double middle = 0.5 * (brackets[0].low_s + brackets[n - 1].high_s);

	for (int k = -SETTLE_STEPS; k <= SETTLE_STEPS; k++) {
		double period = period_s * (1 + k * step);
		size_t hits = best_phase(brackets, n, period, edges, &low, &high);
		double phase;

		if (hits < best)
			continue;
		phase = 0.5 * (low + high) * period;
		phase += period * round((middle - phase) / period);
		if (hits > best) {
			best = hits;
			sum = sum_phase = 0;
			count = 0;
			reference = phase;
		}
		phase -= period * round((phase - reference) / period);
		sum += period;
		sum_phase += phase;
		count++;
	}
	ticks->period_s = sum / (double)count;
	ticks->phase_s = sum_phase / (double)count;
	ticks->n_useful = count_useful(brackets, n, ticks->period_s);
	ticks->hit_share = (double)best / (double)(ticks->n_useful ? ticks->n_useful : 1);
}

/* Finer and finer; of very long logs, brackets spread over all of it. */
static int settle_all(
	struct jm_bracket *brackets, size_t n, double step, struct jm_ticks *ticks)
{
	size_t stride = 1 + n / SETTLE_MAX, used = 0;
	struct edge *edges = malloc(2 * (n / stride + 1) * sizeof(*edges));

	if (!edges)
		return JM_ENOMEM;
	for (size_t i = 0; i < n; i += stride)
		brackets[used++] = brackets[i];
	for (int level = 0; level < SETTLE_LEVELS; level++, step *= 0.25)
		settle(brackets, used, step, edges, ticks);
	free(edges);
	return 0;
}

static void narrow(const struct jm_bracket *brackets, size_t n, size_t length,
	struct candidate *list, size_t n_list, double *ret_step)
{
	size_t wanted = 96;

	while (length < n) {
		double old_step = *ret_step;

		length = length > n / 2 ? n : 2 * length;
		n_list = refine(
			brackets + (n - length) / 2, length, old_step, list, n_list, wanted);
		*ret_step = relative_step(brackets + (n - length) / 2, length);
		wanted = wanted > 6 ? wanted / 2 : 3;
	}
}

int jm_ticks_find(const struct jm_bracket *brackets, size_t n, double period_min_s,
	double period_max_s, struct jm_ticks *ret_ticks)
{
	size_t length = n < FIRST_SPAN ? n : FIRST_SPAN, n_list;
	const struct jm_bracket *part = brackets + (n - length) / 2;
	struct jm_bracket *copy = NULL;
	struct candidate *list = NULL;
	double step;
	int result = JM_ENOTFOUND;

	memset(ret_ticks, 0, sizeof(*ret_ticks));
	if (n < 12 || !(period_min_s < period_max_s))
		return JM_ENOTFOUND;
	step = relative_step(part, length);
	n_list = scan(part, length, period_min_s, period_max_s, &list);
	copy = malloc(n * sizeof(*copy));
	if (!list || !copy) {
		result = JM_ENOMEM;
		goto out;
	}
	if (!n_list)
		goto out;
	narrow(brackets, n, length, list, n_list, &step);
	ret_ticks->score = list[0].score;
	ret_ticks->period_s = list[0].period_s;
	memcpy(copy, brackets, n * sizeof(*copy));
	if (settle_all(copy, n, 0.5 * relative_step(brackets, n), ret_ticks) < 0)
		result = JM_ENOMEM;
	else if (ret_ticks->hit_share >= ACCEPT_HITS && ret_ticks->score >= ACCEPT_SCORE)
		result = 0;
out:
	free(list);
	free(copy);
	return result;
}
