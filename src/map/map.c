/* SPDX-License-Identifier: Apache-2.0 */
#include "map/map.h"

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
#include "formats/latency_file.h"
#include "formats/layer_energy_file.h"
#include "formats/mapping_csv.h"
#include "formats/power_log_file.h"
#include "map/map_fit.h"
#include "run/run_file.h"
#include "run/run_folder.h"
#include "run/session.h"

/* What one mapping holds on its way. */
struct mapping {
	const struct jm_map_config *config;
	struct jm_map_result *result;
	struct jm_run_folder run;
	struct jm_run_info info; /* of run.json; nothing known without one */
	struct jm_mapping_writer writer;
	double idle_uw;   /* NaN: not known, nothing is subtracted */
	json_t *run_json; /* owned; NULL: none */
};

/* ---- Reading ------------------------------------------------------------------ */

static int find_files(struct mapping *mapping, struct jm_error *reterr)
{
	const struct jm_map_config *config = mapping->config;
	const char *given[JM_RUN_N_PARTS] = {[JM_RUN_POWER_LOG] = config->power_log,
		[JM_RUN_LATENCY] = config->latency,
		[JM_RUN_ENGINE_INFO] = config->engine_info,
		[JM_RUN_IDLE] = config->idle};
	int result = 0;

	for (size_t i = 0; i < JM_RUN_N_PARTS; i++)
		if (given[i])
			jm_text_copy(
				mapping->run.path[i], sizeof(mapping->run.path[i]), given[i]);
	if (config->folder)
		result = jm_run_folder_find(&mapping->run, config->folder, reterr);
	if (result == 0 && config->folder && jm_session_exists(mapping->run.folder))
		result = jm_fail(reterr, JM_ETRUNCATED,
			"the run in '%s' was cut off: first 'joulemap recover %s'",
			mapping->run.folder, mapping->run.folder);
	if (result == 0)
		result = jm_run_folder_need(&mapping->run, JM_RUN_POWER_LOG, reterr);
	if (result == 0)
		result = jm_run_folder_need(&mapping->run, JM_RUN_LATENCY, reterr);
	if (result == 0 && mapping->run.n_power_logs > 1)
		jm_note(mapping->config->progress,
			"%zu power logs in '%s', taking the newest: %s",
			mapping->run.n_power_logs, mapping->run.folder,
			jm_path_name(mapping->run.path[JM_RUN_POWER_LOG]));
	return result;
}

static int read_power_log(struct mapping *mapping, struct jm_error *reterr)
{
	struct jm_power_log_notes notes;
	const char *path = mapping->run.path[JM_RUN_POWER_LOG];
	int result = jm_power_log_read(path, &mapping->result->log, &notes, reterr);

	if (result < 0)
		return result;
	if (notes.torn_last_line)
		jm_note(mapping->config->progress,
			"the last line of '%s' is cut off and left out", path);
	if (notes.clock_changes)
		jm_note(mapping->config->progress,
			"clocks were put forward or back in '%s' line %zu: taken out", path,
			notes.clock_change_line);
	return 0;
}

static int read_timeline(struct mapping *mapping, struct jm_error *reterr)
{
	struct jm_timeline *timeline = &mapping->result->timeline;
	const char *info = mapping->run.path[JM_RUN_ENGINE_INFO];
	struct jm_latency_notes notes;
	size_t unknown = 0;
	int result =
		jm_latency_read(mapping->run.path[JM_RUN_LATENCY], timeline, &notes, reterr);

	if (result < 0)
		return result;
	if (notes.unequal)
		jm_note(mapping->config->progress, "not every layer ran in every cycle");
	mapping->result->stamp =
		jm_timeline_detect_stamp(timeline, &mapping->result->stamp_certain);
	if (mapping->info.stamp && !mapping->config->latency) {
		mapping->result->stamp = mapping->info.stamp; /* whoever wrote it says so */
		mapping->result->stamp_certain = 1;
	}
	timeline->stamp = mapping->result->stamp;
	jm_note(mapping->config->progress, "time stamps mean: %s of the layer%s",
		mapping->result->stamp == JM_STAMP_CALLBACK
			? "a callback after the end"
			: jm_stamp_name(mapping->result->stamp),
		mapping->result->stamp_certain ? "" : " (assumed, the data cannot tell)");
	if (!info[0]) {
		jm_note(mapping->config->progress,
			"no trt_engine_info.json: types of layers are unknown");
		return 0;
	}
	result = jm_engine_info_read(info, timeline, &unknown, reterr);
	if (result == 0 && unknown)
		jm_note(mapping->config->progress,
			"%zu of %zu layers are not in '%s': their type is unknown", unknown,
			timeline->n_layers, info);
	return result;
}

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

