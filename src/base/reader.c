/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"

#define READER_CAPACITY ((size_t)1 << 18)
#define LINE_MAX_BYTES ((size_t)1 << 20)

int jm_reader_open(struct jm_reader *reader, const char *path, struct jm_error *reterr)
{
	struct stat info;
	int sys_errno;

	memset(reader, 0, sizeof(*reader));
	reader->path = path;
	reader->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (reader->fd < 0)
		return jm_fail_errno(reterr, errno, "cannot open '%s'", path);
	if (fstat(reader->fd, &info) == 0 && S_ISDIR(info.st_mode)) {
		close(reader->fd);
		reader->fd = -1;
		return jm_fail(reterr, JM_EIO, "'%s' is a folder, not a file", path);
	}
	reader->data = malloc(READER_CAPACITY + 1);
	if (reader->data) {
		reader->capacity = READER_CAPACITY;
		return 0;
	}
	sys_errno = ENOMEM;
	close(reader->fd);
	reader->fd = -1;
	return jm_fail_errno(reterr, sys_errno, "cannot read '%s'", path);
}

void jm_reader_open_memory(
	struct jm_reader *reader, const char *name, const void *data, size_t size)
{
	memset(reader, 0, sizeof(*reader));
	reader->path = name;
	reader->fd = -1;
	reader->at_end = 1;
	reader->data = (char *)(uintptr_t)data; /* never written: capacity 0 */
	reader->end = size;
}

void jm_reader_close(struct jm_reader *reader)
{
	if (reader->capacity) {
		free(reader->data);
		if (reader->fd >= 0)
			close(reader->fd);
	}
	memset(reader, 0, sizeof(*reader));
	reader->fd = -1;
}

/* Moves the unread part to the front, and grows the buffer when it is full. */
static int make_room(struct jm_reader *reader, struct jm_error *reterr)
{
	size_t unread = reader->end - reader->position;
	char *larger;

	if (reader->position) {
		memmove(reader->data, reader->data + reader->position, unread);
		reader->offset += reader->position;
		reader->position = 0;
		reader->end = unread;
	}
	if (unread < reader->capacity)
		return 0;
	larger = realloc(reader->data, reader->capacity * 2 + 1);
	if (!larger)
		return jm_fail(reterr, JM_ENOMEM, "out of memory reading '%s'", reader->path);
	reader->data = larger;
	reader->capacity *= 2;
	return 0;
}

int jm_reader_fill(struct jm_reader *reader, struct jm_error *reterr)
{
	ssize_t n;
	int result;

	if (reader->at_end)
		return 0;
	result = make_room(reader, reterr);
	if (result < 0)
		return result;
	do
		n = read(
			reader->fd, reader->data + reader->end, reader->capacity - reader->end);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return jm_fail_errno(reterr, errno, "cannot read '%s'", reader->path);
	if (n == 0) {
		reader->at_end = 1;
		return 0;
	}
	reader->end += (size_t)n;
	return 1;
}

/* Finds the end of the line that begins at position; reads on as needed. */
static int find_line_end(struct jm_reader *reader, size_t *ret_length, struct jm_error *reterr)
{
	int line_end = reader->line_end ? reader->line_end : '\n';
	size_t seen = 0;

	for (;;) {
		const char *begin = reader->data + reader->position;
		size_t available = reader->end - reader->position;
		const char *found = available > seen
					    ? memchr(begin + seen, line_end, available - seen)
					    : NULL;
		int result;

		if (found) {
			*ret_length = (size_t)(found - begin);
			return 1;
		}
		seen = available;
		if (seen > LINE_MAX_BYTES)
			return jm_fail(reterr, JM_EFORMAT,
				"'%s' has a line of more than 1 MiB: not a text log",
				reader->path);
		result = jm_reader_fill(reader, reterr);
		if (result < 0)
			return result;
		if (result == 0) {
			*ret_length = seen;
			return seen ? 1 : 0;
		}
	}
}

int jm_reader_line(struct jm_reader *reader, const char **ret_line, size_t *ret_length,
	struct jm_error *reterr)
{
	size_t length = 0;
	int result = find_line_end(reader, &length, reterr);

	if (result <= 0)
		return result;
	*ret_line = reader->data + reader->position;
	reader->position += length;
	if (reader->position < reader->end)
		reader->position++; /* the line end */
	if (length && !reader->line_end && (*ret_line)[length - 1] == '\r')
		length--;
	*ret_length = length;
	return 1;
}
