/* SPDX-License-Identifier: Apache-2.0 */
/* Processes that are waited for and killed, whatever the program does with its children. */
#include "unit.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/process.h"

#define SOON_NS (20 * JM_NS_PER_S)

/* A kernel without descriptors of processes. */
static void forget_handle(struct jm_process *process)
{
	jm_process_release(process);
	assert_int_equal(process->fd, -1);
}

static void start(struct jm_process *process, int status, int lasting, int by_number)
{
	int result = jm_process_start(process, NULL);

	assert_true(result >= 0);
	if (result && lasting)
		for (;;)
			pause();
	if (result)
		_exit(status);
	assert_true(process->pid > 0 && process->running && !process->collected);
	if (by_number)
		forget_handle(process);
}

static void test_end(void **state)
{
	struct jm_process process;

	(void)state;
	for (int by_number = 0; by_number < 2; by_number++) {
		start(&process, 7, 0, by_number);
		jm_process_wait(&process, -1);
		assert_true(!process.running && process.collected);
		assert_true(WIFEXITED(process.wait_status));
		assert_int_equal(WEXITSTATUS(process.wait_status), 7);
		assert_true(process.cpu_s >= 0 && process.cpu_s < 10);
		jm_process_wait(&process, -1); /* no harm, and no waiting */
		jm_process_kill(&process, SIGKILL);
		jm_process_release(&process);
	}
}

static void test_kill(void **state)
{
	struct jm_process process;

	(void)state;
	for (int by_number = 0; by_number < 2; by_number++) {
		start(&process, 0, 1, by_number);
		jm_process_wait(&process, 0);
		jm_process_wait(&process, 10 * JM_NS_PER_MS);
		assert_true(process.running);
		jm_process_kill(&process, SIGTERM);
		jm_process_wait(&process, SOON_NS);
		assert_true(!process.running && WIFSIGNALED(process.wait_status));
		assert_int_equal(WTERMSIG(process.wait_status), SIGTERM);
		jm_process_release(&process);
	}
}

static void collect_all(int signal_number)
{
	int sys_errno = errno;

	(void)signal_number;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	errno = sys_errno;
}

/* Its end is seen, though not how it came. */
static void test_collected_by_others(void **state)
{
	void (*const ways[])(int) = {SIG_IGN, collect_all};
	struct jm_process process;

	(void)state;
	for (int i = 0; i < 4; i++) {
		signal(SIGCHLD, ways[i % 2]);
		start(&process, 7, i >= 2, 0);
		if (i >= 2)
			jm_process_kill(&process, SIGKILL);
		jm_process_wait(&process, SOON_NS);
		assert_true(!process.running);
		jm_process_kill(&process, SIGKILL);
		jm_process_release(&process);
		signal(SIGCHLD, SIG_DFL);
	}
}

/* The next process gets this number; 0: not permitted here. */
static int set_next(pid_t pid)
{
	FILE *file = fopen("/proc/sys/kernel/ns_last_pid", "w");
	int ok = file && fprintf(file, "%ld", (long)pid - 1) > 0;

	return file ? fclose(file) == 0 && ok : 0;
}

/* A child that is ours, but another one, has the number by now. */
static void test_stranger(void **state)
{
	struct jm_process process;
	pid_t stranger = 0;

	(void)state;
	signal(SIGCHLD, SIG_IGN);
	start(&process, 0, 0, 0);
	while (kill(process.pid, 0) == 0)
		usleep(1000);
	signal(SIGCHLD, SIG_DFL);
	for (int i = 0; i < 50 && stranger != process.pid && set_next(process.pid); i++) {
		if (stranger > 0 && kill(stranger, SIGKILL) == 0)
			waitpid(stranger, NULL, 0);
		stranger = fork();
		assert_true(stranger >= 0);
		if (!stranger)
			for (;;)
				pause();
	}
	jm_process_kill(&process, SIGKILL);
	jm_process_wait(&process, SOON_NS);
	assert_true(!process.running && !process.collected);
	if (stranger > 0) {
		usleep(20000);
		assert_int_equal(waitpid(stranger, NULL, WNOHANG), 0); /* it lives */
		kill(stranger, SIGKILL);
		assert_int_equal(waitpid(stranger, NULL, 0), stranger);
	}
	jm_process_release(&process);
	if (stranger != process.pid)
		skip(); /* the number could not be had */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_end),
		cmocka_unit_test(test_kill),
		cmocka_unit_test(test_collected_by_others),
		cmocka_unit_test(test_stranger),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
