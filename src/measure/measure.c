/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/measure.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/progress.h"
#include "base/text.h"
#include "base/wishes.h"
#include "machine/board.h"
#include "measure/children.h"
#include "measure/choose_engine.h"
#include "measure/idle_run.h"
#include "measure/place.h"
#include "plugin/loader.h"
#include "run/run.h"
#include "run/session_load.h"
#include "sensors/describe.h"
#include "sensors/registry.h"
#include "workload/command.h"
#include "workload/inference.h"

#define LEAD_NS (500 * JM_NS_PER_MS)

/* What one run holds on its way. */
struct job {
	const struct jm_measure_options *config;
	struct jm_measure_outcome *result;
	struct jm_model_source model;
	struct jm_sensor_set sensors;
	struct jm_sensor_options sensor_options;
	const struct jm_engine_ops *engine;
	struct jm_engine_settings settings;
	struct jm_engine_info engine_info;
	struct jm_place place;
	struct jm_run run; /* as session.json has it */
	char board[128];
	json_t *calibrations; /* the file, owned; NULL: none */
	struct jm_cpu_time cpu_before;
};

/* ---- What to measure, and with what ----------------------------------------- */

static int find_calibration(const struct job *job, const struct jm_sensor_info *info,
	const char *rail, struct jm_calibration *ret_calibration)
{
	return jm_calibration_find(job->calibrations, job->board, info,
		job->sensor_options.seed, rail, ret_calibration);
}

/* A file that cannot be read is no reason not to measure. */
static void load_calibrations(struct job *job)
{
	struct jm_calibration calibration;
	struct jm_error error;

	jm_board_name(job->sensor_options.sysfs_root, job->board, sizeof(job->board));
	if (jm_calibration_load(&job->calibrations, &error) == JM_EFORMAT)
		jm_note(job->config->progress, "%s", error.message);
	for (size_t i = 0; i < job->sensors.n_members; i++) {
		const struct jm_sensor_info *info = &job->sensors.members[i].info;
		int old = 0;

		for (size_t j = 0; j < info->n_rails && !old; j++)
			old = find_calibration(job, info, info->rails[j].name, &calibration) <
			      0;
		if (old)
			jm_note(job->config->progress,
				"the calibration of %s was made at another setting of the "
				"sensor and is not used: 'joulemap calibrate' makes a new one",
				info->id);
	}
}

/* The power of layers that run elsewhere is not in a sensor's figures. */
static void note_scope(const struct job *job)
{
	static const char *const places[] = {[JM_SCOPE_CPU] = "CPU", [JM_SCOPE_GPU] = "GPU"};
	enum jm_scope runs = job->engine_info.scope;

	if (runs != JM_SCOPE_CPU && runs != JM_SCOPE_GPU)
		return;
	for (size_t i = 0; i < job->sensors.n_members; i++) {
		const struct jm_sensor_info *info = &job->sensors.members[i].info;

		if ((info->scope == JM_SCOPE_CPU || info->scope == JM_SCOPE_GPU) &&
			info->scope != runs)
			jm_note(job->config->progress,
				"sensor '%s' sees only its %s, and engine '%s' runs on the %s: "
				"the power of these layers is not in its figures",
				info->id, places[info->scope], job->engine->name, places[runs]);
	}
}

/* Everything that can be wrong is found before anything is measured. */
static int choose(struct job *job, struct jm_error *reterr)
{
	int result;

	if (job->config->idle_again && job->config->idle_seconds <= 0)
		return jm_fail(reterr, JM_EUSAGE,
			"--idle-again needs an --idle-duration of more than 0");
	result = job->config->command ? jm_command_find(job->config->command[0],
						job->config->model, &job->model, reterr)
				      : jm_model_find(job->config->model, &job->model, reterr);
	if (result < 0)
		return result;
	jm_sensor_options_init(&job->sensor_options, job->config->seed);
	result = jm_sensor_set_select(
		&job->sensors, job->config->sensor, &job->sensor_options, reterr);
	if (result < 0)
		return result;
	job->result->simulated = jm_sensor_set_has(&job->sensors, JM_SENSOR_SIMULATED);
	load_calibrations(job);
	if (job->config->command)
		return 0;
	result = jm_engine_choose(job->config->engine, job->config->engine_options,
		job->config->n_engine_options, &job->engine, &job->settings, &job->engine_info,
		reterr);
	if (result == 0)
		note_scope(job);
	return result;
}

/* ---- The session's description ------------------------------------------------- */

