/* SPDX-License-Identifier: Apache-2.0 */
#include "run/run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "base/known.h"
#include "base/text.h"
#include "data/total.h"
#include "run/run_keys.h"

void jm_run_init(struct jm_run *run)
{
	jm_keys_init(&jm_run_keys, run);
}

void jm_run_release(struct jm_run *run)
{
	jm_keys_release(&jm_run_keys, run);
}

int jm_run_is_simulated(const struct jm_run *run)
{
	for (size_t i = 0; i < run->n_sensors; i++)
		if (run->sensors[i].simulated)
			return 1;
	return 0;
}

/* 1 when the power log says that it holds this rail ("nvml:0/GPU" of a set). */
static int is_logged(const struct jm_run_power_log *log, const struct jm_run_sensor *sensor,
	const struct jm_run_rail *rail)
{
	const char *slash = strrchr(log->rail, '/');

	if (log->sensor[0] && strcmp(log->sensor, sensor->id) != 0)
		return 0;
	return strcmp(log->rail, rail->name) == 0 ||
	       (slash && strcmp(slash + 1, rail->name) == 0);
}

void jm_run_subject_get(const struct jm_run *run, struct jm_run_subject *ret_subject)
{
	size_t index = 0;

	memset(ret_subject, 0, sizeof(*ret_subject));
	for (size_t i = 0; i < run->n_sensors; i++)
		for (size_t j = 0; j < run->sensors[i].n_rails; j++, index++) {
			const struct jm_run_sensor *sensor = &run->sensors[i];
			int logged = is_logged(&run->power_log, sensor, &sensor->rails[j]);

			if (logged || !ret_subject->rail)
				*ret_subject = (struct jm_run_subject){
					sensor, &sensor->rails[j], index, 0};
			if (logged)
				return;
		}
	if (run->n_sensors && !ret_subject->sensor)
		ret_subject->sensor = run->sensors;
	ret_subject->is_sum = index > 1 && strcmp(run->power_log.rail, JM_TOTAL_NAME) == 0;
}

/* ---- Clocks ---------------------------------------------------------------------- */

void jm_run_clock_read(struct jm_run_clock *ret_clock)
{
	struct jm_clock_pair pair;

	jm_clock_pair_read(&pair);
	ret_clock->monotonic_ns = pair.monotonic_ns;
	ret_clock->realtime_ns = pair.realtime_ns;
	ret_clock->uncertainty_ns = pair.uncertainty_ns;
	ret_clock->utc_offset_s = jm_clock_utc_offset_s(pair.realtime_ns);
}

int jm_run_clock_shift(
	const struct jm_run_clock *clock, int64_t *ret_shift_ns, struct jm_error *reterr)
{
	if (clock->monotonic_ns < 0 || clock->realtime_ns < 0 ||
		clock->utc_offset_s == JM_RUN_NO_OFFSET)
		return jm_fail(reterr, JM_ENOTFOUND,
			"the run does not relate its clock to civil time");
	*ret_shift_ns =
		clock->realtime_ns - clock->monotonic_ns + clock->utc_offset_s * JM_NS_PER_S;
	return 0;
}

/* ---- Sensors --------------------------------------------------------------------- */

struct jm_run_sensor *jm_run_add_sensor(struct jm_run *run)
{
	struct jm_run_sensor *sensors =
		realloc(run->sensors, (run->n_sensors + 1) * sizeof(*sensors));

	if (!sensors)
		return NULL;
	run->sensors = sensors;
	jm_keys_init(&jm_run_sensor_keys, &sensors[run->n_sensors]);
	return &sensors[run->n_sensors++];
}

static void set_rail(struct jm_run_rail *rail, const struct jm_rail_info *info)
{
	memset(rail, 0, sizeof(*rail));
	jm_text_copy(rail->name, sizeof(rail->name), info->name);
	rail->quantity = info->quantity;
	rail->parent = info->parent;
	rail->quantum[0] = jm_known(info->quantum[0]);
	rail->quantum[1] = jm_known(info->quantum[1]);
	rail->range = jm_known(info->range);
}

int jm_run_sensor_set(struct jm_run_sensor *sensor, const char *name,
	const struct jm_sensor_info *info, uint64_t seed, const char *wanted,
	struct jm_error *reterr)
{
	struct jm_run_rail *rails = calloc(info->n_rails ? info->n_rails : 1, sizeof(*rails));

