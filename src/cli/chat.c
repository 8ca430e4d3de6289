/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/chat.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/unblocked.h"
#include "report/text.h"

/* A pipe that can be written to takes this much without waiting. */
#define PIECE 512
#define PATIENCE_MS 2000

/* There is one stderr, and whoever ends the program must find what was not said yet. */
static struct {
	int opened;
	int fd;
	int waits; /* writes to fd wait: it must be looked at before */
	int socket;
	size_t used;
	unsigned lost; /* texts that found no room */
	char pending[1 << 14];
} chat;

static void open_once(void)
{
	struct stat info;

	if (chat.opened)
		return;
	chat.opened = 1;
	chat.fd = jm_unblocked_open(STDERR_FILENO);
	if (chat.fd >= 0)
		return;
	chat.fd = STDERR_FILENO;
	if (fstat(chat.fd, &info) == 0) {
		chat.socket = S_ISSOCK(info.st_mode);
		chat.waits = S_ISFIFO(info.st_mode) || S_ISCHR(info.st_mode);
	}
}

static int is_writable(int timeout_ms)
{
	struct pollfd watched = {chat.fd, POLLOUT, 0};

	return poll(&watched, 1, timeout_ms) > 0;
}

static ssize_t write_piece(void)
{
	size_t n = chat.used < PIECE ? chat.used : PIECE;

	if (chat.socket)
		return send(chat.fd, chat.pending, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (chat.waits && !is_writable(0)) {
		errno = EAGAIN;
		return -1;
	}
	return write(chat.fd, chat.pending, n);
}

/* As much as goes without waiting; what fails otherwise has no reader any more. */
static void flush(void)
{
	open_once();
	while (chat.used) {
		ssize_t n = write_piece();

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		if (n <= 0)
			n = (ssize_t)chat.used;
		chat.used -= (size_t)n;
		memmove(chat.pending, chat.pending + n, chat.used);
	}
}

static void put(const char *text, size_t size)
{
	if (size > sizeof(chat.pending) - chat.used)
		flush();
	if (size > sizeof(chat.pending) - chat.used) {
		chat.lost++;
		return;
	}
	memcpy(chat.pending + chat.used, text, size);
	chat.used += size;
	flush();
}

void jm_chat_line(const char *prefix, const char *text)
{
	char *line = NULL;
	size_t size = 0;
	FILE *memory = open_memstream(&line, &size);

	if (memory) {
		fputs(prefix, memory);
		jm_text_print(memory, text);
		fputc('\n', memory);
	}
	if (memory && fclose(memory) == 0)
		put(line, size);
	else
		chat.lost++;
	free(line);
}

void jm_chat_state(const char *text)
{
	flush();
	if (!chat.used)
		put(text, strlen(text));
}

void jm_chat_end(void)
{
	char text[80];
	int patience_ms = isatty(STDERR_FILENO) ? -1 : PATIENCE_MS;

	flush();
	while (chat.used && is_writable(patience_ms))
		flush();
	if (chat.used || !chat.lost)
		return;
	snprintf(
		text, sizeof(text), "%u messages were left out, nobody read them\n", chat.lost);
	chat.lost = 0;
	put(text, strlen(text));
}
