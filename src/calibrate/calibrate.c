/* SPDX-License-Identifier: Apache-2.0 */
#include "calibrate/calibrate.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/progress.h"
#include "base/text.h"
#include "base/wishes.h"
#include "calibrate/calibrate_fit.h"
#include "machine/board.h"
#include "measure/children.h"
#include "measure/complete.h"
#include "measure/place.h"
#include "plugin/loader.h"
#include "run/session_load.h"
#include "sensors/describe.h"
#include "sensors/registry.h"
#include "workload/load.h"

#define LEAD_NS (500 * JM_NS_PER_MS)
#define RUN_NAME "calibration"

/* What one calibration holds on its way. */
struct job {
	const struct jm_calibrate_config *config;
	struct jm_calibrate_result *result;
	struct jm_sensor_set sensors;
	struct jm_sensor_options sensor_options;
	struct jm_load_config load;
	struct jm_load_span *spans;  /* owned */
	char temporary[JM_PATH_MAX]; /* folder to remove; "": none */
	struct jm_place place;
	struct jm_session_data data;
	double edge_ms;
};

/* ---- Sensor and load -------------------------------------------------------- */

/* The GPU that is measured; NULL: none is. */
static const struct jm_sensor_info *find_gpu(const struct job *job)
{
	for (size_t i = 0; i < job->sensors.n_members; i++)
		if (job->sensors.members[i].info.scope == JM_SCOPE_GPU)
			return &job->sensors.members[i].info;
	return NULL;
}

/* By itself the load goes to where the first sensor sees it. */
static int choose_load(struct job *job, struct jm_error *reterr)
{
	const struct jm_calibrate_config *config = job->config;
	const struct jm_sensor_info *measured = find_gpu(job);
	int gpu = strcmp(config->load, "gpu") == 0 ||
		  (strcmp(config->load, "auto") == 0 && measured &&
			  measured == &job->sensors.members[0].info);

	if (gpu && config->threads)
		return jm_fail(reterr, JM_EUSAGE, "--threads is for --load cpu");
	job->load.ops = gpu ? &jm_load_gpu : &jm_load_cpu;
	job->load.threads = config->threads;
	job->load.device = gpu && measured && measured->device[0] ? measured->device : NULL;
	return 0;
}

/* The pattern suits the slowest. */
static double longest_round_ms(const struct job *job)
{
	double longest_ms = 0;

	for (size_t i = 0; i < job->sensors.n_members; i++)
		longest_ms = fmax(longest_ms, job->sensors.members[i].info.round_ms);
	return longest_ms;
}

/* Everything that can be wrong is found before anything is measured. */
static int choose(struct job *job, struct jm_error *reterr)
{
	json_t *file = NULL;
	int result = jm_calibration_path(job->result->path, reterr);

	if (result == 0)
		result = jm_calibration_load(&file, reterr);
	json_decref(file);
	if (result < 0)
		return result;
	jm_sensor_options_init(&job->sensor_options, job->config->seed);
	result = jm_sensor_set_select(
		&job->sensors, job->config->sensor, &job->sensor_options, reterr);
	if (result == 0)
		result = choose_load(job, reterr);
	if (result == 0)
		result = jm_load_pattern(longest_round_ms(job), job->config->seconds,
			job->config->seed, &job->spans, &job->load.n_spans, reterr);
	if (result == 0)
		result = jm_calibration_check_place(reterr);
	job->load.spans = job->spans;
	return result;
}

/* ---- The run ------------------------------------------------------------------ */

static int take_place(struct job *job, struct jm_error *reterr)
{
	const char *folder = job->config->result_dir, *base = getenv("TMPDIR");
	int result;

	if (!folder) {
		result = jm_path_join(job->temporary, base && *base ? base : "/tmp",
			"joulemap-calibrate-XXXXXX", reterr);
		if (result == 0 && !mkdtemp(job->temporary)) {
			result = jm_fail_errno(
				reterr, errno, "cannot make folder '%s'", job->temporary);
			job->temporary[0] = '\0';
		}
		if (result < 0)
			return result;
		folder = job->temporary;
	}
	return jm_place_take(&job->place, folder, RUN_NAME, job->config->progress, reterr);
}

