/* SPDX-License-Identifier: Apache-2.0 */
#include "data/cuts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/error.h"

/* Power of a counter before a cut is the mean over this long. */
#define BEFORE_NS INT64_C(1000000000)

int jm_cuts_add(struct jm_cuts *cuts, int64_t from_ns, int64_t to_ns)
{
	struct jm_cut *items =
		jm_array_grow(cuts->cut, &cuts->capacity, cuts->n + 1, sizeof(*items));
	size_t at = 0, end;

	if (!items)
		return JM_ENOMEM;
	cuts->cut = items;
	while (at < cuts->n && items[at].to_ns < from_ns)
		at++;
	for (end = at; end < cuts->n && items[end].from_ns <= to_ns; end++) {
		from_ns = items[end].from_ns < from_ns ? items[end].from_ns : from_ns;
		to_ns = items[end].to_ns > to_ns ? items[end].to_ns : to_ns;
	}
	memmove(items + at + 1, items + end, (cuts->n - end) * sizeof(*items));
	items[at] = (struct jm_cut){from_ns, to_ns};
	cuts->n = cuts->n + 1 - (end - at);
	return 0;
}

void jm_cuts_release(struct jm_cuts *cuts)
{
	free(cuts->cut);
	memset(cuts, 0, sizeof(*cuts));
}

/* Where a series of moments that mostly grow stands. */
struct walk {
	const struct jm_cuts *cuts;
	size_t next;
	int64_t moved_ns;
};

/* 1 when a moment lies in a cut; it moves to where that begins. */
static int move(struct walk *walk, int64_t *moment_ns)
{
	const struct jm_cut *cut = walk->cuts->cut;
	int inside;

	while (walk->next && *moment_ns < cut[walk->next - 1].to_ns) {
		walk->next--;
		walk->moved_ns -= cut[walk->next].to_ns - cut[walk->next].from_ns;
	}
	while (walk->next < walk->cuts->n && *moment_ns >= cut[walk->next].to_ns) {
		walk->moved_ns += cut[walk->next].to_ns - cut[walk->next].from_ns;
		walk->next++;
	}
	inside = walk->next<walk->cuts->n && * moment_ns> cut[walk->next].from_ns;
	*moment_ns = (inside ? cut[walk->next].from_ns : *moment_ns) - walk->moved_ns;
	return inside;
}

/* ---- Readings ---------------------------------------------------------------------------- */

/* Energy that a counter has shown between two readings and should not have. */
static double surplus_uj(const struct jm_rail *rail, size_t kept, const struct jm_reading *own)
{
	const struct jm_reading *last = &rail->readings[kept - 1];
	size_t first = kept - 1;
	double power = 0, seconds;

	while (first && last->after_ns - rail->readings[first].after_ns < BEFORE_NS)
		first--;
	seconds = (double)(last->after_ns - rail->readings[first].after_ns) * 1e-9;
	if (seconds > 0)
		power = (last->value[0] - rail->readings[first].value[0]) / seconds;
	seconds = (double)(own->after_ns - last->after_ns) * 1e-9;
	power = own->value[0] - last->value[0] - power * seconds;
	return isfinite(power) ? power : 0;
}

void jm_cuts_apply_rail(const struct jm_cuts *cuts, struct jm_rail *rail)
{
	struct walk walk = {cuts, 0, 0}, before = {cuts, 0, 0};
	double offset_uj = 0;
	size_t kept = 0, last = 0;

	for (size_t i = 0; i < rail->n_readings && cuts->n; i++) {
		struct jm_reading own = rail->readings[i];

		move(&before, &own.before_ns);
		if (move(&walk, &own.after_ns))
			continue;
		if (rail->quantity == JM_QUANTITY_UJ) {
			own.value[0] -= offset_uj;
			if (kept && walk.next > last) {
				double more_uj = surplus_uj(rail, kept, &own);

				offset_uj += more_uj;
				own.value[0] -= more_uj;
			}
		}
		last = walk.next;
		rail->readings[kept++] = own;
	}
	if (cuts->n)
		rail->n_readings = kept;
}

/* ---- Executions ---------------------------------------------------------------------------
 */

void jm_cuts_apply_timeline(const struct jm_cuts *cuts, struct jm_timeline *timeline)
{
	for (size_t k = 0; k < timeline->n_layers && cuts->n; k++) {
		struct jm_layer *layer = &timeline->layers[k];
		struct walk walk = {cuts, 0, 0};

		for (size_t j = 0; j < layer->n_executions; j++)
			move(&walk, &layer->executions[j].stamp_ns);
	}
}

void jm_timeline_leave_out(
	struct jm_timeline *timeline, const unsigned char *left_out, size_t n, size_t *number)
{
	size_t next = 0;

	for (size_t i = 0; i < n; i++)
		number[i] = left_out[i] ? SIZE_MAX : next++;
	for (size_t k = 0; k < timeline->n_layers; k++) {
		struct jm_layer *layer = &timeline->layers[k];
		size_t kept = 0;

		for (size_t j = 0; j < layer->n_executions; j++) {
			size_t cycle = layer->cycles ? layer->cycles[j] : j;

			if (number[cycle] == SIZE_MAX)
				continue;
			layer->executions[kept] = layer->executions[j];
			if (layer->cycles)
				layer->cycles[kept] = (uint32_t)number[cycle];
			if (layer->lanes)
				layer->lanes[kept] = layer->lanes[j];
			kept++;
		}
		layer->n_executions = kept;
	}
}

static void *copy_array(const void *from, size_t n, size_t size)
{
	size_t capacity = 0;
	void *copy = from ? jm_array_grow(NULL, &capacity, n + 1, size) : NULL;

	if (copy)
		memcpy(copy, from, n * size);
	return copy;
}

int jm_timeline_copy(const struct jm_timeline *timeline, struct jm_timeline *ret_copy,
	struct jm_error *reterr)
{
	jm_timeline_init(ret_copy);
	ret_copy->stamp = timeline->stamp;
	for (size_t k = 0; k < timeline->n_layers; k++) {
		const struct jm_layer *from = &timeline->layers[k];
		struct jm_layer *own;
		size_t n = from->n_executions;
		int result = jm_timeline_add_layer(ret_copy, from->name, from->type, reterr);

		if (result < 0)
			return result;
		own = &ret_copy->layers[k];
		own->macs = from->macs;
		own->parameters = from->parameters;
		own->bytes = from->bytes;
		own->executions = copy_array(from->executions, n, sizeof(*own->executions));
		own->cycles = copy_array(from->cycles, n, sizeof(*own->cycles));
		own->lanes = copy_array(from->lanes, n, sizeof(*own->lanes));
		own->n_executions = own->capacity = n;
		if ((from->executions && !own->executions) || (from->cycles && !own->cycles) ||
			(from->lanes && !own->lanes))
			return jm_fail_memory(reterr, "the executions of a layer");
	}
	return 0;
}
