/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/logger.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "logger/logger_internal.h"
#include "sensors/describe.h"

/* How long a stop may go unnoticed, and how often it is looked for. */
#define CHECK_NS (20 * JM_NS_PER_MS)

/* Set by the handler of SIGTERM: there is no other way out of a handler. */
static volatile sig_atomic_t terminated;

static void on_terminate(int number)
{
	(void)number;
	terminated = 1;
}

/*
 * The terminal's Ctrl-C reaches the whole process group: the logger goes on
 * until it is told to stop, so that the end of the inference is covered.
 */
static void set_signals(int ignore_terminate)
{
	struct sigaction action;
	sigset_t set;

	memset(&action, 0, sizeof(action));
	sigemptyset(&action.sa_mask);
	action.sa_handler = SIG_IGN;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	sigaction(SIGXFSZ, &action, NULL); /* a write says EFBIG instead */
	if (!ignore_terminate)
		action.sa_handler = on_terminate;
	terminated = 0;
	sigaction(SIGTERM, &action, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

/* Looks at the stop pipe, waiting at most wait_ms; 1: stop. */
static int look_for_stop(struct jm_logger *logger, int wait_ms)
{
	struct pollfd watched = {.fd = logger->config->stop_fd, .events = POLLIN};
	char byte;

	if (!logger->end && watched.fd >= 0 && poll(&watched, 1, wait_ms) > 0)
		logger->end = read(watched.fd, &byte, 1) == 1 ? "stopped" : "stop pipe closed";
	else if (watched.fd < 0 && wait_ms)
		poll(NULL, 0, wait_ms);
	/* PR_SET_PDEATHSIG would also fire when only the thread that forked ends. */
	if (!logger->end && getppid() != logger->parent)
		logger->end = "parent died";
	if (!logger->end && terminated)
		logger->end = "terminated";
	return logger->end != NULL;
}

/* Sleeps until the deadline, in slices that notice a stop. */
static void wait_until(struct jm_logger *logger, int64_t deadline_ns)
{
	int64_t now_ns = jm_clock_monotonic_ns(NULL);

	while (deadline_ns - now_ns > CHECK_NS + JM_NS_PER_MS) {
		if (look_for_stop(logger, (int)(CHECK_NS / JM_NS_PER_MS)))
			return;
		now_ns = jm_clock_monotonic_ns(NULL);
		logger->checked_ns = now_ns;
	}
	jm_clock_sleep_until(deadline_ns);
}

/* Waits for any descriptor, at most until the deadline (none: a check's time). */
static void poll_until(struct jm_logger *logger, const struct jm_sensor_member *polled)
{
	int64_t wait_ns = CHECK_NS, left_ns;
	struct timespec timeout;

	if (polled) {
		left_ns = polled->deadline_ns - jm_clock_monotonic_ns(NULL);
		wait_ns = left_ns < 0 ? 0 : left_ns < wait_ns ? left_ns : wait_ns;
	}
	timeout.tv_sec = 0; /* CHECK_NS is far below a second */
	timeout.tv_nsec = (long)wait_ns;
	if (ppoll(logger->watched, 1 + logger->n_watched, &timeout, NULL) <= 0)
		for (size_t i = 0; i <= logger->n_watched; i++)
			logger->watched[i].revents = 0;
}

/* What is pending would stay in memory until the next reading comes. */
static int flush_if_due(struct jm_logger *logger, int64_t now_ns, struct jm_error *reterr)
{
	/* While it sleeps until a deadline nobody looks; watching, somebody does. */
	int rare = !logger->n_watched && logger->period_ns >= JM_SPOOL_FLUSH_NS / 2;
	int result = 0;

	if (logger->spool.used &&
		(rare || now_ns - logger->spool.last_flush_ns >= JM_SPOOL_FLUSH_NS))
		result = jm_spool_flush(&logger->spool, now_ns, reterr);
	if (result < 0)
		logger->end = "spool failed";
	return result;
}

/*
 * The member whose turn it is; polled ones first, they cannot wait. NULL: stop,
 * or a spool that failed.
 */
static struct jm_sensor_member *watch(struct jm_logger *logger, struct jm_sensor_member *polled,
	int *ret_result, struct jm_error *reterr)
{
	for (;;) {
		int64_t now_ns;

		poll_until(logger, polled);
		now_ns = jm_clock_monotonic_ns(NULL);
		if (logger->watched[0].revents || terminated ||
			now_ns - logger->checked_ns >= CHECK_NS / 2) {
			logger->checked_ns = now_ns;
			*ret_result = flush_if_due(logger, now_ns, reterr);
			if (*ret_result < 0 || look_for_stop(logger, 0))
				return NULL;
		}
		if (polled && now_ns >= polled->deadline_ns)
			return polled;
		for (size_t i = 0; i < logger->n_watched; i++)
			if (logger->watched[1 + i].revents)
				return &logger->set->members[logger->watched_member[i]];
	}
}

static struct jm_sensor_member *wait_for_next(
	struct jm_logger *logger, int *ret_result, struct jm_error *reterr)
{
	struct jm_sensor_member *polled = jm_sensor_set_next(logger->set);

	if (logger->n_watched || !polled)
		return watch(logger, polled, ret_result, reterr);
	wait_until(logger, polled->deadline_ns);
	return logger->end ? NULL : polled;
}

/* Appends a reading. Nothing here allocates. */
static int spool_reading(void *context, size_t rail, const struct jm_reading *reading)
{
	struct jm_logger *logger = context;
	struct jm_spool_reading record = {.before_ns = reading->before_ns,
		.after_ns = reading->after_ns,
		.value = {reading->value[0], reading->value[1]},
		.rail = (uint32_t)rail};
	int result = jm_spool_put(&logger->spool, JM_SPOOL_READING, &record, sizeof(record),
		logger->pass_ns, logger->error);

	if (result < 0) {
		logger->end = "spool failed";
		return result;
	}
	if (isnan(record.value[0]) || isnan(record.value[1]))
		logger->n_missing++;
	if (!logger->seen[rail])
		logger->n_unseen--;
	logger->seen[rail] = 1;
	logger->n_readings++;
	logger->members[logger->reading->number].n_readings++;
	if (rail == 0 && logger->config->shared)
		atomic_store_explicit(&logger->config->shared->last_before_ns,
			reading->before_ns, memory_order_relaxed);
	return 0;
}

static void tell(struct jm_logger *logger)
{
	struct jm_logger_shared *shared = logger->config->shared;

	if (!shared)
		return;
	atomic_store_explicit(&shared->missed_periods, logger->n_missed, memory_order_relaxed);
	atomic_store_explicit(&shared->passes, logger->n_passes, memory_order_relaxed);
	atomic_store_explicit(&shared->readings, logger->n_readings, memory_order_release);
	atomic_store_explicit(&shared->covered, !logger->n_unseen, memory_order_release);
}

/* One pass: reads a sensor and appends what it delivers. */
static int pass(struct jm_logger *logger, struct jm_sensor_member *member, int64_t started_ns,
	struct jm_error *reterr)
{
	const struct jm_reading_sink sink = {spool_reading, logger};
	int64_t ended_ns;
	int result;

	logger->reading = member;
	logger->error = reterr;
	logger->pass_ns = started_ns;
	result = jm_sensor_set_read(member, &sink, reterr);
	if (result < 0) {
		if (!logger->end)
			logger->end = "sensor failed";
		return result;
	}
	ended_ns = jm_clock_monotonic_ns(NULL);
	jm_histogram_add(&logger->read_duration, ended_ns - started_ns);
	logger->n_passes++;
	logger->members[member->number].n_passes++;
	result = flush_if_due(logger, ended_ns, reterr);
	tell(logger);
	return result;
}

/* Deadlines are absolute; those that have passed are counted, not made up for. */
static int loop(struct jm_logger *logger, struct jm_error *reterr)
{
	int64_t now_ns = jm_clock_monotonic_ns(NULL);
	int result = 0;

	logger->begin_ns = logger->checked_ns = now_ns;
	jm_sensor_set_start(logger->set, now_ns);
	while (result == 0) {
		struct jm_sensor_member *member = wait_for_next(logger, &result, reterr);

		if (!member)
			break;
		now_ns = jm_clock_monotonic_ns(NULL);
		if (member->descriptor < 0)
			jm_histogram_add(&logger->lateness, now_ns - member->deadline_ns);
		if (now_ns - logger->checked_ns >= CHECK_NS / 2 || terminated) {
			logger->checked_ns = now_ns;
			if (look_for_stop(logger, 0))
				break;
		}
		result = pass(logger, member, now_ns, reterr);
		if (member->descriptor < 0) {
			uint64_t missed =
				jm_sensor_member_advance(member, jm_clock_monotonic_ns(NULL));

			logger->n_missed += missed;
			logger->members[member->number].n_missed += missed;
		}
	}
	logger->end_ns = jm_clock_monotonic_ns(NULL);
	return result;
}

/* ---- Begin ---------------------------------------------------------------------- */

/* Everything that the loop needs, so that it does not allocate. */
static int prepare(struct jm_logger *logger, struct jm_error *reterr)
{
	struct jm_sensor_set *set = logger->set;

	logger->members = calloc(set->n_members + 1, sizeof(*logger->members));
	logger->seen = calloc(set->n_rails + 1, 1);
	logger->watched = calloc(set->n_members + 1, sizeof(*logger->watched));
	logger->watched_member = calloc(set->n_members + 1, sizeof(*logger->watched_member));
	if (!logger->members || !logger->seen || !logger->watched || !logger->watched_member)
		return jm_fail_memory(reterr, "the power logger");
	logger->n_unseen = set->n_rails;
	logger->watched[0].fd = logger->config->stop_fd;
	logger->watched[0].events = POLLIN;
	for (size_t i = 0; i < set->n_members; i++) {
		const struct jm_sensor_member *member = &set->members[i];

		if (member->descriptor >= 0) {
			logger->watched_member[logger->n_watched++] = i;
			logger->watched[logger->n_watched].fd = member->descriptor;
			logger->watched[logger->n_watched].events = POLLIN;
		} else if (!logger->period_ns || member->period_ns < logger->period_ns) {
			logger->period_ns = member->period_ns;
		}
	}
	return 0;
}

/* The spool's first record: with it the spool stands alone. */
static int spool_sensors(struct jm_logger *logger, struct jm_error *reterr)
{
	int64_t now_ns = jm_clock_monotonic_ns(NULL);
	char *text;
	int result = jm_sensor_set_format(logger->set, &text, reterr);

	if (result == 0)
		result = jm_spool_put(
			&logger->spool, JM_SPOOL_META, text, strlen(text), now_ns, reterr);
	if (result == 0)
		result = jm_spool_flush(&logger->spool, now_ns, reterr);
	free(text);
	return result;
}

static int open_all(struct jm_logger *logger, struct jm_error *reterr)
{
	const struct jm_logger_config *config = logger->config;
	int result = jm_sensor_set_open(logger->set, config->rate_hz, reterr);

	if (result == 0)
		result = prepare(logger, reterr);
	if (result == 0)
		result = jm_spool_create(&logger->spool, config->spool_path, reterr);
	if (result == 0)
		result = spool_sensors(logger, reterr);
	return result;
}

/* Opens, logs, and ends the spool; result: the first thing that went wrong. */
static int run(struct jm_logger *logger, struct jm_error *error)
{
	struct jm_logger_shared *shared = logger->config->shared;
	int logged, result = open_all(logger, error);

	if (result < 0)
		return result;
	jm_logger_schedule(logger);
	if (shared)
		atomic_store_explicit(&shared->state, JM_LOGGER_RUNNING, memory_order_release);
	getrusage(RUSAGE_SELF, &logger->usage);
	logged = loop(logger, error);
	result = jm_logger_finish(logger, logged < 0 ? error : NULL, logged < 0 ? NULL : error);
	return logged < 0 ? logged : result;
}

static void release(struct jm_logger *logger)
{
	jm_sensor_set_close(logger->set);
	if (logger->spool.data)
		jm_spool_close(&logger->spool, NULL);
	free(logger->members);
	free(logger->seen);
	free(logger->watched);
	free(logger->watched_member);
	free(logger);
}

int jm_logger_run(const struct jm_logger_config *config, struct jm_error *reterr)
{
	struct jm_logger_shared *shared = config->shared;
	struct jm_logger *logger = calloc(1, sizeof(*logger));
	struct jm_error error = {0};
	int result;

	if (logger) {
		logger->config = config;
		logger->set = config->set;
		logger->parent = getppid();
		set_signals(config->ignore_terminate);
		result = run(logger, &error);
		release(logger);
	} else {
		result = jm_fail_memory(&error, "the power logger");
	}
	if (result < 0 && reterr)
		*reterr = error;
	if (!shared)
		return result;
	if (result < 0)
		shared->error = error;
	atomic_store_explicit(&shared->state, result < 0 ? JM_LOGGER_FAILED : JM_LOGGER_ENDED,
		memory_order_release);
	return result;
}
