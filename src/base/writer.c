/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"

/* ---- The temporary file -------------------------------------------------------- */

#define PROC_PATH_MAX 32

static void format_proc_path(const struct jm_writer *writer, char ret_path[PROC_PATH_MAX])
{
	snprintf(ret_path, PROC_PATH_MAX, "/proc/self/fd/%d", writer->fd);
}

/* -1: not every file system has such files, and it takes /proc to name them. */
static int open_nameless(struct jm_writer *writer)
{
#ifdef O_TMPFILE
	char folder[JM_PATH_MAX], own[PROC_PATH_MAX];
	const char *slash = strrchr(writer->path, '/');
	size_t length = slash ? (size_t)(slash - writer->path) + 1 : 0;

	memcpy(folder, writer->path, length);
	folder[length] = '\0';
	writer->fd = open(length ? folder : ".", O_WRONLY | O_TMPFILE | O_CLOEXEC, 0666);
	if (writer->fd < 0)
		return -1;
	format_proc_path(writer, own);
	writer->nameless = 1;
	if (access(own, F_OK) == 0)
		return writer->fd;
	close(writer->fd);
	writer->nameless = 0;
#endif
	return writer->fd = -1;
}

static int open_named(struct jm_writer *writer)
{
	/* Of a process that had our number and was killed, or a link of somebody's. */
	unlink(writer->temporary);
	writer->fd = open(
		writer->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
	return writer->fd;
}

/* Gives it the name; 0, or -1 and errno. What was there before is replaced. */
static int take_place(struct jm_writer *writer)
{
	char own[PROC_PATH_MAX];

	if (writer->nameless) {
		format_proc_path(writer, own);
		if (linkat(AT_FDCWD, own, AT_FDCWD, writer->path, AT_SYMLINK_FOLLOW) == 0)
			return 0;
		if (errno != EEXIST)
			return -1;
		unlink(writer->temporary);
		if (linkat(AT_FDCWD, own, AT_FDCWD, writer->temporary, AT_SYMLINK_FOLLOW) != 0)
			return -1;
		writer->nameless = 0;
	}
	return rename(writer->temporary, writer->path);
}

/* Some file systems have nothing to wait for. */
static int sync_data(const struct jm_writer *writer)
{
	return fdatasync(writer->fd) == 0 || errno == EINVAL || errno == EROFS ? 0 : -1;
}

/* ---- The writer ------------------------------------------------------------------ */

int jm_writer_open(struct jm_writer *writer, const char *path, struct jm_error *reterr)
{
	int length;

	memset(writer, 0, sizeof(*writer));
	writer->fd = -1;
	length = snprintf(writer->temporary, sizeof(writer->temporary), "%s.%ld.tmp", path,
		(long)getpid());
	if (length < 0 || (size_t)length >= sizeof(writer->temporary))
		return jm_fail(reterr, JM_EINVAL, "path '%.60s...' is too long", path);
	memcpy(writer->path, path, strlen(path) + 1);
	writer->data = malloc(JM_WRITER_CAPACITY);
	if (!writer->data)
		return jm_fail(reterr, JM_ENOMEM, "out of memory writing '%s'", path);
	if (open_nameless(writer) < 0 && open_named(writer) < 0) {
		int sys_errno = errno;

		free(writer->data);
		writer->data = NULL;
		return jm_fail_errno(reterr, sys_errno, "cannot write '%s'", path);
	}
	return 0;
}

static void fail_with_errno(struct jm_writer *writer)
{
	writer->failed_errno = errno;
	writer->failed = jm_fail_errno(NULL, errno, "%s", "");
}

static void write_out(struct jm_writer *writer, const char *data, size_t size)
{
	while (size && !writer->failed) {
		ssize_t n = write(writer->fd, data, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			fail_with_errno(writer);
			return;
		}
		data += n;
		size -= (size_t)n;
		writer->written += (uint64_t)n;
	}
}

static void flush(struct jm_writer *writer)
{
	write_out(writer, writer->data, writer->used);
	writer->used = 0;
}

char *jm_writer_reserve(struct jm_writer *writer, size_t size)
{
	if (JM_WRITER_CAPACITY - writer->used < size)
		flush(writer);
	return writer->failed ? NULL : writer->data + writer->used;
}

void jm_writer_advance(struct jm_writer *writer, size_t size)
{
	writer->used += size;
}

void jm_writer_put(struct jm_writer *writer, const void *data, size_t size)
{
	char *room;

	if (size > JM_WRITER_CAPACITY) {
		flush(writer);
		write_out(writer, data, size);
		return;
	}
	room = jm_writer_reserve(writer, size);
	if (!room || !size)
		return;
	memcpy(room, data, size);
	writer->used += size;
}

void jm_writer_text(struct jm_writer *writer, const char *text)
{
	jm_writer_put(writer, text, strlen(text));
}

void jm_writer_format(struct jm_writer *writer, const char *format, ...)
{
	char text[1024];
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (length > 0 && (size_t)length < sizeof(text))
		jm_writer_put(writer, text, (size_t)length);
	else if (length != 0 && !writer->failed)
		writer->failed = JM_EINVAL;
}

static int fail(struct jm_writer *writer, struct jm_error *reterr)
{
	if (writer->failed == JM_ENOSPC)
		return jm_fail(reterr, JM_ENOSPC,
			"no space left writing '%s': free some space and try again",
			writer->path);
	if (writer->failed_errno)
		return jm_fail_errno(
			reterr, writer->failed_errno, "cannot write '%s'", writer->path);
	return jm_fail(
		reterr, JM_EINVAL, "cannot write '%s': a text is too long", writer->path);
}

static void drop(struct jm_writer *writer)
{
	if (writer->fd >= 0)
		close(writer->fd);
	writer->fd = -1;
	free(writer->data);
	writer->data = NULL;
}

int jm_writer_commit(struct jm_writer *writer, struct jm_error *reterr)
{
	int result = 0;

	flush(writer);
	/* The other way round a loss of power could leave the name of a file without data. */
	if (!writer->failed && (sync_data(writer) != 0 || take_place(writer) != 0))
		fail_with_errno(writer);
	if (writer->failed) {
		result = fail(writer, reterr);
		if (!writer->nameless)
			unlink(writer->temporary);
	}
	drop(writer);
	return result;
}

void jm_writer_abandon(struct jm_writer *writer)
{
	if (!writer->data)
		return;
	if (!writer->nameless)
		unlink(writer->temporary);
	drop(writer);
}
