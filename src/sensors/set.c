/* SPDX-License-Identifier: Apache-2.0 */
#include "sensors/set.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "data/possible.h"
#include "sensors/info.h"
#include "sensors/registry.h"

#define RATE_MAX_HZ 100000.0

/*
 * Readings per round this close to a whole number are in step with it; the
 * golden section's share keeps them out of step the longest.
 */
#define IN_STEP 0.1
#define OUT_OF_STEP 0.382

void jm_sensor_set_init(struct jm_sensor_set *set)
{
	memset(set, 0, sizeof(*set));
}

void jm_sensor_set_release(struct jm_sensor_set *set)
{
	jm_sensor_set_close(set);
	for (size_t i = 0; i < set->n_members; i++) {
		jm_sensor_info_release(&set->members[i].info);
		free(set->members[i].impossible);
		free(set->members[i].wanted);
	}
	free(set->members);
	jm_sensor_set_init(set);
}

/* ---- Choice ------------------------------------------------------------------ */

static int has_id(const struct jm_sensor_set *set, const char *id)
{
	for (size_t i = 0; i < set->n_members; i++)
		if (strcmp(set->members[i].info.id, id) == 0)
			return 1;
	return 0;
}

/* What the rails are called and where they stand, once infos are there. */
static void number_rails(struct jm_sensor_set *set)
{
	set->n_rails = 0;
	for (size_t i = 0; i < set->n_members; i++) {
		set->members[i].first_rail = set->n_rails;
		set->n_rails += set->members[i].info.n_rails;
	}
}

/* `wanted` and info become the set's in any case. */
static int take(struct jm_sensor_set *set, const struct jm_sensor_ops *ops,
	struct jm_sensor_info *info, const struct jm_sensor_options *options, char *wanted,
	struct jm_error *reterr)
{
	struct jm_sensor_member *members =
		realloc(set->members, (set->n_members + 1) * sizeof(*members));
	int result = 0;

	if (members)
		set->members = members;
	if (!members)
		result = jm_fail_memory(reterr, "the set of sensors");
	else if (has_id(set, info->id))
		result =
			jm_fail(reterr, JM_EUSAGE, "sensor '%s' is in the set twice", info->id);
	if (result < 0) {
		jm_sensor_info_release(info);
		free(wanted);
		return result;
	}
	members += set->n_members;
	memset(members, 0, sizeof(*members));
	members->ops = ops;
	members->info = *info;
	members->options = *options;
	members->wanted = wanted;
	members->number = set->n_members++;
	members->descriptor = -1;
	number_rails(set);
	return 0;
}

int jm_sensor_set_add(struct jm_sensor_set *set, const struct jm_sensor_ops *ops,
	const struct jm_sensor_info *info, const struct jm_sensor_options *options,
	struct jm_error *reterr)
{
	struct jm_sensor_options own = *options;
	struct jm_sensor_info copy;
	char *text;
	int result;

	/* The argument as "NAME:ARGUMENT", so that one text keeps both. */
	if (options->argument) {
		size_t size = strlen(ops->name) + strlen(options->argument) + 2;

		text = malloc(size);
		if (text)
			snprintf(text, size, "%s:%s", ops->name, options->argument);
		own.argument = text ? text + strlen(ops->name) + 1 : NULL;
	} else {
		text = strdup(info->id);
	}
	if (!text)
		return jm_fail_memory(reterr, "the set of sensors");
	result = jm_sensor_info_copy(info, &copy, reterr);
	if (result == 0)
		return take(set, ops, &copy, &own, text, reterr);
	free(text);
	return result;
}

/* 1 when a sensor of the registry begins here: its name, then ':', '+' or the end. */
static int begins_sensor(const char *text)
{
	char name[JM_NAME_MAX];
	size_t length = strcspn(text, ":+");

	if (length >= sizeof(name))
		return 0;
	memcpy(name, text, length);
	name[length] = '\0';
	return jm_sensor_find(name) != NULL;
}

/* Length of the first part of "A+B". */
static size_t part_length(const char *wanted)
{
	const char *plus = wanted;

	while ((plus = strchr(plus, '+')) != NULL) {
		if (begins_sensor(plus + 1))
			return (size_t)(plus - wanted);
		plus++;
	}
	return strlen(wanted);
}

static int select_part(struct jm_sensor_set *set, const char *wanted, size_t length,
	const struct jm_sensor_options *options, struct jm_error *reterr)
{
	char *part = wanted ? strndup(wanted, length) : NULL;
	struct jm_sensor_options own = *options;
	const struct jm_sensor_ops *ops;
	struct jm_sensor_info info;
	int result;

	if (wanted && !part)
		return jm_fail_memory(reterr, "the set of sensors");
	result = jm_sensor_select(part, &own, &ops, &info, reterr);
	if (result == 0 && !part) {
		part = strdup(info.id);
		if (!part) {
			jm_sensor_info_release(&info);
			return jm_fail_memory(reterr, "the set of sensors");
		}
	}
	if (result == 0)
		return take(set, ops, &info, &own, part, reterr);
	free(part);
	return result;
}