/* A session as a measurement has it, so that its tools can read the run. */
static int describe_run(struct job *job, struct jm_run *run, struct jm_error *reterr)
{
	int result;

	jm_text_copy(run->joulemap, sizeof(run->joulemap), jm_version());
	jm_text_copy(run->model.name, sizeof(run->model.name), RUN_NAME);
	jm_text_copy(run->config.load, sizeof(run->config.load), job->load.ops->name);
	run->config.seconds = job->config->seconds;
	run->config.seed = job->config->seed;
	run->board = jm_board_describe(job->sensor_options.sysfs_root);
	jm_run_clock_read(&run->clock);
	run->started_ns = jm_clock_monotonic_ns(NULL);
	if (!run->board)
		return jm_fail_memory(reterr, "the description of the calibration");
	result = jm_plugins_describe(run, reterr);
	if (result < 0)
		return result;
	return jm_sensor_set_describe(&job->sensors, run, reterr);
}

static int describe(struct job *job, struct jm_error *reterr)
{
	struct jm_run *run = malloc(sizeof(*run));
	int result;

	if (!run)
		return jm_fail_memory(reterr, "the description of the calibration");
	jm_run_init(run);
	result = describe_run(job, run, reterr);
	if (result == 0)
		result = jm_run_write(job->place.paths.session, run, reterr);
	jm_run_release(run);
	free(run);
	return result;
}

static int run_children(struct job *job, struct jm_error *reterr)
{
	double rate_hz = job->config->rate_hz;
	struct jm_children_config children = {
		.work = {.name = "load", .run = jm_load_run, .context = &job->load},
		.spool_path = job->place.paths.timeline,
		.runs = (uint32_t)job->load.n_spans,
		.logger = {.set = &job->sensors,
			.rate_hz = rate_hz,
			.spool_path = job->place.paths.power,
			.pin_cpu = -1,
			.realtime = 1,
			.ignore_terminate = 1},
		.lead_ns = rate_hz > 0 && 3e9 / rate_hz > LEAD_NS ? (int64_t)(3e9 / rate_hz)
								  : LEAD_NS,
		.progress = job->config->progress};
	struct jm_children_result result = {.cycles = 0};
	int status;

	status = jm_children_run(&children, &result, reterr);
	job->result->interrupted = result.interrupted;
	return status;
}

/* What both processes left; values of simulated sensors are computed now. */
static int load_run(struct job *job, struct jm_error *reterr)
{
	int result = jm_session_load(&job->place.paths, &job->data, reterr);
	double edge_ms = json_number_value(json_object_get(job->data.run.inference, "edge_ms"));

	job->edge_ms = edge_ms > 0 ? edge_ms : 0;
	return result < 0 ? result : jm_complete_simulated(&job->data, NULL, reterr);
}

/* ---- The result ------------------------------------------------------------------ */

static void describe_result(const struct job *job, const struct jm_run_sensor *sensor,
	const char *rail, struct jm_calibration *calibration)
{
	struct jm_sensor_info info;
	time_t now = (time_t)(jm_clock_realtime_ns() / JM_NS_PER_S);
	struct tm utc;

	jm_board_name(
		job->sensor_options.sysfs_root, calibration->board, sizeof(calibration->board));
	jm_run_sensor_info(sensor, &info);
	jm_calibration_key(
		&info, sensor->seed, calibration->sensor, sizeof(calibration->sensor));
	jm_text_copy(calibration->rail, sizeof(calibration->rail), rail);
	calibration->simulated = sensor->simulated;
	if (gmtime_r(&now, &utc))
		strftime(calibration->created, sizeof(calibration->created),
			"%Y-%m-%dT%H:%M:%SZ", &utc);
	jm_text_copy(calibration->joulemap, sizeof(calibration->joulemap), jm_version());
	jm_text_copy(calibration->load, sizeof(calibration->load), job->data.run.engine.load);
}

