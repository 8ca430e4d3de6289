/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An inference is a word over the alphabet of layers. Where the whole sequence is
 * one word repeated, that is found exactly; branches are words_shortest.c's.
 */
#include "data/words.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/statistics.h"
#include "data/words_shortest.h"
#include "joulemap/joulemap.h"

/* A run of fewer words than this cannot show what repeats. */
#define FEW_WORDS 4
/* Pauses that stand out, and durations that differ. */
#define PAUSE_RATIO 1.5
#define PAUSE_US 5.0
#define DIFFERS 0.1
#define LONG_PAUSE 0.4
#define REPEATS 200

/* ---- One word, repeated ------------------------------------------------------------ */

/* The shortest word that the sequence repeats, at least twice; 0: none. JM_ENOMEM. */
static int64_t find_period(const uint32_t *letters, size_t n)
{
	uint32_t *border = malloc(n * sizeof(*border));
	size_t length = 0;

	if (!border)
		return JM_ENOMEM;
	border[0] = 0;
	for (size_t i = 1; i < n; i++) {
		while (length && letters[i] != letters[length])
			length = border[length - 1];
		length += letters[i] == letters[length];
		border[i] = (uint32_t)length;
	}
	length = n - border[n - 1];
	free(border);
	return length <= n / 2 ? (int64_t)length : 0;
}

/* Median over repetitions of what stands at a place of the word. */
static double median_at(const double *values, size_t n, size_t period, size_t place)
{
	double kept[REPEATS];
	size_t used = 0, step = 1 + (period ? n / period / REPEATS : 0);

	for (size_t i = place ? place : period; i < n && used < REPEATS; i += step * period)
		kept[used++] = values[i];
	return jm_median(kept, used);
}

static int has(const uint32_t *letters, size_t n, uint32_t letter)
{
	for (size_t i = 0; i < n; i++)
		if (letters[i] == letter)
			return 1;
	return 0;
}

/* 1 when two parts of a word share at least half of their layers. */
static int are_alike(const uint32_t *a, size_t n_a, const uint32_t *b, size_t n_b)
{
	size_t common = 0, all = 0;

	for (size_t i = 0; i < n_a; i++) {
		if (has(a, i, a[i]))
			continue;
		all++;
		common += (size_t)has(b, n_b, a[i]);
	}
	for (size_t i = 0; i < n_b; i++)
		all += !has(b, i, b[i]) && !has(a, n_a, b[i]);
	return 2 * common >= all;
}

/* One word that has parts of its own, each of which may be an inference. */
struct parts {
	const struct jm_sequence *sequence;
	size_t period;
	unsigned char *at; /* [period] */
};

static size_t end_of_part(const struct parts *parts, size_t from)
{
	size_t i = from + 1;

	while (i < parts->period && !parts->at[i])
		i++;
	return i;
}

static int all_alike(const struct parts *parts)
{
	const uint32_t *letters = parts->sequence->layer;
	size_t first = end_of_part(parts, 0), from = first;

	if (from >= parts->period)
		return 0;
	while (from < parts->period) {
		size_t end = end_of_part(parts, from);

		if (!are_alike(letters, first, letters + from, end - from))
			return 0;
		from = end;
	}
	return 1;
}

/* Time of the layers that the last part lacks and the first one has. */
static double missing_us(const struct parts *parts)
{
	const struct jm_sequence *sequence = parts->sequence;
	size_t first = end_of_part(parts, 0), last = parts->period - 1;
	double sum = 0;

	while (!parts->at[last])
		last--;
	for (size_t i = 0; i < first; i++)
		if (!has(sequence->layer + last, parts->period - last, sequence->layer[i]))
			sum += median_at(sequence->duration_us, sequence->n, parts->period, i);
	return sum;
}

/* 1: every part has a pause before it; -1: only the word; 0: pauses do not tell. */
static int pauses_tell(const struct parts *parts)
{
	double own = 0, least = HUGE_VAL, inner = -HUGE_VAL, most = -HUGE_VAL;

	for (size_t i = 0; i < parts->period; i++) {
		double gap = median_at(
			parts->sequence->gap_us, parts->sequence->n, parts->period, i);

		own = i == 0 ? gap : own;
		if (parts->at[i] && i)
			most = fmax(most, gap);
		if (parts->at[i])
			least = fmin(least, gap);
		else
			inner = fmax(inner, gap);
	}
	if (least > PAUSE_RATIO * fmax(0, inner) + PAUSE_US)
		return 1;
	/* What is there for want of a layer is no pause. */
	return own > PAUSE_RATIO * (fmax(0, most) + missing_us(parts)) + PAUSE_US ? -1 : 0;
}

/* Layers of the first part last as long in a later one: 1. Other layers: 0. */
static int last_alike(const struct parts *parts)
{
	const struct jm_sequence *sequence = parts->sequence;
	size_t first = end_of_part(parts, 0), n = 0, differ = 0;

	for (size_t i = 0; i < first; i++)
		for (size_t j = first; j < parts->period; j++) {
			double a, b;

			if (sequence->layer[i] != sequence->layer[j])
				continue;
			a = median_at(sequence->duration_us, sequence->n, parts->period, i);
			b = median_at(sequence->duration_us, sequence->n, parts->period, j);
			n++;
			differ += fabs(a - b) > DIFFERS * fmax(a, b);
		}
	return 2 * differ <= n;
}

/* What parts of a word may begin with. */
enum way { BY_PAUSES, BY_ORDER, BY_FIRST, N_WAYS };

