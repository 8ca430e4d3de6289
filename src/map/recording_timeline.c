/* SPDX-License-Identifier: Apache-2.0 */
/* The run's own timeline, which is exact, in place of the latency file. */
#include "map/recording_timeline.h"

#include "base/error.h"
#include "base/progress.h"
#include "data/cycles.h"
#include "formats/latency_file.h"
#include "formats/timeline_file.h"

#define TIME_MAX_NS (INT64_C(100) * 366 * 86400 * INT64_C(1000000000))

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

/* Times from boot can be put on the civil axis where they are no century. */
static int check_times(
	const struct jm_timeline *timeline, const char *path, struct jm_error *reterr)
{
	for (size_t k = 0; k < timeline->n_layers; k++)
		for (size_t j = 0; j < timeline->layers[k].n_executions; j++) {
			int64_t stamp_ns = timeline->layers[k].executions[j].stamp_ns;

			if (stamp_ns < -TIME_MAX_NS || stamp_ns > TIME_MAX_NS)
				return jm_fail(reterr, JM_EFORMAT,
					"'%s': layer '%.100s' ran at %lld ns from boot, which "
					"cannot be",
					path, timeline->layers[k].name, (long long)stamp_ns);
		}
	return 0;
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
	result = check_times(&recording->timeline, path, reterr);
	if (result < 0)
		return result;
	jm_timeline_shift(&recording->timeline, shift_ns);
	compare(recording, progress);
	return 1;
}
