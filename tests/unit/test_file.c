/* SPDX-License-Identifier: Apache-2.0 */
/* Files that appear whole or not at all, and signals that are counted meanwhile. */
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/file.h"
#include "base/wishes.h"
#include "scratch.h"

/* As on a file system that has no files without a name. */
static int named_only;

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);

int __wrap_open(const char *path, int flags, ...)
{
	va_list arguments;
	mode_t mode;

	va_start(arguments, flags);
	mode = flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(arguments, mode_t)
								   : 0;
	va_end(arguments);
	if (named_only && (flags & O_TMPFILE) == O_TMPFILE) {
		errno = EOPNOTSUPP;
		return -1;
	}
	return __real_open(path, flags, mode);
}

/* ---- The writer ----------------------------------------------------------------- */

static int count_files(const char *folder)
{
	const struct dirent *entry;
	DIR *stream = opendir(folder);
	int n = 0;

	assert_non_null(stream);
	while ((entry = readdir(stream)) != NULL)
		n += entry->d_name[0] != '.';
	closedir(stream);
	return n;
}

static void begin(struct jm_writer *writer, const char *path, const char *text)
{
	assert_int_equal(jm_writer_open(writer, path, NULL), 0);
	jm_writer_text(writer, text);
}

static void expect(const char *path, const char *text)
{
	char *found = scratch_read(path);

	assert_string_equal(found, text);
	free(found);
}

static void check_writer(const char *name)
{
	char folder[128], path[256];
	struct jm_writer writer;

	snprintf(folder, sizeof(folder), "%s", scratch_path(name));
	assert_int_equal(jm_folder_make(folder, NULL), 0);
	snprintf(path, sizeof(path), "%s/file", folder);
	begin(&writer, path, "one");
	if (writer.nameless == named_only)
		print_message("files without a name: not on this file system\n");
	assert_int_equal(count_files(folder), writer.nameless ? 0 : 1);
	assert_int_equal(jm_writer_commit(&writer, NULL), 0);
	expect(path, "one");
	begin(&writer, path, "two");
	expect(path, "one"); /* until it is whole */
	assert_int_equal(jm_writer_commit(&writer, NULL), 0);
	expect(path, "two");
	begin(&writer, path, "three");
	jm_writer_abandon(&writer);
	expect(path, "two");
	assert_int_equal(count_files(folder), 1);
}

static void test_writer(void **state)
{
	(void)state;
	check_writer("nameless");
	named_only = 1;
	check_writer("named");
	named_only = 0;
}

/* A link under the temporary name, made by somebody else, leads nowhere. */
static void test_link(void **state)
{
	char victim[128], path[128], temporary[256];

	(void)state;
	snprintf(victim, sizeof(victim), "%s", scratch_write("victim", "precious"));
	snprintf(path, sizeof(path), "%s", scratch_path("result"));
	snprintf(temporary, sizeof(temporary), "%s.%ld.tmp", path, (long)getpid());
	for (named_only = 0; named_only < 2; named_only++) {
		assert_int_equal(jm_file_write(path, "old", 3, NULL), 0);
		assert_int_equal(symlink("victim", temporary), 0);
		assert_int_equal(jm_file_write(path, "new", 3, NULL), 0);
		expect(path, "new");
		expect(victim, "precious");
		assert_false(jm_path_exists(temporary));
	}
	named_only = 0;
}

static void test_failures(void **state)
{
	struct jm_error error;
	struct jm_writer writer;

	(void)state;
	for (named_only = 0; named_only < 2; named_only++) {
		assert_int_equal(
			jm_file_write(scratch_path("none/file"), "", 0, &error), JM_ENOTFOUND);
		assert_int_equal(jm_folder_make(scratch_path("folder/in"), NULL), 0);
		assert_true(jm_file_write(scratch_path("folder"), "x", 1, &error) < 0);
		assert_non_null(strstr(error.message, "cannot write"));
		begin(&writer, scratch_path("gone"), "x");
		close(writer.fd); /* the disk fails */
		assert_true(jm_writer_commit(&writer, &error) < 0);
		assert_false(jm_path_exists(scratch_path("gone")));
	}
	named_only = 0;
}

/* ---- The user's wishes ------------------------------------------------------------ */

static void test_nested(void **state)
{
	struct jm_wishes_saved outer, inner;
	struct sigaction action;

	(void)state;
	signal(SIGHUP, SIG_IGN); /* as under nohup */
	jm_wishes_catch(&outer);
	assert_int_equal(jm_wishes_count(), 0);
	raise(SIGINT);
	jm_wishes_catch(&inner);
	assert_int_equal(jm_wishes_count(), 1);
	raise(SIGTERM);
	raise(SIGHUP);
	jm_wishes_restore(&inner);
	assert_int_equal(jm_wishes_count(), 2);
	raise(SIGINT); /* still the outer one's */
	assert_int_equal(jm_wishes_count(), 3);
	jm_wishes_restore(&outer);
	assert_int_equal(sigaction(SIGINT, NULL, &action), 0);
	assert_ptr_equal(action.sa_handler, SIG_DFL);
	jm_wishes_catch(&outer);
	assert_int_equal(jm_wishes_count(), 0); /* a new job */
	jm_wishes_restore(&outer);
	signal(SIGHUP, SIG_DFL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_writer),
		cmocka_unit_test(test_link),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_nested),
	};

	return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
