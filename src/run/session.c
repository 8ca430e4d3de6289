/* SPDX-License-Identifier: Apache-2.0 */
#include "run/session.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"

/* The processes of a run end within this time after their parent's death. */
#define LOCK_PATIENCE_NS (3 * JM_NS_PER_S)

int jm_session_paths(
	const char *run_folder, struct jm_session_paths *ret_paths, struct jm_error *reterr)
{
	int result = jm_path_join(ret_paths->folder, run_folder, "spool", reterr);

	if (result == 0)
		result = jm_path_join(
			ret_paths->session, ret_paths->folder, "session.json", reterr);
	if (result == 0)
		result = jm_path_join(
			ret_paths->timeline, ret_paths->folder, "timeline.spool", reterr);
	if (result == 0)
		result = jm_path_join(
			ret_paths->power, ret_paths->folder, "power.spool", reterr);
	if (result == 0)
		result = jm_path_join(ret_paths->lock, ret_paths->folder, "lock", reterr);
	if (result == 0)
		result = jm_path_join(
			ret_paths->kept, ret_paths->folder, "previous_kept", reterr);
	return result;
}

int jm_session_exists(const char *run_folder)
{
	struct jm_session_paths paths;

	return jm_session_paths(run_folder, &paths, NULL) == 0 && jm_path_exists(paths.session);
}

/* Opens and locks the file; -1 with errno EWOULDBLOCK while others hold it. */
static int try_lock(const char *path)
{
	struct stat opened, named;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	int sys_errno;

	if (fd < 0)
		return -1;
	/* Whoever held it before may have removed the file on leaving. */
	if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
		if (fstat(fd, &opened) == 0 && stat(path, &named) == 0 &&
			opened.st_ino == named.st_ino)
			return fd;
		errno = EWOULDBLOCK;
	}
	sys_errno = errno;
	close(fd);
	errno = sys_errno;
	return -1;
}

int jm_session_lock(const struct jm_session_paths *paths, struct jm_error *reterr)
{
	int64_t deadline = jm_clock_monotonic_ns(NULL) + LOCK_PATIENCE_NS;

	for (;;) {
		int result = jm_folder_make(paths->folder, reterr);
		int fd = result == 0 ? try_lock(paths->lock) : -1;

		if (result < 0)
			return result;
		if (fd >= 0)
			return fd;
		if (errno != EWOULDBLOCK && errno != ENOENT)
			return jm_fail_errno(reterr, errno, "cannot lock '%s'", paths->lock);
		if (jm_clock_monotonic_ns(NULL) > deadline)
			return jm_fail(reterr, JM_EIO,
				"a measurement is running in '%s': wait for its end, or take "
				"another "
				"--result-dir",
				paths->folder);
		jm_clock_sleep_until(jm_clock_monotonic_ns(NULL) + 20 * JM_NS_PER_MS);
	}
}

void jm_session_remove(const struct jm_session_paths *paths, const char *run_folder)
{
	/* Without its description a spool is none any more: that goes first. */
	unlink(paths->session);
	unlink(paths->kept);
	unlink(paths->timeline);
	unlink(paths->power);
	unlink(paths->lock);
	rmdir(paths->folder);
	rmdir(run_folder);
}
