/* SPDX-License-Identifier: Apache-2.0 */
/* The link through an exec's environment, and the public worker on it. */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "joulemap/worker.h"
#include "run/spool.h"
#include "workload/command.h"
#include "workload/link.h"

#define SPOOL "worker-unit.spool"

static const struct jm_worker_layer layers[] = {
	{"twice", "A"}, {"twice", NULL}, {NULL, "Late"}, {"never", "B"}};

/* Ends the process with the line that was not as expected. */
#define EXPECT(condition)                                                                      \
	do {                                                                                   \
		if (!(condition)) {                                                            \
			fprintf(stderr, "line %d: %s\n", __LINE__, #condition);                \
			_exit(1);                                                              \
		}                                                                              \
	} while (0)

/* ---- Misuse, and use, in the worker's process ------------------------------------ */

static void misuse_before(struct jm_worker *worker)
{
	struct jm_error error;

	EXPECT(jm_worker_ready(worker, &error) == JM_EINVAL);
	EXPECT(jm_worker_describe(worker, "", "1", layers, 4, &error) == JM_EINVAL);
	EXPECT(jm_worker_describe(worker, "unit", "1", layers, 0, &error) == JM_EINVAL);
	EXPECT(jm_worker_describe(worker, "unit", NULL, layers, 4, &error) == 0);
	EXPECT(jm_worker_describe(worker, "unit", NULL, layers, 4, &error) == JM_EINVAL);
	EXPECT(jm_worker_cycle_end(worker, &error) == JM_EINVAL);
	EXPECT(jm_worker_layer(worker, 0, 1, 2, &error) == JM_EINVAL);
	/* Warms up: nothing of it is kept. */
	EXPECT(jm_worker_cycle_begin(worker, &error) == 0);
	EXPECT(jm_worker_cycle_begin(worker, &error) == JM_EINVAL);
	EXPECT(jm_worker_layer(worker, 0, 1, 2, &error) == 0);
	EXPECT(jm_worker_ready(worker, &error) == JM_EINVAL);
	EXPECT(jm_worker_cycle_end(worker, &error) == 0);
}

static void run_cycle(struct jm_worker *worker)
{
	struct jm_error error;
	int64_t now = jm_worker_now_ns();

	EXPECT(jm_worker_cycle_begin(worker, &error) == 0);
	EXPECT(jm_worker_layer(worker, 4, now, now, &error) == JM_EINVAL);
	EXPECT(jm_worker_layer(worker, 0, now, now - 1, &error) == JM_EINVAL);
	EXPECT(jm_worker_span(worker, 0, JM_LANES_MAX, now, now, &error) == JM_EINVAL);
	EXPECT(jm_worker_layer(worker, 0, now, now + 10, &error) == 0);
	EXPECT(jm_worker_layer(worker, 0, now + 20, now + 30, &error) == 0);
	EXPECT(jm_worker_span(worker, 1, 7, now + 5, now + 25, &error) == 0);
	EXPECT(jm_worker_cycle_end(worker, &error) == 0);
}

static void work(void)
{
	struct jm_worker *worker = NULL;
	struct jm_error error;

	EXPECT(jm_worker_attach(&worker, &error) == 0);
	EXPECT(!getenv(JM_LINK_VARIABLE));
	EXPECT(jm_worker_runs(worker) == 3);
	misuse_before(worker);
	EXPECT(jm_worker_ready(worker, &error) == 0);
	EXPECT(jm_worker_ready(worker, &error) == JM_EINVAL);
	while (!jm_worker_is_stopped(worker))
		run_cycle(worker);
	EXPECT(jm_worker_finish(worker, &error) == 0);
}

static void give_up(void)
{
	struct jm_worker *worker = NULL;

	EXPECT(jm_worker_attach(&worker, NULL) == 0);
	jm_worker_fail(worker, "no more coal");
}

/* The parent is gone, or wants no measurement. */
static void be_refused(void)
{
	struct jm_worker *worker = NULL;
	struct jm_error error;

	EXPECT(jm_worker_attach(&worker, &error) == 0);
	EXPECT(jm_worker_describe(worker, "unit", "1", layers, 1, &error) == 0);
	EXPECT(jm_worker_ready(worker, &error) == JM_EINTERRUPTED);
	EXPECT(jm_worker_is_stopped(worker));
	EXPECT(jm_worker_finish(worker, &error) == 0);
}

/* ---- The parent's side ------------------------------------------------------------ */

static pid_t start(struct jm_link *link, void (*function)(void))
{
	pid_t pid;

	assert_int_equal(jm_link_open(link, SPOOL, NULL), 0);
	link->shared->runs = 3;
	link->shared->seed = 1;
	link->shared->jitter_ms = 0.01;
	pid = fork();
	if (pid == 0) {
		jm_pipes_keep_child(&link->pipes);
		EXPECT(jm_link_pass(link, NULL) == 0);
		EXPECT(!(fcntl(link->memory_fd, F_GETFD) & FD_CLOEXEC));
		function();
		_exit(0);
	}
	jm_pipes_keep_parent(&link->pipes);
	return pid;
}

static void expect_word(const struct jm_link *link, char word)
{
	char got = 0;

	assert_int_equal(read(link->pipes.status_fd, &got, 1), word ? 1 : 0);
	assert_int_equal(got, word);
}

static void expect_good_end(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

struct seen {
	size_t spans, cycles, lane_7, metas, graphs, ends;
};

static int count_block(void *context, enum jm_spool_type type, const void *payload, size_t size,
	struct jm_error *reterr)
{
	struct seen *seen = context;
	struct jm_spool_span span;

	(void)reterr;
	seen->metas += type == JM_SPOOL_META;
	seen->graphs += type == JM_SPOOL_GRAPH;
	seen->ends += type == JM_SPOOL_END;
	for (size_t at = 0; type == JM_SPOOL_SPAN && at < size; at += sizeof(span)) {
		memcpy(&span, (const char *)payload + at, sizeof(span));
		assert_int_equal(span.cycle, seen->cycles);
		seen->cycles += span.layer == JM_WHOLE_CYCLE;
		seen->spans += span.layer != JM_WHOLE_CYCLE;
		seen->lane_7 += span.lane == 7;
	}
	return 0;
}

static void test_worker(void **state)
{
	struct jm_spool_report report;
	struct seen seen = {0};
	struct jm_link link;
	pid_t pid = start(&link, work);

	(void)state;
	expect_word(&link, JM_LINK_READY);
	assert_int_equal(atomic_load(&link.shared->attached), 1);
	assert_true(link.shared->cycle_ms > 0);
	assert_true(link.shared->pause_max_ms == 0.01);
	assert_int_equal(write(link.pipes.control_fd, "G", 1), 1);
	expect_word(&link, JM_LINK_DONE);
	expect_word(&link, 0);
	expect_good_end(pid);
	assert_int_equal(atomic_load(&link.shared->cycles), 3);
	assert_int_equal(link.shared->error.code, 0);
	assert_int_equal(jm_spool_read(SPOOL, count_block, &seen, &report, NULL), 0);
	assert_int_equal(report.bytes_dropped, 0);
	assert_true(report.ended);
	assert_true(seen.metas == 1 && seen.graphs == 1 && seen.ends == 1);
	assert_true(seen.spans == 9 && seen.cycles == 3 && seen.lane_7 == 3);
	jm_link_close(&link);
	unlink(SPOOL);
}

static void test_failures(void **state)
{
	struct jm_link link;
	pid_t pid = start(&link, give_up);

	(void)state;
	expect_word(&link, 0);
	expect_good_end(pid);
	assert_int_equal(link.shared->error.code, JM_EENGINE);
	assert_string_equal(link.shared->error.message, "no more coal");
	jm_link_close(&link);
	pid = start(&link, be_refused);
	expect_word(&link, JM_LINK_READY);
	close(link.pipes.control_fd);
	link.pipes.control_fd = -1;
	expect_word(&link, 0);
	expect_good_end(pid);
	assert_int_equal(link.shared->error.code, JM_EINTERRUPTED);
	jm_link_close(&link);
	unlink(SPOOL);
}

/* ---- What is no link --------------------------------------------------------------- */

static void refuse(const char *text, int code, const char *words)
{
	struct jm_worker *worker = (struct jm_worker *)&worker;
	struct jm_error error = {0};

	if (text)
		setenv(JM_LINK_VARIABLE, text, 1);
	assert_int_equal(jm_worker_attach(&worker, &error), code);
	assert_null(worker);
	if (!strstr(error.message, words))
		fail_msg("'%s': expected \"%s\", got: %s", text, words, error.message);
	unsetenv(JM_LINK_VARIABLE);
}

static void test_no_link(void **state)
{
	static const char *const damaged[] = {"", "1", "1:2:3", "1:2:3:4", "x:2:3:4:/a",
		"1:-2:3:4:/a", "1:2:3:4:a", "1:999999999999999999999:3:4:/a",
		"1:900:901:902:/a", "1: 2:3:4:/a", ":::::"};

	(void)state;
	refuse(NULL, JM_ENOTFOUND, "joulemap measure -- COMMAND");
	for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++)
		refuse(damaged[i], JM_EFORMAT, "is no link of joulemap");
	refuse("2:900:901:902:/a", JM_EUNSUPPORTED, "version 2 of the workers' protocol");
	jm_worker_fail(NULL, NULL);
	assert_int_equal(jm_worker_finish(NULL, NULL), 0);
}

static void test_command(void **state)
{
	struct jm_model_source source;
	struct jm_error error;

	(void)state;
	assert_int_equal(jm_command_find("sh", NULL, &source, &error), 0);
	assert_string_equal(source.name, "sh");
	assert_non_null(strstr(source.path, "/sh"));
	assert_int_equal(strlen(source.sha256), 64);
	assert_int_equal(jm_command_find("/bin/sh", "my.run-1_b", &source, &error), 0);
	assert_string_equal(source.name, "my.run-1_b");
	assert_int_equal(jm_command_find("sh", ".hidden", &source, &error), JM_EUSAGE);
	assert_int_equal(jm_command_find("sh", "a/b", &source, &error), JM_EUSAGE);
	assert_int_equal(jm_command_find("./nowhere", NULL, &source, &error), JM_ENOTFOUND);
	assert_int_equal(jm_command_find("/tmp", NULL, &source, &error), JM_EINVAL);
	assert_int_equal(
		jm_command_find("no such program", NULL, &source, &error), JM_ENOTFOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_worker),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_no_link),
		cmocka_unit_test(test_command),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