/* run.json tells what stands above the table; logs of others have none. */
static void read_run(struct mapping *mapping)
{
	struct jm_map_result *result = mapping->result;
	const char *path = mapping->run.path[JM_RUN_JSON];
	struct jm_run_info *info = &mapping->info;
	struct jm_error error;

	info->idle_uw = (double)NAN;
	if (path[0])
		mapping->run_json = json_load_file(path, 0, NULL);
	if (path[0] && jm_run_info_read(path, info, &error) < 0)
		jm_note(mapping->config->progress, "%s: what it says of the run is not used",
			error.message);
	jm_text_copy(result->model, sizeof(result->model), mapping->run.model);
	jm_text_copy(result->engine, sizeof(result->engine), info->engine);
	if (info->sensor[0])
		snprintf(result->sensor, sizeof(result->sensor), "%s%s%s", info->sensor,
			info->rail[0] ? " " : "", info->rail);
	result->simulated =
		info->simulated || is_marked_simulated(mapping->run.path[JM_RUN_POWER_LOG]);
	result->pause_max_ms = info->pause_max_ms;
}

/*
 * 1 when an idle power that was found, not given, may be subtracted: it has to
 * be of the run's sensor. Where the run does not tell its sensor, as the
 * original's do not, it only must not be simulated where the run is real.
 */
static int is_of_run(const struct mapping *mapping, const struct jm_idle_record *record)
{
	const struct jm_run_info *info = &mapping->info;
	const char *path = mapping->run.path[JM_RUN_IDLE];

	if (record->simulated != mapping->result->simulated)
		jm_note(mapping->config->progress,
			"'%s' is %s, the run is not: it is not subtracted", path,
			record->simulated ? "SIMULATED" : "real");
	else if (info->sensor[0] && strcmp(info->sensor, record->sensor) != 0)
		jm_note(mapping->config->progress,
			"'%s' is of %s%s, the run of %s: it is not subtracted", path,
			record->sensor[0] ? "sensor " : "an unknown sensor", record->sensor,
			info->sensor);
	else
		return 1;
	return 0;
}

static int read_idle(struct mapping *mapping, struct jm_error *reterr)
{
	const char *path = mapping->run.path[JM_RUN_IDLE];
	int given = mapping->config->idle != NULL;
	struct jm_idle_record record;
	int result;

	mapping->idle_uw = given ? (double)NAN : mapping->info.idle_uw;
	if (!isnan(mapping->idle_uw))
		return 0;
	if (path[0]) {
		result = jm_idle_read(path, &record, reterr);
		if (result < 0)
			return result;
		if (given || is_of_run(mapping, &record)) {
			mapping->idle_uw = record.average_uw;
			mapping->result->simulated |= record.simulated;
			return 0;
		}
	}
	jm_note(mapping->config->progress,
		"no idle power found: power above idle is left empty; "
		"'joulemap idle' measures it");
	return 0;
}

/* ---- Mapping ------------------------------------------------------------------- */

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

static int choose_output(
	struct mapping *mapping, char ret_path[JM_PATH_MAX], struct jm_error *reterr)
{
	const struct jm_map_config *config = mapping->config;
	char folder[JM_PATH_MAX];
	int result;

