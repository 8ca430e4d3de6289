/* SPDX-License-Identifier: Apache-2.0 */
/* fit.json: what a fit found, and of what files. */
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "map/recording.h"

static int is_used(const struct jm_recording *recording, enum jm_run_part part)
{
	switch (part) {
	case JM_RUN_TIMELINE:
		return recording->own_timeline;
	case JM_RUN_LATENCY:
		return !recording->own_timeline;
	case JM_RUN_IDLE: /* what the run itself tells is in run.json */
		return recording->idle_of_file;
	case JM_RUN_READINGS:
		return recording->own_power_log;
	default:
		return 1;
	}
}

/* The files that a fit depends on. */
static int add_sources(struct jm_fit_file *file, const struct jm_recording *recording,
	const char *folder, struct jm_error *reterr)
{
	static const struct {
		enum jm_run_part part;
		const char *what;
	} parts[] = {
		{JM_RUN_POWER_LOG, "power_log"},
		{JM_RUN_READINGS, "readings"},
		{JM_RUN_TIMELINE, "timeline"},
		{JM_RUN_LATENCY, "latency"},
		{JM_RUN_ENGINE_INFO, "engine_info"},
		{JM_RUN_JSON, "run"},
		{JM_RUN_IDLE, "idle"},
	};
	int result = 0;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && result == 0; i++) {
		const char *path = recording->files.path[parts[i].part];

		if (!path[0] || !is_used(recording, parts[i].part))
			continue;
		result = jm_fit_file_add_source(file, parts[i].what, path, folder, reterr);
	}
	return result;
}

static int describe(struct jm_fit_file *file, const struct jm_recording *recording,
	const struct jm_fit_of_rail *fits, size_t n, struct jm_error *reterr)
{
	for (size_t i = 0; i < n; i++) {
		struct jm_fit_of_rail *added = jm_fit_file_add(file);

		if (!added)
			return jm_fail_memory(reterr, "the description of the fit");
		*added = fits[i];
	}
	jm_text_copy(file->joulemap, sizeof(file->joulemap), jm_version());
	jm_text_copy(file->method, sizeof(file->method), "fit");
	jm_text_copy(file->model, sizeof(file->model), recording->model);
	jm_text_copy(file->engine, sizeof(file->engine), recording->engine);
	jm_text_copy(file->sensor, sizeof(file->sensor), recording->sensor);
	file->simulated = recording->simulated;
	file->pause_max_ms = recording->run.schedule.pause_max_ms;
	file->idle_power_w = recording->idle_uw * 1e-6;
	return jm_fit_file_set_layers(file, &recording->timeline, reterr);
}

/* Of the folder's own files, as they are now, with nothing given from outside. */
static int check_stored(const struct jm_recording *recording, const struct jm_fit_file *file,
	struct jm_error *reterr)
{
	const char *folder = recording->files.folder;
	const struct jm_fit_source *changed;

	/* Earlier versions fitted one part of a sum. */
	if (!file->n_fits || file->fits[0].given_response || file->fits[0].is_part ||
		file->timeline.n_layers != recording->timeline.n_layers)
		return jm_fail(reterr, JM_ENOTFOUND,
			"the fit stored in '%s' is not that of the run: 'joulemap map' makes "
			"it",
			folder);
	if (jm_fit_file_is_stale(file, folder, &changed))
		return jm_fail(reterr, JM_ENOTFOUND,
			"'%.200s' changed after the fit stored in '%s' was made: 'joulemap "
			"map' makes it again",
			changed->path, folder);
	return 0;
}

int jm_recording_stored_fit(const struct jm_recording *recording,
	struct jm_fit_result *ret_result, struct jm_error *reterr)
{
	struct jm_fit_file file;
	char path[JM_PATH_MAX];
	int result = jm_path_join(path, recording->files.folder, JM_FIT_FILE_NAME, reterr);

	memset(ret_result, 0, sizeof(*ret_result));
	if (result < 0)
		return result;
	if (!jm_path_exists(path))
		return jm_fail(reterr, JM_ENOTFOUND,
			"no fit is stored in '%s': 'joulemap map' makes it",
			recording->files.folder);
	result = jm_fit_file_read(path, &file, reterr);
	if (result == 0)
		result = check_stored(recording, &file, reterr);
	if (result == 0) { /* taken */
		*ret_result = file.fits[0].result;
		memset(&file.fits[0].result, 0, sizeof(file.fits[0].result));
	}
	jm_fit_file_release(&file);
	return result;
}

int jm_recording_store_fits(const struct jm_recording *recording,
	const struct jm_fit_of_rail *fits, size_t n, const char *folder,
	struct jm_error *reterr)
{
	struct jm_fit_file file;
	char path[JM_PATH_MAX];
	int result = jm_path_join(path, folder, JM_FIT_FILE_NAME, reterr);

	jm_fit_file_init(&file);
	if (result == 0)
		result = describe(&file, recording, fits, n, reterr);
	if (result == 0)
		result = add_sources(&file, recording, folder, reterr);
	if (result == 0)
		result = jm_fit_file_write(path, &file, reterr);
	for (size_t i = 0; i < file.n_fits; i++) /* borrowed */
		memset(&file.fits[i].result, 0, sizeof(file.fits[i].result));
	jm_fit_file_release(&file);
	return result;
}
