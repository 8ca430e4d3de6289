/* SPDX-License-Identifier: Apache-2.0 */
/* The power logger's scheduling, and the statistics that it ends with. */
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "base/known.h"
#include "logger/logger_internal.h"

/* Above ordinary work, below the kernel's own threads (50). */
#define FIFO_PRIORITY 20

static void set_fifo(struct jm_logger *logger)
{
	struct sched_param parameter = {.sched_priority = FIFO_PRIORITY};

	if (sched_setscheduler(0, SCHED_FIFO, &parameter) == 0)
		snprintf(logger->scheduling, sizeof(logger->scheduling), "fifo");
	else
		snprintf(logger->scheduling, sizeof(logger->scheduling), "other: %s",
			strerror(errno));
}

static void lock_memory(struct jm_logger *logger)
{
	int flags = MCL_CURRENT | MCL_FUTURE;

#ifdef MCL_ONFAULT
	flags |= MCL_ONFAULT; /* the parent's pages are not copied for it */
#endif
	if (mlockall(flags) == 0)
		snprintf(logger->memory, sizeof(logger->memory), "locked");
	else
		snprintf(logger->memory, sizeof(logger->memory), "not locked: %s",
			strerror(errno));
}

static void set_cpu(struct jm_logger *logger)
{
	int cpu = logger->config->pin_cpu;
	cpu_set_t set;

	snprintf(logger->cpu, sizeof(logger->cpu), "any");
	if (cpu < 0)
		return;
	CPU_ZERO(&set);
	if (cpu < CPU_SETSIZE)
		CPU_SET((size_t)cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) == 0)
		snprintf(logger->cpu, sizeof(logger->cpu), "%d", cpu);
	else
		snprintf(logger->cpu, sizeof(logger->cpu), "any: cpu %d: %s", cpu,
			strerror(errno));
}

void jm_logger_schedule(struct jm_logger *logger)
{
	set_cpu(logger);
	prctl(PR_SET_TIMERSLACK, 1UL); /* no effect under SCHED_FIFO, which has none */
	snprintf(logger->scheduling, sizeof(logger->scheduling), "other: not asked for");
	snprintf(logger->memory, sizeof(logger->memory), "not locked: not asked for");
	if (!logger->config->realtime)
		return;
	lock_memory(logger);
	set_fifo(logger);
}

/* ---- Statistics ---------------------------------------------------------------- */

static double seconds(struct timeval time)
{
	return (double)time.tv_sec + 1e-6 * (double)time.tv_usec;
}

static json_t *quantiles_us(const struct jm_histogram *histogram)
{
	return json_pack("{s:o, s:o, s:o}", "p50",
		jm_json_number(jm_histogram_quantile_ns(histogram, 0.5) * 1e-3), "p99",
		jm_json_number(jm_histogram_quantile_ns(histogram, 0.99) * 1e-3), "max",
		jm_json_number(histogram->n ? (double)histogram->max_ns * 1e-3 : (double)NAN));
}

static json_t *sensor(const struct jm_sensor_info *info)
{
	return json_pack("{s:s, s:o, s:o, s:o, s:s}", "id", info->id, "round_ms",
		jm_json_number(jm_known(info->round_ms)), "window_ms",
		jm_json_number(jm_known(info->window_ms)), "poll_ms",
		jm_json_number(info->poll_ms), "provenance", info->provenance);
}

static double rate_hz(const struct jm_sensor_member *member)
{
	return member->period_ns && member->descriptor < 0 ? 1e9 / (double)member->period_ns
							   : (double)NAN;
}