	if (!mapping->result->model[0])
		model_from_path(mapping->run.path[JM_RUN_POWER_LOG], mapping->result->model,
			sizeof(mapping->result->model));
	if (!config->result_dir && mapping->run.folder[0])
		return jm_path_join(ret_path, mapping->run.folder, JM_RUN_MAPPING_NAME, reterr);
	result = jm_path_join(folder, config->result_dir ? config->result_dir : "results",
		mapping->result->model, reterr);
	if (result == 0)
		result = jm_folder_make(folder, reterr);
	return result < 0 ? result
			  : jm_path_join(ret_path, folder, JM_RUN_MAPPING_NAME, reterr);
}

static int take_row(void *context, const struct jm_cycle_power *row)
{
	struct mapping *mapping = context;

	jm_summary_add(&mapping->result->summary, row);
	return jm_mapping_writer_row(&mapping->writer, row);
}

static int check_overlap(const struct mapping *mapping, struct jm_error *reterr)
{
	const struct jm_rail *rail = &mapping->result->log.rails[0];
	const struct jm_layer *layer = &mapping->result->timeline.layers[0];
	double log_begin, log_end, run_begin, run_end;

	if (!rail->n_readings || !layer->n_executions)
		return jm_fail(reterr, JM_ETRUNCATED, "there are no %s to map",
			rail->n_readings ? "layer executions" : "power readings");
	log_begin = (double)rail->readings[0].after_ns * 1e-9;
	log_end = (double)rail->readings[rail->n_readings - 1].after_ns * 1e-9;
	run_begin = (double)layer->executions[0].stamp_ns * 1e-9;
	run_end = (double)layer->executions[layer->n_executions - 1].stamp_ns * 1e-9;
	if (log_begin > run_end)
		return jm_fail(reterr, JM_EFORMAT,
			"the power log begins %.3f s after the last layer ended: logs of "
			"different runs or time zones?",
			log_begin - run_end);
	if (run_begin > log_end)
		return jm_fail(reterr, JM_EFORMAT,
			"the power log ends %.3f s before the first layer began: logs of "
			"different runs or time zones?",
			run_begin - log_end);
	return 0;
}

/* Readings as they were made, where they were kept; the power log otherwise. */
static const struct jm_rail *choose_rail(struct mapping *mapping, struct jm_power_log *readings)
{
	const char *path = mapping->run.path[JM_RUN_READINGS];
	struct jm_error error;

	if (path[0] && mapping->run_json && !mapping->config->power_log &&
		jm_map_fit_readings(path, mapping->run_json, readings, &error) == 0 &&
		readings->n_rails)
		return &readings->rails[0];
	return &mapping->result->log.rails[0];
}

/* Fits; JM_EINVAL when the run does not allow it. */
static int fit(struct mapping *mapping, struct jm_error *reterr)
{
	struct jm_map_result *ret = mapping->result;
	struct jm_power_log readings;
	struct jm_fit_input input;
	enum jm_stamp stamp = ret->timeline.stamp;
	int result, dropped;

	jm_power_log_init(&readings);
	jm_fit_input_init(&input);
	if (mapping->config->given_response)
		input.given = mapping->config->given;
	input.rail = choose_rail(mapping, &readings);
	input.timeline = &ret->timeline;
	input.idle_power_w = mapping->idle_uw * 1e-6;
	ret->timeline.stamp = ret->stamp;
	result = jm_map_fit_run(&input, mapping->run_json, &ret->fit, &dropped, reterr);
	if (result == 0 && dropped)
		jm_note(mapping->config->progress,
			"the calibration of the board contradicts this run and is not used: "
			"'joulemap calibrate' makes a new one");
	ret->timeline.stamp = stamp;
	ret->fitted = result == 0;
	jm_power_log_release(&readings);
	return result;
}

/* Fits where that is possible; a short run has only samples. */
/* A log that began before the clocks were changed, and a run after it. */
static void reconcile(struct mapping *mapping)
{
	int64_t moved_ns =
		jm_clock_reconcile(&mapping->result->timeline, &mapping->result->log.rails[0]);

	if (moved_ns)
		jm_note(mapping->config->progress,
			"clocks were changed between log and run: layers moved by %.0f s",
			(double)moved_ns * 1e-9);
}

