/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/children.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/progress.h"
#include "base/wishes.h"

#define POLL_MS 250
#define LOGGER_START_NS (20 * JM_NS_PER_S)
#define LOGGER_END_NS (10 * JM_NS_PER_S)
#define LOGGER_STALL_NS (5 * JM_NS_PER_S)

struct shared {
	struct jm_inference_shared inference;
	struct jm_logger_shared logger;
};

struct child {
	pid_t pid;
	int status_fd; /* hangs up when the child is gone; -1: never started */
	int control_fd;
	int running;
	int wait_status;
};

struct children {
	struct jm_children_config *config;
	struct shared *shared; /* memory that all three see */
	struct child inference, logger;
	uint64_t readings;  /* seen last */
	int64_t reading_ns; /* when they last grew */
	int interrupted;
	int done; /* the inference process said so */
};

/* ---- Start ------------------------------------------------------------------ */

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/*
 * Forks; in the child returns 1 with ret_fds: [0] to read the parent's word
 * from, [1] to tell it by. In the parent returns 0 with the child running. The
 * child gets death_signal (0: none) when its parent dies.
 */
static int start(struct child *child, int death_signal, int ret_fds[2], struct jm_error *reterr)
{
	int control[2], status[2];
	pid_t parent = getpid();

	if (pipe2(control, O_CLOEXEC) != 0)
		return jm_fail_errno(reterr, errno, "cannot make a pipe");
	if (pipe2(status, O_CLOEXEC) != 0) {
		close(control[0]);
		close(control[1]);
		return jm_fail_errno(reterr, errno, "cannot make a pipe");
	}
	fflush(NULL);
	child->pid = fork();
	if (child->pid == 0) {
		close(control[1]);
		close(status[0]);
		ret_fds[0] = control[0];
		ret_fds[1] = status[1];
		if (death_signal)
			prctl(PR_SET_PDEATHSIG, death_signal);
		if (getppid() != parent)
			_exit(1); /* it died before the signal was armed */
		return 1;
	}
	close(control[0]);
	close(status[1]);
	child->control_fd = control[1];
	child->status_fd = status[0];
	child->running = child->pid > 0;
	if (child->pid > 0)
		return 0;
	close_fd(&child->control_fd);
	close_fd(&child->status_fd);
	return jm_fail_errno(reterr, errno, "cannot start a process");
}

static const char *work_name(const struct children *children)
{
	return children->config->work ? children->config->work_name : "inference";
}

static int start_inference(struct children *children, struct jm_error *reterr)
{
	struct jm_inference_config *config = &children->config->inference;
	struct jm_inference_shared *shared = &children->shared->inference;
	int fds[2], result = start(&children->inference, SIGKILL, fds, reterr);

	/* At a kill of the parent at most JM_SPOOL_FLUSH_NS are not on disk. */
	if (result <= 0)
		return result;
	jm_wishes_leave_to_parent();
	prctl(PR_SET_NAME, "joulemap-infer");
	config->control_fd = fds[0];
	config->status_fd = fds[1];
	config->shared = shared;
	result = children->config->work
			 ? children->config->work(
				   config, children->config->work_context, &shared->error)
			 : jm_inference_run(config, &shared->error);
	if (result < 0 && !shared->error.code)
		jm_fail(&shared->error, (enum jm_code)result, "the %s process failed",
			work_name(children));
	_exit(result < 0);
}

static int start_logger(struct children *children, struct jm_error *reterr)
{
	struct jm_logger_config *config = &children->config->logger;
	int fds[2], result = start(&children->logger, 0, fds, reterr);

	if (result <= 0)
		return result;
	/* Held here, the other's pipe would outlive the parent. */
	close_fd(&children->inference.control_fd);
	close_fd(&children->inference.status_fd);
	jm_wishes_leave_to_parent();
	prctl(PR_SET_NAME, "joulemap-logger");
	config->stop_fd = fds[0];
	config->shared = &children->shared->logger;
	result = jm_logger_run(config, NULL);
	_exit(result < 0);
}

/* ---- End -------------------------------------------------------------------- */

/* Collects the child if it is gone (or waits for it). */
static void reap(struct child *child, int options)
{
	if (!child->running)
		return;
	if (waitpid(child->pid, &child->wait_status, options) == child->pid)
		child->running = 0;
}

