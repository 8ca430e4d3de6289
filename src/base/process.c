/* SPDX-License-Identifier: Apache-2.0 */
#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"

/* Headers may be older than the kernel. The numbers are the same everywhere but on Alpha. */
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#define ID_IS_PIDFD 3 /* P_PIDFD */

/* How often is looked where there is nothing to wait at. */
#define LOOK_NS (2 * JM_NS_PER_MS)
#define ORPHAN_MS 100

/* ---- Start ---------------------------------------------------------------------- */

/* Above the standard descriptors, which may be closed. */
static int open_handle(pid_t pid)
{
	int low = (int)syscall(SYS_pidfd_open, pid, 0), fd;

	if (low < 0 || low > STDERR_FILENO)
		return low;
	fd = fcntl(low, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	close(low);
	return fd;
}

/* In the child: until the parent holds it, or is gone. */
static void wait_at_gate(int gate, pid_t parent)
{
	struct pollfd watched = {gate, POLLIN, 0};

	while (poll(&watched, 1, ORPHAN_MS) <= 0 && getppid() == parent)
		;
	close(gate);
}

int jm_process_start(struct jm_process *process, struct jm_error *reterr)
{
	pid_t parent = getpid();
	int gate[2];

	memset(process, 0, sizeof(*process));
	process->fd = -1;
	if (pipe2(gate, O_CLOEXEC) != 0)
		return jm_fail_errno(reterr, errno, "cannot make a pipe");
	fflush(NULL);
	process->pid = fork();
	if (process->pid == 0) {
		close(gate[1]);
		wait_at_gate(gate[0], parent);
		signal(SIGCHLD, SIG_DFL);
		return 1;
	}
	if (process->pid > 0) {
		process->running = 1;
		process->fd = open_handle(process->pid);
		(void)!write(gate[1], "", 1); /* another thread's child may hold that end */
	}
	close(gate[0]);
	close(gate[1]);
	if (process->pid < 0)
		return jm_fail_errno(reterr, errno, "cannot start a process");
	return 0;
}

/* ---- End ------------------------------------------------------------------------ */

/* Somebody else collected it, or nobody has to. */
static void note_gone(struct jm_process *process)
{
	process->running = 0;
	process->wait_status = 0;
}

static void note_status(struct jm_process *process, int status, const struct rusage *usage)
{
	process->running = 0;
	process->collected = 1;
	process->wait_status = status;
	process->cpu_s = jm_cpu_seconds(usage);
}

static int status_of(const siginfo_t *info)
{
	if (info->si_code == CLD_EXITED)
		return (info->si_status & 0xff) << 8;
	return info->si_status | (info->si_code == CLD_DUMPED ? 0x80 : 0);
}

static void look_by_number(struct jm_process *process)
{
	struct rusage usage;
	int status;
	pid_t gone = wait4(process->pid, &status, WNOHANG, &usage);

	if (gone == process->pid)
		note_status(process, status, &usage);
	else if (gone < 0 && errno == ECHILD)
		note_gone(process);
}

static void look(struct jm_process *process)
{
	struct pollfd watched = {process->fd, POLLIN, 0};
	struct rusage usage;
	siginfo_t info = {.si_pid = 0};

	if (process->fd < 0) {
		look_by_number(process);
	} else if (syscall(SYS_waitid, ID_IS_PIDFD, process->fd, &info, WEXITED | WNOHANG,
			   &usage) == 0) {
		if (info.si_pid)
			note_status(process, status_of(&info), &usage);
	} else if (errno == EINVAL) { /* Linux 5.3 has half of it */
		look_by_number(process);
	} else if (poll(&watched, 1, 0) > 0) {
		note_gone(process);
	}
}

/* Until something may have happened, at most LOOK_NS. */
static void rest(const struct jm_process *process, int64_t left_ns)
{
	int64_t wait_ns = left_ns < 0 || left_ns > LOOK_NS ? LOOK_NS : left_ns;
	const struct timespec timeout = {.tv_nsec = (long)wait_ns};
	struct pollfd watched = {process->fd, POLLIN, 0};

	ppoll(&watched, 1, &timeout, NULL); /* a negative descriptor only waits */
}

void jm_process_wait(struct jm_process *process, int64_t patience_ns)
{
	int64_t deadline_ns = jm_clock_monotonic_ns(NULL) + (patience_ns > 0 ? patience_ns : 0);

	while (process->running) {
		int64_t left_ns = deadline_ns - jm_clock_monotonic_ns(NULL);

		look(process);
		if (!process->running || (patience_ns >= 0 && left_ns <= 0))
			return;
		rest(process, patience_ns < 0 ? -1 : left_ns);
	}
}

void jm_process_kill(struct jm_process *process, int signal_number)
{
	/* As long as we could collect it, its number is its own. */
	if (process->running)
		look(process);
	if (process->running && (process->fd < 0 || (syscall(SYS_pidfd_send_signal, process->fd,
							     signal_number, NULL, 0) != 0 &&
							    errno != ESRCH)))
		kill(process->pid, signal_number);
}

void jm_process_release(struct jm_process *process)
{
	if (process->fd > STDERR_FILENO)
		close(process->fd);
	process->fd = -1;
}
