/* SPDX-License-Identifier: Apache-2.0 */
#include "workload/link.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"

/* What workers in other languages rely on. */
_Static_assert(sizeof(struct jm_link_shared) == 584 &&
		       offsetof(struct jm_link_shared, cycles) == 8 &&
		       offsetof(struct jm_link_shared, runs) == 20 &&
		       offsetof(struct jm_link_shared, pause_max_ms) == 56 &&
		       offsetof(struct jm_link_shared, error) == 64,
	"the layout of the shared memory is part of the protocol");

#define LINK_TEXT_MAX (JM_PATH_MAX + 64)

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* ---- Pipes ------------------------------------------------------------------ */

/* With a standard descriptor closed a pipe could take its place, also in programs. */
static int raise_fd(int *fd)
{
	int raised;

	if (*fd > STDERR_FILENO)
		return 0;
	raised = fcntl(*fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (raised < 0)
		return -1;
	close(*fd);
	*fd = raised;
	return 0;
}

static int open_pipe(int *ret_read, int *ret_write, struct jm_error *reterr)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) != 0)
		return jm_fail_errno(reterr, errno, "cannot make a pipe");
	*ret_read = fds[0];
	*ret_write = fds[1];
	if (raise_fd(ret_read) != 0 || raise_fd(ret_write) != 0)
		return jm_fail_errno(reterr, errno, "cannot make a pipe");
	return 0;
}

int jm_pipes_open(struct jm_pipes *pipes, struct jm_error *reterr)
{
	int result;

	*pipes = (struct jm_pipes){-1, -1, -1, -1};
	result = open_pipe(&pipes->status_fd, &pipes->other_status_fd, reterr);
	if (result == 0)
		result = open_pipe(&pipes->other_control_fd, &pipes->control_fd, reterr);
	if (result < 0)
		jm_pipes_close(pipes);
	return result;
}

void jm_pipes_keep_parent(struct jm_pipes *pipes)
{
	close_fd(&pipes->other_status_fd);
	close_fd(&pipes->other_control_fd);
}

void jm_pipes_keep_child(struct jm_pipes *pipes)
{
	close_fd(&pipes->status_fd);
	close_fd(&pipes->control_fd);
	*pipes = (struct jm_pipes){pipes->other_status_fd, pipes->other_control_fd, -1, -1};
}

void jm_pipes_close(struct jm_pipes *pipes)
{
	close_fd(&pipes->status_fd);
	close_fd(&pipes->control_fd);
	close_fd(&pipes->other_status_fd);
	close_fd(&pipes->other_control_fd);
}

/* ---- Memory ----------------------------------------------------------------- */

static int map_shared(struct jm_link *link, struct jm_error *reterr)
{
	void *memory = mmap(NULL, sizeof(*link->shared), PROT_READ | PROT_WRITE, MAP_SHARED,
		link->memory_fd, 0);

	if (memory == MAP_FAILED)
		return jm_fail_errno(
			reterr, errno, "cannot map the memory shared with the processes");
	link->shared = memory;
	return 0;
}

