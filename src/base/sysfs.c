/* SPDX-License-Identifier: Apache-2.0 */
#include "base/sysfs.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"

/* Longest integer that is believed: larger than any mV, mA, uW or uJ. */
#define DIGITS_MAX 18

/* Bytes at the begin of a file, at most size; or the error of open or read. */
static ssize_t read_some(const char *path, char *ret_text, size_t size, struct jm_error *reterr)
{
	ssize_t n;
	int sys_errno, fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return jm_fail_errno(reterr, errno, "cannot open '%s'", path);
	do
		n = read(fd, ret_text, size);
	while (n < 0 && errno == EINTR);
	sys_errno = errno;
	close(fd);
	if (n < 0)
		return jm_fail_errno(reterr, sys_errno, "cannot read '%s'", path);
	return n;
}

int jm_sysfs_text(const char *folder, const char *name, char *ret_text, size_t size,
	struct jm_error *reterr)
{
	char path[JM_PATH_MAX];
	ssize_t n = jm_path_join(path, folder, name, reterr);

	if (n == 0)
		n = read_some(path, ret_text, size - 1, reterr);
	if (n < 0)
		return (int)n;
	while (n > 0 && (ret_text[n - 1] == '\0' || isspace((unsigned char)ret_text[n - 1])))
		n--;
	ret_text[n] = '\0';
	return (int)n;
}

int jm_sysfs_line(const char *path, char *ret_text, size_t size)
{
	ssize_t n = read_some(path, ret_text, size - 1, NULL);

	ret_text[n > 0 ? n : 0] = '\0';
	ret_text[strcspn(ret_text, "\n")] = '\0';
	return ret_text[0] != '\0';
}

int jm_sysfs_integer(
	const char *folder, const char *name, double *ret_value, struct jm_error *reterr)
{
	char text[64];
	int length = jm_sysfs_text(folder, name, text, sizeof(text), reterr);

	if (length < 0)
		return length;
	if (!jm_sysfs_parse(text, (size_t)length, ret_value))
		return jm_fail(reterr, JM_EFORMAT, "'%s/%s' holds '%.40s', not a number",
			folder, name, text);
	return 0;
}

int jm_sysfs_parse(const char *text, size_t length, double *ret_value)
{
	int negative = length && text[0] == '-';
	size_t i = negative ? 1 : 0, first = i;
	int64_t value = 0;

	while (i < length && i - first < DIGITS_MAX && (unsigned)(text[i] - '0') <= 9)
		value = value * 10 + (text[i++] - '0');
	if (i == first)
		return 0;
	if (i < length && text[i] == '\n')
		i++;
	if (i != length)
		return 0;
	*ret_value = (double)(negative ? -value : value);
	return 1;
}

/*
 * ENODATA: channel disabled. EAGAIN: rail gated. ETIMEDOUT: the older driver
 * saw no conversion within two rounds. EBUSY: another user holds the bus.
 */
static int is_no_data(int sys_errno)
{
	return sys_errno == ENODATA || sys_errno == EAGAIN || sys_errno == ETIMEDOUT ||
	       sys_errno == EBUSY;
}

enum jm_sysfs_result jm_sysfs_poll(int fd, double *ret_value, int *ret_errno)
{
	char text[DIGITS_MAX + 4];
	ssize_t n;

	*ret_value = (double)NAN;
	*ret_errno = 0;
	do
		n = pread(fd, text, sizeof(text), 0);
	while (n < 0 && errno == EINTR);
	if (n < 0) {
		*ret_errno = errno;
		return is_no_data(*ret_errno) ? JM_SYSFS_NO_DATA : JM_SYSFS_FAILED;
	}
	return jm_sysfs_parse(text, (size_t)n, ret_value) ? JM_SYSFS_VALUE : JM_SYSFS_GARBAGE;
}