	if (!rails)
		return jm_fail_memory(reterr, "the description of a sensor");
	jm_keys_release(&jm_run_sensor_keys, sensor);
	jm_text_copy(sensor->name, sizeof(sensor->name), name);
	jm_text_copy(sensor->wanted, sizeof(sensor->wanted), wanted ? wanted : info->id);
	jm_text_copy(sensor->id, sizeof(sensor->id), info->id);
	jm_text_copy(sensor->path, sizeof(sensor->path), info->path);
	jm_text_copy(sensor->device, sizeof(sensor->device), info->device);
	sensor->kind = info->kind;
	sensor->scope = info->scope;
	sensor->simulated = (info->flags & JM_SENSOR_SIMULATED) != 0;
	sensor->stamped = (info->flags & JM_SENSOR_STAMPED) != 0;
	sensor->blocking = (info->flags & JM_SENSOR_BLOCKING) != 0;
	sensor->seed = seed;
	sensor->round_ms = jm_known(info->round_ms);
	sensor->window_ms = jm_known(info->window_ms);
	sensor->samples = info->samples;
	sensor->poll_ms = jm_known(info->poll_ms);
	jm_text_copy(sensor->provenance, sizeof(sensor->provenance), info->provenance);
	for (size_t i = 0; i < info->n_rails; i++)
		set_rail(&rails[i], &info->rails[i]);
	sensor->rails = rails;
	sensor->n_rails = info->n_rails;
	return 0;
}

void jm_run_sensor_info(const struct jm_run_sensor *sensor, struct jm_sensor_info *ret_info)
{
	memset(ret_info, 0, sizeof(*ret_info));
	jm_text_copy(ret_info->id, sizeof(ret_info->id), sensor->id);
	jm_text_copy(ret_info->path, sizeof(ret_info->path), sensor->path);
	jm_text_copy(ret_info->device, sizeof(ret_info->device), sensor->device);
	ret_info->kind = sensor->kind;
	ret_info->scope = sensor->scope;
	ret_info->flags = (sensor->simulated ? JM_SENSOR_SIMULATED : 0) |
			  (sensor->stamped ? JM_SENSOR_STAMPED : 0) |
			  (sensor->blocking ? JM_SENSOR_BLOCKING : 0);
	ret_info->round_ms = jm_known_or(sensor->round_ms, 0);
	ret_info->window_ms = jm_known_or(sensor->window_ms, 0);
	ret_info->poll_ms = jm_known_or(sensor->poll_ms, 0);
	ret_info->samples = sensor->samples;
	jm_text_copy(ret_info->provenance, sizeof(ret_info->provenance), sensor->provenance);
}

/* ---- Engine ---------------------------------------------------------------------- */

void jm_run_engine_init(struct jm_run_engine *engine)
{
	jm_keys_init(&jm_run_engine_keys, engine);
}

void jm_run_engine_release(struct jm_run_engine *engine)
{
	jm_keys_release(&jm_run_engine_keys, engine);
}

static void set_input(struct jm_run_input *input, const struct jm_tensor *tensor)
{
	jm_text_copy(input->name, sizeof(input->name), tensor->name ? tensor->name : "");
	jm_text_copy(input->dtype, sizeof(input->dtype), tensor->dtype ? tensor->dtype : "");
	input->n_shape = tensor->n_dims;
	memcpy(input->shape, tensor->dims, tensor->n_dims * sizeof(input->shape[0]));
}

/* The engine's own options, as the user gave them. */
static json_t *settings_json(const struct jm_engine_options *options)
{
	json_t *settings = json_object();

	for (size_t i = 0; settings && i < options->n_settings; i++)
		if (json_object_set_new(settings, options->settings[i].name,
			    jm_json_text(options->settings[i].value)) != 0) {
			json_decref(settings);
			return NULL;
		}
	return settings;
}

int jm_run_engine_set(struct jm_run_engine *engine, const char *name,
	const struct jm_engine_info *info, const struct jm_engine_options *options,
	const struct jm_graph *graph, struct jm_error *reterr)
{
	size_t n = graph ? graph->n_inputs : 0;
	struct jm_run_input *inputs = calloc(n ? n : 1, sizeof(*inputs));
	int open = options && options->n_settings;
	json_t *settings = open ? settings_json(options) : NULL;

	if (!inputs || (open && !settings)) {
		free(inputs);
		json_decref(settings);
		return jm_fail_memory(reterr, "the description of the engine");
	}
	jm_run_engine_release(engine);
	jm_text_copy(engine->name, sizeof(engine->name), name);
	jm_text_copy(engine->version, sizeof(engine->version), info->version);
	jm_text_copy(engine->library, sizeof(engine->library), info->library);
	jm_text_copy(engine->tracing, sizeof(engine->tracing), info->tracing);
	jm_text_copy(engine->tracing_note, sizeof(engine->tracing_note), info->tracing_note);
	jm_text_copy(engine->input_note, sizeof(engine->input_note), info->input_note);
	engine->threads = info->threads;
	engine->optimization_level = info->optimization_level;
	engine->trace_bias_us = info->trace_bias_us;
	engine->trace_bias_sd_us = info->trace_bias_sd_us;
	for (size_t i = 0; i < n; i++)
		set_input(&inputs[i], &graph->inputs[i]);
	engine->scope = info->scope;
	engine->settings = settings;
	engine->inputs = inputs;
	engine->n_inputs = n;
	return 0;
}
