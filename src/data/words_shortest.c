/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where branches make words differ: the cut that describes the sequence shortest,
 * the letters of each distinct word once, and which word it is for each.
 */
#include "data/words_shortest.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "joulemap/joulemap.h"

/* Candidates are compared on this many executions. */
#define TRIED 60000
/* Layers that are tried as the first of an inference. */
#define ANCHORS 48
#define PREDECESSORS 4
#define CHOICES (1 + (1 << PREDECESSORS) + ANCHORS)
/* Cuts that are nearly as short as the shortest. */
#define NEARLY 1.02
#define NEARLY_BITS 64.0
/* Longer than this share of what plain letters take: nothing repeats. */
#define GOOD_SHARE 0.6
/* A pause that stands out. */
#define PAUSE_RATIO 1.5
#define PAUSE_US 5.0

/* ---- How long a cut takes to describe -------------------------------------------- */

struct word {
	uint64_t hash;
	size_t length;
};

static int compare_words(const void *a, const void *b)
{
	const struct word *x = a, *y = b;

	return (x->hash > y->hash) - (x->hash < y->hash);
}

static uint64_t hash_of(const uint32_t *letters, size_t n)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < n; i++)
		hash = (hash ^ letters[i]) * UINT64_C(0x9e3779b97f4a7c15) + (hash >> 29);
	return hash;
}

static size_t take_words(
	const uint32_t *letters, const unsigned char *begin, size_t n, struct word *words)
{
	size_t count = 0, from = 0;

	for (size_t i = 1; i <= n; i++) {
		if (i < n && !begin[i])
			continue;
		words[count++] = (struct word){hash_of(letters + from, i - from), i - from};
		from = i;
	}
	return count;
}

/* Bits; `words` is room for [n]. */
static double length_of(const struct jm_sequence *sequence, const unsigned char *begin,
	size_t n, struct word *words)
{
	size_t count = take_words(sequence->layer, begin, n, words);
	double letter = log2((double)sequence->n_layers + 1), bits = 0;

	qsort(words, count, sizeof(*words), compare_words);
	for (size_t i = 0, last; i < count; i = last) {
		double equal;

		for (last = i + 1; last < count && words[last].hash == words[i].hash;)
			last++;
		equal = (double)(last - i);
		bits += letter * (double)(words[i].length + 1);
		bits -= equal * log2(equal / (double)count);
	}
	return bits;
}

/* ---- Cuts that may be right ------------------------------------------------------- */

/* The order of the file begins again. */
void jm_words_cut_descents(const struct jm_sequence *sequence, unsigned char *begin)
{
	for (size_t i = 0; i < sequence->n; i++)
		begin[i] = i == 0 || sequence->layer[i] < sequence->layer[i - 1];
}

/* Before a layer, where one of some other layers was before it. */
static void cut_before(const struct jm_sequence *sequence, uint32_t layer,
	const uint32_t *before, size_t n_before, unsigned mask, unsigned char *begin)
{
	const uint32_t *letters = sequence->layer;

	for (size_t i = 0; i < sequence->n; i++) {
		begin[i] = i == 0;
		if (i == 0 || letters[i] != layer)
			continue;
		for (size_t k = 0; k < n_before; k++)
			if (mask >> k & 1 && before[k] == letters[i - 1])
				begin[i] = 1;
	}
}

/* Before every run of a layer that not every inference begins with: the pause tells. */
static void cut_around(const struct jm_sequence *sequence, uint32_t layer, unsigned char *begin)
{
	const uint32_t *letters = sequence->layer;
	size_t from = 0;

	memset(begin, 0, sequence->n);
	begin[0] = 1;
	for (size_t i = 1; i < sequence->n; i++) {
		size_t at = i;

		if (letters[i] != layer || letters[i - 1] == layer)
			continue;
		for (size_t j = from + 1; j < i; j++)
			if (sequence->gap_us[j] > 2 * sequence->gap_us[at] + PAUSE_US)
				at = j;
		begin[at] = 1;
		from = i;
	}
}