/* With the calibrations that are kept of them, so that the run folder is complete. */
static void add_calibrations(struct job *job)
{
	struct jm_run *run = &job->run;

	for (size_t i = 0; i < run->n_sensors; i++) {
		struct jm_run_sensor *sensor = &run->sensors[i];
		struct jm_sensor_info info;

		jm_run_sensor_info(sensor, &info);
		for (size_t j = 0; j < sensor->n_rails; j++) {
			struct jm_run_rail *rail = &sensor->rails[j];

			rail->calibrated = find_calibration(job, &info, rail->name,
						   &rail->calibration) == 1;
		}
	}
}

/* Its words, with a blank between them. */
static void describe_command(char *const *command, struct jm_run_config *ret)
{
	char words[sizeof(ret->command)];
	size_t used = 0;

	words[0] = '\0';
	for (size_t i = 0; command && command[i] && used < sizeof(words); i++)
		used += (size_t)snprintf(
			words + used, sizeof(words) - used, "%s%s", i ? " " : "", command[i]);
	jm_text_sanitize(ret->command, sizeof(ret->command), words);
}

/* The options, under the names that the original gives them. */
static void describe_config(const struct job *job, struct jm_run_config *ret)
{
	const struct jm_measure_options *config = job->config;

	jm_text_copy(ret->model, sizeof(ret->model),
		config->model ? config->model : job->model.name);
	jm_text_copy(ret->dtype, sizeof(ret->dtype), config->dtype ? config->dtype : "");
	memcpy(ret->input_shape, config->input_shape, sizeof(ret->input_shape));
	ret->n_input_shape = config->n_input_shape;
	ret->warmup = config->warmup;
	ret->runs = config->runs;
	ret->optimization_level = config->optimization_level;
	jm_text_copy(ret->result_dir, sizeof(ret->result_dir), config->result_dir);
	if (job->engine)
		jm_text_copy(ret->engine, sizeof(ret->engine), job->engine->name);
	describe_command(config->command, ret);
	jm_sensor_set_id(&job->sensors, ret->sensor, sizeof(ret->sensor));
	if (job->result->simulated)
		snprintf(ret->sensor + strlen(ret->sensor),
			sizeof(ret->sensor) - strlen(ret->sensor), " (SIMULATED)");
	ret->threads = config->threads;
	ret->rate_hz = config->rate_hz;
	ret->jitter_ms = config->jitter_ms;
	ret->seed = config->seed;
}

static void describe_model(const struct jm_model_source *source, struct jm_run_model *ret)
{
	jm_text_copy(ret->name, sizeof(ret->name), source->name);
	jm_text_copy(ret->path, sizeof(ret->path), source->path);
	jm_text_copy(ret->sha256, sizeof(ret->sha256), source->sha256);
	ret->catalog = source->folder[0] != '\0';
}

static int describe(struct job *job, const struct jm_idle_power *idle, struct jm_error *reterr)
{
	const char *root = job->sensor_options.sysfs_root;
	struct jm_run *run = &job->run;
	int result;

	run->started_ns = jm_clock_monotonic_ns(NULL);
	jm_text_copy(run->joulemap, sizeof(run->joulemap), jm_version());
	describe_model(&job->model, &run->model);
	describe_config(job, &run->config);
	result = jm_sensor_set_describe(&job->sensors, run, reterr);
	if (result == 0)
		result = jm_plugins_describe(run, reterr);
	if (result < 0)
		return result;
	add_calibrations(job);
	if (!isnan(idle->mean_uw)) {
		run->idle.power_uw = idle->mean_uw;
		run->idle.error_uw = idle->error_uw;
		run->idle.measured_now = idle->measured_now;
	}
	run->board = jm_board_describe(root);
	run->state_before = jm_board_state(root);
	jm_run_clock_read(&run->clock);
	if (!run->board || !run->state_before)
		return jm_fail_memory(reterr, "the description of the run");
	if (jm_cpu_time_read("", &job->cpu_before) != 0)
		memset(&job->cpu_before, 0, sizeof(job->cpu_before));
	return jm_run_write(job->place.paths.session, run, reterr);
}

/* Processor time that neither we nor idling took, as a share of the machine. */
static double load_of_others(const struct job *job, double children_cpu_s)
{
	double ticks_per_s = (double)sysconf(_SC_CLK_TCK);
	struct jm_cpu_time after;
	double busy;

	if (isnan(children_cpu_s) || jm_cpu_time_read("", &after) != 0 ||
		after.total <= job->cpu_before.total)
		return (double)NAN;
	busy = (double)(after.busy - job->cpu_before.busy) - children_cpu_s * ticks_per_s;
	return (busy > 0 ? busy : 0) / (double)(after.total - job->cpu_before.total);
}

