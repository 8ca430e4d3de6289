/* SPDX-License-Identifier: Apache-2.0 */
/* The files of a simulated run, in the original's formats. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "formats/latency_file.h"
#include "formats/power_log_file.h"
#include "formats/readings_file.h"
#include "run/rails.h"
#include "run/run.h"
#include "run/run_folder.h"
#include "simulate/internal.h"

/* A made-up afternoon, so that the same seed gives the same bytes. */
enum { YEAR = 2024, MONTH = 11, DAY = 21 };
#define START_OF_DAY_NS (INT64_C(19200) * JM_NS_PER_S) /* 05:20 */
#define MONOTONIC_NS (INT64_C(5000) * JM_NS_PER_S)
#define IDLE_SECONDS 60
#define IDLE_LEAD_S 137

static const char mark[] =
	"SIMULATED\n\n"
	"Everything in this folder is made up by 'joulemap simulate', times and power alike.\n"
	"What the layers drew is in truth.json.\n";

/* Some fraction of a second after 05:20:04. */
int64_t jm_simulated_civil_begin_ns(const struct jm_simulate_config *config)
{
	uint64_t hashed = (uint64_t)config->seed * UINT64_C(0x9e3779b97f4a7c15);

	return jm_civil_from_date_ns(YEAR, MONTH, DAY) + START_OF_DAY_NS + 4 * JM_NS_PER_S +
	       (int64_t)(hashed >> 34);
}

static int write_text(
	const char *folder, const char *name, const char *text, struct jm_error *reterr)
{
	char path[JM_PATH_MAX];
	int result = jm_path_join(path, folder, name, reterr);

	return result < 0 ? result : jm_file_write(path, text, strlen(text), reterr);
}

/* Idle power as it was before the run began, drift included. */
static double idle_uw(const struct jm_simulate_config *config)
{
	double idle_w = config->idle_w - 0.5 * config->drift_w;

	return nearbyint(idle_w < 0 ? 0 : idle_w * 1e6);
}

static int write_idle(
	const char *folder, const struct jm_simulated_result *result, struct jm_error *reterr)
{
	const struct jm_simulate_config *config = result->config;
	char stamp[16], value[JM_DOUBLE_TEXT_MAX], name[96], text[256];
	int64_t civil_ns = jm_simulated_civil_begin_ns(config) - IDLE_LEAD_S * JM_NS_PER_S;
	int status;

	jm_civil_format_file(civil_ns, stamp);
	jm_text_format_double(idle_uw(config), value);
	snprintf(name, sizeof(name), "%d_seconds_idling_power_log_%s.log", IDLE_SECONDS, stamp);
	snprintf(text, sizeof(text), "The average idling power measured: %s muW", value);
	status = write_text(folder, name, text, reterr);
	if (status < 0)
		return status;
	snprintf(text, sizeof(text),
		"{\"timestamp\": \"%s\", \"avg_idle_power\": %s, \"simulated\": true}\n", stamp,
		value);
	return write_text(folder, JM_IDLE_JSON_NAME, text, reterr);
}

static int write_json(
	const char *folder, const char *name, json_t *taken, struct jm_error *reterr)
{
	char *text = taken ? json_dumps(taken, JSON_INDENT(1)) : NULL;
	int result;

	json_decref(taken);
	if (!text)
		return jm_fail_memory(reterr, name);
	result = write_text(folder, name, text, reterr);
	free(text);
	return result;
}

static int write_engine_info(const char *run_folder, const struct jm_simulated_network *network,
	struct jm_error *reterr)
{
	json_t *layers = json_array();

	for (size_t i = 0; layers && i < network->n_units; i++)
		json_array_append_new(
			layers, json_pack("{s:s, s:s}", "Name", network->units[i].name,
					"LayerType", network->units[i].type));
	return write_json(run_folder, JM_RUN_ENGINE_INFO_NAME,
		json_pack("{s:o, s:[]}", "Layers", layers, "Bindings"), reterr);
}

/* ---- What the original's log cannot hold: counters, and several rails ---------------- */

/* readings.csv counts from boot; run.json says what that is in civil time. */
static int write_readings(const char *run_folder, const struct jm_simulated_result *result,
	struct jm_error *reterr)
{
	struct jm_power_log shifted;
	char path[JM_PATH_MAX];
	int status = 0;

	jm_power_log_init(&shifted);
	for (size_t r = 0; r < (size_t)result->config->rails && status >= 0; r++) {
		const struct jm_rail *rail = &result->log->rails[r];

		status = jm_power_log_add_rail(&shifted, rail->name, rail->quantity, reterr);
		for (size_t i = 0; i < rail->n_readings && status >= 0; i++) {
			struct jm_reading reading = rail->readings[i];

			reading.before_ns += MONOTONIC_NS;
			reading.after_ns += MONOTONIC_NS;
			status = jm_power_log_append(&shifted, r, &reading, reterr);
		}
	}
	if (status >= 0)
		status = jm_path_join(path, run_folder, JM_RUN_READINGS_NAME, reterr);
	if (status >= 0)
		status = jm_readings_write(path, &shifted, reterr);
	jm_power_log_release(&shifted);
	return status;
}

static int describe_sensor(const struct jm_simulate_config *config,
	struct jm_run_sensor *sensor, struct jm_error *reterr)
{
	int counter = !strcmp(config->sensor, "counter");
	struct jm_rail_info rails[JM_SIMULATE_RAILS_MAX];
	struct jm_sensor_info info = {.kind = counter ? JM_SENSOR_COUNTER : JM_SENSOR_WINDOW,
		.flags = JM_SENSOR_SIMULATED,
		.round_ms = config->round_ms,
		.window_ms = counter ? config->round_ms : config->window_ms,
		.poll_ms = config->poll_ms,
		.rails = rails,
		.n_rails = (size_t)config->rails};

