/* SPDX-License-Identifier: Apache-2.0 */
/* The place of a run: its lock, who holds it, and where an earlier run goes. */
#include "unit.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run/previous.h"
#include "run/session.h"
#include "run/session_holder.h"
#include "scratch.h"

static struct jm_session_paths paths;

/* An empty run folder of this name. */
static const char *begin_run(const char *name)
{
	const char *folder = scratch_path(name);

	assert_int_equal(jm_session_paths(folder, &paths, NULL), 0);
	assert_int_equal(jm_folder_make(paths.folder, NULL), 0);
	return folder;
}

static void put(const char *folder, const char *name, const char *text)
{
	char path[JM_PATH_MAX];

	assert_int_equal(jm_path_join(path, folder, name, NULL), 0);
	assert_int_equal(jm_file_write(path, text, strlen(text), NULL), 0);
}

static void expect(const char *folder, const char *name, const char *text)
{
	char path[JM_PATH_MAX], *found;

	assert_int_equal(jm_path_join(path, folder, name, NULL), 0);
	found = scratch_read(path);
	assert_string_equal(found, text);
	free(found);
}

/* ---- Earlier runs ------------------------------------------------------------- */

/* The clock says the same three times. */
static void test_each_run_has_a_place(void **state)
{
	static const char *const places[] = {"s", "s.2", "s.3"};
	char folder[256], kept[JM_PATH_MAX], path[JM_PATH_MAX], text[] = "0";

	(void)state;
	snprintf(folder, sizeof(folder), "%s", begin_run("places"));
	assert_int_equal(jm_previous_keep(folder, "s", paths.place, kept, NULL), 0);
	for (int i = 0; i < 3; i++) {
		text[0] = (char)('0' + i);
		put(folder, "run.json", text);
		assert_int_equal(jm_path_join(path, folder, "trt_profiling", NULL), 0);
		assert_int_equal(jm_folder_make(path, NULL), 0);
		put(path, "a", text);
		assert_int_equal(jm_previous_keep(folder, "s", paths.place, kept, NULL), 1);
		assert_string_equal(jm_path_name(kept), places[i]);
		jm_session_clear(&paths);
	}
	for (int i = 0; i < 3; i++) {
		text[0] = (char)('0' + i);
		snprintf(path, sizeof(path), "%s/previous/%s", folder, places[i]);
		expect(path, "run.json", text);
		expect(path, "trt_profiling/a", text);
	}
}

/* Cut off between two files: the others go to where the first ones are. */
static void test_a_move_is_continued(void **state)
{
	char folder[256], kept[JM_PATH_MAX];

	(void)state;
	snprintf(folder, sizeof(folder), "%s", begin_run("continued"));
	put(folder, "a", "1");
	assert_int_equal(jm_previous_keep(folder, "s", paths.place, kept, NULL), 1);
	put(folder, "b", "2");
	assert_int_equal(jm_previous_keep(folder, "later", paths.place, kept, NULL), 1);
	assert_string_equal(jm_path_name(kept), "s");
	expect(kept, "a", "1");
	expect(kept, "b", "2");
	/* A place that leads elsewhere is none. */
	put(paths.folder, "previous_place", "../..");
	put(folder, "c", "3");
	assert_int_equal(jm_previous_keep(folder, "s", paths.place, kept, NULL), 1);
	assert_string_equal(jm_path_name(kept), "s.2");
	expect(kept, "c", "3");
}

/* ---- The lock ------------------------------------------------------------------- */

static void test_lock_of_the_next(void **state)
{
	char folder[256];
	int first, second;

	(void)state;
	snprintf(folder, sizeof(folder), "%s", begin_run("next"));
	put(folder, "run.json", "");
	first = jm_session_lock(&paths, JM_SESSION_MEASUREMENT, NULL);
	assert_true(first >= 0 && jm_session_owns(&paths, first));
	jm_session_remove(&paths, folder);
	assert_false(jm_session_owns(&paths, first));
	second = jm_session_lock(&paths, JM_SESSION_RECOVERY, NULL);
	assert_true(second >= 0 && jm_session_owns(&paths, second));
	assert_false(jm_session_owns(&paths, first));
	close(first);
	close(second);
}

static void test_links_are_not_followed(void **state)
{
	char folder[256], elsewhere[256];
	struct jm_error error;

	(void)state;
	snprintf(elsewhere, sizeof(elsewhere), "%s", scratch_write("elsewhere", "precious"));
	snprintf(folder, sizeof(folder), "%s", begin_run("links"));
	assert_int_equal(symlink("../../elsewhere", paths.lock), 0);
	assert_true(jm_session_lock(&paths, JM_SESSION_MEASUREMENT, &error) < 0);
	assert_non_null(strstr(error.message, "cannot lock"));
	assert_int_equal(unlink(paths.lock), 0);
	assert_int_equal(rmdir(paths.folder), 0);
	assert_int_equal(symlink("..", paths.folder), 0);
	assert_int_equal(jm_session_lock(&paths, JM_SESSION_MEASUREMENT, &error), JM_EIO);
	assert_non_null(strstr(error.message, "is a link"));
	expect(scratch_path(""), "elsewhere", "precious");
}

/* Who else holds it, by what name, and what to do about it. */
static void hold(const char *purpose, const char *name, int stopped, const char *expected)
{
	struct jm_error error;
	char number[32];
	int ready[2], lock, status;
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	lock = jm_session_lock(&paths, purpose, &error);
	if (lock < 0)
		fail_msg("%s", error.message);
	pid = fork();
	if (pid == 0) {
		FILE *file = fopen("/proc/self/comm", "w");

		if (!file || fputs(name, file) < 0 || fclose(file) != 0 ||
			write(ready[1], "", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	assert_true(pid > 0);
	close(lock);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	if (stopped) {
		assert_int_equal(kill(pid, SIGSTOP), 0);
		assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	}
	assert_int_equal(jm_session_holder_fail(&paths, &error), JM_EIO);
	snprintf(number, sizeof(number), "process %ld", (long)pid);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	close(ready[0]);
	close(ready[1]);
	if (!strstr(error.message, expected) || !strstr(error.message, number))
		fail_msg("'%s' names neither '%s' nor '%s'", error.message, expected, number);
}

static void test_holders(void **state)
{
	(void)state;
	begin_run("holders");
	hold(JM_SESSION_MEASUREMENT, "joulemap", 0, "a measurement is running in");
	hold(JM_SESSION_RECOVERY, "joulemap", 0, "a recovery is running in");
	hold(JM_SESSION_MEASUREMENT, "a) T (b", 1, ", stopped): wait for its end");
	hold(JM_SESSION_MEASUREMENT, "joulemap-logger", 1,
		"is stopped: let it come to its end with 'kill -CONT");
	hold(JM_SESSION_MEASUREMENT, "joulemap-infer", 0,
		"does not end: end it with 'kill -KILL");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_run_has_a_place),
		cmocka_unit_test(test_a_move_is_continued),
		cmocka_unit_test(test_lock_of_the_next),
		cmocka_unit_test(test_links_are_not_followed),
		cmocka_unit_test(test_holders),
	};

	return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