static int describe_end(struct job *job, const struct jm_children_result *children, int result,
	struct jm_error *reterr)
{
	struct jm_run *run = &job->run;
	json_t *after = jm_board_state(job->sensor_options.sysfs_root);
	const json_t *first = json_object_get(run->state_before, "throttle_events");
	const json_t *last = json_object_get(after, "throttle_events");
	json_int_t events = json_integer_value(last) - json_integer_value(first);
	double load = load_of_others(job, children->children_cpu_s);

	if (first && last)
		run->throttling_seen = events > 0;
	run->state_after = after;
	jm_run_clock_read(&run->clock_end);
	run->load_of_others = load;
	jm_text_copy(run->outcome, sizeof(run->outcome),
		result < 0              ? jm_code_text(result)
		: children->interrupted ? "interrupted by the user"
					: "complete");
	if (first && last && events > 0)
		jm_note(job->config->progress, "the machine throttled its clocks during the "
					       "run: cool it, or lower its "
					       "clocks, and measure again");
	if (load > 0.05)
		jm_note(job->config->progress,
			"other programs used %.0f %% of the machine: their power is in the "
			"figures",
			load * 100);
	/* As they were when open, which may be another setting. */
	result = jm_session_load_sensors(&job->place.paths, run, reterr);
	if (result > 0)
		add_calibrations(job);
	return result < 0 ? result : 0;
}

/* ---- The run --------------------------------------------------------------------- */

/* Some readings lie before the first and after the last cycle at any rate. */
static int64_t lead_ns(const struct jm_measure_options *config)
{
	int64_t periods = config->rate_hz > 0 ? (int64_t)(3e9 / config->rate_hz) : 0;

	return periods > LEAD_NS ? periods : LEAD_NS;
}

/* A command says that it is ready: can its description be read? */
static int check_spool(void *context, struct jm_error *reterr)
{
	const struct job *job = context;
	struct jm_session_data data;
	struct jm_error error;
	int result = jm_session_load(&job->place.paths, &data, &error);

	if (result < 0)
		jm_fail(reterr, JM_EFORMAT, "what '%s' has written cannot be used: %s",
			job->config->command[0], error.message);
	else if (!data.run.engine.name[0] || !data.timeline.n_layers || data.bytes_dropped)
		result = jm_fail(reterr, JM_EFORMAT,
			"'%s' says that it is ready, but its spool does not describe it and "
			"its layers, see docs/workers.md",
			job->config->command[0]);
	jm_session_data_release(&data);
	return result < 0 ? JM_EFORMAT : 0;
}

/* The engine is open: what has the user to know of it before the run goes on? */
static int note_engine(void *context, struct jm_error *reterr)
{
	const struct job *job = context;
	const struct jm_progress *progress = job->config->progress;
	struct jm_session_data data;

	(void)reterr; /* what cannot be read is told at the end */
	if (jm_session_load(&job->place.paths, &data, NULL) == 0) {
		if (data.run.engine.input_note[0])
			jm_note(progress, "%s", data.run.engine.input_note);
		if (data.run.engine.tracing_note[0])
			jm_note(progress, "%s", data.run.engine.tracing_note);
	}
	jm_session_data_release(&data);
	return 0;
}

/* What runs beside the logger: the network, or the command. */
static struct jm_work work_of(struct job *job, struct jm_inference_config *inference)
{
	const struct jm_measure_options *config = job->config;

	if (!config->command)
		return (struct jm_work){.name = "inference",
			.run = jm_inference_run,
			.context = inference,
			.check = note_engine,
			.check_context = job};
	return (struct jm_work){.name = config->command[0],
		.command = config->command,
		.ready_s = config->ready_seconds,
		.check = check_spool,
		.check_context = job};
}

static int run_children(
	struct job *job, struct jm_children_result *ret_children, struct jm_error *reterr)
{
	const struct jm_measure_options *config = job->config;
	struct jm_inference_config inference = {.ops = job->engine,
		.options = {.dtype = config->dtype,
			.n_input_shape = config->n_input_shape,
			.optimization_level = config->optimization_level,
			.threads = config->threads,
			.seed = config->seed,
			.settings = job->settings.list,
			.n_settings = job->settings.n,
			.now_ns = jm_clock_monotonic_ns},
		.model = &job->model,
		.warmup = config->warmup};
	struct jm_children_config children = {.work = work_of(job, &inference),
		.spool_path = job->place.paths.timeline,
		.runs = config->runs,
		.jitter_ms = config->jitter_ms,
		.round_ms = job->sensors.members[0].info.round_ms,
		.seed = config->seed,
		.logger = {.set = &job->sensors,
			.rate_hz = config->rate_hz,
			.spool_path = job->place.paths.power,
			.pin_cpu = -1,
			.realtime = 1,
			.ignore_terminate = 1},
		.lead_ns = lead_ns(config),
		.progress = config->progress};