int jm_sensor_set_select(struct jm_sensor_set *set, const char *wanted,
	const struct jm_sensor_options *options, struct jm_error *reterr)
{
	int result;

	if (!wanted)
		return select_part(set, NULL, 0, options, reterr);
	do {
		size_t length = part_length(wanted);

		result = select_part(set, wanted, length, options, reterr);
		wanted += length;
	} while (result == 0 && *wanted++ == '+');
	return result;
}

/* ---- Open ---------------------------------------------------------------------- */

/*
 * The sensor's own rate. Readings in step with its conversions would find each
 * of them at the same age, which leaves the moment of a conversion uncertain by
 * a whole period and the length of a round by some ppm: out of step, they soon
 * bracket it from all sides.
 */
static double own_rate_hz(const struct jm_sensor_info *info)
{
	double per_round = info->poll_ms > 0.0 ? info->round_ms / info->poll_ms : 0.0;
	double rate_hz = info->poll_ms > 0.0 ? 1e3 / info->poll_ms : 1e3;

	if (per_round > 1.5 && fabs(per_round - round(per_round)) < IN_STEP)
		rate_hz *= (round(per_round) + OUT_OF_STEP) / per_round;
	return rate_hz;
}

static int set_period(struct jm_sensor_member *member, double rate_hz, struct jm_error *reterr)
{
	if (rate_hz == 0.0)
		rate_hz = own_rate_hz(&member->info);
	if (!(rate_hz > 0.0 && rate_hz <= RATE_MAX_HZ))
		return jm_fail(reterr, JM_EINVAL,
			"power log rate of %g Hz is not in the range up to %g Hz", rate_hz,
			RATE_MAX_HZ);
	member->period_ns = (int64_t)fmin(1e9 / rate_hz, 3600e9);
	return 0;
}

/* A sensor has to keep the rails that it was chosen by. */
static int take_info(struct jm_sensor_member *member, struct jm_error *reterr)
{
	const struct jm_sensor_info *opened = member->ops->info(member->state);
	struct jm_sensor_info info;
	int result;

	if (opened->n_rails != member->info.n_rails)
		return jm_fail(reterr, JM_ESENSOR,
			"sensor '%s' has %zu rails now that it is open, and had %zu",
			opened->id, opened->n_rails, member->info.n_rails);
	result = jm_sensor_info_copy(opened, &info, reterr);
	if (result < 0)
		return result;
	jm_sensor_info_release(&member->info);
	member->info = info;
	return 0;
}

static int open_member(struct jm_sensor_member *member, double rate_hz, struct jm_error *reterr)
{
	const struct jm_sensor_ops *ops = member->ops;
	int result;

	member->state = calloc(1, ops->state_size ? ops->state_size : 1);
	if (!member->state)
		return jm_fail_memory(reterr, "the sensor");
	result = ops->open(member->state, &member->info, &member->options, reterr);
	if (result == 0)
		result = take_info(member, reterr);
	if (result < 0)
		return result;
	free(member->impossible);
	member->impossible = calloc(member->info.n_rails + 1, sizeof(*member->impossible));
	if (!member->impossible)
		return jm_fail_memory(reterr, "the sensor");
	member->descriptor = ops->descriptor ? ops->descriptor(member->state) : -1;
	return set_period(member, rate_hz, reterr);
}

int jm_sensor_set_open(struct jm_sensor_set *set, double rate_hz, struct jm_error *reterr)
{
	int result = 0;

	for (size_t i = 0; i < set->n_members && result == 0; i++)
		result = open_member(&set->members[i], rate_hz, reterr);
	number_rails(set);
	return result;
}

void jm_sensor_set_close(struct jm_sensor_set *set)
{
	for (size_t i = 0; i < set->n_members; i++) {
		struct jm_sensor_member *member = &set->members[i];

		if (member->state)
			member->ops->close(member->state);
		free(member->state);
		member->state = NULL;
		member->descriptor = -1;
	}
}

/* ---- Read ------------------------------------------------------------------------ */

void jm_sensor_set_start(struct jm_sensor_set *set, int64_t now_ns)
{
	for (size_t i = 0; i < set->n_members; i++)
		set->members[i].deadline_ns = now_ns;
}

struct jm_sensor_member *jm_sensor_set_next(struct jm_sensor_set *set)
{
	struct jm_sensor_member *next = NULL;