/* The layers that stand before the first layer of all. */
static size_t find_before(const struct jm_sequence *part, uint32_t *before)
{
	size_t n = 0;

	for (size_t i = 1; i < part->n; i++) {
		size_t k = 0;

		if (part->layer[i] != part->layer[0])
			continue;
		while (k < n && before[k] != part->layer[i - 1])
			k++;
		if (k == n && n == PREDECESSORS)
			return 0;
		if (k == n)
			before[n++] = part->layer[i - 1];
	}
	return n;
}

/* What is chosen on a part is done on all of it. */
struct choice {
	enum { DESCENTS, BEFORE, AROUND } kind;
	uint32_t layer;
	unsigned mask;
	double bits;
	double gap_us; /* mean, before its inferences */
};

/* The begin of a sequence, on which cuts are compared. */
struct search {
	struct jm_sequence part;
	uint32_t before[PREDECESSORS];
	size_t n_before;
	unsigned char *begin;
	struct word *words;
	struct choice choices[CHOICES];
	size_t n;
};

static void cut(const struct search *search, const struct jm_sequence *sequence,
	const struct choice *choice, unsigned char *begin)
{
	if (choice->kind == DESCENTS)
		jm_words_cut_descents(sequence, begin);
	else if (choice->kind == BEFORE)
		cut_before(sequence, choice->layer, search->before, search->n_before,
			choice->mask, begin);
	else
		cut_around(sequence, choice->layer, begin);
}

static void weigh(struct search *search, struct choice choice)
{
	double n = 0, sum = 0;

	cut(search, &search->part, &choice, search->begin);
	choice.bits = length_of(&search->part, search->begin, search->part.n, search->words);
	for (size_t i = 1; i < search->part.n; i++)
		if (search->begin[i]) {
			sum += search->part.gap_us[i];
			n++;
		}
	choice.gap_us = n > 0 ? sum / n : 0;
	search->choices[search->n++] = choice;
}

/*
 * The shortest; of those that are nearly as short, the one with the longest pauses,
 * and the order of the file where they do not differ.
 */
static const struct choice *choose(const struct search *search)
{
	const struct choice *best = &search->choices[0];
	double least = HUGE_VAL, enough;

	for (size_t i = 0; i < search->n; i++)
		least = fmin(least, search->choices[i].bits);
	enough = least * NEARLY + NEARLY_BITS;
	for (size_t i = 0; i < search->n; i++) {
		const struct choice *own = &search->choices[i];

		if (own->bits <= enough &&
			(best->bits > enough ||
				own->gap_us > PAUSE_RATIO * fmax(0, best->gap_us) + PAUSE_US))
			best = own;
	}
	return best;
}

static void weigh_all(struct search *search)
{
	const struct jm_sequence *part = &search->part;
	struct choice choice = {DESCENTS, part->layer[0], 0, 0, 0};

	search->n_before = find_before(part, search->before);
	weigh(search, choice);
	choice.kind = BEFORE;
	for (choice.mask = 1; choice.mask < 1u << search->n_before; choice.mask++)
		weigh(search, choice);
	choice.kind = AROUND;
	for (choice.layer = 0; choice.layer < part->n_layers && choice.layer < ANCHORS;
		choice.layer++)
		weigh(search, choice);
}

int jm_words_find_shortest(const struct jm_sequence *sequence, unsigned char *begin)
{
	struct search *search = calloc(1, sizeof(*search));
	double letter = log2((double)sequence->n_layers + 1);
	int found = JM_ENOMEM;

	if (!search)
		return JM_ENOMEM;
	search->part = *sequence;
	if (search->part.n > TRIED)
		search->part.n = TRIED;
	search->begin = malloc(search->part.n);
	search->words = malloc(search->part.n * sizeof(*search->words));
	if (search->begin && search->words) {
		const struct choice *best;

		weigh_all(search);
		best = choose(search);
		cut(search, sequence, best, begin);
		found = best->bits < GOOD_SHARE * letter * (double)search->part.n
				? JM_WORDS_FOUND
				: JM_WORDS_NONE;
	}
	free(search->begin);
	free(search->words);
	free(search);
	return found;
}
