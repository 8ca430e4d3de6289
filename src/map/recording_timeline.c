/* SPDX-License-Identifier: Apache-2.0 */
/* The run's own timeline, which is exact, in place of the latency file. */
#include "map/recording_timeline.h"

#include "base/error.h"
#include "base/progress.h"
#include "data/cycles.h"
#include "formats/latency_file.h"
#include "formats/timeline_file.h"

/* Somebody who changed the one may expect to see it in the result. */
static void compare(const struct jm_recording *recording, const struct jm_progress *progress)
{
	const char *latency = recording->files.path[JM_RUN_LATENCY];
	int matches;

	if (latency[0] &&
		jm_latency_matches(latency, &recording->timeline, &matches, NULL) == 0 &&
		!matches)
		jm_note(progress,
			"'%s' has other executions of layers than '%s': the latter is used",
			latency, recording->files.path[JM_RUN_TIMELINE]);
}

/* A damaged file has an export beside it, which holds nearly as much. */
static int fail_read(const struct jm_recording *recording, const struct jm_error *error,
	struct jm_error *reterr)
{
	const char *latency = recording->files.path[JM_RUN_LATENCY];

	if (latency[0] && (error->code == JM_EFORMAT || error->code == JM_ETRUNCATED))
		return jm_fail(reterr, (enum jm_code)error->code,
			"%s; move it away, and '%s' is read instead", error->message, latency);
	if (reterr)
		*reterr = *error;
	return error->code;
}

int jm_recording_read_timeline(struct jm_recording *recording,
	const struct jm_progress *progress, struct jm_error *reterr)
{
	const char *path = recording->files.path[JM_RUN_TIMELINE];
	struct jm_error error;
	int64_t shift_ns;
	int result;

	if (!path[0])
		return 0;
	if (jm_run_clock_shift(&recording->run.clock, &shift_ns, NULL) < 0) {
		jm_note(progress, "no run.json relates '%s' to civil time: it is not used",
			path);
		return 0;
	}
	result = jm_timeline_file_read(path, &recording->timeline, &error);
	if (result < 0)
		return fail_read(recording, &error, reterr);
	jm_timeline_shift(&recording->timeline, shift_ns);
	compare(recording, progress);
	return 1;
}
