/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What markers need and do not get: no files in memory, no descriptors, no room,
 * no folder. Then layers are timed another way, and one line says why.
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine_unit.h"
#include "engines/onnxruntime/library.h"

static const struct jm_engine_ops *ops;
static struct jm_ort ort;

static int set_up(void **state)
{
	(void)state;
	ops = jm_engine_find("onnxruntime");
	if (jm_ort_library_open(&ort, NULL, NULL) < 0)
		memset(&ort, 0, sizeof(ort));
	return ops ? 0 : -1;
}

static void require_markers(void)
{
	engine_unit_require(ops);
	if (!ort.api_version)
		skip();
}

/* ---- Both ways to ask ---------------------------------------------------------------- */

static void ignore_span(void *context, const struct jm_span *span)
{
	(void)span;
	++*(size_t *)context;
}

/* Another way is found, which works; why is said in one line, with `text` in it. */
static void expect_fallback(const char *path, const char *text)
{
	struct engine_unit unit;
	size_t n_spans = 0;
	struct jm_span_sink sink = {ignore_span, &n_spans};

	engine_unit_init(&unit, ops, path);
	engine_unit_open(&unit);
	assert_string_not_equal(unit.info.tracing, "markers");
	if (!strstr(unit.info.tracing_note, "because markers cannot be used: ") ||
		!strstr(unit.info.tracing_note, text) || strchr(unit.info.tracing_note, '\n'))
		fail_msg("'%s' is said, not '%s'", unit.info.tracing_note, text);
	assert_int_equal(ops->run(unit.state, &sink, &unit.error), 0);
	assert_int_equal(ops->flush(unit.state, &sink, &unit.error), 0);
	assert_int_equal(n_spans, unit.graph->n_layers);
	engine_unit_close(&unit);
}

/* With --trace markers it is an error. */
static void expect_refusal(const char *path, const char *text)
{
	static const struct jm_engine_setting markers = {"tracing", "markers"};
	struct engine_unit unit;

	engine_unit_init(&unit, ops, path);
	unit.options.settings = &markers;
	unit.options.n_settings = 1;
	engine_unit_expect_failure(&unit, JM_EENGINE, text);
}

/* Runs in a process of its own, which ends with 0 when all is as it should be. */
static void in_child(void (*work)(void))
{
	int status;
	pid_t child;

	fflush(NULL);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		work();
		_exit(0); /* a failed assertion has not come here */
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		fail_msg("it failed in the child: status %d", status);
}

/* A process that fails an assertion must not go on with the tests of its parent. */
static void open_in_child(const char *path, const char *text)
{
	struct engine_unit unit;

	engine_unit_init(&unit, ops, path);
	if (ops->open(unit.state, &unit.options, &unit.info, &unit.error) < 0) {
		fprintf(stderr, "%s\n", unit.error.message);
		_exit(2);
	}
	if (strcmp(unit.info.tracing, "markers") == 0 ||
		!strstr(unit.info.tracing_note, text) || strchr(unit.info.tracing_note, '\n')) {
		fprintf(stderr, "%s: %s\n", unit.info.tracing, unit.info.tracing_note);
		_exit(3);
	}
	if (ops->run(unit.state, NULL, NULL) < 0)
		_exit(4);
	engine_unit_close(&unit);
}

/* ---- No files in memory --------------------------------------------------------------- */

static void forbid_memory_files(void)
{
	static struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_memfd_create, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	static const struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0) {
		fprintf(stderr, "filters of system calls are not to be had here\n");
		_exit(0);
	}
}

static void work_without_memory_files(void)
{
	forbid_memory_files();
	open_in_child(MODEL("lenet"), "no file in memory can be made: ");
}

static void test_no_memory_files(void **state)
{
	(void)state;
	require_markers();
	in_child(work_without_memory_files);
}

/* Room for one of the two files. */
static void test_no_descriptors(void **state)
{
	struct rlimit before, tight;
	int next = open("/dev/null", O_RDONLY);

	(void)state;
	require_markers();
	assert_true(next >= 0);
	close(next);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	tight = before;
	tight.rlim_cur = (rlim_t)next + 1;
	if (ort.api_version < JM_ORT_API_CALLBACKS)
		skip(); /* profiles need more themselves */
	expect_fallback(MODEL("marker_names"), "names that begin with"); /* all loaded */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
	expect_fallback(MODEL("lenet"), "no file in memory can be made: ");
	expect_refusal(MODEL("lenet"), "markers cannot be used: no file in memory can be made");
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	/* None of them is kept. */
	assert_int_equal(open("/dev/null", O_RDONLY), next);
	close(next);
}

/* ---- No room for the saved model ------------------------------------------------------ */

static rlim_t room_bytes;

static void work_without_room(void)
{
	struct rlimit limit = {room_bytes, room_bytes};

	signal(SIGXFSZ, SIG_IGN);
	if (setrlimit(RLIMIT_FSIZE, &limit) < 0)
		_exit(5);
	open_in_child(MODEL("lenet"), "because markers cannot be used: ");
}

/* AddressSanitizer cannot follow an exception of a library that a C program has loaded. */
#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define CANNOT_THROW 1
#else
#define CANNOT_THROW 0
#endif

static void test_no_room(void **state)
{
	static const rlim_t sizes[] = {0, 100, 1000, 5000, 9000};

	(void)state;
	require_markers();
	if (CANNOT_THROW)
		skip();
	if (ort.api_version < JM_ORT_API_CALLBACKS)
		skip(); /* profiles need room as well */
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		room_bytes = sizes[i];
		in_child(work_without_room);
	}
}

/* ---- No folder ------------------------------------------------------------------------ */

/* Nothing is written where the user's files are. */
static void test_no_folder(void **state)
{
	char folder[] = "/tmp/joulemap-unit-XXXXXX";
	int home = open(".", O_RDONLY | O_DIRECTORY);
	struct engine_unit unit;

	(void)state;
	require_markers();
	assert_non_null(mkdtemp(folder));
	setenv("TMPDIR", "/no/such/folder", 1);
	assert_int_equal(chdir(folder), 0);
	assert_int_equal(rmdir(folder), 0);
	engine_unit_init(&unit, ops, MODEL("lenet"));
	if (ort.api_version < JM_ORT_API_CALLBACKS) {
		engine_unit_expect_failure(&unit, JM_ENOTFOUND, "'/no/such/folder'");
	} else {
		engine_unit_open(&unit);
		assert_string_equal(unit.info.tracing, "markers");
		engine_unit_close(&unit);
	}
	assert_int_equal(fchdir(home), 0);
	close(home);
	unsetenv("TMPDIR");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_memory_files),
		cmocka_unit_test(test_no_descriptors),
		cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_no_folder),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
