/* SPDX-License-Identifier: Apache-2.0 */
#include "run/session_holder.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/text.h"

/* Whether one of the descriptors of /proc/PID is the file. */
static int has_open(const char *pid, const struct stat *file)
{
	char path[64 + 2 * 256];
	const struct dirent *entry;
	struct stat opened;
	DIR *stream;
	int found = 0;

	snprintf(path, sizeof(path), "/proc/%.32s/fd", pid);
	stream = opendir(path);
	if (!stream)
		return 0;
	while (!found && (entry = readdir(stream)) != NULL) {
		snprintf(path, sizeof(path), "/proc/%.32s/fd/%.256s", pid, entry->d_name);
		found = isdigit((unsigned char)entry->d_name[0]) && stat(path, &opened) == 0 &&
			opened.st_dev == file->st_dev && opened.st_ino == file->st_ino;
	}
	closedir(stream);
	return found;
}

/* "PID (NAME) STATE ...": what stands between the outer brackets may be anything. */
static void describe(const char *pid, struct jm_session_holder *ret_holder)
{
	char path[64], *text, *end, *begin;
	size_t size;

	memset(ret_holder, 0, sizeof(*ret_holder));
	ret_holder->pid = (pid_t)strtol(pid, NULL, 10);
	snprintf(path, sizeof(path), "/proc/%.32s/stat", pid);
	if (jm_file_read(path, 4096, &text, &size, NULL) < 0)
		return;
	begin = strchr(text, '(');
	end = strrchr(text, ')');
	if (begin && end && end > begin) {
		ret_holder->stopped = end[1] == ' ' && (end[2] == 'T' || end[2] == 't');
		*end = '\0';
		jm_text_sanitize(ret_holder->name, sizeof(ret_holder->name), begin + 1);
	}
	free(text);
	ret_holder->orphaned = strcmp(ret_holder->name, "joulemap-logger") == 0 ||
			       strcmp(ret_holder->name, "joulemap-infer") == 0;
}

/* A parent decides; of processes without one, that which stands still. */
static int is_better(const struct jm_session_holder *a, const struct jm_session_holder *b)
{
	return a->orphaned != b->orphaned ? !a->orphaned : a->stopped > b->stopped;
}

int jm_session_holder_find(const char *lock, struct jm_session_holder *ret_holder)
{
	const struct dirent *entry;
	struct stat file;
	DIR *stream;
	int found = 0;

	memset(ret_holder, 0, sizeof(*ret_holder));
	if (lstat(lock, &file) != 0)
		return 0;
	stream = opendir("/proc");
	if (!stream)
		return 0;
	while ((entry = readdir(stream)) != NULL) {
		struct jm_session_holder holder;

		if (!isdigit((unsigned char)entry->d_name[0]) ||
			!has_open(entry->d_name, &file))
			continue;
		describe(entry->d_name, &holder);
		if (!found++ || is_better(&holder, ret_holder))
			*ret_holder = holder;
	}
	closedir(stream);
	return found != 0;
}

int jm_session_holder_fail(const struct jm_session_paths *paths, struct jm_error *reterr)
{
	struct jm_session_holder holder;
	char number[48] = "", *purpose = NULL;
	size_t size;
	char what[16] = JM_SESSION_MEASUREMENT;
	int found = jm_session_holder_find(paths->lock, &holder);

	if (found && holder.orphaned)
		return jm_fail(reterr, JM_EIO,
			"process %ld (%s) of a run in '%s' is left behind, its parent is gone "
			"and it %s 'kill -%s %ld', and try again",
			(long)holder.pid, holder.name, paths->folder,
			holder.stopped ? "is stopped: let it come to its end with"
				       : "does not end: end it with",
			holder.stopped ? "CONT" : "KILL", (long)holder.pid);
	if (jm_file_read(paths->lock, 64, &purpose, &size, NULL) < 0)
		purpose = NULL;
	if (purpose && strcmp(purpose, JM_SESSION_RECOVERY) == 0)
		jm_text_copy(what, sizeof(what), JM_SESSION_RECOVERY);
	free(purpose);
	if (found)
		snprintf(number, sizeof(number), " (process %ld%s)", (long)holder.pid,
			holder.stopped ? ", stopped" : "");
	return jm_fail(reterr, JM_EIO, "a %s is running in '%s'%s: wait for its end%s", what,
		paths->folder, number,
		strcmp(what, JM_SESSION_RECOVERY) == 0 ? "" : ", or take another --result-dir");
}