	memset(rails, 0, sizeof(rails));
	for (size_t r = 0; r < info.n_rails; r++) {
		jm_text_copy(rails[r].name, sizeof(rails[r].name),
			jm_simulated_rail_name(config, r));
		rails[r].quantity = counter ? JM_QUANTITY_UJ : JM_QUANTITY_MV_MA;
		rails[r].parent = jm_simulated_rail_is_inside(config, r) ? 0 : -1;
		rails[r].quantum[0] = counter ? config->quantum_uj : config->quantum_mv;
		rails[r].quantum[1] = counter ? 0 : config->quantum_ma;
		rails[r].range = config->range_uj;
	}
	if (!strcmp(config->sensor, "averaging"))
		info.samples = (unsigned)config->average;
	jm_text_copy(info.id, sizeof(info.id), config->scenario);
	return jm_run_sensor_set(
		sensor, "simulate", &info, (uint64_t)config->seed, NULL, reterr);
}

static int describe_run(
	const struct jm_simulate_config *config, struct jm_run *run, struct jm_error *reterr)
{
	struct jm_run_sensor *sensor = jm_run_add_sensor(run);

	if (!sensor)
		return jm_fail_memory(reterr, "the description of the run");
	jm_text_copy(run->model.name, sizeof(run->model.name), JM_SIMULATED_MODEL);
	run->clock = (struct jm_run_clock){.monotonic_ns = MONOTONIC_NS,
		.realtime_ns = jm_simulated_civil_begin_ns(config)};
	run->cycles = config->cycles;
	if (config->rails > 1)
		run->idle.power_uw = idle_uw(config);
	return describe_sensor(config, sensor, reterr);
}

/* The rail that is the power log; of several roots their sum, which is added to the log. */
static int find_total(struct jm_run *run, struct jm_simulated_result *result,
	struct jm_power_log *log, struct jm_error *reterr)
{
	struct jm_total total;
	int status = jm_run_total_init(run, log->n_rails, &total, reterr);

	if (status == 0)
		status = jm_total_find(&total, log, &result->total, reterr);
	jm_total_release(&total);
	if (status == 0)
		jm_text_copy(run->power_log.rail, sizeof(run->power_log.rail),
			log->rails[result->total].name);
	if (status == 0)
		jm_text_copy(run->power_log.sensor, sizeof(run->power_log.sensor),
			run->sensors[0].id);
	return status;
}

static int write_run_json(const char *run_folder, struct jm_simulated_result *result,
	struct jm_power_log *log, struct jm_error *reterr)
{
	struct jm_run *run = malloc(sizeof(*run));
	char path[JM_PATH_MAX];
	int status = jm_path_join(path, run_folder, JM_RUN_JSON_NAME, reterr);

	if (!run)
		return jm_fail_memory(reterr, "the description of the run");
	jm_run_init(run);
	if (status == 0)
		status = describe_run(result->config, run, reterr);
	if (status == 0 && result->config->rails > 1)
		status = find_total(run, result, log, reterr);
	if (status == 0)
		status = jm_run_write(path, run, reterr);
	jm_run_release(run);
	free(run);
	return status;
}

static int write_ours(const char *run_folder, struct jm_simulated_result *result,
	struct jm_power_log *log, struct jm_error *reterr)
{
	int status;

	if (result->config->rails == 1 && log->rails[0].quantity != JM_QUANTITY_UJ)
		return 0; /* the power log holds it all */
	status = write_readings(run_folder, result, reterr);
	return status < 0 ? status : write_run_json(run_folder, result, log, reterr);
}

/* ---- All of it --------------------------------------------------------------------------- */

static int write_run(const char *run_folder, struct jm_simulated_result *result,
	struct jm_power_log *log, struct jm_error *reterr)
{
	int64_t civil_ns = jm_simulated_civil_begin_ns(result->config);
	int64_t zone_ns = llround(result->config->power_log_zone_h * 3600) * JM_NS_PER_S;
	char path[JM_PATH_MAX], stamp[16], name[96];
	int status;

	jm_civil_format_file(civil_ns - 4 * JM_NS_PER_S, stamp);
	snprintf(name, sizeof(name), "%lld_cycles_power_log_%s.log",
		(long long)result->config->cycles, stamp);
	status = write_ours(run_folder, result, log, reterr);
	if (status == 0)
		status = jm_path_join(path, run_folder, name, reterr);
	if (status == 0)
		status = jm_power_log_write(
			path, &log->rails[result->total], civil_ns + zone_ns, reterr);
	if (status == 0)
		status = jm_path_join(path, run_folder, JM_RUN_LATENCY_NAME, reterr);
	if (status == 0)
		status = jm_latency_write(path, &result->run->timeline, civil_ns, reterr);
	return status < 0 ? status : write_engine_info(run_folder, result->network, reterr);
}

int jm_simulated_folder_write(const char *folder, struct jm_simulated_result *result,
	struct jm_power_log *log, struct jm_error *reterr)
{
	char path[JM_PATH_MAX], run_folder[JM_PATH_MAX];
	int status = jm_path_join(run_folder, folder, JM_SIMULATED_MODEL, reterr);

	if (status == 0)
		status = jm_path_join(path, run_folder, "trt_profiling", reterr);
	if (status == 0)
		status = jm_folder_make(path, reterr);
	if (status == 0)
		status = write_text(folder, "SIMULATED.txt", mark, reterr);
	if (status == 0)
		status = write_idle(folder, result, reterr);
	if (status == 0)
		status = write_run(run_folder, result, log, reterr);
	if (status == 0)
		status = jm_path_join(path, folder, "truth.json", reterr);
	return status < 0 ? status : jm_simulated_truth_write(path, result, reterr);
}
