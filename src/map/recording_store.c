/* SPDX-License-Identifier: Apache-2.0 */
/* fit.json: what a fit found, and of what files. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "map/recording.h"

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
		{JM_RUN_LATENCY, "timeline"},
		{JM_RUN_ENGINE_INFO, "engine_info"},
		{JM_RUN_JSON, "run"},
		{JM_RUN_IDLE, "idle"},
	};
	int result = 0;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && result == 0; i++) {
		const char *path = recording->files.path[parts[i].part];

		/* Idle power that the run itself tells is in run.json. */
		if (!path[0] || (parts[i].part == JM_RUN_IDLE && !recording->idle_of_file) ||
			(parts[i].part == JM_RUN_READINGS && !recording->own_power_log))
			continue;
		result = jm_fit_file_add_source(file, parts[i].what, path, folder, reterr);
	}
	return result;
}

static int describe(struct jm_fit_file *file, const struct jm_recording *recording,
	const struct jm_fit_of_rail *fit, struct jm_error *reterr)
{
	struct jm_fit_of_rail *added = jm_fit_file_add(file);

	if (!added)
		return jm_fail_memory(reterr, "the description of the fit");
	*added = *fit;
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

int jm_recording_store_fit(const struct jm_recording *recording,
	const struct jm_fit_of_rail *fit, const char *folder, struct jm_error *reterr)
{
	struct jm_fit_file file;
	char path[JM_PATH_MAX];
	int result = jm_path_join(path, folder, JM_FIT_FILE_NAME, reterr);

	jm_fit_file_init(&file);
	if (result == 0)
		result = describe(&file, recording, fit, reterr);
	if (result == 0)
		result = add_sources(&file, recording, folder, reterr);
	if (result == 0)
		result = jm_fit_file_write(path, &file, reterr);
	if (file.n_fits) /* borrowed */
		memset(&file.fits[0].result, 0, sizeof(file.fits[0].result));
	jm_fit_file_release(&file);
	return result;
}
