/* SPDX-License-Identifier: Apache-2.0 */
#include "base/unblocked.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int jm_unblocked_open(int fd)
{
	char path[32];
	struct stat info;
	int low, opened;

	/* A file opened anew would be written from its begin. */
	if (fstat(fd, &info) != 0 || !(S_ISFIFO(info.st_mode) || isatty(fd)))
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	low = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (low < 0 || low > STDERR_FILENO)
		return low;
	opened = fcntl(low, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	close(low);
	return opened;
}

void jm_unblocked_replace(int fd)
{
	int opened = jm_unblocked_open(fd);

	if (opened < 0)
		return;
	dup2(opened, fd);
	close(opened);
}
