/* SPDX-License-Identifier: Apache-2.0 */
#include "map/recording.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/progress.h"
#include "base/text.h"
#include "data/clock_change.h"
#include "formats/engine_info_file.h"
#include "formats/idle_file.h"
#include "formats/power_log_file.h"
#include "map/recording_latencies.h"
#include "map/plausible.h"
#include "map/recording_timeline.h"
#include "run/rails.h"
#include "run/session.h"

/* What opening one recording holds on its way. */
struct load {
	const struct jm_recording_paths *paths;
	const struct jm_progress *progress;
	struct jm_recording *recording;
};

/* ---- Files ---------------------------------------------------------------------- */

static int find_files(struct load *load, struct jm_error *reterr)
{
	const struct jm_recording_paths *paths = load->paths;
	struct jm_run_folder *files = &load->recording->files;
	const char *given[JM_RUN_N_PARTS] = {[JM_RUN_POWER_LOG] = paths->power_log,
		[JM_RUN_LATENCY] = paths->latency,
		[JM_RUN_ENGINE_INFO] = paths->engine_info,
		[JM_RUN_IDLE] = paths->idle};
	int result = 0;

	for (size_t i = 0; i < JM_RUN_N_PARTS; i++)
		if (given[i])
			jm_text_copy(files->path[i], sizeof(files->path[i]), given[i]);
	if (paths->folder)
		result = jm_run_folder_find(files, paths->folder, reterr);
	if (result == 0 && paths->folder && jm_session_exists(files->folder))
		result = jm_fail(reterr, JM_ETRUNCATED,
			"the run in '%s' was cut off: first 'joulemap recover %s'",
			files->folder, files->folder);
	if (result == 0)
		result = jm_run_folder_need(files, JM_RUN_POWER_LOG, reterr);
	if (result == 0 && !files->path[JM_RUN_TIMELINE][0])
		result = jm_run_folder_need(files, JM_RUN_LATENCY, reterr);
	if (result == 0 && files->n_power_logs > 1)
		jm_note(load->progress, "%zu power logs in '%s', taking the newest: %s",
			files->n_power_logs, files->folder,
			jm_path_name(files->path[JM_RUN_POWER_LOG]));
	return result;
}

static int read_power_log(struct load *load, struct jm_error *reterr)
{
	struct jm_power_log_notes notes;
	const char *path = load->recording->files.path[JM_RUN_POWER_LOG];
	int result = jm_power_log_read_stepping(
		path, &load->recording->log, &notes, &load->recording->steps, reterr);

	if (result < 0)
		return result;
	if (notes.torn_last_line)
		jm_note(load->progress, "the last line of '%s' is cut off and left out", path);
	if (notes.impossible)
		jm_note(load->progress,
			"%zu readings of '%s' (the first in line %zu) have no value that can "
			"be: left out",
			notes.impossible, path, notes.impossible_line);
	if (notes.clock_changes)
		jm_note(load->progress,
			"clocks were put forward or back in '%s' line %zu: taken out", path,
			notes.clock_change_line);
	return 0;
}

/*
 * Types are a help to the reader, nothing is computed from them: a file that was
 * found, or that is damaged, stops nobody. One that was given has to be there.
 */
static int types_are_needed(const struct load *load, const struct jm_error *error)
{
	return error->code == JM_ENOMEM ||
	       (load->paths->engine_info && error->code != JM_EFORMAT);
}

static int read_types(struct load *load, struct jm_error *reterr)
{
	struct jm_recording *recording = load->recording;
	struct jm_timeline *timeline =
		recording->origin ? &recording->as_read : &recording->timeline;
	const char *info = recording->files.path[JM_RUN_ENGINE_INFO];
	struct jm_error error;
	size_t unknown = 0;
	int result;

	if (!info[0]) {
		jm_note(load->progress, "no trt_engine_info.json: types of layers are unknown");
		return 0;
	}
	result = jm_engine_info_read(info, timeline, &unknown, &error);
	if (result < 0 && types_are_needed(load, &error)) {
		if (reterr)
			*reterr = error;
		return result;
	}
	if (result < 0)
		jm_note(load->progress, "%s: the types of %zu of %zu layers are unknown",
			error.message, unknown, timeline->n_layers);
	else if (unknown)
		jm_note(load->progress,
			"%zu of %zu layers are not in '%s': their type is unknown", unknown,
			timeline->n_layers, info);
	return jm_recording_copy_types(recording, reterr);
}