	memcpy(inference.options.input_shape, config->input_shape, sizeof(config->input_shape));
	return jm_children_run(&children, ret_children, reterr);
}

/* Completes what is there; the first failure is the one to report. */
static int finish(struct job *job, const struct jm_children_result *children, int result,
	struct jm_error *reterr)
{
	struct jm_session_report report;
	int finish_result;

	finish_result = describe_end(job, children, result, result < 0 ? NULL : reterr);
	if (finish_result == 0)
		finish_result = jm_run_write(
			job->place.paths.session, &job->run, result < 0 ? NULL : reterr);
	if (finish_result == 0 || result < 0)
		finish_result = jm_session_finish(
			job->place.run_folder, &report, result < 0 ? NULL : reterr);
	job->result->cycles = finish_result == 0 ? (uint32_t)report.cycles : 0;
	if (finish_result == 0 && report.kept[0])
		jm_note(job->config->progress, "the earlier run is kept in %s", report.kept);
	if (finish_result < 0 && jm_session_exists(job->place.run_folder))
		jm_note(job->config->progress,
			"what was measured is safe in '%s': mend the fault below, then "
			"'joulemap recover %s'",
			job->place.paths.folder, job->place.run_folder);
	job->result->interrupted = children->interrupted;
	if (result == 0 && finish_result == 0 && job->config->command && report.bytes_dropped)
		return jm_fail(reterr, JM_EFORMAT,
			"'%s' wrote %llu bytes into its spool that are no records%s%s: all "
			"others are kept in '%s'",
			job->config->command[0], (unsigned long long)report.bytes_dropped,
			report.damage.code ? ", " : "",
			report.damage.code ? report.damage.message : "", job->place.run_folder);
	return result < 0 ? result : finish_result;
}

static int run(struct job *job, struct jm_error *reterr)
{
	const struct jm_idle_config idle_config = {.set = &job->sensors,
		.result_dir = job->config->result_dir,
		.seconds = job->config->idle_seconds,
		.again = job->config->idle_again,
		.progress = job->config->progress};
	struct jm_children_result children = {.cycles = 0};
	struct jm_idle_power idle;
	int result = jm_place_take(&job->place, job->config->result_dir, job->model.name,
		job->config->progress, reterr);

	if (result == 0)
		result = jm_idle_provide(&idle_config, &idle, reterr);
	if (result == 0)
		result = describe(job, &idle, reterr);
	if (result < 0)
		return result;
	result = run_children(job, &children, reterr);
	if (!children.cycles) {
		jm_session_remove(&job->place.paths, job->place.run_folder);
		if (result == 0 && !children.interrupted)
			return jm_fail(reterr, JM_EENGINE,
				"'%s' finished without a single cycle, nothing was measured",
				job->config->command ? job->config->command[0] : "inference");
		return result < 0 ? result
				  : jm_fail(reterr, JM_EINTERRUPTED,
					    "interrupted in the first cycle, nothing was "
					    "measured");
	}
	return finish(job, &children, result, reterr);
}

int jm_measure_run(const struct jm_measure_options *config,
	struct jm_measure_outcome *ret_result, struct jm_error *reterr)
{
	struct job *job = calloc(1, sizeof(*job)); /* too large for a thread's stack */
	struct jm_wishes_saved saved;
	int result;

	memset(ret_result, 0, sizeof(*ret_result));
	if (!job)
		return jm_fail_memory(reterr, "the measurement");
	job->config = config;
	job->result = ret_result;
	job->place.lock_fd = -1;
	jm_run_init(&job->run);
	jm_sensor_set_init(&job->sensors);
	jm_wishes_catch(&saved);
	result = choose(job, reterr);
	if (result == 0)
		result = run(job, reterr);
	jm_run_release(&job->run);
	jm_sensor_set_release(&job->sensors);
	json_decref(job->calibrations);
	memcpy(ret_result->run_folder, job->place.run_folder, sizeof(ret_result->run_folder));
	jm_place_release(&job->place);
	jm_wishes_restore(&saved);
	free(job);
	return result;
}
