/* SPDX-License-Identifier: Apache-2.0 */
#include "run/previous.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

/* Everything of the run folder but what belongs to the run that now begins. */
static int is_of_earlier_run(const struct dirent *entry)
{
	const char *name = entry->d_name;

	return strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
	       strcmp(name, "spool") != 0 && strcmp(name, "previous") != 0;
}

static int move_entry(
	const char *name, const char *from, const char *to, struct jm_error *reterr)
{
	char old_path[JM_PATH_MAX], new_path[JM_PATH_MAX];
	int result = jm_path_join(old_path, from, name, reterr);

	if (result < 0)
		return result;
	result = jm_path_join(new_path, to, name, reterr);
	if (result < 0)
		return result;
	if (rename(old_path, new_path) != 0)
		return jm_fail_errno(reterr, errno, "cannot move '%s' to '%s'", old_path, to);
	return 0;
}

/* 1: a move was cut off, and this is where to. A name that leads elsewhere is none. */
static int find_begun(const char *folder, const char *place, char ret_kept[JM_PATH_MAX])
{
	char *name;
	size_t size;
	int found;

	if (jm_file_read(place, NAME_MAX, &name, &size, NULL) < 0)
		return 0;
	found = size && name[0] != '.' && !strchr(name, '/') && strlen(name) == size &&
		jm_path_join(ret_kept, folder, name, NULL) == 0 && jm_path_is_folder(ret_kept);
	free(name);
	return found;
}

static int choose(const char *run_folder, const char *stamp, const char *place,
	char ret_kept[JM_PATH_MAX], struct jm_error *reterr)
{
	char folder[JM_PATH_MAX];
	const char *name;
	int result = jm_path_join(folder, run_folder, "previous", reterr);

	if (result == 0 && find_begun(folder, place, ret_kept))
		return 0;
	if (result == 0)
		result = jm_folder_make(folder, reterr);
	if (result == 0)
		result = jm_folder_make_new(folder, stamp, ret_kept, reterr);
	if (result < 0)
		return result;
	name = jm_path_name(ret_kept);
	return jm_file_write(place, name, strlen(name), reterr);
}

int jm_previous_keep(const char *run_folder, const char *stamp, const char *place,
	char ret_kept[JM_PATH_MAX], struct jm_error *reterr)
{
	struct dirent **entries;
	int n = scandir(run_folder, &entries, is_of_earlier_run, alphasort);
	int result = 0;

	if (n < 0)
		return jm_fail_errno(reterr, errno, "cannot list '%s'", run_folder);
	if (n > 0)
		result = choose(run_folder, stamp, place, ret_kept, reterr);
	for (int i = 0; i < n; i++) {
		if (result == 0)
			result = move_entry(entries[i]->d_name, run_folder, ret_kept, reterr);
		free(entries[i]);
	}
	free(entries);
	return result < 0 ? result : n > 0;
}
