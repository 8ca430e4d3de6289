/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

int jm_path_join(char ret_path[JM_PATH_MAX], const char *folder, const char *name,
	struct jm_error *reterr)
{
	size_t n = strlen(folder);
	const char *slash = n && folder[n - 1] == '/' ? "" : "/";
	int length = snprintf(ret_path, JM_PATH_MAX, "%s%s%s", folder, slash, name);

	if (length < 0 || length >= JM_PATH_MAX)
		return jm_fail(reterr, JM_EINVAL, "path '%.60s...' is too long", folder);
	return 0;
}

const char *jm_path_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

int jm_path_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

int jm_path_is_folder(const char *path)
{
	struct stat info;

	return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

int jm_folder_make(const char *path, struct jm_error *reterr)
{
	char part[JM_PATH_MAX];
	size_t n = strlen(path);

	if (n >= sizeof(part))
		return jm_fail(reterr, JM_EINVAL, "path '%.60s...' is too long", path);
	for (size_t i = 1; i <= n; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (mkdir(part, 0777) != 0 && errno != EEXIST) {
			int sys_errno = errno; /* the next call changes it */

			if (!jm_path_is_folder(part))
				return jm_fail_errno(
					reterr, sys_errno, "cannot make folder '%s'", part);
		}
	}
	if (!jm_path_is_folder(path))
		return jm_fail_errno(reterr, ENOTDIR, "cannot make folder '%s'", path);
	return 0;
}

int jm_folder_make_new(const char *folder, const char *stem, char ret_path[JM_PATH_MAX],
	struct jm_error *reterr)
{
	char name[256];

	for (unsigned n = 1;; n++) {
		int length = n == 1 ? snprintf(name, sizeof(name), "%s", stem)
				    : snprintf(name, sizeof(name), "%s.%u", stem, n);
		int result = jm_path_join(ret_path, folder, name, reterr);

		if (result < 0)
			return result;
		if (length >= (int)sizeof(name))
			return jm_fail(reterr, JM_EINVAL, "name '%.60s...' is too long", stem);
		rmdir(ret_path); /* of somebody who was cut off before he could fill it */
		if (mkdir(ret_path, 0777) == 0)
			return 0;
		if (errno != EEXIST)
			return jm_fail_errno(
				reterr, errno, "cannot make folder '%s'", ret_path);
	}
}

int jm_file_read(const char *path, size_t max, char **ret_data, size_t *ret_size,
	struct jm_error *reterr)
{
	struct jm_reader reader;
	int result = jm_reader_open(&reader, path, reterr);

	if (result < 0)
		return result;
	do {
		if (reader.end > max) {
			result = jm_fail(
				reterr, JM_EFORMAT, "'%s' is longer than %zu bytes", path, max);
			break;
		}
		result = jm_reader_fill(&reader, reterr);
	} while (result > 0);
	if (result == 0) {
		/* jm_reader keeps one byte behind end for the '\0'. */
		reader.data[reader.end] = '\0';
		*ret_data = reader.data;
		*ret_size = reader.end;
		reader.data = NULL;
	}
	jm_reader_close(&reader);
	return result;
}

int jm_file_write(const char *path, const void *data, size_t size, struct jm_error *reterr)
{
	struct jm_writer writer;
	int result = jm_writer_open(&writer, path, reterr);

	if (result < 0)
		return result;
	jm_writer_put(&writer, data, size);
	return jm_writer_commit(&writer, reterr);
}

int jm_file_sync(const char *path, struct jm_error *reterr)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int result = 0;

	if (fd < 0)
		return jm_fail_errno(reterr, errno, "cannot open '%s'", path);
	/* Some file systems have nothing to wait for. */
	if (fsync(fd) != 0 && errno != EINVAL && errno != EROFS)
		result = jm_fail_errno(reterr, errno, "cannot bring '%s' to the disk", path);
	close(fd);
	return result;
}
