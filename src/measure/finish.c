/* SPDX-License-Identifier: Apache-2.0 */
/* From the spool to the files of the run folder. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"
#include "formats/benchmark_file.h"
#include "formats/latency_file.h"
#include "formats/power_log_file.h"
#include "formats/readings_file.h"
#include "formats/timeline_file.h"
#include "measure/complete.h"
#include "run/previous.h"
#include "run/rails.h"
#include "run/run_folder.h"
#include "run/session.h"
#include "run/session_load.h"

static const char simulated_text[] = "SIMULATED\n\n"
				     "The power in this folder comes from joulemap's virtual "
				     "board (--sensor sim), not from\n"
				     "a measurement. The layers' times are real. What the "
				     "virtual board drew is in truth.json.\n";

/* What every step below needs. */
struct finish {
	const char *run_folder;
	struct jm_session_data data;
	int64_t civil_offset_ns; /* monotonic to naive local time */
	int64_t started_ns;      /* monotonic: first cycle, or start of the run */
	char started[16];        /* of file names */
	const char *model;
	int simulated;
};

/* Run folders travel: a model's name must not lead out of them. */
static int is_file_name(const char *name)
{
	return name[0] && name[0] != '.' && !strchr(name, '/') && strlen(name) < JM_NAME_MAX;
}

static int read_session(struct finish *finish, struct jm_error *reterr)
{
	const struct jm_run *run = &finish->data.run;

	if (run->started_ns < 0 ||
		jm_run_clock_shift(&run->clock, &finish->civil_offset_ns, NULL) < 0)
		return jm_fail(reterr, JM_EFORMAT,
			"session.json in '%s/spool' does not tell when the run was, it cannot "
			"be recovered",
			finish->run_folder);
	if (!is_file_name(run->model.name))
		return jm_fail(reterr, JM_EFORMAT,
			"session.json in '%s/spool' has no name of a model, it cannot be "
			"recovered",
			finish->run_folder);
	finish->model = run->model.name;
	finish->simulated = jm_run_is_simulated(run);
	finish->started_ns = run->started_ns;
	jm_civil_format_file(run->started_ns + finish->civil_offset_ns, finish->started);
	return 0;
}

static int join(const struct finish *finish, char ret_path[JM_PATH_MAX],
	struct jm_error *reterr, const char *format, ...) JM_PRINTF(4, 5);