static int fit_or_not(struct mapping *mapping, struct jm_error *reterr)
{
	struct jm_error error;
	int result = fit(mapping, &error);

	if (result < 0 && result != JM_ENOMEM && !mapping->config->method_chosen) {
		jm_note(mapping->config->progress, "no fit: %s; using the window method",
			error.message);
		return 0;
	}
	if (result < 0 && reterr)
		*reterr = error;
	return result;
}

/* Rows of the fit, and the table of layers beside them. */
static int write_fit(struct mapping *mapping, struct jm_error *reterr)
{
	struct jm_map_result *ret = mapping->result;
	char *slash;
	int result =
		jm_map_fit_rows(&ret->timeline, &ret->fit, mapping->idle_uw, take_row, mapping);

	if (result < 0)
		return result;
	jm_text_copy(ret->energy_csv, sizeof(ret->energy_csv), ret->csv);
	slash = strrchr(ret->energy_csv, '/');
	jm_text_copy(slash ? slash + 1 : ret->energy_csv,
		sizeof(ret->energy_csv) - (slash ? (size_t)(slash + 1 - ret->energy_csv) : 0),
		JM_LAYER_ENERGY_NAME);
	return jm_layer_energy_write(ret->energy_csv, &ret->timeline, &ret->fit, reterr);
}

static int attribute(struct mapping *mapping, struct jm_error *reterr)
{
	struct jm_map_result *ret = mapping->result;

	if (ret->fitted)
		return write_fit(mapping, reterr);
	return jm_attribute_window(&ret->log.rails[0], &ret->timeline, mapping->config->rules,
		mapping->idle_uw, take_row, mapping, reterr);
}

static int map(struct mapping *mapping, struct jm_error *reterr)
{
	struct jm_map_result *ret = mapping->result;
	const struct jm_rail *rail = &ret->log.rails[0];
	int result = choose_output(mapping, ret->csv, reterr);

	if (result == 0)
		result = jm_summary_init(&ret->summary, &ret->timeline, reterr);
	if (result == 0)
		result = jm_mapping_writer_open(
			&mapping->writer, ret->csv, &ret->timeline, reterr);
	if (result < 0)
		return result;
	result = attribute(mapping, reterr);
	ret->rows = mapping->writer.rows;
	if (result == JM_EINVAL) { /* what it refuses came out of the files */
		result = JM_EFORMAT;
		if (reterr)
			reterr->code = JM_EFORMAT;
	}
	if (result < 0) {
		jm_mapping_writer_abandon(&mapping->writer);
		return result;
	}
	jm_summary_close(&ret->summary, &ret->timeline, rail, mapping->idle_uw);
	return jm_mapping_writer_commit(&mapping->writer, reterr);
}

int jm_map_run(const struct jm_map_config *config, struct jm_map_result *ret_result,
	struct jm_error *reterr)
{
	struct mapping *mapping = calloc(1, sizeof(*mapping));
	int result;

	memset(ret_result, 0, sizeof(*ret_result));
	jm_timeline_init(&ret_result->timeline);
	jm_power_log_init(&ret_result->log);
	if (!mapping)
		return jm_fail_memory(reterr, "the mapping");
	mapping->config = config;
	mapping->result = ret_result;
	result = find_files(mapping, reterr);
	if (result == 0) {
		read_run(mapping);
		result = read_idle(mapping, reterr);
	}
	if (result == 0)
		result = read_power_log(mapping, reterr);
	if (result == 0)
		result = read_timeline(mapping, reterr);
	if (result == 0)
		reconcile(mapping);
	if (result == 0 && config->method == JM_MAP_FIT)
		result = fit_or_not(mapping, reterr);
	if (result == 0 && !ret_result->fitted)
		result = check_overlap(mapping, reterr);
	if (result == 0)
		result = map(mapping, reterr);
	json_decref(mapping->run_json);
	free(mapping);
	return result;
}

void jm_map_release(struct jm_map_result *result)
{
	jm_summary_release(&result->summary);
	jm_fit_result_release(&result->fit);
	jm_timeline_release(&result->timeline);
	jm_power_log_release(&result->log);
}
