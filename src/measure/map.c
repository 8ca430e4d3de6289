/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/map.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "trace/engine_info_file.h"
#include "trace/idle_file.h"
#include "trace/latency_file.h"
#include "trace/mapping_csv.h"
#include "trace/power_log_file.h"
#include "trace/run_folder.h"

/* What one mapping holds on its way. */
struct mapping {
	const struct jm_map_config *config;
	struct jm_map_result *result;
	struct jm_run_folder run;
	struct jm_mapping_writer writer;
	double idle_uw; /* NaN: not known, nothing is subtracted */
};

static void note(const struct mapping *mapping, const char *format, ...) JM_PRINTF(2, 3);

static void note(const struct mapping *mapping, const char *format, ...)
{
	const struct jm_progress *progress = mapping->config->progress;
	char text[1024];
	va_list arguments;

	if (!progress)
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	progress->note(progress->context, text);
}

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
			jm_text_copy(mapping->run.path[i], sizeof(mapping->run.path[i]), given[i]);
	if (config->folder)
		result = jm_run_folder_find(&mapping->run, config->folder, reterr);
	if (result == 0)
		result = jm_run_folder_need(&mapping->run, JM_RUN_POWER_LOG, reterr);
	if (result == 0)
		result = jm_run_folder_need(&mapping->run, JM_RUN_LATENCY, reterr);
	if (result == 0 && mapping->run.n_power_logs > 1)
		note(mapping, "%zu power logs in '%s', taking the newest: %s",
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
		note(mapping, "the last line of '%s' is cut off and left out", path);
	if (notes.clock_changes)
		note(mapping, "clocks were put forward or back in '%s' line %zu: taken out", path,
			notes.clock_change_line);
	return 0;
}

static int read_timeline(struct mapping *mapping, struct jm_error *reterr)
{
	struct jm_timeline *timeline = &mapping->result->timeline;
	const char *info = mapping->run.path[JM_RUN_ENGINE_INFO];
	struct jm_latency_notes notes;
	size_t unknown = 0;
	int result = jm_latency_read(mapping->run.path[JM_RUN_LATENCY], timeline, &notes, reterr);

	if (result < 0)
		return result;
	if (notes.unequal)
		note(mapping, "not every layer ran in every cycle");
	mapping->result->stamp =
		jm_timeline_detect_stamp(timeline, &mapping->result->stamp_certain);
	note(mapping, "time stamps mean: %s of the layer%s",
		mapping->result->stamp == JM_STAMP_CALLBACK ? "a callback after the end"
							     : jm_stamp_name(mapping->result->stamp),
		mapping->result->stamp_certain ? "" : " (assumed, the data cannot tell)");
	if (!info[0]) {
		note(mapping, "no trt_engine_info.json: types of layers are unknown");
		return 0;
	}
	result = jm_engine_info_read(info, timeline, &unknown, reterr);
	if (result == 0 && unknown)
		note(mapping, "%zu of %zu layers are not in '%s': their type is unknown", unknown,
			timeline->n_layers, info);
	return result;
}

static int read_idle(struct mapping *mapping, struct jm_error *reterr)
{
	const char *path = mapping->run.path[JM_RUN_IDLE];
	struct jm_idle_record record;
	int result;

	mapping->idle_uw = (double)NAN;
	if (!path[0]) {
		note(mapping, "no idle power found: power above idle is left empty; "
			      "'joulemap idle' measures it");
		return 0;
	}
	result = jm_idle_read(path, &record, reterr);
	if (result < 0)
		return result;
	mapping->idle_uw = record.average_uw;
	mapping->result->simulated |= record.simulated;
	return 0;
}

