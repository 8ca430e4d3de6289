/* SPDX-License-Identifier: Apache-2.0 */
#include "data/inferences.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/error.h"
#include "data/cycles.h"
#include "data/inferences_build.h"
#include "data/stamp.h"
#include "data/words.h"

/* Pairs from which it is told what stamps mean. */
#define PAIRS 2048

/* ---- Where the file is right -------------------------------------------------------- */

struct range {
	int64_t low_ns, high_ns;
};

static void widen(struct range *ranges, const struct jm_layer *layer)
{
	for (size_t j = 0; j < layer->n_executions; j++) {
		int64_t stamp_ns = layer->executions[j].stamp_ns;

		if (stamp_ns < ranges[j].low_ns)
			ranges[j].low_ns = stamp_ns;
		if (stamp_ns > ranges[j].high_ns)
			ranges[j].high_ns = stamp_ns;
	}
}

/*
 * How far apart n-th entries lie: 0, all of one before all of the next, so that
 * they are inferences; 1, neighbours overlap; 2: worse. JM_ENOMEM.
 */
static int compare_entries(const struct jm_timeline *timeline)
{
	size_t n = jm_timeline_cycles(timeline);
	struct range *ranges = calloc(n + 1, sizeof(*ranges));
	int worst = 0;

	if (!ranges)
		return JM_ENOMEM;
	for (size_t i = 0; i < n; i++)
		ranges[i] = (struct range){INT64_MAX, INT64_MIN};
	for (size_t i = 0; i < timeline->n_layers; i++)
		widen(ranges, &timeline->layers[i]);
	for (size_t i = 1; i < n; i++) {
		if (ranges[i].low_ns < ranges[i - 1].high_ns && worst < 1)
			worst = 1;
		if (i > 1 && ranges[i].low_ns < ranges[i - 2].high_ns)
			worst = 2;
	}
	free(ranges);
	return worst;
}

static int have_equal_lists(const struct jm_timeline *timeline)
{
	for (size_t i = 1; i < timeline->n_layers; i++)
		if (timeline->layers[i].n_executions != timeline->layers[0].n_executions)
			return 0;
	return 1;
}

/* ---- All executions in order of time --------------------------------------------------- */

static int compare_times(const void *a, const void *b)
{
	const struct jm_entry *x = a, *y = b;

	if (x->stamp_ns != y->stamp_ns)
		return x->stamp_ns < y->stamp_ns ? -1 : 1;
	if (x->layer != y->layer)
		return x->layer < y->layer ? -1 : 1;
	return (x->index > y->index) - (x->index < y->index);
}

static int gather(const struct jm_timeline *timeline, struct jm_entries *ret)
{
	size_t n = 0, capacity = 0;

	for (size_t i = 0; i < timeline->n_layers; i++)
		n += timeline->layers[i].n_executions;
	*ret = (struct jm_entries){
		jm_array_grow(NULL, &capacity, n + 1, sizeof(struct jm_entry)), 0};
	if (!ret->entry || n >= UINT32_MAX)
		return JM_ENOMEM;
	for (size_t i = 0; i < timeline->n_layers; i++)
		for (size_t j = 0; j < timeline->layers[i].n_executions; j++) {
			const struct jm_execution *from = &timeline->layers[i].executions[j];

			ret->entry[ret->n++] = (struct jm_entry){from->stamp_ns,
				from->duration_ms * 1e3, (uint32_t)i, (uint32_t)j};
		}
	qsort(ret->entry, ret->n, sizeof(*ret->entry), compare_times);
	return 0;
}

static struct jm_stamp_pair pair_of(const struct jm_entry *own)
{
	return (struct jm_stamp_pair){(double)(own->stamp_ns - own[-1].stamp_ns) * 1e-3,
		own[-1].duration_us, own->duration_us};
}

/* From neighbours in time; of one inference where `begin` tells them apart. */
static int guess_stamp(const struct jm_entries *entries, const unsigned char *begin,
	enum jm_stamp *ret_stamp, int *ret_certain)
{
	struct jm_stamp_pair *pairs = malloc(PAIRS * sizeof(*pairs));
	double busy_us = 0, outside_us = 0;
	size_t n = 0, step = 1 + entries->n / PAIRS;

	if (!pairs)
		return JM_ENOMEM;
	for (size_t i = 1; i < entries->n; i++) {
		const struct jm_entry *own = &entries->entry[i];

		busy_us += own->duration_us;
		if (begin && begin[i])
			outside_us += pair_of(own).apart_us;
		else if (i % step == 0 && n < PAIRS)
			pairs[n++] = pair_of(own);
	}
	*ret_stamp = jm_stamp_of_pairs(pairs, n,
		begin && entries->n ? fmax(0, busy_us - outside_us) / (double)entries->n : 0,
		ret_certain);
	free(pairs);
	return 0;
}

