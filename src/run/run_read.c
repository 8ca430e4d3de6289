/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "run/run_keys.h"

#define RUN_FILE_MAX ((size_t)16 << 20)

/* ---- Schema 1 ---------------------------------------------------------------------- */

/* Moves a key; nothing to do where there is none. */
static int rename_key(json_t *object, const char *from, const char *to)
{
	json_t *value = json_object_get(object, from);

	if (!value || !json_is_object(object) || json_object_get(object, to))
		return 0;
	if (json_object_set(object, to, value) != 0)
		return -1;
	return json_object_del(object, from);
}

/* "quantum_0" and "quantum_1", and 0 for what was not known. */
static int upgrade_rail(json_t *rail)
{
	double first = json_number_value(json_object_get(rail, "quantum_0"));
	double second = json_number_value(json_object_get(rail, "quantum_1"));
	json_t *single = json_object_get(rail, "quantum");

	if (json_is_number(single)) /* of a simulated counter */
		first = json_number_value(single);
	else if (!json_object_get(rail, "quantum_0"))
		return 0;
	return json_object_set_new(rail, "quantum",
		json_pack("[o, o]", first > 0 ? json_real(first) : json_null(),
			second > 0 ? json_real(second) : json_null()));
}

/* The one calibration to the rail that it is of. */
static int upgrade_calibration(json_t *sensor)
{
	json_t *calibration = json_object_get(sensor, "calibration");
	const char *name = json_string_value(json_object_get(calibration, "rail"));
	struct jm_calibration unused;
	size_t i;
	json_t *rail;

	if (!name || !jm_calibration_from_json(calibration, &unused))
		return 0;
	json_array_foreach(json_object_get(sensor, "rails"), i, rail)
	{
		const char *own = json_string_value(json_object_get(rail, "name"));

		if (own && strcmp(own, name) == 0)
			return json_object_set(rail, "calibration", calibration);
	}
	return 0;
}

static int upgrade_sensor(json_t *sensor)
{
	const char *kind = json_string_value(json_object_get(sensor, "kind"));
	size_t i;
	json_t *rail;

	json_array_foreach(json_object_get(sensor, "rails"), i,
		rail) if (upgrade_rail(rail) != 0) return -1;
	if (kind && strcmp(kind, "unknown") == 0)
		json_object_del(sensor, "kind");
	return upgrade_calibration(sensor);
}

static int upgrade_engine(json_t *engine)
{
	return rename_key(engine, "engine", "name");
}

static int upgrade(json_t *file)
{
	json_t *sensor = json_object_get(file, "sensor");

	if (json_is_object(sensor) &&
		(upgrade_sensor(sensor) != 0 ||
			json_object_set_new(file, "sensors", json_pack("[O]", sensor)) != 0))
		return -1;
	return upgrade_engine(json_object_get(file, "engine"));
}

/* ---- Reading ----------------------------------------------------------------------- */

static int check_schema(
	const char *name, const json_t *file, json_int_t *ret_schema, struct jm_error *reterr)
{
	const json_t *schema = json_object_get(file, "schema");

	/* Those that do not tell are of the first. */
	*ret_schema = schema ? json_integer_value(schema) : 1;
	if (*ret_schema > JM_RUN_SCHEMA)
		return jm_fail(reterr, JM_EUNSUPPORTED,
			"'%s' was written by a later version of joulemap (schema %lld, this "
			"one reads up to %d): take that one",
			name, (long long)*ret_schema, JM_RUN_SCHEMA);
	if (*ret_schema < 1)
		return jm_fail(
			reterr, JM_EFORMAT, "'%s': 'schema' is not a number from 1 on", name);
	return 0;
}

static int read_calibrations(
	const char *name, const json_t *sensors, struct jm_run *run, struct jm_error *reterr)
{
	for (size_t s = 0; s < run->n_sensors; s++) {
		const json_t *rails = json_object_get(json_array_get(sensors, s), "rails");

		for (size_t r = 0; r < run->sensors[s].n_rails; r++) {
			struct jm_run_rail *rail = &run->sensors[s].rails[r];
			const json_t *own =
				json_object_get(json_array_get(rails, r), "calibration");

			if (!own || json_is_null(own))
				continue;
			if (!jm_calibration_from_json(own, &rail->calibration))
				return jm_fail(reterr, JM_EFORMAT,
					"'%s': 'sensors[%zu].rails[%zu].calibration' is no "
					"calibration",
					name, s, r);
			rail->calibrated = 1;
		}
	}
	return 0;
}