/* Where pauses are of two kinds, the long ones. */
static void mark_pauses(struct parts *parts)
{
	const struct jm_sequence *sequence = parts->sequence;
	double longest = 0, least = HUGE_VAL, most = 0;

	for (size_t i = 0; i < parts->period; i++)
		longest = fmax(
			longest, median_at(sequence->gap_us, sequence->n, parts->period, i));
	for (size_t i = 0; i < parts->period; i++) {
		double gap = median_at(sequence->gap_us, sequence->n, parts->period, i);

		parts->at[i] = gap > LONG_PAUSE * longest;
		if (parts->at[i])
			least = fmin(least, gap);
		else
			most = fmax(most, gap);
	}
	if (!parts->at[0] || least < PAUSE_RATIO * most + PAUSE_US)
		memset(parts->at, 0, parts->period);
	parts->at[0] = 1;
}

/* By the first layer, or where the order of the file begins again. */
static void mark_letters(struct parts *parts, enum way way)
{
	const uint32_t *letters = parts->sequence->layer;

	for (size_t i = 0; i < parts->period; i++)
		parts->at[i] =
			i == 0 || (way == BY_ORDER ? letters[i] < letters[i - 1]
						   : letters[i] == letters[0] &&
							     letters[i - 1] != letters[0]);
}

/* Is a word one inference, or several? 1: the parts are, 0: the word; JM_WORDS_AMBIGUOUS. */
static int split(struct parts *parts)
{
	int ambiguous = 0;

	for (enum way way = BY_PAUSES; way < N_WAYS; way++) {
		int told;

		if (way == BY_PAUSES)
			mark_pauses(parts);
		else
			mark_letters(parts, way);
		if (!all_alike(parts))
			continue;
		told = pauses_tell(parts);
		if (told > 0)
			return 1;
		ambiguous |= told == 0 && last_alike(parts);
	}
	return ambiguous ? JM_WORDS_AMBIGUOUS : 0;
}

static int cut_period(const struct jm_sequence *sequence, size_t period, unsigned char *begin)
{
	struct parts parts = {sequence, period, calloc(period, 1)};
	int several;

	if (!parts.at)
		return JM_ENOMEM;
	several = split(&parts);
	for (size_t i = 0; i < sequence->n; i++)
		begin[i] = i % period == 0 || (several == 1 && parts.at[i % period]);
	free(parts.at);
	return several == JM_WORDS_AMBIGUOUS ? JM_WORDS_AMBIGUOUS : JM_WORDS_FOUND;
}

/* ---- Layers that are repeated in place ---------------------------------------------- */

/* The same without them; `from` is where each stood. */
struct folded {
	uint32_t *layer;
	double *gap_us, *duration_us;
	size_t *from;
	size_t n;
};

static void folded_release(struct folded *folded)
{
	free(folded->layer);
	free(folded->gap_us);
	free(folded->duration_us);
	free(folded->from);
}

static int fold(const struct jm_sequence *sequence, struct folded *ret)
{
	size_t n = sequence->n;

	*ret = (struct folded){malloc(n * sizeof(*ret->layer)), malloc(n * sizeof(double)),
		malloc(n * sizeof(double)), malloc(n * sizeof(size_t)), 0};
	if (!ret->layer || !ret->gap_us || !ret->duration_us || !ret->from)
		return JM_ENOMEM;
	for (size_t i = 0; i < n; i++) {
		if (i && sequence->layer[i] == sequence->layer[i - 1]) {
			ret->duration_us[ret->n - 1] += sequence->duration_us[i];
			continue;
		}
		ret->layer[ret->n] = sequence->layer[i];
		ret->gap_us[ret->n] = sequence->gap_us[i];
		ret->duration_us[ret->n] = sequence->duration_us[i];
		ret->from[ret->n++] = i;
	}
	return 0;
}

static int find(const struct jm_sequence *sequence, int repeats_only, unsigned char *begin,
	size_t *ret_length)
{
	int64_t period = find_period(sequence->layer, sequence->n);

	if (period < 0)
		return (int)period;
	*ret_length = (size_t)period;
	if (period > 0)
		return cut_period(sequence, (size_t)period, begin);
	return repeats_only ? JM_WORDS_NONE : jm_words_find_shortest(sequence, begin);
}

static int find_folded(const struct jm_sequence *sequence, int repeats_only,
	unsigned char *begin, size_t *ret_length)
{
	struct folded folded;
	unsigned char *own = calloc(sequence->n + 1, 1);
	int found = fold(sequence, &folded);

	if (!own)
		found = JM_ENOMEM;
	if (found == 0 && folded.n == sequence->n && repeats_only) {
		found = JM_WORDS_NONE;
	} else if (found == 0) {
		struct jm_sequence shorter = {folded.layer, folded.gap_us, folded.duration_us,
			folded.n, sequence->n_layers};

		found = find(&shorter, repeats_only, own, ret_length);
		memset(begin, 0, sequence->n);
		for (size_t i = 0; i < folded.n; i++)
			begin[folded.from[i]] = own[i];
	}
	folded_release(&folded);
	free(own);
	return found;
}

static size_t count_begins(const unsigned char *begin, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += begin[i];
	return count;
}

int jm_words_find(const struct jm_sequence *sequence, unsigned char *begin, size_t *ret_length)
{
	int found = find(sequence, 1, begin, ret_length);

	if (found == JM_WORDS_NONE)
		found = find_folded(sequence, 1, begin, ret_length);
	if (found == JM_WORDS_NONE)
		found = find(sequence, 0, begin, ret_length);
	if (found == JM_WORDS_NONE)
		found = find_folded(sequence, 0, begin, ret_length);
	if (found != JM_WORDS_NONE)
		return found;
	jm_words_cut_descents(sequence, begin);
	return count_begins(begin, sequence->n) < FEW_WORDS ||
			       sequence->n < FEW_WORDS * sequence->n_layers
		       ? JM_WORDS_FEW
		       : JM_WORDS_NONE;
}
