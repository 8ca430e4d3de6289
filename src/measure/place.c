/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/place.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "trace/run_folder.h"

/* Everything of the run folder but what belongs to the run that now begins. */
static int is_of_earlier_run(const struct dirent *entry)
{
	const char *name = entry->d_name;

	return strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && strcmp(name, "spool") != 0
		&& strcmp(name, "previous") != 0;
}

static int move_entries(const char *from, const char *to, struct jm_error *reterr)
{
	struct dirent **entries;
	int n = scandir(from, &entries, is_of_earlier_run, alphasort);
	int result = 0;

	if (n < 0)
		return jm_fail_errno(reterr, errno, "cannot list '%s'", from);
	for (int i = 0; i < n; i++) {
		char old_path[JM_PATH_MAX], new_path[JM_PATH_MAX];

		if (result == 0)
			result = jm_path_join(old_path, from, entries[i]->d_name, reterr);
		if (result == 0)
			result = jm_path_join(new_path, to, entries[i]->d_name, reterr);
		if (result == 0 && rename(old_path, new_path) != 0)
			result = jm_fail_errno(reterr, errno, "cannot move '%s' to '%s'", old_path,
				to);
		free(entries[i]);
	}
	free(entries);
	return result;
}

static int keep_previous(const struct jm_place *place, const struct jm_progress *progress,
	struct jm_error *reterr)
{
	char latency[JM_PATH_MAX], kept[JM_PATH_MAX], name[64] = "previous/", text[JM_PATH_MAX + 64];
	int64_t realtime = jm_clock_realtime_ns();
	int result = jm_path_join(latency, place->run_folder, JM_RUN_LATENCY_NAME, reterr);

	if (result < 0 || !jm_path_exists(latency))
		return result;
	jm_civil_format_file(realtime + jm_clock_utc_offset_s(realtime) * JM_NS_PER_S,
		name + strlen(name));
	result = jm_path_join(kept, place->run_folder, name, reterr);
	if (result == 0)
		result = jm_folder_make(kept, reterr);
	if (result == 0)
		result = move_entries(place->run_folder, kept, reterr);
	if (result == 0 && progress) {
		snprintf(text, sizeof(text), "the earlier run is kept in %s", kept);
		progress->note(progress->context, text);
	}
	return result;
}

static int take_lock(struct jm_place *place, struct jm_error *reterr)
{
	int result;

	if (place->lock_fd >= 0)
		close(place->lock_fd);
	place->lock_fd = -1;
	result = jm_session_lock(&place->paths, reterr);
	if (result < 0)
		return result;
	place->lock_fd = result;
	return 0;
}

/* A run that was cut off is completed first, so that it is kept too. */
static int recover_previous(struct jm_place *place, const struct jm_progress *progress,
	struct jm_error *reterr)
{
	struct jm_session_report report;
	char text[128];
	int result;

	if (!jm_session_exists(place->run_folder))
		return 0;
	result = jm_session_finish(place->run_folder, &report, reterr);
	if (result == JM_ETRUNCATED)
		return 0; /* nothing had been measured */
	if (result < 0)
		return result;
	snprintf(text, sizeof(text), "completed an earlier run that was cut off (%zu cycles)",
		report.cycles);
	if (progress)
		progress->note(progress->context, text);
	return take_lock(place, reterr); /* the old one went with the spool */
}

int jm_place_take(struct jm_place *place, const char *result_dir, const char *model,
	const struct jm_progress *progress, struct jm_error *reterr)
{
	int result;

	memset(place, 0, sizeof(*place));
	place->lock_fd = -1;
	result = jm_path_join(place->run_folder, result_dir, model, reterr);
	if (result == 0)
		result = jm_folder_make(place->run_folder, reterr);
	if (result == 0)
		result = jm_session_paths(place->run_folder, &place->paths, reterr);
	if (result == 0)
		result = take_lock(place, reterr);
	if (result == 0)
		result = recover_previous(place, progress, reterr);
	if (result == 0)
		result = keep_previous(place, progress, reterr);
	return result;
}

void jm_place_release(struct jm_place *place)
{
	if (place->lock_fd < 0)
		return;
	if (!jm_session_exists(place->run_folder))
		jm_session_remove(&place->paths, place->run_folder);
	close(place->lock_fd);
	place->lock_fd = -1;
}
