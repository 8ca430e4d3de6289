/* SPDX-License-Identifier: Apache-2.0 */
#include "data/places.h"

#include <stdlib.h>
#include <string.h>

#include "joulemap/joulemap.h"

/* Words with which one is compared letter by letter; others are numbered as they come. */
#define ALIGNED_MAX 256
#define LENGTH_MAX 2000

struct finder {
	const uint32_t *layers;
	const unsigned char *begin;
	size_t n, n_layers;
	uint32_t *ordinal;               /* [n] */
	uint32_t *next;                  /* [n_layers], the next ordinal */
	uint32_t *most;                  /* [n_layers], ordinals of a layer */
	size_t reference, reference_end; /* an inference that others are compared with */
};

static size_t end_of(const struct finder *finder, size_t from)
{
	size_t i = from + 1;

	while (i < finder->n && !finder->begin[i])
		i++;
	return i;
}

static int is_new(const struct finder *finder, size_t from, size_t i)
{
	return i == from || finder->layers[i] != finder->layers[i - 1];
}

/* Ordinals as they come; what is repeated in place keeps its own. */
static void number_word(struct finder *finder, size_t from, size_t end)
{
	for (size_t i = from; i < end; i++)
		finder->next[finder->layers[i]] = 0;
	for (size_t i = from; i < end; i++) {
		uint32_t layer = finder->layers[i];

		finder->ordinal[i] = is_new(finder, from, i) ? finder->next[layer]++
							     : finder->ordinal[i - 1];
	}
}

static int is_word(const struct finder *finder, size_t from, size_t length, size_t other)
{
	return other + length <= finder->n &&
	       memcmp(finder->layers + from, finder->layers + other,
		       length * sizeof(*finder->layers)) == 0;
}

/* The longest inference among the first, by places, that comes again. */
static void choose_reference(struct finder *finder)
{
	size_t most = 0, from = 0;

	for (size_t k = 0; k < ALIGNED_MAX && from < finder->n; k++) {
		size_t end = end_of(finder, from), places = 0, other = end;
		int again = 0;

		for (size_t i = from; i < end; i++)
			places += (size_t)is_new(finder, from, i);
		for (size_t j = 0; j < ALIGNED_MAX && other < finder->n && !again; j++) {
			size_t other_end = end_of(finder, other);

			again = other_end - other == end - from &&
				is_word(finder, from, end - from, other);
			other = other_end;
		}
		if (places > most && (again || k == 0)) {
			most = places;
			finder->reference = from;
			finder->reference_end = end;
		}
		from = end;
	}
}

/* Length of the longest common subsequence of the rest of two words, [a][b]. */
static void fill_lengths(const struct finder *finder, size_t from, size_t end, uint16_t *length)
{
	size_t columns = end - from + 1;

	for (size_t a = finder->reference_end - finder->reference; a-- > 0;)
		for (size_t b = end - from; b-- > 0;) {
			uint16_t *own = &length[a * columns + b], right = own[1],
				 below = own[columns];

			if (finder->layers[finder->reference + a] == finder->layers[from + b])
				*own = (uint16_t)(own[columns + 1] + 1);
			else
				*own = right > below ? right : below;
		}
}

/* What a word shares with the reference, in order, has the same ordinals. */
static int align_word(struct finder *finder, size_t from, size_t end)
{
	size_t rows = finder->reference_end - finder->reference, columns = end - from;
	uint16_t *length = calloc((rows + 1) * (columns + 1), sizeof(*length));

	if (!length)
		return JM_ENOMEM;
	fill_lengths(finder, from, end, length);
	for (size_t a = 0, b = 0; a < rows && b < columns;) {
		size_t own = a * (columns + 1) + b;

		if (finder->layers[finder->reference + a] == finder->layers[from + b]) {
			finder->ordinal[from + b++] = finder->ordinal[finder->reference + a++];
		} else if (length[own + 1] >= length[own + columns + 1]) {
			b++;
		} else {
			a++;
		}
	}
	free(length);
	return 0;
}

/* 1 when some layer of a word comes at several places. */
static int repeats(const struct finder *finder, size_t from, size_t end)
{
	for (size_t i = from; i < end; i++)
		if (finder->ordinal[i])
			return 1;
	return 0;
}