/* Path of a file in the run folder. */
static int join(const struct finish *finish, char ret_path[JM_PATH_MAX],
	struct jm_error *reterr, const char *format, ...)
{
	char name[JM_PATH_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(name, sizeof(name), format, arguments);
	va_end(arguments);
	return jm_path_join(ret_path, finish->run_folder, name, reterr);
}

/* Values of simulated sensors are computed now, from what really happened. */
static int complete_simulated(struct finish *finish, struct jm_error *reterr)
{
	char mark[JM_PATH_MAX];
	int result;

	if (!finish->simulated)
		return 0;
	result = jm_complete_simulated(&finish->data, finish->run_folder, reterr);
	if (result == 0)
		result = join(finish, mark, reterr, "SIMULATED.txt");
	if (result == 0)
		result =
			jm_file_write(mark, simulated_text, sizeof(simulated_text) - 1, reterr);
	return result;
}

/* ---- Power ----------------------------------------------------------------------- */

/* The rail that is the total, added where it is a sum. */
static int find_total(struct jm_session_data *data, size_t *ret_rail, struct jm_error *reterr)
{
	struct jm_total total;
	int result = jm_run_total_init(&data->run, data->log.n_rails, &total, reterr);

	if (result < 0)
		return result;
	result = jm_total_find(&total, &data->log, ret_rail, reterr);
	jm_total_release(&total);
	return result;
}

/* Says what the power log holds: a sum of several sensors is of none. */
static void describe_power(struct jm_session_data *data, size_t rail)
{
	struct jm_run_power_log *power_log = &data->run.power_log;
	size_t first = 0;

	jm_text_copy(power_log->rail, sizeof(power_log->rail), data->log.rails[rail].name);
	power_log->sensor[0] = '\0';
	for (size_t i = 0; i < data->run.n_sensors; i++) {
		const struct jm_run_sensor *sensor = &data->run.sensors[i];

		if (rail >= first && rail < first + sensor->n_rails)
			jm_text_copy(power_log->sensor, sizeof(power_log->sensor), sensor->id);
		first += sensor->n_rails;
	}
	if (data->run.n_sensors == 1) /* its sum too */
		jm_text_copy(
			power_log->sensor, sizeof(power_log->sensor), data->run.sensors[0].id);
}

static int write_power(struct finish *finish, struct jm_error *reterr)
{
	struct jm_session_data *data = &finish->data;
	char path[JM_PATH_MAX];
	size_t rail = 0;
	int result;

	if (!data->log.n_rails)
		return 0; /* the logger had not begun */
	result = join(finish, path, reterr, JM_RUN_READINGS_NAME);
	if (result == 0)
		result = jm_readings_write(path, &data->log, reterr);
	if (result == 0)
		result = jm_file_sync(path, reterr);
	if (result == 0)
		result = find_total(data, &rail, reterr);
	if (result == 0)
		result = join(finish, path, reterr, "%zu_cycles_power_log_%s.log",
			data->n_cycles, finish->started);
	if (result == 0)
		result = jm_power_log_write(
			path, &data->log.rails[rail], finish->civil_offset_ns, reterr);
	if (result == 0)
		describe_power(data, rail);
	return result < 0 ? result : jm_file_sync(path, reterr);
}

static int write_timeline(struct finish *finish, struct jm_error *reterr)
{
	char path[JM_PATH_MAX];
	int result = join(finish, path, reterr, "trt_profiling");

	if (result == 0)
		result = jm_folder_make(path, reterr);
	if (result == 0)
		result = join(finish, path, reterr, JM_RUN_ENGINE_INFO_NAME);
	if (result == 0)
		result = jm_file_write(
			path, finish->data.graph, strlen(finish->data.graph), reterr);
	if (result == 0)
		result = jm_file_sync(path, reterr);
	if (result == 0)
		result = join(finish, path, reterr, JM_RUN_LATENCY_NAME);
	if (result == 0)
		result = jm_latency_write(
			path, &finish->data.timeline, finish->civil_offset_ns, reterr);
	if (result == 0)
		result = jm_file_sync(path, reterr);
	if (result == 0)
		result = join(finish, path, reterr, "trt_profiling");
	return result < 0 ? result : jm_file_sync(path, reterr);
}

/* The spans as they were, on the monotonic clock. */
static int write_spans(struct finish *finish, struct jm_error *reterr)
{
	char path[JM_PATH_MAX];
	int result = join(finish, path, reterr, JM_RUN_TIMELINE_NAME);

	if (result == 0)
		result = jm_timeline_file_write(path, &finish->data.timeline, reterr);
	return result < 0 ? result : jm_file_sync(path, reterr);
}

/* What was asked for, with what the engine made of it where that was open. */
static void complete_config(struct jm_run *run)
{
	const struct jm_run_input *input = run->engine.inputs;
	struct jm_run_config *config = &run->config;

	if (config->optimization_level < 0)
		config->optimization_level = run->engine.optimization_level;
	if (!run->engine.n_inputs)
		return;
	memcpy(config->input_shape, input->shape, sizeof(config->input_shape));
	config->n_input_shape = input->n_shape;
	jm_text_copy(config->dtype, sizeof(config->dtype), input->dtype);
}

static int write_benchmark(struct finish *finish, struct jm_error *reterr)
{
	struct jm_session_data *data = &finish->data;
	const struct jm_run_config *config = &data->run.config;
	int64_t batch = config->n_input_shape ? config->input_shape[0] : 0;
	json_t *options = jm_run_config_json(config);
	struct jm_benchmark benchmark = {.config = options,
		.civil_ns = finish->started_ns + finish->civil_offset_ns,
		.n_latencies = data->n_cycles,
		.batch = batch > 0 ? (double)batch : 1};
	double *latencies = calloc(data->n_cycles ? data->n_cycles : 1, sizeof(*latencies));
	char path[JM_PATH_MAX];
	int result;

	if (!latencies || !options) {
		json_decref(options);
		free(latencies);
		return jm_fail_memory(reterr, "the latencies");
	}
	for (size_t i = 0; i < data->n_cycles; i++)
		latencies[i] =
			(double)(data->cycles[i].end_ns - data->cycles[i].begin_ns) * 1e-9;
	if (data->n_cycles)
		benchmark.total_time_s = (double)(data->cycles[data->n_cycles - 1].end_ns -
						  data->cycles[0].begin_ns) *
					 1e-9;
	benchmark.latencies_s = latencies;
	result = join(finish, path, reterr, "%s_tensorrt.json", finish->model);
	if (result == 0)
		result = jm_benchmark_write(path, &benchmark, reterr);
	json_decref(options);
	free(latencies);
	return result < 0 ? result : jm_file_sync(path, reterr);
}

/* The session, with what only its end tells. */
static int write_run(struct finish *finish, struct jm_error *reterr)
{
	struct jm_session_data *data = &finish->data;
	struct jm_run *run = &data->run;
	char path[JM_PATH_MAX];
	int result = join(finish, path, reterr, JM_RUN_JSON_NAME);

	run->stamp = JM_STAMP_END;
	run->cycles = (int64_t)data->n_cycles;
	run->orderly_end = run->inference && run->logger;
	run->bytes_dropped = (int64_t)data->bytes_dropped;
	return result < 0 ? result : jm_run_write(path, run, reterr);
}

/* Once: what lies there at a second try are this run's own first files. */
static int keep_previous(struct finish *finish, const struct jm_session_paths *paths,
	struct jm_session_report *report, struct jm_error *reterr)
{
	int result;