	for (size_t i = 0; i < set->n_members; i++) {
		struct jm_sensor_member *member = &set->members[i];

		if (member->descriptor < 0 &&
			(!next || member->deadline_ns < next->deadline_ns))
			next = member;
	}
	return next;
}

uint64_t jm_sensor_member_advance(struct jm_sensor_member *member, int64_t now_ns)
{
	int64_t missed;

	member->deadline_ns += member->period_ns;
	if (member->deadline_ns >= now_ns)
		return 0;
	missed = (now_ns - member->deadline_ns) / member->period_ns + 1;
	member->deadline_ns += missed * member->period_ns;
	return (uint64_t)missed;
}

/* Between a member and the set's sink. */
struct passage {
	const struct jm_reading_sink *sink;
	struct jm_sensor_member *member;
	struct jm_error *reterr;
};

/* What cannot be is no value. */
static void leave_out(struct jm_sensor_member *member, size_t rail, struct jm_reading *reading)
{
	const struct jm_rail_info *info = &member->info.rails[rail];

	if (!jm_reading_has_value(reading, info->quantity) ||
		jm_reading_is_possible(reading, info->quantity, info->range))
		return;
	reading->value[0] = reading->value[1] = (double)NAN;
	member->impossible[rail]++;
}

static int pass_on(void *context, size_t rail, const struct jm_reading *reading)
{
	const struct passage *passage = context;
	struct jm_sensor_member *member = passage->member;
	struct jm_reading own = *reading;

	if (rail >= member->info.n_rails)
		return jm_fail(passage->reterr, JM_ESENSOR,
			"sensor '%s' reads rail %zu and has only %zu", member->info.id, rail,
			member->info.n_rails);
	if (reading->before_ns < 0 || reading->after_ns < reading->before_ns)
		return jm_fail(passage->reterr, JM_ESENSOR,
			"sensor '%s' says that it has read rail %zu from %lld to %lld ns, "
			"which cannot be",
			member->info.id, rail, (long long)reading->before_ns,
			(long long)reading->after_ns);
	leave_out(member, rail, &own);
	return passage->sink->reading(passage->sink->context, member->first_rail + rail, &own);
}

int jm_sensor_set_read(struct jm_sensor_member *member, const struct jm_reading_sink *sink,
	struct jm_error *reterr)
{
	struct passage passage = {sink, member, reterr};
	const struct jm_reading_sink own = {pass_on, &passage};

	return member->ops->read(member->state, &own, reterr);
}

uint64_t jm_sensor_member_impossible(const struct jm_sensor_member *member)
{
	uint64_t n = 0;

	for (size_t i = 0; member->impossible && i < member->info.n_rails; i++)
		n += member->impossible[i];
	return n;
}

uint64_t jm_sensor_set_impossible(const struct jm_sensor_set *set)
{
	uint64_t n = 0;

	for (size_t i = 0; i < set->n_members; i++)
		n += jm_sensor_member_impossible(&set->members[i]);
	return n;
}

/* ---- What it is -------------------------------------------------------------------- */

int jm_sensor_set_total(
	const struct jm_sensor_set *set, struct jm_total *ret_total, struct jm_error *reterr)
{
	struct jm_total_rail *rails = calloc(set->n_rails + 1, sizeof(*rails));
	int result;

	if (!rails)
		return jm_fail_memory(reterr, "the total");
	for (size_t i = 0; i < set->n_members; i++) {
		const struct jm_sensor_member *member = &set->members[i];

		for (size_t k = 0; k < member->info.n_rails; k++) {
			const struct jm_rail_info *info = &member->info.rails[k];
			struct jm_total_rail *rail = &rails[member->first_rail + k];

			rail->sensor = member->number;
			rail->scope = member->info.scope;
			rail->parent =
				info->parent < 0 ? -1 : info->parent + (int)member->first_rail;
			rail->quantity = info->quantity;
			rail->quantum[0] = info->quantum[0];
			rail->quantum[1] = info->quantum[1];
			rail->range = info->range;
		}
	}
	result = jm_total_init(ret_total, rails, set->n_rails, reterr);
	free(rails);
	return result;
}

void jm_sensor_set_id(const struct jm_sensor_set *set, char *ret_id, size_t size)
{
	size_t used = 0;

	ret_id[0] = '\0';
	for (size_t i = 0; i < set->n_members && used + 1 < size; i++) {
		if (i)
			ret_id[used++] = '+';
		jm_text_copy(ret_id + used, size - used, set->members[i].info.id);
		used += strlen(ret_id + used);
	}
}

int jm_sensor_set_has(const struct jm_sensor_set *set, enum jm_sensor_flag flag)
{
	for (size_t i = 0; i < set->n_members; i++)
		if (set->members[i].info.flags & (unsigned)flag)
			return 1;
	return 0;
}