/* Closes the child's control pipe, waits, and kills it if it does not end. */
static void end_child(struct child *child, int64_t patience_ns)
{
	int64_t deadline = jm_clock_monotonic_ns(NULL) + patience_ns;

	close_fd(&child->control_fd);
	while (child->running && jm_clock_monotonic_ns(NULL) < deadline) {
		reap(child, WNOHANG);
		if (child->running)
			jm_clock_sleep_until(jm_clock_monotonic_ns(NULL) + 2 * JM_NS_PER_MS);
	}
	if (child->running) {
		kill(child->pid, SIGKILL);
		reap(child, 0);
	}
	close_fd(&child->status_fd);
}

/* Says why a child ended early, from its own words or its wait status. */
static int fail_child(const struct child *child, const char *name, const struct jm_error *words,
	uint32_t cycles, struct jm_error *reterr)
{
	if (words->code) {
		if (reterr)
			*reterr = *words;
		return words->code;
	}
	if (WIFSIGNALED(child->wait_status))
		return jm_fail(reterr, JM_EIO, "the %s process was killed (%s) after %u cycles",
			name, strsignal(WTERMSIG(child->wait_status)), cycles);
	return jm_fail(
		reterr, JM_EIO, "the %s process ended early after %u cycles", name, cycles);
}

/* ---- Watch ------------------------------------------------------------------ */

/* 1: the inference spoke (*ret_word) or is gone (0); 2: logger gone; 0: time out. */
static int watch(struct children *children, int timeout_ms, char *ret_word)
{
	struct pollfd fds[2] = {
		{children->inference.status_fd, POLLIN, 0},
		{children->logger.status_fd, POLLIN, 0},
	};

	*ret_word = 0;
	if (poll(fds, 2, timeout_ms) <= 0)
		return 0;
	if (fds[0].revents) {
		if (read(children->inference.status_fd, ret_word, 1) <= 0)
			*ret_word = 0;
		return 1;
	}
	return fds[1].revents ? 2 : 0;
}

static uint32_t cycles_done(const struct children *children)
{
	return atomic_load(&children->shared->inference.cycles);
}

static int fail_inference(struct children *children, struct jm_error *reterr)
{
	end_child(&children->inference, JM_NS_PER_S);
	return fail_child(&children->inference, work_name(children),
		&children->shared->inference.error, cycles_done(children), reterr);
}

static int fail_logger(struct children *children, struct jm_error *reterr)
{
	end_child(&children->logger, JM_NS_PER_S);
	return fail_child(&children->logger, "logger", &children->shared->logger.error,
		cycles_done(children), reterr);
}

/* Until the network is loaded and warm. */
static int wait_until_ready(struct children *children, struct jm_error *reterr)
{
	int64_t begin = jm_clock_monotonic_ns(NULL);
	char word;

	for (;;) {
		int event = watch(children, POLL_MS, &word);

		if (event == 1)
			return word == JM_INFERENCE_READY ? 0
							  : fail_inference(children, reterr);
		if (jm_wishes_count()) {
			kill(children->inference.pid, SIGKILL);
			return jm_fail(reterr, JM_EINTERRUPTED,
				"interrupted before the first cycle, nothing was measured");
		}
		jm_tell(children->config->progress, "loading and warming up",
			(double)(jm_clock_monotonic_ns(NULL) - begin) / 1e9, 0, "s");
	}
}

/* What the network's time and the sensor's round made of it. */
static void note_pauses(const struct children *children)
{
	const struct jm_inference_shared *shared = &children->shared->inference;

	if (!(shared->pause_max_ms > 0) || !(shared->cycle_ms > 0))
		return;
	jm_note(children->config->progress,
		"random pauses of up to %.3g ms between cycles make the run about %.0f %% "
		"longer "
		"(--no-jitter: none)",
		shared->pause_max_ms, 50 * shared->pause_max_ms / shared->cycle_ms);
}

/* Until the logger has delivered, and then for the lead-in. */
static int wait_until_logging(struct children *children, struct jm_error *reterr)
{
	int64_t deadline = jm_clock_monotonic_ns(NULL) + LOGGER_START_NS;
	char word;

	while (!atomic_load(&children->shared->logger.readings)) {
		int event = watch(children, 5, &word);

		if (event == 2)
			return fail_logger(children, reterr);
		if (event == 1)
			return fail_inference(children, reterr);
		if (jm_clock_monotonic_ns(NULL) > deadline)
			return jm_fail(reterr, JM_ESENSOR,
				"the power sensor gave no reading for %d s",
				(int)(LOGGER_START_NS / JM_NS_PER_S));
	}
	jm_clock_sleep_until(jm_clock_monotonic_ns(NULL) + children->config->lead_ns);
	return 0;
}

