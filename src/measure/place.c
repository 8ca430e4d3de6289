/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/place.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/progress.h"

static int take_lock(struct jm_place *place, struct jm_error *reterr)
{
	int result;

	if (place->lock_fd >= 0)
		close(place->lock_fd);
	place->lock_fd = -1;
	result = jm_session_lock(&place->paths, JM_SESSION_MEASUREMENT, reterr);
	if (result < 0)
		return result;
	place->lock_fd = result;
	return 0;
}

/* A spool that cannot be read must not stand in the way of a new run. */
static int set_aside(
	struct jm_place *place, const struct jm_progress *progress, struct jm_error *reterr)
{
	char aside[JM_PATH_MAX], name[64] = "spool.broken.";
	int64_t realtime = jm_clock_realtime_ns();
	int result;

	jm_civil_format_file(
		realtime + jm_clock_utc_offset_s(realtime) * JM_NS_PER_S, name + strlen(name));
	result = jm_folder_make_new(place->run_folder, name, aside, reterr);
	if (result == 0 && rename(place->paths.folder, aside) != 0)
		result = jm_fail_errno(reterr, errno, "cannot move '%s'", place->paths.folder);
	if (result < 0)
		return result;
	jm_note(progress,
		"an earlier run was cut off and cannot be completed: kept as it is in '%s'",
		aside);
	return take_lock(place, reterr);
}

/* A run that was cut off is completed first, so that it is kept too. */
static int recover_previous(
	struct jm_place *place, const struct jm_progress *progress, struct jm_error *reterr)
{
	struct jm_session_report report;
	int result;

	if (!jm_session_exists(place->run_folder))
		return 0;
	result = jm_session_finish(place->run_folder, &report, reterr);
	if (result == JM_ETRUNCATED)
		return 0; /* nothing had been measured */
	if (result == JM_EFORMAT)
		return set_aside(place, progress, reterr);
	if (result < 0)
		return result;
	jm_note(progress, "completed an earlier run that was cut off (%zu cycles)",
		report.cycles);
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
		jm_session_clear(&place->paths);
	return result;
}

void jm_place_release(struct jm_place *place)
{
	if (place->lock_fd < 0)
		return;
	/* Another run may have begun here since this one was completed. */
	if (!jm_session_exists(place->run_folder) &&
		jm_session_owns(&place->paths, place->lock_fd))
		jm_session_remove(&place->paths, place->run_folder);
	close(place->lock_fd);
	place->lock_fd = -1;
}