static int make_shared(struct jm_link *link, struct jm_error *reterr)
{
	int result;

	link->memory_fd = memfd_create("joulemap", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (link->memory_fd < 0 || raise_fd(&link->memory_fd) != 0 ||
		ftruncate(link->memory_fd, sizeof(*link->shared)) != 0)
		return jm_fail_errno(
			reterr, errno, "cannot make memory shared with the processes");
	/* Made smaller by a worker, it would be the parent's death. */
	(void)fcntl(link->memory_fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW);
	result = map_shared(link, reterr);
	if (result == 0) {
		link->shared->abi = JM_LINK_ABI;
		link->shared->size = sizeof(*link->shared);
	}
	return result;
}

/* ---- Both ------------------------------------------------------------------- */

static void clear(struct jm_link *link)
{
	memset(link, 0, sizeof(*link));
	link->pipes = (struct jm_pipes){-1, -1, -1, -1};
	link->memory_fd = -1;
}

int jm_link_open(struct jm_link *link, const char *spool_path, struct jm_error *reterr)
{
	int result;

	clear(link);
	if (strlen(spool_path) >= sizeof(link->spool_path))
		return jm_fail(reterr, JM_EINVAL, "path '%.60s...' is too long", spool_path);
	jm_text_copy(link->spool_path, sizeof(link->spool_path), spool_path);
	result = jm_pipes_open(&link->pipes, reterr);
	if (result == 0)
		result = make_shared(link, reterr);
	return result;
}

void jm_link_close(struct jm_link *link)
{
	jm_pipes_close(&link->pipes);
	close_fd(&link->memory_fd);
	if (link->shared)
		munmap(link->shared, sizeof(*link->shared));
	clear(link);
}

/* ---- Through exec ----------------------------------------------------------- */

static int set_inherited(int fd, int inherited)
{
	return fcntl(fd, F_SETFD, inherited ? 0 : FD_CLOEXEC);
}

/* Programs may change their folder: this path holds from anywhere. */
static int write_text(
	const struct jm_link *link, char ret_text[LINK_TEXT_MAX], struct jm_error *reterr)
{
	const struct jm_pipes *pipes = &link->pipes;
	char here[JM_PATH_MAX] = "";
	int relative = link->spool_path[0] != '/', length;

	if (relative && !getcwd(here, sizeof(here)))
		return jm_fail_errno(reterr, errno, "cannot tell the current folder");
	length = snprintf(ret_text, LINK_TEXT_MAX, "%d:%d:%d:%d:%s%s%s", JM_LINK_ABI,
		pipes->status_fd, pipes->control_fd, link->memory_fd, here, relative ? "/" : "",
		link->spool_path);
	return length > 0 && length < LINK_TEXT_MAX
		       ? 0
		       : jm_fail(reterr, JM_EINVAL, "path '%.60s...' is too long",
				 link->spool_path);
}

int jm_link_pass(const struct jm_link *link, struct jm_error *reterr)
{
	const struct jm_pipes *pipes = &link->pipes;
	char text[LINK_TEXT_MAX];
	int result = write_text(link, text, reterr);

	if (result < 0)
		return result;
	if (set_inherited(pipes->status_fd, 1) != 0 ||
		set_inherited(pipes->control_fd, 1) != 0 ||
		set_inherited(link->memory_fd, 1) != 0)
		return jm_fail_errno(reterr, errno, "cannot pass the link on");
	if (setenv(JM_LINK_VARIABLE, text, 1) != 0)
		return jm_fail_memory(reterr, "the link in the environment");
	return 0;
}

/* The four numbers, and what is behind them; NULL when that is not it. */
static const char *scan_numbers(const char *text, long ret_numbers[4])
{
	for (int i = 0; i < 4; i++) {
		char *end;

		if (*text < '0' || *text > '9')
			return NULL;
		errno = 0;
		ret_numbers[i] = strtol(text, &end, 10);
		if (errno || ret_numbers[i] > INT32_MAX || *end != ':')
			return NULL;
		text = end + 1;
	}
	return text;
}

static int fail_damaged(struct jm_error *reterr)
{
	return jm_fail(reterr, JM_EFORMAT,
		"what " JM_LINK_VARIABLE " says is no link of joulemap: do not change it, and "
		"leave the descriptors open that it names");
}

static int parse(struct jm_link *link, const char *text, struct jm_error *reterr)
{
	long numbers[4];
	const char *path = scan_numbers(text, numbers);

	if (!path || path[0] != '/' || strlen(path) >= sizeof(link->spool_path))
		return fail_damaged(reterr);
	if (numbers[0] != JM_LINK_ABI)
		return jm_fail(reterr, JM_EUNSUPPORTED,
			"joulemap speaks version %ld of the workers' protocol, this library "
			"version %d: use the library that belongs to it",
			numbers[0], JM_LINK_ABI);
	link->pipes.status_fd = (int)numbers[1];
	link->pipes.control_fd = (int)numbers[2];
	link->memory_fd = (int)numbers[3];
	jm_text_copy(link->spool_path, sizeof(link->spool_path), path);
	return 0;
}

/* From here on they are nobody's but ours. */
static int claim(const struct jm_link *link, struct jm_error *reterr)
{
	struct stat memory;

	if (set_inherited(link->pipes.status_fd, 0) != 0 ||
		set_inherited(link->pipes.control_fd, 0) != 0 ||
		set_inherited(link->memory_fd, 0) != 0 ||
		fstat(link->memory_fd, &memory) != 0 ||
		memory.st_size < (off_t)sizeof(struct jm_link_shared))
		return fail_damaged(reterr);
	return 0;
}

int jm_link_attach(struct jm_link *link, struct jm_error *reterr)
{
	const char *text = getenv(JM_LINK_VARIABLE);
	int result;

	clear(link);
	if (!text)
		return jm_fail(reterr, JM_ENOTFOUND,
			"nobody measures this program: start it with 'joulemap measure -- "
			"COMMAND'");
	result = parse(link, text, reterr);
	if (result == 0)
		result = claim(link, reterr);
	if (result == 0)
		result = map_shared(link, reterr);
	if (result == 0 && (link->shared->abi != JM_LINK_ABI ||
				   link->shared->size < sizeof(*link->shared)))
		result = fail_damaged(reterr);
	if (result < 0) {
		/* Numbers that are wrong may be somebody else's descriptors. */
		link->pipes = (struct jm_pipes){-1, -1, -1, -1};
		link->memory_fd = -1;
		jm_link_close(link);
		return result;
	}
	unsetenv(JM_LINK_VARIABLE);
	atomic_store(&link->shared->attached, 1);
	return 0;
}

/* ---- What they tell each other ---------------------------------------------- */

void jm_link_tell_error(const struct jm_link *link, const struct jm_error *error)
{
	if (!link->shared->error.code)
		link->shared->error = *error;
}

int jm_link_is_stopped(const struct jm_link *link)
{
	return atomic_load_explicit(&link->shared->stop, memory_order_relaxed) != 0;
}

int jm_link_is_orphaned(const struct jm_link *link)
{
	struct pollfd control = {link->pipes.control_fd, POLLIN, 0};

	return poll(&control, 1, 0) > 0 && (control.revents & (POLLHUP | POLLERR | POLLNVAL));
}
