/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/child.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "base/wishes.h"

static void begin(struct jm_pipes *pipes, pid_t parent, const char *name, int death_signal)
{
	jm_pipes_keep_child(pipes);
	if (death_signal)
		prctl(PR_SET_PDEATHSIG, death_signal);
	if (getppid() != parent)
		_exit(1); /* it died before the signal was armed */
	jm_wishes_leave_to_parent();
	prctl(PR_SET_NAME, name);
}

int jm_child_start(struct jm_process *child, struct jm_pipes *pipes, const char *name,
	int death_signal, struct jm_error *reterr)
{
	pid_t parent = getpid();
	int result = jm_process_start(child, reterr);

	if (result < 0)
		return result;
	if (result) {
		begin(pipes, parent, name, death_signal);
		return 1;
	}
	jm_pipes_keep_parent(pipes);
	return 0;
}

void jm_child_end(struct jm_process *child, struct jm_pipes *pipes, int64_t patience_ns)
{
	if (pipes->control_fd >= 0)
		close(pipes->control_fd);
	pipes->control_fd = -1;
	jm_process_wait(child, patience_ns);
	jm_process_kill(child, SIGKILL);
	jm_process_wait(child, -1);
	jm_process_release(child);
	jm_pipes_close(pipes);
}

int jm_child_fail(const struct jm_process *child, const char *name,
	const struct jm_error *words, uint32_t cycles, struct jm_error *reterr)
{
	/* A program may have written anything there, and may still write. */
	struct jm_error said = *words;
	char text[sizeof(said.message)];

	if (said.code) {
		said.message[sizeof(said.message) - 1] = '\0';
		jm_text_sanitize(text, sizeof(text), said.message);
		said.code = said.code < 0 ? said.code : JM_EENGINE;
		jm_fail(reterr, (enum jm_code)said.code, "%s", text);
		if (reterr)
			reterr->sys_errno = said.sys_errno;
		return said.code;
	}
	if (WIFSIGNALED(child->wait_status))
		return jm_fail(reterr, JM_EIO, "the %s process was killed (%s) after %u cycles",
			name, strsignal(WTERMSIG(child->wait_status)), cycles);
	return jm_fail(
		reterr, JM_EIO, "the %s process ended early after %u cycles", name, cycles);
}

int jm_child_fail_command(const struct jm_process *child, const char *name, const char *when,
	struct jm_error *reterr)
{
	int status = child->wait_status;

	if (WIFSIGNALED(status))
		return jm_fail(reterr, JM_EENGINE, "'%s' was killed (%s) %s", name,
			strsignal(WTERMSIG(status)), when);
	if (WEXITSTATUS(status))
		return jm_fail(reterr, JM_EENGINE, "'%s' ended with status %d %s", name,
			WEXITSTATUS(status), when);
	return jm_fail(reterr, JM_EENGINE,
		"'%s' ended %s: it must report its layers to joulemap, see docs/workers.md",
		name, when);
}