static int read_timeline(struct load *load, struct jm_error *reterr)
{
	enum jm_stamp stamp;
	int certain = 1, result = 0;

	if (!load->paths->latency)
		result = jm_recording_read_timeline(load->recording, load->progress, reterr);
	load->recording->own_timeline = result == 1;
	if (result == 1 &&
		jm_recording_settle_steps(load->recording, NULL, load->progress, reterr) < 0)
		return JM_EFORMAT;
	if (result == 0)
		result = jm_recording_read_latencies(load->recording,
			load->paths->latency != NULL, load->progress, &certain, reterr);
	if (result < 0)
		return result;
	stamp = load->recording->timeline.stamp;
	jm_note(load->progress, "time stamps mean: %s of the layer%s",
		stamp == JM_STAMP_CALLBACK ? "a callback after the end" : jm_stamp_name(stamp),
		certain ? "" : " (assumed, the data cannot tell)");
	return read_types(load, reterr);
}

/* ---- run.json -------------------------------------------------------------------- */

/* 1 when SIMULATED.txt lies beside the power log, wherever that is. */
static int is_marked_simulated(const char *power_log)
{
	static const char *const marks[] = {"SIMULATED.txt", "../SIMULATED.txt"};
	size_t folder = strlen(power_log) - strlen(jm_path_name(power_log));
	char path[JM_PATH_MAX];

	for (size_t i = 0; i < 2; i++) {
		int n = snprintf(
			path, sizeof(path), "%.*s%s", (int)folder, power_log, marks[i]);

		if (n > 0 && (size_t)n < sizeof(path) && jm_path_exists(path))
			return 1;
	}
	return 0;
}

/* What stands above the table. The log holds the rail that power_log names. */
static void take_names(struct jm_recording *recording)
{
	const struct jm_run *run = &recording->run;
	const struct jm_run_engine *engine = &run->engine;
	const char *rail = run->power_log.rail;
	char id[4 * JM_NAME_MAX] = "";
	struct jm_run_subject subject;

	jm_run_subject_get(run, &subject);
	if (!rail[0])
		rail = subject.rail ? subject.rail->name : "";
	if (engine->name[0])
		snprintf(recording->engine, sizeof(recording->engine), "%s%s%s", engine->name,
			engine->version[0] ? " " : "", engine->version);
	if (subject.is_sum)
		jm_run_total_id(run, id, sizeof(id));
	else if (subject.sensor)
		jm_text_copy(id, sizeof(id), subject.sensor->id);
	if (id[0])
		snprintf(recording->sensor, sizeof(recording->sensor), "%.63s%s%s", id,
			rail[0] ? " " : "", rail);
}

/* What the logger left out, because no rail can carry it. */
static void note_impossible(const struct load *load)
{
	const json_t *logger = load->recording->run.logger;
	json_int_t n = json_integer_value(json_object_get(logger, "impossible"));

	if (n > 0)
		jm_note(load->progress,
			"%lld readings were beyond what their rails can carry: left out",
			(long long)n);
}

/* Logs of others have none; a later version's may mean anything. */
static int read_run(struct load *load, struct jm_error *reterr)
{
	struct jm_recording *recording = load->recording;
	const char *path = recording->files.path[JM_RUN_JSON];
	struct jm_error error;
	int result = path[0] ? jm_run_read(path, &recording->run, &error) : 0;

	if (result == JM_EUNSUPPORTED || result == JM_ENOMEM) {
		if (reterr)
			*reterr = error;
		return result;
	}
	if (result < 0) {
		jm_run_release(&recording->run);
		jm_note(load->progress, "%s: what it says of the run is not used",
			error.message);
	}
	note_impossible(load);
	jm_text_copy(recording->model, sizeof(recording->model), recording->files.model);
	take_names(recording);
	recording->simulated = jm_run_is_simulated(&recording->run) ||
			       is_marked_simulated(recording->files.path[JM_RUN_POWER_LOG]);
	return 0;
}

/* ---- Idle power ------------------------------------------------------------------- */

/*
 * 1 when an idle power that was found, not given, may be subtracted: it has to
 * be of the run's sensor. Where the run does not tell its sensor, as the
 * original's do not, it only must not be simulated where the run is real.
 */
static int is_of_run(const struct load *load, const struct jm_idle_record *record)
{
	const struct jm_run *run = &load->recording->run;
	const char *id = run->n_sensors ? run->sensors[0].id : "";
	const char *path = load->recording->files.path[JM_RUN_IDLE];

	if (record->simulated != load->recording->simulated)
		jm_note(load->progress, "'%s' is %s, the run is not: it is not subtracted",
			path, record->simulated ? "SIMULATED" : "real");
	else if (id[0] && !jm_run_has_total_of(run, record->sensor))
		jm_note(load->progress, "'%s' is of %s%s, the run of %s: it is not subtracted",
			path, record->sensor[0] ? "sensor " : "an unknown sensor",
			record->sensor, id);
	else
		return 1;
	return 0;
}