/* run.json tells what stands above the table; logs of others have none. */
static void read_run(struct mapping *mapping)
{
	struct jm_map_result *result = mapping->result;
	const char *path = mapping->run.path[JM_RUN_JSON];
	const char *name = NULL, *version = NULL, *id = NULL, *rail = NULL;
	json_t *run;

	jm_text_copy(result->model, sizeof(result->model), mapping->run.model);
	if (!path[0])
		return;
	run = json_load_file(path, 0, NULL);
	json_unpack(run, "{s:{s:s, s:s}}", "engine", "engine", &name, "version", &version);
	json_unpack(run, "{s:{s:s, s:[{s:s}]}}", "sensor", "id", &id, "rails", "name", &rail);
	if (name && version)
		snprintf(result->engine, sizeof(result->engine), "%s %s", name, version);
	if (id)
		snprintf(result->sensor, sizeof(result->sensor), "%s %s", id, rail ? rail : "");
	result->simulated |=
		json_is_true(json_object_get(json_object_get(run, "sensor"), "simulated"));
	json_decref(run);
}

/* ---- Mapping ------------------------------------------------------------------- */

/* The original names the folder after the model: the power log's own. */
static void model_from_path(const char *path, char ret_model[JM_NAME_MAX])
{
	char folder[JM_PATH_MAX];
	char *slash;

	jm_text_copy(folder, sizeof(folder), path);
	slash = strrchr(folder, '/');
	if (slash)
		*slash = '\0';
	jm_text_copy(ret_model, JM_NAME_MAX, slash ? jm_path_name(folder) : "model");
}

static int choose_output(struct mapping *mapping, char ret_path[JM_PATH_MAX],
	struct jm_error *reterr)
{
	const struct jm_map_config *config = mapping->config;
	char folder[JM_PATH_MAX];
	int result;

	if (!mapping->result->model[0])
		model_from_path(mapping->run.path[JM_RUN_POWER_LOG], mapping->result->model);
	if (!config->result_dir && mapping->run.folder[0])
		return jm_path_join(ret_path, mapping->run.folder, JM_RUN_MAPPING_NAME, reterr);
	result = jm_path_join(folder, config->result_dir ? config->result_dir : "results",
		mapping->result->model, reterr);
	if (result == 0)
		result = jm_folder_make(folder, reterr);
	return result < 0 ? result : jm_path_join(ret_path, folder, JM_RUN_MAPPING_NAME, reterr);
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
		return jm_fail(reterr, JM_EINVAL,
			"the power log begins %.3f s after the last layer ended: logs of "
			"different runs or time zones?",
			log_begin - run_end);
	if (run_begin > log_end)
		return jm_fail(reterr, JM_EINVAL,
			"the power log ends %.3f s before the first layer began: logs of "
			"different runs or time zones?",
			run_begin - log_end);
	return 0;
}

static int map(struct mapping *mapping, struct jm_error *reterr)
{
	struct jm_map_result *ret = mapping->result;
	const struct jm_rail *rail = &ret->log.rails[0];
	int result = choose_output(mapping, ret->csv, reterr);

	if (result == 0)
		result = jm_summary_init(&ret->summary, &ret->timeline, reterr);
	if (result == 0)
		result = jm_mapping_writer_open(&mapping->writer, ret->csv, &ret->timeline, reterr);
	if (result < 0)
		return result;
	result = jm_attribute_window(rail, &ret->timeline, mapping->config->rules,
		mapping->idle_uw, take_row, mapping, reterr);
	ret->rows = mapping->writer.rows;
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
	if (result == 0)
		result = read_idle(mapping, reterr);
	if (result == 0)
		result = read_power_log(mapping, reterr);
	if (result == 0)
		result = read_timeline(mapping, reterr);
	if (result == 0)
		result = check_overlap(mapping, reterr);
	if (result == 0) {
		read_run(mapping);
		result = map(mapping, reterr);
	}
	free(mapping);
	return result;
}

void jm_map_release(struct jm_map_result *result)
{
	jm_summary_release(&result->summary);
	jm_timeline_release(&result->timeline);
	jm_power_log_release(&result->log);
}

void jm_map_get_header(const struct jm_map_result *result, enum jm_window_rules rules,
	struct jm_table_header *ret_header)
{
	ret_header->model = result->model;
	ret_header->engine = result->engine[0] ? result->engine : NULL;
	ret_header->sensor = result->sensor[0] ? result->sensor : NULL;
	ret_header->method = rules == JM_WINDOW_FIRST ? "window, rules of the first version"
						      : "window, rules of the later version";
	ret_header->simulated = result->simulated;
}
