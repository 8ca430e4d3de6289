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

#define RATE_MAX_HZ 100000.0

/* Readings per round this close to a whole number are in step with it; the
 * golden section's share keeps them out of step the longest. */
#define IN_STEP 0.1
#define OUT_OF_STEP 0.382

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
static void wait_for(struct jm_logger *logger, int64_t deadline_ns)
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

static int spool_readings(struct jm_logger *logger, struct jm_error *reterr)
{
	struct jm_spool_reading record = {0};
	int64_t now_ns = 0;

	for (size_t i = 0; i < logger->info.n_rails; i++) {
		const struct jm_reading *reading = &logger->readings[i];
		int result;

		record.before_ns = reading->before_ns;
		record.after_ns = now_ns = reading->after_ns;
		record.value[0] = reading->value[0];
		record.value[1] = reading->value[1];
		record.rail = (uint32_t)i;
		if (isnan(record.value[0]) || isnan(record.value[1]))
			logger->n_missing++;
		result = jm_spool_put(&logger->spool, JM_SPOOL_READING, &record, sizeof(record),
			now_ns, reterr);
		if (result < 0)
			return result;
		logger->n_readings++;
	}
	if (logger->period_ns >= JM_SPOOL_FLUSH_NS / 2)
		return jm_spool_flush(&logger->spool, now_ns, reterr);
	return 0;
}

static void tell(struct jm_logger *logger)
{
	struct jm_logger_shared *shared = logger->config->shared;

	if (!shared)
		return;
	atomic_store_explicit(
		&shared->last_before_ns, logger->readings[0].before_ns, memory_order_relaxed);
	atomic_store_explicit(&shared->missed_periods, logger->n_missed, memory_order_relaxed);
	atomic_store_explicit(&shared->readings, logger->n_readings, memory_order_release);
}

/* One pass: reads all rails, appends them. Nothing here allocates. */
static int pass(struct jm_logger *logger, int64_t started_ns, struct jm_error *reterr)
{
	int64_t ended_ns;
	int result = logger->config->ops->read(logger->state, logger->readings, reterr);

	if (result < 0) {
		logger->end = "sensor failed";
		return result;
	}
	ended_ns = jm_clock_monotonic_ns(NULL);
	jm_histogram_add(&logger->read_duration, ended_ns - started_ns);
	logger->n_passes++;
	result = spool_readings(logger, reterr);
	if (result < 0)
		logger->end = "spool failed";
	tell(logger);
	return result;
}

/* Deadlines are absolute; those that have passed are counted, not made up for. */
static int loop(struct jm_logger *logger, struct jm_error *reterr)
{
	int64_t deadline_ns = jm_clock_monotonic_ns(NULL);
	int result = 0;

	logger->begin_ns = logger->checked_ns = deadline_ns;
	while (result == 0) {
		int64_t now_ns = jm_clock_monotonic_ns(NULL);

		jm_histogram_add(&logger->lateness, now_ns - deadline_ns);
		if (now_ns - logger->checked_ns >= CHECK_NS / 2 || terminated) {
			logger->checked_ns = now_ns;
			if (look_for_stop(logger, 0))
				break;
		}
		result = pass(logger, now_ns, reterr);
		now_ns = jm_clock_monotonic_ns(NULL);
		deadline_ns += logger->period_ns;
		if (deadline_ns < now_ns) {
			int64_t missed = (now_ns - deadline_ns) / logger->period_ns + 1;

			logger->n_missed += (uint64_t)missed;
			deadline_ns += missed * logger->period_ns;
		}
		if (result == 0)
			wait_for(logger, deadline_ns);
		if (logger->end)
			break;
	}
	logger->end_ns = jm_clock_monotonic_ns(NULL);
	return result;
}

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

static int open_all(struct jm_logger *logger, struct jm_error *reterr)
{
	const struct jm_logger_config *config = logger->config;
	double rate_hz = config->rate_hz;
	int result;

	logger->state = calloc(1, config->ops->state_size ? config->ops->state_size : 1);
	if (!logger->state)
		return jm_fail_memory(reterr, "the sensor");
	result = config->ops->open(logger->state, &logger->info, &config->options, reterr);
	if (result < 0)
		return result;
	if (rate_hz == 0.0)
		rate_hz = own_rate_hz(&logger->info);
	if (!(rate_hz > 0.0 && rate_hz <= RATE_MAX_HZ))
		return jm_fail(reterr, JM_EINVAL,
			"power log rate of %g Hz is not in the range up to %g Hz", rate_hz,
			RATE_MAX_HZ);
	logger->period_ns = (int64_t)fmin(1e9 / rate_hz, 3600e9);
	result = jm_spool_create(&logger->spool, config->spool_path, reterr);
	if (result < 0)
		return result;
	if (config->meta_json)
		result = jm_spool_put(&logger->spool, JM_SPOOL_META, config->meta_json,
			strlen(config->meta_json),
			config->options.now_ns(config->options.clock), reterr);
	if (result == 0)
		result = jm_spool_flush(
			&logger->spool, config->options.now_ns(config->options.clock), reterr);
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
	if (shared) {
		shared->info = logger->info;
		atomic_store_explicit(&shared->state, JM_LOGGER_RUNNING, memory_order_release);
	}
	getrusage(RUSAGE_SELF, &logger->usage);
	logged = loop(logger, error);
	result = jm_logger_finish(logger, logged < 0 ? error : NULL, logged < 0 ? NULL : error);
	return logged < 0 ? logged : result;
}

static void release(struct jm_logger *logger)
{
	if (logger->state)
		logger->config->ops->close(logger->state);
	if (logger->spool.data)
		jm_spool_close(&logger->spool, NULL);
	free(logger->state);
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
		logger->info = *config->info;
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
