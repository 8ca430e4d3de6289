/* SPDX-License-Identifier: Apache-2.0 */
#include "workload/probe.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/process.h"
#include "base/unblocked.h"
#include "base/wishes.h"

/* How long the user's wish may go unnoticed. */
#define LOOK_NS (20 * JM_NS_PER_MS)

/* What the probe's process leaves; `done` is written last. */
struct answer {
	_Atomic int done;
	int result;
	struct jm_engine_info info;
	struct jm_error error;
};

static void probe(const struct jm_engine_ops *ops, const struct jm_engine_options *options,
	struct answer *answer)
{
	prctl(PR_SET_NAME, "joulemap-probe");
	jm_unblocked_replace(STDERR_FILENO);
	answer->result = ops->probe(options, &answer->info, &answer->error);
	atomic_store(&answer->done, 1);
	/* Not even what the runtime would do at an exit. */
	_exit(0);
}

/* Until it is gone, or the patience or the user's is over. */
static void wait_for(struct jm_process *process, double patience_s)
{
	int64_t deadline_ns = jm_clock_monotonic_ns(NULL) + (int64_t)(patience_s * 1e9);

	do
		jm_process_wait(process, LOOK_NS);
	while (process->running && !jm_wishes_count() &&
		jm_clock_monotonic_ns(NULL) < deadline_ns);
}

static int read_answer(const struct jm_engine_ops *ops, const struct answer *answer, int status,
	struct jm_engine_info *ret_info, struct jm_error *reterr)
{
	if (!atomic_load(&answer->done) && WIFSIGNALED(status))
		return jm_fail(reterr, JM_EENGINE,
			"engine '%s' crashed when it was looked at (%s)", ops->name,
			strsignal(WTERMSIG(status)));
	if (!atomic_load(&answer->done))
		return jm_fail(reterr, JM_EENGINE,
			"engine '%s' ended the process when it was looked at", ops->name);
	if (answer->result >= 0) {
		*ret_info = answer->info;
		return 0;
	}
	if (reterr)
		*reterr = answer->error;
	if (!answer->error.code)
		jm_fail(reterr, (enum jm_code)answer->result, "engine '%s' cannot be used: %s",
			ops->name, jm_code_text(answer->result));
	return answer->result;
}

/* The probe ran; waits for it, or ends it. */
static int conclude(const struct jm_engine_ops *ops, struct jm_process *process,
	const struct answer *answer, double patience_s, struct jm_engine_info *ret_info,
	struct jm_error *reterr)
{
	wait_for(process, patience_s);
	if (!process->running)
		return read_answer(ops, answer, process->wait_status, ret_info, reterr);
	jm_process_kill(process, SIGKILL);
	jm_process_wait(process, -1);
	if (jm_wishes_count())
		return jm_fail(reterr, JM_EINTERRUPTED,
			"interrupted before the first cycle, nothing was measured");
	return jm_fail(reterr, JM_EENGINE,
		"engine '%s' did not answer within %g s when it was looked at", ops->name,
		patience_s);
}

int jm_probe_engine_within(const struct jm_engine_ops *ops,
	const struct jm_engine_options *options, double patience_s,
	struct jm_engine_info *ret_info, struct jm_error *reterr)
{
	struct answer *answer = mmap(NULL, sizeof(*answer), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct jm_process process;
	pid_t parent = getpid();
	int result;

	if (answer == MAP_FAILED)
		return jm_fail_memory(reterr, "the answer of an engine");
	result = jm_process_start(&process, reterr);
	if (result > 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() == parent)
			probe(ops, options, answer);
		_exit(1);
	}
	if (result == 0)
		result = conclude(ops, &process, answer, patience_s, ret_info, reterr);
	jm_process_release(&process);
	munmap(answer, sizeof(*answer));
	return result;
}

int jm_probe_engine(const struct jm_engine_ops *ops, const struct jm_engine_options *options,
	struct jm_engine_info *ret_info, struct jm_error *reterr)
{
	return jm_probe_engine_within(ops, options, JM_PROBE_PATIENCE_S, ret_info, reterr);
}
