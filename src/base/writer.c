/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"

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
	writer->fd = open(writer->temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (writer->fd < 0) {
		int sys_errno = errno;

		free(writer->data);
		writer->data = NULL;
		return jm_fail_errno(reterr, sys_errno, "cannot write '%s'", path);
	}
	return 0;
}

static void write_out(struct jm_writer *writer, const char *data, size_t size)
{
	while (size && !writer->failed) {
		ssize_t n = write(writer->fd, data, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			writer->failed_errno = errno;
			writer->failed = jm_fail_errno(NULL, errno, "%s", "");
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

int jm_writer_commit(struct jm_writer *writer, struct jm_error *reterr)
{
	int result = 0;

	flush(writer);
	if (close(writer->fd) != 0 && !writer->failed) {
		writer->failed_errno = errno;
		writer->failed = jm_fail_errno(NULL, errno, "%s", "");
	}
	writer->fd = -1;
	if (!writer->failed && rename(writer->temporary, writer->path) != 0) {
		writer->failed_errno = errno;
		writer->failed = jm_fail_errno(NULL, errno, "%s", "");
	}
	if (writer->failed) {
		result = fail(writer, reterr);
		unlink(writer->temporary);
	}
	free(writer->data);
	writer->data = NULL;
	return result;
}

void jm_writer_abandon(struct jm_writer *writer)
{
	if (!writer->data)
		return;
	if (writer->fd >= 0)
		close(writer->fd);
	unlink(writer->temporary);
	free(writer->data);
	writer->data = NULL;
	writer->fd = -1;
}