/* One rail of one sensor: 0, or why it does not follow the load. */
static int fit_rail(struct job *job, const struct jm_run_sensor *sensor, size_t rail,
	const struct jm_rail *readings, struct jm_error *reterr)
{
	struct jm_calibrate_result *result = job->result;
	struct jm_calibration *calibration = &result->rails[result->n_rails];
	struct jm_sensor_info info;
	int status;

	jm_run_sensor_info(sensor, &info);
	memset(calibration, 0, sizeof(*calibration));
	status = jm_calibrate_fit(
		readings, &job->data.timeline, &info, job->edge_ms, calibration, reterr);
	if (status < 0)
		return status;
	describe_result(job, sensor, sensor->rails[rail].name, calibration);
	result->n_rails++;
	return 0;
}

/* Every rail that follows the load; the first one's words when none does. */
static int fit_rails(struct job *job, struct jm_error *reterr)
{
	const struct jm_progress *progress = job->config->progress;
	const struct jm_power_log *log = &job->data.log;
	struct jm_error error, first = {.code = 0};
	size_t n = 0;

	job->result->rails = calloc(log->n_rails + 1, sizeof(*job->result->rails));
	if (!job->result->rails)
		return jm_fail_memory(reterr, "the calibration");
	for (size_t i = 0; i < job->data.run.n_sensors; i++) {
		const struct jm_run_sensor *sensor = &job->data.run.sensors[i];

		for (size_t j = 0; j < sensor->n_rails && n < log->n_rails; j++, n++) {
			jm_tell(progress, "fitting the response", (double)n,
				(double)log->n_rails, "rails");
			if (fit_rail(job, sensor, j, &log->rails[n], &error) == 0)
				continue;
			if (!first.code)
				first = error;
			if (log->n_rails > 1)
				jm_note(progress, "%s", error.message);
		}
	}
	if (job->result->n_rails)
		return 0;
	if (!first.code)
		return jm_fail(reterr, JM_EUNRESOLVED, "the sensor has no rails");
	if (reterr)
		*reterr = first;
	return first.code;
}

static int calibrate(struct job *job, struct jm_error *reterr)
{
	int result = take_place(job, reterr);

	if (result == 0)
		result = describe(job, reterr);
	if (result == 0)
		result = run_children(job, reterr);
	if (result == 0)
		result = load_run(job, reterr);
	if (result == 0)
		result = fit_rails(job, reterr);
	if (result == JM_EUNRESOLVED && job->result->interrupted)
		result = jm_fail(reterr, JM_EINTERRUPTED,
			"interrupted before there was enough to tell, nothing is stored");
	if (result == 0)
		result = jm_calibration_store(job->result->rails, job->result->n_rails, reterr);
	return result;
}

/* The run is completed where it is to be kept, also when it did not resolve. */
static int leave(struct job *job, int result, struct jm_error *reterr)
{
	struct jm_session_report report;
	struct jm_error error;

	if (job->place.lock_fd < 0)
		return result;
	if (job->config->result_dir && jm_timeline_cycles(&job->data.timeline)) {
		if (jm_session_finish(job->place.run_folder, &report, &error) == 0)
			jm_text_copy(job->result->run_folder, sizeof(job->result->run_folder),
				job->place.run_folder);
		else if (result == 0) {
			result = error.code;
			if (reterr)
				*reterr = error;
		}
	} else {
		jm_session_remove(&job->place.paths, job->place.run_folder);
	}
	jm_place_release(&job->place);
	if (job->temporary[0])
		rmdir(job->temporary);
	return result;
}

int jm_calibrate_run(const struct jm_calibrate_config *config,
	struct jm_calibrate_result *ret_result, struct jm_error *reterr)
{
	struct job *job = calloc(1, sizeof(*job));
	struct jm_wishes_saved saved;
	int result;

	memset(ret_result, 0, sizeof(*ret_result));
	if (!job)
		return jm_fail_memory(reterr, "the calibration");
	job->config = config;
	job->result = ret_result;
	job->place.lock_fd = -1;
	jm_wishes_catch(&saved);
	result = choose(job, reterr);
	if (result == 0)
		result = calibrate(job, reterr);
	result = leave(job, result, reterr);
	jm_session_data_release(&job->data);
	jm_sensor_set_release(&job->sensors);
	jm_wishes_restore(&saved);
	free(job->spans);
	free(job);
	return result;
}

void jm_calibrate_result_release(struct jm_calibrate_result *result)
{
	free(result->rails);
	result->rails = NULL;
	result->n_rails = 0;
}