/* It becomes part of paths: a name, and no way out of the folder. */
static int check_model(const char *name, const struct jm_run *run, struct jm_error *reterr)
{
	const char *model = run->model.name;

	if (!strchr(model, '/') && strcmp(model, ".") != 0 && strcmp(model, "..") != 0 &&
		strlen(model) < 256)
		return 0;
	return jm_fail(
		reterr, JM_EFORMAT, "'%s': 'model.name' cannot be the name of a file", name);
}

static int read_run(const char *name, json_t *file, struct jm_run *run, struct jm_error *reterr)
{
	json_int_t schema;
	int result = check_schema(name, file, &schema, reterr);

	if (result == 0 && schema < 2 && upgrade(file) != 0)
		result = jm_fail_memory(reterr, "the description of the run");
	if (result == 0)
		result = jm_keys_read(&jm_run_keys, file, name, "", run, reterr);
	if (result == 0)
		result = read_calibrations(name, json_object_get(file, "sensors"), run, reterr);
	return result < 0 ? result : check_model(name, run, reterr);
}

int jm_run_parse(const char *name, const char *text, size_t size, struct jm_run *ret_run,
	struct jm_error *reterr)
{
	json_t *file;
	int result = jm_json_parse(name, text, size, &file, reterr);

	jm_run_init(ret_run);
	if (result == 0)
		result = read_run(name, file, ret_run, reterr);
	json_decref(file);
	return result;
}

int jm_run_read(const char *path, struct jm_run *ret_run, struct jm_error *reterr)
{
	json_t *file;
	int result = jm_json_read(path, RUN_FILE_MAX, &file, reterr);

	jm_run_init(ret_run);
	if (result == 0)
		result = read_run(path, file, ret_run, reterr);
	json_decref(file);
	return result;
}

/* ---- First records of spools ----------------------------------------------------------- */

int jm_run_sensors_parse(struct jm_run *run, const char *name, const char *text, size_t size,
	struct jm_error *reterr)
{
	struct jm_run read;
	json_int_t schema;
	json_t *file;
	int result = jm_json_parse(name, text, size, &file, reterr);

	jm_run_init(&read);
	if (result == 0)
		result = check_schema(name, file, &schema, reterr);
	/* The previous version wrote the one sensor's rails only. */
	if (result == 0 && schema < 2 &&
		(upgrade_sensor(file) != 0 ||
			json_object_set_new(file, "sensors",
				json_pack("[{s:O*}]", "rails",
					json_object_get(file, "rails"))) != 0))
		result = jm_fail_memory(reterr, "the description of the sensor");
	if (result == 0)
		result = jm_keys_read(&jm_run_sensors_only_keys, file, name, "", &read, reterr);
	if (result == 0)
		result = read_calibrations(
			name, json_object_get(file, "sensors"), &read, reterr);
	if (result == 0) {
		struct jm_run_sensor *sensors = run->sensors;
		size_t n = run->n_sensors;

		run->sensors = read.sensors;
		run->n_sensors = read.n_sensors;
		read.sensors = sensors;
		read.n_sensors = n;
	}
	jm_run_release(&read);
	json_decref(file);
	return result;
}

int jm_run_engine_parse(struct jm_run *run, const char *name, const char *text, size_t size,
	struct jm_error *reterr)
{
	json_int_t schema;
	json_t *file;
	const json_t *schedule;
	int result = jm_json_parse(name, text, size, &file, reterr);

	if (result == 0)
		result = check_schema(name, file, &schema, reterr);
	if (result == 0 && schema < 2 && upgrade_engine(file) != 0)
		result = jm_fail_memory(reterr, "the description of the engine");
	if (result == 0) {
		jm_run_engine_release(&run->engine);
		result =
			jm_keys_read(&jm_run_engine_keys, file, name, "", &run->engine, reterr);
	}
	schedule = result == 0 ? json_object_get(file, "schedule") : NULL;
	if (schedule && !json_is_null(schedule)) {
		jm_keys_init(&jm_run_schedule_keys, &run->schedule);
		result = jm_keys_read(&jm_run_schedule_keys, schedule, name, "schedule",
			&run->schedule, reterr);
	}
	json_decref(file);
	return result;
}