static void heed_wishes(struct children *children)
{
	if (jm_wishes_count() >= 1) {
		children->interrupted = 1;
		atomic_store(&children->shared->inference.stop, 1);
	}
	if (jm_wishes_count() >= 2)
		kill(children->inference.pid, SIGKILL);
}

/* A logger that lives but reads nothing any more is worth no more cycles. */
static int check_logger(struct children *children, struct jm_error *reterr)
{
	const struct jm_logger_config *config = &children->config->logger;
	uint64_t readings = atomic_load(&children->shared->logger.readings);
	int64_t now = jm_clock_monotonic_ns(NULL), patience = LOGGER_STALL_NS;

	if (config->rate_hz > 0)
		patience += (int64_t)(3e9 / config->rate_hz);
	if (readings != children->readings) {
		children->readings = readings;
		children->reading_ns = now;
	}
	if (now - children->reading_ns < patience)
		return 0;
	return jm_fail(reterr, JM_ESENSOR,
		"the power logger has read nothing for %.0f s, after %u cycles: is it stopped, "
		"or "
		"does its sensor hang?",
		(double)patience * 1e-9, cycles_done(children));
}

/* Until the inference process is done, or something ends it. */
static int watch_cycles(struct children *children, struct jm_error *reterr)
{
	double runs = children->config->inference.runs;
	char word;

	children->reading_ns = jm_clock_monotonic_ns(NULL);
	for (;;) {
		int event = watch(children, POLL_MS, &word);

		if (event == 1 && word == JM_INFERENCE_DONE) {
			children->done = 1;
			return 0;
		}
		if (event == 1 && jm_wishes_count() >= 2)
			return 0; /* killed at the second wish */
		if (event == 1)
			return fail_inference(children, reterr);
		if (event == 2) {
			atomic_store(&children->shared->inference.stop, 1);
			return fail_logger(children, reterr);
		}
		if (check_logger(children, reterr) < 0) {
			atomic_store(&children->shared->inference.stop, 1);
			return JM_ESENSOR;
		}
		heed_wishes(children);
		jm_tell(children->config->progress,
			children->interrupted ? "ending after this cycle" : "measuring",
			cycles_done(children), runs, "cycles");
	}
}

static int measure(struct children *children, struct jm_error *reterr)
{
	const char go = JM_INFERENCE_GO;
	int result = start_inference(children, reterr);

	if (result == 0)
		result = wait_until_ready(children, reterr);
	if (result == 0)
		note_pauses(children);
	if (result == 0)
		result = start_logger(children, reterr);
	if (result == 0)
		result = wait_until_logging(children, reterr);
	if (result == 0 && write(children->inference.control_fd, &go, 1) != 1)
		result = fail_inference(children, reterr);
	if (result == 0)
		result = watch_cycles(children, reterr);
	if (children->logger.running && cycles_done(children))
		jm_clock_sleep_until(jm_clock_monotonic_ns(NULL) + children->config->lead_ns);
	return result;
}

/* All cycles are there; but did both processes come to an orderly end? */
static int check_ends(struct children *children, struct jm_error *reterr)
{
	if (atomic_load(&children->shared->logger.state) != JM_LOGGER_ENDED)
		return fail_logger(children, reterr);
	if (children->done && children->inference.wait_status != 0)
		return fail_inference(children, reterr);
	return 0;
}

int jm_children_run(struct jm_children_config *config, struct jm_children_result *ret_result,
	struct jm_error *reterr)
{
	struct children children = {.config = config,
		.inference = {.status_fd = -1, .control_fd = -1},
		.logger = {.status_fd = -1, .control_fd = -1}};
	struct rusage usage;
	int result;

	children.shared = mmap(NULL, sizeof(*children.shared), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (children.shared == MAP_FAILED)
		return jm_fail_memory(reterr, "memory shared with the processes");
	result = measure(&children, reterr);
	/* Told to stop, or to go on without a word: both end by themselves. */
	atomic_store(&children.shared->inference.stop, 1);
	end_child(&children.inference, children.done || result < 0 ? LOGGER_END_NS : 0);
	end_child(&children.logger, LOGGER_END_NS);
	if (result == 0)
		result = check_ends(&children, reterr);
	getrusage(RUSAGE_CHILDREN, &usage);
	ret_result->children_cpu_s =
		(double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
		(double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
	ret_result->cycles = cycles_done(&children);
	ret_result->interrupted = children.interrupted;
	ret_result->sensor = children.shared->logger.info;
	munmap(children.shared, sizeof(*children.shared));
	return result;
}
