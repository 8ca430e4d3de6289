/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "run/run_keys.h"

/* What the rails know from before the run, as calibration.json has it. */
static int add_calibrations(json_t *sensor, const struct jm_run_sensor *from)
{
	json_t *rails = json_object_get(sensor, "rails");

	for (size_t i = 0; i < from->n_rails; i++)
		if (from->rails[i].calibrated &&
			json_object_set_new(json_array_get(rails, i), "calibration",
				jm_calibration_to_json(&from->rails[i].calibration)) != 0)
			return -1;
	return 0;
}

static json_t *sensors_json(const struct jm_run_sensor *sensors, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < n; i++) {
		json_t *sensor = jm_keys_write(&jm_run_sensor_keys, &sensors[i]);

		if (sensor && add_calibrations(sensor, &sensors[i]) == 0 &&
			json_array_append(list, sensor) == 0) {
			json_decref(sensor);
			continue;
		}
		json_decref(sensor);
		json_decref(list);
		return NULL;
	}
	return list;
}

char *jm_run_format(const struct jm_run *run)
{
	json_t *json = jm_json_with_schema(JM_RUN_SCHEMA, jm_keys_write(&jm_run_keys, run));
	json_t *sensors = json_object_get(json, "sensors");

	for (size_t i = 0; json && i < run->n_sensors; i++)
		if (add_calibrations(json_array_get(sensors, i), &run->sensors[i]) != 0) {
			json_decref(json);
			json = NULL;
		}
	return jm_json_print_taken(json);
}

int jm_run_write(const char *path, const struct jm_run *run, struct jm_error *reterr)
{
	char *text = jm_run_format(run);
	int result;

	if (!text)
		return jm_fail_memory(reterr, "the description of the run");
	result = jm_file_write(path, text, strlen(text), reterr);
	free(text);
	return result < 0 ? result : jm_file_sync(path, reterr);
}

json_t *jm_run_config_json(const struct jm_run_config *config)
{
	return jm_keys_write(&jm_run_config_keys, config);
}

char *jm_run_sensors_format(const struct jm_run_sensor *sensors, size_t n)
{
	return jm_json_print_taken(jm_json_with_schema(
		JM_RUN_SCHEMA, json_pack("{s:o}", "sensors", sensors_json(sensors, n))));
}

json_t *jm_run_engine_json(
	const struct jm_run_engine *engine, const struct jm_run_schedule *schedule)
{
	json_t *json =
		jm_json_with_schema(JM_RUN_SCHEMA, jm_keys_write(&jm_run_engine_keys, engine));

	if (json && schedule &&
		json_object_set_new(json, "schedule",
			jm_keys_write(&jm_run_schedule_keys, schedule)) != 0) {
		json_decref(json);
		json = NULL;
	}
	return json;
}
