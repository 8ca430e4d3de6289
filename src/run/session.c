/* SPDX-License-Identifier: Apache-2.0 */
#include "run/session.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "run/session_holder.h"

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
			ret_paths->place, ret_paths->folder, "previous_place", reterr);
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

int jm_session_owns(const struct jm_session_paths *paths, int lock_fd)
{
	struct stat opened, named;

	return fstat(lock_fd, &opened) == 0 && lstat(paths->lock, &named) == 0 &&
	       opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

/* Opens and locks the file; -1 with errno EWOULDBLOCK while others hold it. */
static int try_lock(const struct jm_session_paths *paths)
{
	int fd = open(paths->lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
	int sys_errno;

	if (fd < 0)
		return -1;
	/* Whoever held it before may have removed the file on leaving. */
	if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
		if (jm_session_owns(paths, fd))
			return fd;
		errno = EWOULDBLOCK;
	}
	sys_errno = errno;
	close(fd);
	errno = sys_errno;
	return -1;
}

/* In a folder that others prepared, links must not lead out of it. */
static int make_folder(const struct jm_session_paths *paths, struct jm_error *reterr)
{
	struct stat info;
	int result = jm_folder_make(paths->folder, reterr);

	if (result == 0 && lstat(paths->folder, &info) == 0 && !S_ISDIR(info.st_mode))
		result = jm_fail(reterr, JM_EIO,
			"'%s' is a link: remove it, measurements are written into the folder "
			"itself",
			paths->folder);
	return result;
}

/* Words for those who come while it is held; without them they still wait. */
static void note_purpose(int fd, const char *purpose)
{
	if (ftruncate(fd, 0) == 0)
		(void)!pwrite(fd, purpose, strlen(purpose), 0);
}

int jm_session_lock(
	const struct jm_session_paths *paths, const char *purpose, struct jm_error *reterr)
{
	int64_t deadline = jm_clock_monotonic_ns(NULL) + LOCK_PATIENCE_NS;

	for (;;) {
		struct jm_error error = {.code = 0};
		int result = make_folder(paths, &error);
		int fd = result == 0 ? try_lock(paths) : -1;

		if (fd >= 0) {
			note_purpose(fd, purpose);
			return fd;
		}
		if (result == 0 && errno != EWOULDBLOCK && errno != ENOENT)
			return jm_fail_errno(reterr, errno, "cannot lock '%s'", paths->lock);
		/* Somebody else who leaves removes folders that are empty. */
		if (result < 0 &&
			(error.sys_errno != ENOENT || jm_clock_monotonic_ns(NULL) > deadline)) {
			if (reterr)
				*reterr = error;
			return result;
		}
		if (jm_clock_monotonic_ns(NULL) > deadline)
			return jm_session_holder_fail(paths, reterr);
		jm_clock_sleep_until(jm_clock_monotonic_ns(NULL) + 20 * JM_NS_PER_MS);
	}
}

void jm_session_clear(const struct jm_session_paths *paths)
{
	/* Without its description a spool is none any more: that goes first. */
	unlink(paths->session);
	unlink(paths->kept);
	unlink(paths->place);
	unlink(paths->timeline);
	unlink(paths->power);
}

void jm_session_remove(const struct jm_session_paths *paths, const char *run_folder)
{
	jm_session_clear(paths);
	unlink(paths->lock);
	rmdir(paths->folder);
	rmdir(run_folder);
}