static int read_idle(struct load *load, struct jm_error *reterr)
{
	const char *path = load->recording->files.path[JM_RUN_IDLE];
	int given = load->paths->idle != NULL;
	struct jm_idle_record record;
	int result;

	load->recording->idle_uw = (double)NAN;
	if (!given && !isnan(load->recording->run.idle.power_uw)) {
		load->recording->idle_uw = load->recording->run.idle.power_uw;
		return 0;
	}
	if (path[0]) {
		result = jm_idle_read(path, &record, reterr);
		if (result < 0)
			return result;
		if (given || is_of_run(load, &record)) {
			load->recording->idle_uw = record.average_uw;
			load->recording->idle_of_file = 1;
			load->recording->simulated |= record.simulated;
			return 0;
		}
	}
	jm_note(load->progress, "no idle power found: power above idle is left empty; "
				"'joulemap idle' measures it");
	return 0;
}

/* ---- All of it -------------------------------------------------------------------- */

/* The original names the folder after the model: the power log's own. */
static void model_from_path(const char *path, char *ret_model, size_t size)
{
	char folder[JM_PATH_MAX];
	const char *name;
	size_t length = strlen(path) - strlen(jm_path_name(path));

	while (length && path[length - 1] == '/')
		length--;
	jm_text_copy(folder, length < sizeof(folder) ? length + 1 : sizeof(folder), path);
	name = jm_path_name(folder);
	if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		name = "model";
	jm_text_copy(ret_model, size, name);
}

/* A log that began before the clocks were changed, and a run after it. */
static void reconcile(struct load *load)
{
	int64_t moved_ns =
		jm_clock_reconcile(&load->recording->timeline, &load->recording->log.rails[0]);

	if (moved_ns)
		jm_note(load->progress,
			"clocks were changed between log and run: layers moved by %.0f s",
			(double)moved_ns * 1e-9);
}

static int load_all(struct load *load, struct jm_error *reterr)
{
	struct jm_recording *recording = load->recording;
	int result = find_files(load, reterr);

	if (result == 0)
		result = read_run(load, reterr);
	if (result == 0)
		result = read_idle(load, reterr);
	if (result == 0)
		result = read_power_log(load, reterr);
	if (result == 0)
		result = read_timeline(load, reterr);
	if (result < 0)
		return result;
	if (!recording->model[0])
		model_from_path(recording->files.path[JM_RUN_POWER_LOG], recording->model,
			sizeof(recording->model));
	reconcile(load);
	result = jm_recording_mend(recording, load->progress, reterr);
	if (result == 0)
		jm_recording_compare_sources(recording, load->progress);
	return result;
}

int jm_recording_load(const struct jm_recording_paths *paths,
	const struct jm_progress *progress, struct jm_recording **ret_recording,
	struct jm_error *reterr)
{
	struct load load = {paths, progress, calloc(1, sizeof(struct jm_recording))};
	int result;

	*ret_recording = NULL;
	if (!load.recording)
		return jm_fail_memory(reterr, "the run");
	jm_run_init(&load.recording->run);
	jm_timeline_init(&load.recording->timeline);
	jm_timeline_init(&load.recording->as_read);
	jm_power_log_init(&load.recording->log);
	load.recording->own_power_log = !paths->power_log;
	result = load_all(&load, reterr);
	if (result == 0)
		*ret_recording = load.recording;
	else
		jm_recording_close(load.recording);
	return result;
}

int jm_recording_open(const char *path, const struct jm_progress *progress,
	struct jm_recording **ret_recording, struct jm_error *reterr)
{
	struct jm_recording_paths paths = {.folder = path};

	return jm_recording_load(&paths, progress, ret_recording, reterr);
}

void jm_recording_close(struct jm_recording *recording)
{
	if (!recording)
		return;
	jm_run_release(&recording->run);
	jm_timeline_release(&recording->timeline);
	jm_timeline_release(&recording->as_read);
	free(recording->origin);
	jm_power_log_release(&recording->log);
	jm_power_log_release(&recording->log_as_read);
	jm_mending_release(&recording->mending);
	jm_clock_steps_release(&recording->steps);
	free(recording);
}