static double gap_us(const struct jm_entry *own, enum jm_stamp stamp)
{
	struct jm_stamp_pair pair = pair_of(own);

	return pair.apart_us - (stamp == JM_STAMP_BEGIN        ? pair.before_us
				       : stamp == JM_STAMP_END ? pair.own_us
							       : 0);
}

/* ---- Words --------------------------------------------------------------------------- */

struct letters {
	uint32_t *layer;
	double *gap_us, *duration_us;
	unsigned char *begin;
};

static void letters_release(struct letters *letters)
{
	free(letters->layer);
	free(letters->gap_us);
	free(letters->duration_us);
	free(letters->begin);
}

static int letters_init(
	struct letters *letters, const struct jm_entries *entries, enum jm_stamp stamp)
{
	size_t n = entries->n + 1;

	*letters = (struct letters){malloc(n * sizeof(uint32_t)), malloc(n * sizeof(double)),
		malloc(n * sizeof(double)), calloc(n, 1)};
	if (!letters->layer || !letters->gap_us || !letters->duration_us || !letters->begin)
		return JM_ENOMEM;
	for (size_t i = 0; i < entries->n; i++) {
		letters->layer[i] = entries->entry[i].layer;
		letters->duration_us[i] = entries->entry[i].duration_us;
		letters->gap_us[i] = i ? gap_us(&entries->entry[i], stamp) : 0;
	}
	return 0;
}

static int fail_words(const struct jm_timeline *timeline, const struct letters *letters,
	int found, size_t length, struct jm_error *reterr)
{
	if (found == JM_WORDS_AMBIGUOUS)
		return jm_fail(reterr, JM_EUNSUPPORTED,
			"inferences cannot be told apart: layer '%.100s' runs several times "
			"before the order of %zu executions repeats, and neither pauses nor "
			"durations tell whether that is one inference or several; measure with "
			"pauses between inferences",
			timeline->layers[letters->layer[0]].name, length);
	return jm_fail(reterr, JM_EUNSUPPORTED,
		"inferences cannot be told apart: layers have different numbers of entries, "
		"and by their time they run in no order that repeats; are names or stamps "
		"mixed up?");
}

/* ---- All together --------------------------------------------------------------------------
 */

/* What compare_entries() and the words say together: 1 to go on, 0 as in the file. */
static int decide(const struct jm_timeline *as_read, const struct letters *letters, int found,
	int apart, size_t length, struct jm_error *reterr)
{
	if (found == JM_WORDS_FOUND)
		return 1;
	if (have_equal_lists(as_read) && apart < 2)
		return 0; /* inferences overlap */
	if (found == JM_WORDS_FEW)
		return 1;
	return fail_words(as_read, letters, found, length, reterr);
}

static int form(struct jm_timeline *as_read, int apart, struct jm_inferences *ret,
	struct jm_error *reterr)
{
	struct jm_entries entries = {0};
	struct letters letters = {0};
	enum jm_stamp stamp = JM_STAMP_END;
	size_t length = 0;
	int found = gather(as_read, &entries), certain, result;

	if (found == 0)
		found = guess_stamp(&entries, NULL, &stamp, &certain);
	if (found == 0)
		found = letters_init(&letters, &entries, stamp);
	if (found == 0) {
		struct jm_sequence sequence = {letters.layer, letters.gap_us,
			letters.duration_us, entries.n, as_read->n_layers};

		found = jm_words_find(&sequence, letters.begin, &length);
	}
	result = found < 0 ? jm_fail_memory(reterr, "the inferences of the run")
			   : decide(as_read, &letters, found, apart, length, reterr);
	if (result > 0) {
		found = jm_inferences_build(
			ret, as_read, &entries, letters.layer, letters.begin, reterr);
		if (found == 0)
			found = guess_stamp(&entries, letters.begin, &ret->timeline.stamp,
				&ret->stamp_certain);
		as_read->stamp = ret->timeline.stamp;
		result = found < 0 ? found : 1;
	}
	letters_release(&letters);
	free(entries.entry);
	return result;
}

int jm_inferences_form(
	struct jm_timeline *as_read, struct jm_inferences *ret, struct jm_error *reterr)
{
	int apart;

	memset(ret, 0, sizeof(*ret));
	jm_timeline_init(&ret->timeline);
	if (jm_timeline_has_cycles(as_read) || jm_timeline_cycles(as_read) < 2 ||
		as_read->n_layers < 2)
		return 0;
	apart = compare_entries(as_read);
	if (apart < 0)
		return jm_fail_memory(reterr, "the inferences of the run");
	return apart == 0 ? 0 : form(as_read, apart, ret, reterr);
}

void jm_inferences_release(struct jm_inferences *inferences)
{
	jm_timeline_release(&inferences->timeline);
	free(inferences->origin);
	memset(inferences, 0, sizeof(*inferences));
}