/*
 * Each inference: as the one before of the same layers, else compared with the
 * reference, where a layer has several places there and not all of them here.
 */
static int number_all(struct finder *finder)
{
	size_t last = SIZE_MAX, last_end = 0, aligned = 0;
	int result = 0;

	number_word(finder, finder->reference, finder->reference_end);
	for (size_t from = 0, end; from < finder->n && result == 0; from = end) {
		end = end_of(finder, from);
		if (from == finder->reference)
			continue;
		if (last != SIZE_MAX && end - from == last_end - last &&
			is_word(finder, from, end - from, last)) {
			memcpy(finder->ordinal + from, finder->ordinal + last,
				(end - from) * sizeof(*finder->ordinal));
			continue;
		}
		number_word(finder, from, end);
		if (repeats(finder, finder->reference, finder->reference_end) &&
			end - from <= LENGTH_MAX &&
			finder->reference_end - finder->reference <= LENGTH_MAX) {
			result = align_word(finder, from, end);
			aligned++;
		}
		last = from;
		last_end = end;
	}
	return result;
}

static int allocate(struct jm_places *places, struct finder *finder)
{
	finder->ordinal = calloc(finder->n + 1, sizeof(*finder->ordinal));
	finder->next = calloc(finder->n_layers + 1, sizeof(*finder->next));
	finder->most = calloc(finder->n_layers + 1, sizeof(*finder->most));
	places->of = malloc((finder->n + 1) * sizeof(*places->of));
	return finder->ordinal && finder->next && finder->most && places->of ? 0 : JM_ENOMEM;
}

static void take_place(struct jm_places *places, uint32_t layer, uint32_t ordinal,
	uint32_t *index, uint32_t first)
{
	if (index[first + ordinal] != UINT32_MAX)
		return;
	index[first + ordinal] = (uint32_t)places->n;
	places->place[places->n++] = (struct jm_place){layer, ordinal, 0};
}

/* Places in the order of the file; where names repeat, in that of the reference first. */
static int collect(struct jm_places *places, struct finder *finder)
{
	uint32_t *first = finder->next, total = 0, *index;

	for (size_t i = 0; i < finder->n; i++)
		if (finder->ordinal[i] + 1 > finder->most[finder->layers[i]])
			finder->most[finder->layers[i]] = finder->ordinal[i] + 1;
	for (size_t k = 0; k < finder->n_layers; k++) {
		first[k] = total;
		total += finder->most[k] ? finder->most[k] : 1;
	}
	index = malloc((total + 1) * sizeof(*index));
	places->place = calloc(total + 1, sizeof(*places->place));
	if (!index || !places->place) {
		free(index);
		return JM_ENOMEM;
	}
	memset(index, 0xff, (total + 1) * sizeof(*index));
	if (total > finder->n_layers)
		for (size_t i = finder->reference; i < finder->reference_end; i++)
			take_place(places, finder->layers[i], finder->ordinal[i], index,
				first[finder->layers[i]]);
	for (uint32_t k = 0; k < finder->n_layers; k++)
		for (uint32_t o = 0; o == 0 || o < finder->most[k]; o++)
			take_place(places, k, o, index, first[k]);
	for (size_t i = 0; i < finder->n; i++) {
		places->of[i] = index[first[finder->layers[i]] + finder->ordinal[i]];
		places->place[places->of[i]].n++;
	}
	free(index);
	return 0;
}

int jm_places_find(struct jm_places *places, const uint32_t *layers, const unsigned char *begin,
	size_t n, size_t n_layers)
{
	struct finder finder = {.layers = layers, .begin = begin, .n = n, .n_layers = n_layers};
	int result;

	memset(places, 0, sizeof(*places));
	result = allocate(places, &finder);
	if (result == 0) {
		choose_reference(&finder);
		result = number_all(&finder);
	}
	if (result == 0)
		result = collect(places, &finder);
	free(finder.ordinal);
	free(finder.next);
	free(finder.most);
	return result;
}

void jm_places_release(struct jm_places *places)
{
	free(places->place);
	free(places->of);
	memset(places, 0, sizeof(*places));
}