	if (jm_path_exists(paths->kept))
		return 0;
	result = jm_previous_keep(
		finish->run_folder, finish->started, paths->place, report->kept, reterr);
	if (result == 0)
		report->kept[0] = '\0';
	return result < 0 ? result : jm_file_write(paths->kept, "", 0, reterr);
}

static int write_all(struct finish *finish, const struct jm_session_paths *paths,
	struct jm_session_report *report, struct jm_error *reterr)
{
	size_t traced = jm_timeline_cycles(&finish->data.timeline);
	int result;

	/* An engine that delivers late has cycles whose layers are not there yet. */
	if (finish->data.n_cycles > traced)
		finish->data.n_cycles = traced;
	if (!traced && finish->data.damage.code)
		return jm_fail(reterr, JM_EFORMAT, "nothing is left of the run in '%s': %s",
			finish->run_folder, finish->data.damage.message);
	if (!finish->data.graph || !traced)
		return jm_fail(reterr, JM_ETRUNCATED,
			"no layer had run yet in '%s': nothing to complete, delete its folder "
			"spool",
			finish->run_folder);
	complete_config(&finish->data.run);
	result = keep_previous(finish, paths, report, reterr);
	if (result == 0)
		result = complete_simulated(finish, reterr);
	if (result == 0)
		result = write_power(finish, reterr);
	if (result == 0)
		result = write_timeline(finish, reterr);
	if (result == 0)
		result = write_spans(finish, reterr);
	if (result == 0)
		result = write_benchmark(finish, reterr);
	if (result == 0)
		result = write_run(finish, reterr);
	return result < 0 ? result : jm_file_sync(finish->run_folder, reterr);
}

int jm_session_finish(
	const char *run_folder, struct jm_session_report *ret_report, struct jm_error *reterr)
{
	struct finish finish = {.run_folder = run_folder};
	struct jm_session_paths paths;
	int result = jm_session_paths(run_folder, &paths, reterr);

	memset(ret_report, 0, sizeof(*ret_report));
	if (result < 0)
		return result;
	result = jm_session_load(&paths, &finish.data, reterr);
	if (result == 0)
		result = read_session(&finish, reterr);
	if (result == 0)
		result = write_all(&finish, &paths, ret_report, reterr);
	if (result == 0) {
		/* Only now that everything else is on disk. */
		jm_session_remove(&paths, run_folder);
		ret_report->cycles = finish.data.n_cycles;
		ret_report->readings =
			finish.data.log.n_rails ? finish.data.log.rails[0].n_readings : 0;
		ret_report->bytes_dropped = finish.data.bytes_dropped;
		ret_report->damage = finish.data.damage;
		ret_report->ended = finish.data.run.orderly_end;
		ret_report->simulated = finish.simulated;
	}
	jm_session_data_release(&finish.data);
	return result;
}
