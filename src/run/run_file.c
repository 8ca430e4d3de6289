/* SPDX-License-Identifier: Apache-2.0 */
#include "run/run_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

#define RUN_FILE_MAX ((size_t)16 << 20)

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

/* It becomes part of paths: a name, and no way out of the folder. */
static void read_model(const json_t *run, struct jm_run_info *info)
{
	const char *name = text_of(json_object_get(run, "model"), "name");

	if (name && *name && !strchr(name, '/') && strcmp(name, ".") != 0 &&
		strcmp(name, "..") != 0 && strlen(name) < sizeof(info->model))
		jm_text_copy(info->model, sizeof(info->model), name);
}

static void read_engine(const json_t *run, struct jm_run_info *info)
{
	const json_t *engine = json_object_get(run, "engine");
	const char *name = text_of(engine, "engine"), *version = text_of(engine, "version");

	if (name)
		snprintf(info->engine, sizeof(info->engine), "%s%s%s", name, version ? " " : "",
			version ? version : "");
}

/* The log holds the rail that power_log names, else the sensor's first. */
static void read_sensor(const json_t *run, struct jm_run_info *info)
{
	const json_t *sensor = json_object_get(run, "sensor");
	const char *id = text_of(sensor, "id");
	const char *rail = text_of(json_object_get(run, "power_log"), "rail");

	if (!rail)
		rail = text_of(json_array_get(json_object_get(sensor, "rails"), 0), "name");
	jm_text_copy(info->sensor, sizeof(info->sensor), id ? id : "");
	jm_text_copy(info->rail, sizeof(info->rail), rail ? rail : "");
	info->simulated = json_is_true(json_object_get(sensor, "simulated"));
}

static void read_idle(const json_t *run, struct jm_run_info *info)
{
	const json_t *power = json_object_get(json_object_get(run, "idle"), "power_uw");

	if (json_is_number(power) && json_number_value(power) >= 0)
		info->idle_uw = json_number_value(power);
}

static void read_stamp(const json_t *run, struct jm_run_info *info)
{
	static const enum jm_stamp stamps[] = {JM_STAMP_BEGIN, JM_STAMP_END, JM_STAMP_CALLBACK};
	const char *stamp = text_of(run, "stamp");

	for (size_t i = 0; stamp && i < sizeof(stamps) / sizeof(stamps[0]); i++)
		if (strcmp(stamp, jm_stamp_name(stamps[i])) == 0)
			info->stamp = stamps[i];
}

static void read_schedule(const json_t *run, struct jm_run_info *info)
{
	const json_t *max_ms =
		json_object_get(json_object_get(run, "schedule"), "pause_max_ms");

	if (json_is_number(max_ms) && json_number_value(max_ms) > 0)
		info->pause_max_ms = json_number_value(max_ms);
}

int jm_run_info_read(const char *path, struct jm_run_info *ret_info, struct jm_error *reterr)
{
	json_error_t problem;
	json_t *run;
	size_t size;
	char *text;
	int result;

	memset(ret_info, 0, sizeof(*ret_info));
	ret_info->idle_uw = (double)NAN;
	result = jm_file_read(path, RUN_FILE_MAX, &text, &size, reterr);
	if (result < 0)
		return result;
	run = json_loadb(text, size, 0, &problem);
	free(text);
	if (!run)
		return jm_fail(reterr, JM_EFORMAT, "'%s' line %d: %s", path, problem.line,
			problem.text);
	if (!json_is_object(run)) {
		json_decref(run);
		return jm_fail(reterr, JM_EFORMAT, "'%s' holds no JSON object", path);
	}
	read_model(run, ret_info);
	read_engine(run, ret_info);
	read_sensor(run, ret_info);
	read_idle(run, ret_info);
	read_stamp(run, ret_info);
	read_schedule(run, ret_info);
	json_decref(run);
	return 0;
}