/* One sensor of the set, by how it was read. */
static json_t *member_json(const struct jm_logger *logger, size_t i, double elapsed_s)
{
	const struct jm_logger_member *own = &logger->members[i];
	const struct jm_sensor_member *member = &logger->set->members[i];

	return json_pack("{s:s, s:I, s:I, s:I, s:I, s:o, s:o}", "id", member->info.id,
		"readings", (json_int_t)own->n_readings, "impossible",
		(json_int_t)jm_sensor_member_impossible(member), "passes",
		(json_int_t)own->n_passes, "missed_periods", (json_int_t)own->n_missed,
		"rate_hz", jm_json_number(rate_hz(member)), "achieved_hz",
		jm_json_number((double)own->n_passes / elapsed_s));
}

static json_t *members_json(const struct jm_logger *logger, double elapsed_s)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < logger->set->n_members; i++)
		json_array_append_new(list, member_json(logger, i, elapsed_s));
	return list;
}

static json_t *failure_json(const struct jm_error *failure)
{
	if (!failure)
		return json_null();
	return json_pack(
		"{s:s, s:s}", "code", jm_code_name(failure->code), "message", failure->message);
}

static json_t *statistics(const struct jm_logger *logger, const struct jm_error *failure)
{
	const struct jm_sensor_member *first = &logger->set->members[0];
	double elapsed_s = (double)(logger->end_ns - logger->begin_ns) * 1e-9;
	double user_s, system_s;
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	user_s = seconds(usage.ru_utime) - seconds(logger->usage.ru_utime);
	system_s = seconds(usage.ru_stime) - seconds(logger->usage.ru_stime);
	return json_pack(
		"{s:s, s:o, s:I, s:I, s:I, s:I, s:f, s:o, s:o, s:o, s:o, s:f, s:f, s:o,"
		" s:I, s:I, s:s, s:s, s:s, s:o, s:o, s:I}",
		"end", logger->end ? logger->end : "stopped", "error", failure_json(failure),
		"readings", (json_int_t)logger->n_readings, "missing",
		(json_int_t)logger->n_missing, "passes", (json_int_t)logger->n_passes,
		"missed_periods", (json_int_t)logger->n_missed, "seconds", elapsed_s, "rate_hz",
		jm_json_number(rate_hz(first)), "achieved_hz",
		jm_json_number((double)logger->members[0].n_passes / elapsed_s), "lateness_us",
		quantiles_us(&logger->lateness), "read_us",
		quantiles_us(&logger->read_duration), "cpu_user_s", user_s, "cpu_system_s",
		system_s, "cpu_share", jm_json_number((user_s + system_s) / elapsed_s),
		"wakeups_voluntary", (json_int_t)(usage.ru_nvcsw - logger->usage.ru_nvcsw),
		"wakeups_involuntary", (json_int_t)(usage.ru_nivcsw - logger->usage.ru_nivcsw),
		"scheduling", logger->scheduling, "memory", logger->memory, "cpu", logger->cpu,
		"sensor", sensor(&first->info), "sensors", members_json(logger, elapsed_s),
		"impossible", (json_int_t)jm_sensor_set_impossible(logger->set));
}

static int put_end(
	struct jm_logger *logger, const struct jm_error *failure, struct jm_error *reterr)
{
	json_t *object = statistics(logger, failure);
	char *text = object ? jm_json_dump(object, JSON_COMPACT) : NULL;
	int64_t now_ns = jm_clock_monotonic_ns(NULL);
	int result;

	json_decref(object);
	if (!text)
		return jm_fail_memory(reterr, "the power logger's statistics");
	result = jm_spool_put(&logger->spool, JM_SPOOL_END, text, strlen(text), now_ns, reterr);
	free(text);
	return result;
}

int jm_logger_finish(
	struct jm_logger *logger, const struct jm_error *failure, struct jm_error *reterr)
{
	struct jm_error error = {0};
	int closed, result = 0;

	if (!logger->end || strcmp(logger->end, "spool failed") != 0)
		result = put_end(logger, failure, &error);
	closed = jm_spool_close(&logger->spool, result < 0 ? NULL : &error);
	if (result == 0)
		result = closed;
	if (result < 0 && reterr)
		*reterr = error;
	return result;
}
