/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/children.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/progress.h"
#include "base/unblocked.h"
#include "base/wishes.h"
#include "measure/child.h"

#define POLL_MS 250
#define LOGGER_START_NS (20 * JM_NS_PER_S)
#define LOGGER_END_NS (10 * JM_NS_PER_S)
#define LOGGER_STALL_NS (5 * JM_NS_PER_S)
#define STOP_NS (10 * JM_NS_PER_S)

struct children {
	struct jm_children_config *config;
	struct jm_link link; /* to the worker */
	struct jm_process worker, logger;
	struct jm_pipes logger_pipes;
	struct jm_logger_shared *logger_shared;
	uint64_t passes;    /* of the logger, seen last */
	int64_t reading_ns; /* when they last grew */
	int64_t go_ns;
	int64_t stop_ns; /* when the worker was first seen to be told to stop; 0: not yet */
	int interrupted;
	int done; /* the worker said so */
};

static int is_command(const struct children *children)
{
	return children->config->work.command != NULL;
}

/* ---- Start ------------------------------------------------------------------ */

static int open_all(struct children *children, struct jm_error *reterr)
{
	const struct jm_children_config *config = children->config;
	int result = jm_link_open(&children->link, config->spool_path, reterr);

	if (result == 0)
		result = jm_pipes_open(&children->logger_pipes, reterr);
	if (result < 0)
		return result;
	children->link.shared->runs = config->runs;
	children->link.shared->seed = config->seed;
	children->link.shared->round_ms = config->round_ms;
	children->link.shared->jitter_ms = config->jitter_ms;
	children->logger_shared = mmap(NULL, sizeof(*children->logger_shared),
		PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (children->logger_shared == MAP_FAILED) {
		children->logger_shared = NULL;
		return jm_fail_memory(reterr, "memory shared with the processes");
	}
	return 0;
}

static void close_all(struct children *children)
{
	jm_link_close(&children->link);
	jm_pipes_close(&children->logger_pipes);
	if (children->logger_shared)
		munmap(children->logger_shared, sizeof(*children->logger_shared));
}

/* Becomes the command. Ctrl-C stays ours; what tells it of a broken pipe is its own. */
static int execute(const struct jm_link *link, char *const *command, struct jm_error *reterr)
{
	int result = jm_link_pass(link, reterr);

	if (result < 0)
		return result;
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	execvp(command[0], command);
	return jm_fail_errno(reterr, errno, "cannot start '%s'", command[0]);
}

static int start_worker(struct children *children, struct jm_error *reterr)
{
	const struct jm_work *work = &children->config->work;
	struct jm_link *link = &children->link;
	struct jm_error error = {.code = 0};
	/* At a kill of the parent at most JM_SPOOL_FLUSH_NS are not on disk. */
	int result = jm_child_start(
		&children->worker, &link->pipes, "joulemap-infer", SIGKILL, reterr);

	if (result <= 0)
		return result;
	jm_pipes_close(&children->logger_pipes);
	if (!work->command)
		jm_unblocked_replace(STDERR_FILENO); /* a runtime's words keep nobody waiting */
	result = work->command ? execute(link, work->command, &error)
			       : work->run(link, work->context, &error);
	if (result < 0 && !error.code)
		jm_fail(&error, (enum jm_code)result, "the %s process failed", work->name);
	if (result < 0)
		jm_link_tell_error(link, &error);
	_exit(result < 0);
}

static int start_logger(struct children *children, struct jm_error *reterr)
{
	struct jm_logger_config *config = &children->config->logger;
	/* Where it is stopped when the parent dies, it must come to see that. */
	int result = jm_child_start(
		&children->logger, &children->logger_pipes, "joulemap-logger", SIGCONT, reterr);

	if (result <= 0)
		return result;
	/* Held here, the other's pipe would outlive the parent. */
	jm_link_close(&children->link);
	jm_unblocked_replace(STDERR_FILENO);
	config->stop_fd = children->logger_pipes.control_fd;
	config->shared = children->logger_shared;
	result = jm_logger_run(config, NULL);
	_exit(result < 0);
}

/* ---- Failures ----------------------------------------------------------------- */

static uint32_t cycles_done(const struct children *children)
{
	return atomic_load(&children->link.shared->cycles);
}

static int fail_worker(struct children *children, struct jm_error *reterr)
{
	const struct jm_link_shared *shared = children->link.shared;
	const struct jm_work *work = &children->config->work;
	uint32_t cycles = cycles_done(children);
	char when[64];

	jm_child_end(&children->worker, &children->link.pipes, JM_NS_PER_S);
	if (!is_command(children) || shared->error.code)
		return jm_child_fail(
			&children->worker, work->name, &shared->error, cycles, reterr);
	if (!children->go_ns)
		snprintf(when, sizeof(when), "before it was ready");
	else
		snprintf(when, sizeof(when), "after %u cycles%s", cycles,
			children->done || children->worker.wait_status ? ""
								       : " without finishing");
	return jm_child_fail_command(&children->worker, work->name, when, reterr);
}

static int fail_logger(struct children *children, struct jm_error *reterr)
{
	jm_child_end(&children->logger, &children->logger_pipes, JM_NS_PER_S);
	return jm_child_fail(&children->logger, "logger", &children->logger_shared->error,
		cycles_done(children), reterr);
}

/* ---- Watch -------------------------------------------------------------------- */

/* 1: the worker spoke (*ret_word) or is gone (0); 2: logger gone; 0: time out. */
static int watch(struct children *children, int timeout_ms, char *ret_word)
{
	struct pollfd fds[2] = {
		{children->link.pipes.status_fd, POLLIN, 0},
		{children->logger_pipes.status_fd, POLLIN, 0},
	};

	*ret_word = 0;
	if (!children->logger.running)
		fds[1].fd = -1; /* not started yet: the other end is ours */
	if (poll(fds, 2, timeout_ms) <= 0) {
		/* What a command has left running may keep its pipe open. */
		jm_process_wait(&children->worker, 0);
		if (children->worker.running)
			return 0;
		if (poll(fds, 1, 0) <= 0)
			return 1;
	}
	if (fds[0].revents) {
		if (read(children->link.pipes.status_fd, ret_word, 1) <= 0)
			*ret_word = 0;
		return 1;
	}
	return fds[1].revents ? 2 : 0;
}

static int give_up_waiting(struct children *children, struct jm_error *reterr)
{
	return jm_fail(reterr, JM_EENGINE,
		atomic_load(&children->link.shared->attached)
			? "'%s' was not ready within %g s (--ready-timeout): it must say so "
			  "before its first cycle, see docs/workers.md"
			: "'%s' did not turn to joulemap within %g s (--ready-timeout): it "
			  "must report its layers, see docs/workers.md",
		children->config->work.name, children->config->work.ready_s);
}

/* It said so; a command's word is checked. */
static int take_ready(struct children *children, struct jm_error *reterr)
{
	const struct jm_work *work = &children->config->work;

	return work->check ? work->check(work->check_context, reterr) : 0;
}

static int check_wishes(struct jm_error *reterr)
{
	return jm_wishes_count() ? jm_fail(reterr, JM_EINTERRUPTED,
					   "interrupted before the first cycle, nothing was "
					   "measured")
				 : 0;
}

/* Until the network is loaded and warm. */
static int wait_until_ready(struct children *children, struct jm_error *reterr)
{
	int64_t begin = jm_clock_monotonic_ns(NULL);
	double ready_s = children->config->work.ready_s, waited_s;
	char word;

	for (;;) {
		int event = watch(children, POLL_MS, &word);

		if (event == 1)
			return word == JM_LINK_READY ? take_ready(children, reterr)
						     : fail_worker(children, reterr);
		waited_s = (double)(jm_clock_monotonic_ns(NULL) - begin) / 1e9;
		if (jm_wishes_count()) {
			jm_process_kill(&children->worker, SIGKILL);
			return check_wishes(reterr);
		}
		if (ready_s > 0 && waited_s > ready_s)
			return give_up_waiting(children, reterr);
		jm_tell(children->config->progress,
			is_command(children) ? "waiting for the command"
					     : "loading and warming up",
			waited_s, 0, "s");
	}
}

/* What the network's time and the sensor's round made of it. */
static void note_pauses(const struct children *children)
{
	const struct jm_link_shared *shared = children->link.shared;

	if (!(shared->pause_max_ms > 0) || !(shared->cycle_ms > 0))
		return;
	jm_note(children->config->progress,
		"random pauses of up to %.3g ms between cycles make the run about %.0f %% "
		"longer "
		"(--no-jitter: none)",
		shared->pause_max_ms, 50 * shared->pause_max_ms / shared->cycle_ms);
}

/* A slow sensor's first value, and the time between its values. */
static int64_t patience_ns(const struct children *children, int64_t least_ns)
{
	const struct jm_logger_config *config = &children->config->logger;
	double slowest_ms = 0;

	for (size_t i = 0; i < config->set->n_members; i++)
		slowest_ms = fmax(slowest_ms, fmax(config->set->members[i].info.round_ms,
						      config->set->members[i].info.poll_ms));
	if (config->rate_hz > 0)
		slowest_ms = fmax(slowest_ms, 1e3 / config->rate_hz);
	return least_ns + (int64_t)(3e6 * fmin(slowest_ms, 1e9));
}

/* Until every rail has been read, and then for the lead-in. */
static int wait_until_logging(struct children *children, struct jm_error *reterr)
{
	int64_t patience = patience_ns(children, LOGGER_START_NS);
	int64_t deadline = jm_clock_monotonic_ns(NULL) + patience;
	char word;

	while (!atomic_load(&children->logger_shared->covered)) {
		int event = watch(children, 5, &word);

		if (event == 2)
			return fail_logger(children, reterr);
		if (event == 1)
			return fail_worker(children, reterr);
		if (jm_wishes_count())
			return check_wishes(reterr);
		if (jm_clock_monotonic_ns(NULL) > deadline)
			return jm_fail(reterr, JM_ESENSOR,
				"the power sensor gave no reading for %d s",
				(int)(patience / JM_NS_PER_S));
	}
	jm_clock_sleep_until(jm_clock_monotonic_ns(NULL) + children->config->lead_ns);
	return check_wishes(reterr);
}

static void heed_wishes(struct children *children)
{
	if (jm_wishes_count() >= 1) {
		children->interrupted = 1;
		atomic_store(&children->link.shared->stop, 1);
	}
	if (jm_wishes_count() >= 2)
		jm_process_kill(&children->worker, SIGKILL);
}

/* A logger that lives but reads nothing any more is worth no more cycles. */
static int check_logger(struct children *children, struct jm_error *reterr)
{
	int64_t patience = patience_ns(children, LOGGER_STALL_NS);
	uint64_t passes = atomic_load(&children->logger_shared->passes);
	int64_t now = jm_clock_monotonic_ns(NULL);

	if (passes != children->passes) {
		children->passes = passes;
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

/* Beyond it, a worker that was told to stop has no cycle any more that it could end. */
static int64_t stop_patience_ns(const struct children *children, uint32_t cycles)
{
	int64_t mean_ns = cycles ? (children->stop_ns - children->go_ns) / cycles : 0;
	double warm_ns = 1e6 * children->link.shared->cycle_ms;

	/* A command wrote the latter, and may have written anything. */
	if (warm_ns > (double)mean_ns && warm_ns < 1e12)
		mean_ns = (int64_t)warm_ns;
	return STOP_NS + 3 * mean_ns;
}

/*
 * A command counts its own cycles, so it is told when there are enough. Whatever
 * works is ended when it does not heed that or the user's wish.
 */
static int check_stop(struct children *children, struct jm_error *reterr)
{
	uint32_t cycles = cycles_done(children);
	int64_t now = jm_clock_monotonic_ns(NULL), patience;

	if (is_command(children) && cycles >= children->config->runs)
		atomic_store(&children->link.shared->stop, 1);
	if (!jm_link_is_stopped(&children->link))
		return 0;
	if (!children->stop_ns)
		children->stop_ns = now;
	patience = stop_patience_ns(children, cycles);
	if (now - children->stop_ns < patience)
		return 0;
	jm_process_kill(&children->worker, SIGKILL);
	return jm_fail(reterr, JM_EENGINE,
		"'%s' did not end within %.0f s after it was told to stop, at cycle %u, and "
		"was killed",
		children->config->work.name, (double)patience * 1e-9, cycles);
}

/* Until the worker is done, or something ends it. */
static int watch_cycles(struct children *children, struct jm_error *reterr)
{
	double runs = children->config->runs;
	char word;

	children->reading_ns = jm_clock_monotonic_ns(NULL);
	for (;;) {
		int event = watch(children, POLL_MS, &word);

		if (event == 1 && word == JM_LINK_DONE) {
			children->done = 1;
			return 0;
		}
		if (event == 1 && jm_wishes_count() >= 2)
			return 0; /* killed at the second wish */
		if (event == 1)
			return fail_worker(children, reterr);
		if (event == 2) {
			atomic_store(&children->link.shared->stop, 1);
			return fail_logger(children, reterr);
		}
		if (check_logger(children, reterr) < 0) {
			atomic_store(&children->link.shared->stop, 1);
			return JM_ESENSOR;
		}
		heed_wishes(children);
		if (check_stop(children, reterr) < 0)
			return JM_EENGINE;
		jm_tell(children->config->progress,
			children->interrupted ? "ending after this cycle" : "measuring",
			cycles_done(children), runs, "cycles");
	}
}

static int measure(struct children *children, struct jm_error *reterr)
{
	const char go = JM_LINK_GO;
	int result = open_all(children, reterr);

	if (result == 0)
		result = start_worker(children, reterr);
	if (result == 0)
		result = wait_until_ready(children, reterr);
	if (result == 0)
		note_pauses(children);
	if (result == 0)
		result = start_logger(children, reterr);
	if (result == 0)
		result = wait_until_logging(children, reterr);
	children->go_ns = jm_clock_monotonic_ns(NULL);
	if (result == 0 && write(children->link.pipes.control_fd, &go, 1) != 1)
		result = fail_worker(children, reterr);
	if (result == 0)
		result = watch_cycles(children, reterr);
	if (children->logger.running && cycles_done(children))
		jm_clock_sleep_until(jm_clock_monotonic_ns(NULL) + children->config->lead_ns);
	return result;
}

/* All cycles are there; but did both processes come to an orderly end? */
static int check_ends(struct children *children, struct jm_error *reterr)
{
	if (atomic_load(&children->logger_shared->state) != JM_LOGGER_ENDED)
		return fail_logger(children, reterr);
	if (children->done && children->worker.wait_status != 0)
		return fail_worker(children, reterr);
	return 0;
}

/* Told to stop, or to go on without a word: both end by themselves. */
static void end_both(struct children *children, int result)
{
	if (children->link.shared)
		atomic_store(&children->link.shared->stop, 1);
	jm_child_end(&children->worker, &children->link.pipes,
		children->done || result < 0 ? LOGGER_END_NS : 0);
	jm_child_end(&children->logger, &children->logger_pipes, LOGGER_END_NS);
}

/* Not known where somebody else collected it. */
static double cpu_s(const struct jm_process *process)
{
	return !process->pid || process->collected ? process->cpu_s : (double)NAN;
}

int jm_children_run(struct jm_children_config *config, struct jm_children_result *ret_result,
	struct jm_error *reterr)
{
	struct children children = {.config = config, .logger_pipes = {-1, -1, -1, -1}};
	int result = measure(&children, reterr);

	end_both(&children, result);
	if (result == 0)
		result = check_ends(&children, reterr);
	ret_result->children_cpu_s = cpu_s(&children.worker) + cpu_s(&children.logger);
	ret_result->interrupted = children.interrupted;
	if (children.link.shared && children.logger_shared)
		ret_result->cycles = cycles_done(&children);
	close_all(&children);
	return result;
}
