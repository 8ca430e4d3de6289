/* SPDX-License-Identifier: Apache-2.0 */
#include "run/calibration.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json.h"
#include "base/known.h"
#include "base/text.h"

#define SCHEMA 1
#define FILE_MAX ((size_t)16 << 20)

/* A sensor's own account of its timing may differ by this much, as a share. */
#define SAME_SETTING 0.005

/*
 * How far another run may be from the calibration: wake-up times and the
 * logger's lateness, temperature of supply and sensor.
 */
#define DELAY_FLOOR_MS 0.02
#define TAU_FLOOR_MS 0.02
#define TAU_FLOOR_SHARE 0.1
#define WINDOW_FLOOR_SHARE 0.01
/* The fit begins with a first-order supply, whose delay and time constant differ
 * from a second-order one's by up to this share of the time constant. */
#define SHAPE_SHARE 0.3

void jm_calibration_key(
	const struct jm_sensor_info *info, uint64_t seed, char *ret_key, size_t size)
{
	char text[sizeof(info->path) + 32];

	if (info->flags & JM_SENSOR_SIMULATED)
		snprintf(text, sizeof(text), "%s seed %llu", info->path,
			(unsigned long long)seed);
	else
		snprintf(text, sizeof(text), "%s", info->id);
	jm_text_copy(ret_key, size, text);
}

int jm_calibration_path(char ret_path[JM_PATH_MAX], struct jm_error *reterr)
{
	static const char *const variables[] = {"XDG_STATE_HOME", "XDG_CONFIG_HOME"};
	const char *own = getenv("JOULEMAP_CALIBRATION"), *home = getenv("HOME");

	if (own && *own) {
		if (strlen(own) >= JM_PATH_MAX)
			return jm_fail(reterr, JM_EINVAL, "$JOULEMAP_CALIBRATION is too long");
		jm_text_copy(ret_path, JM_PATH_MAX, own);
		return 0;
	}
	for (size_t i = 0; i < 2; i++) {
		const char *folder = getenv(variables[i]);

		if (folder && folder[0] == '/')
			return jm_path_join(
				ret_path, folder, "joulemap/calibration.json", reterr);
	}
	if (!home || home[0] != '/')
		return jm_fail(reterr, JM_ENOTFOUND,
			"no place for calibrations: set HOME, XDG_STATE_HOME or "
			"JOULEMAP_CALIBRATION");
	return jm_path_join(ret_path, home, ".config/joulemap/calibration.json", reterr);
}

/* ---- One entry ---------------------------------------------------------------- */

static json_t *measured(double value, double sd)
{
	return json_pack(
		"{s:o, s:o}", "value", jm_json_number(value), "sd", jm_json_number(sd));
}

json_t *jm_calibration_to_json(const struct jm_calibration *c)
{
	return json_pack(
		"{s:o, s:o, s:o, s:b, s:s, s:s, s:o, s:{s:f, s:f, s:i}, s:o, s:o, s:o, "
		"s:o, s:o, s:i, s:o, s:o, s:I, s:I}",
		"board", jm_json_text(c->board), "sensor", jm_json_text(c->sensor), "rail",
		jm_json_text(c->rail), "simulated", c->simulated, "created", c->created,
		"joulemap", c->joulemap, "load", jm_json_text(c->load), "setting", "round_ms",
		c->sensor_round_ms, "window_ms", c->sensor_window_ms, "samples",
		(int)c->sensor_samples, "round_ms", jm_json_number(c->round_ms), "window_ms",
		measured(c->window_ms, c->window_sd_ms), "delay_ms",
		measured(c->delay_ms, c->delay_sd_ms), "tau_ms",
		measured(c->tau_ms, c->tau_sd_ms), "shape", jm_json_number(c->shape), "taps",
		c->taps, "load_w", measured(c->step_w, c->step_sd_w), "noise_w",
		jm_json_number(c->noise_w), "conversions", (json_int_t)c->conversions, "spans",
		(json_int_t)c->spans);
}

/* A value counts only with its deviation. */
static void read_measured(
	const json_t *object, const char *key, double *ret_value, double *ret_sd)
{
	const json_t *pair = json_object_get(object, key);

	*ret_value = jm_json_get_number(pair, "value");
	*ret_sd = jm_json_get_number(pair, "sd");
	if (!(isfinite(*ret_value) && *ret_sd > 0))
		*ret_value = *ret_sd = (double)NAN;
}

static void read_text(const json_t *object, const char *key, char *ret_text, size_t size)
{
	const char *text = json_string_value(json_object_get(object, key));

	jm_text_copy(ret_text, size, text ? text : "");
}

int jm_calibration_from_json(const json_t *json, struct jm_calibration *c)
{
	const json_t *setting = json_object_get(json, "setting");
	double samples = jm_json_get_number(setting, "samples");
	double conversions = jm_json_get_number(json, "conversions"),
	       spans = jm_json_get_number(json, "spans");

	memset(c, 0, sizeof(*c));
	read_text(json, "board", c->board, sizeof(c->board));
	read_text(json, "sensor", c->sensor, sizeof(c->sensor));
	read_text(json, "rail", c->rail, sizeof(c->rail));
	read_text(json, "created", c->created, sizeof(c->created));
	read_text(json, "joulemap", c->joulemap, sizeof(c->joulemap));
	read_text(json, "load", c->load, sizeof(c->load));
	c->simulated = json_is_true(json_object_get(json, "simulated"));
	c->taps = (int)json_integer_value(json_object_get(json, "taps"));
	c->shape = jm_json_get_number(json, "shape");
	c->sensor_round_ms = jm_json_get_number(setting, "round_ms");
	c->sensor_window_ms = jm_json_get_number(setting, "window_ms");
	c->round_ms = jm_json_get_number(json, "round_ms");
	c->noise_w = jm_json_get_number(json, "noise_w");
	read_measured(json, "window_ms", &c->window_ms, &c->window_sd_ms);
	read_measured(json, "delay_ms", &c->delay_ms, &c->delay_sd_ms);
	read_measured(json, "tau_ms", &c->tau_ms, &c->tau_sd_ms);
	read_measured(json, "load_w", &c->step_w, &c->step_sd_w);
	c->sensor_samples = samples >= 0 && samples < 1e6 ? (unsigned)samples : 0;
	c->conversions = conversions >= 0 && conversions < 1e15 ? (size_t)conversions : 0;
	c->spans = spans >= 0 && spans < 1e15 ? (size_t)spans : 0;
	return c->board[0] && c->sensor[0] && c->rail[0] && c->sensor_round_ms >= 0 &&
	       c->sensor_window_ms >= 0;
}

/* ---- The file ------------------------------------------------------------------- */

static int parse(const char *path, const char *text, size_t size, json_t **ret_file,
	struct jm_error *reterr)
{
	json_error_t problem;
	json_t *file = json_loadb(text, size, 0, &problem);
	json_int_t schema = json_integer_value(json_object_get(file, "schema"));

	if (!file)
		return jm_fail(reterr, JM_EFORMAT,
			"calibrations in '%s' cannot be read, line %d: %s; mend or move the "
			"file",
			path, problem.line, problem.text);
	if (schema > SCHEMA)
		jm_fail(reterr, JM_EFORMAT,
			"calibrations in '%s' are of a later version of joulemap (schema %lld)",
			path, (long long)schema);
	else if (schema < 1 || !json_is_array(json_object_get(file, "calibrations")))
		jm_fail(reterr, JM_EFORMAT, "'%s' holds no calibrations; mend or move the file",
			path);
	else {
		*ret_file = file;
		return 0;
	}
	json_decref(file);
	return JM_EFORMAT;
}

int jm_calibration_load(json_t **ret_file, struct jm_error *reterr)
{
	char path[JM_PATH_MAX], *text;
	size_t size;
	int result = jm_calibration_path(path, reterr);

	*ret_file = NULL;
	if (result < 0 || !jm_path_exists(path))
		return result;
	result = jm_file_read(path, FILE_MAX, &text, &size, reterr);
	if (result < 0)
		return result;
	result = parse(path, text, size, ret_file, reterr);
	free(text);
	return result;
}

static json_t *entries_of(const json_t *file)
{
	return json_object_get(file, "calibrations");
}

size_t jm_calibration_count(const json_t *file)
{
	return json_array_size(entries_of(file));
}

int jm_calibration_get(const json_t *file, size_t index, struct jm_calibration *ret_calibration)
{
	return jm_calibration_from_json(
		json_array_get(entries_of(file), index), ret_calibration);
}

static int same(double a, double b)
{
	return fabs(a - b) <= SAME_SETTING * fmax(fabs(a), fabs(b));
}

static int same_setting(const struct jm_calibration *c, const struct jm_sensor_info *info)
{
	unsigned own = c->sensor_samples > 1 ? c->sensor_samples : 1;
	unsigned now = info->samples > 1 ? info->samples : 1;

	return own == now && same(c->sensor_round_ms, jm_known_or(info->round_ms, 0)) &&
	       same(c->sensor_window_ms, jm_known_or(info->window_ms, 0));
}

int jm_calibration_find(const json_t *file, const char *board,
	const struct jm_sensor_info *info, uint64_t seed, const char *rail,
	struct jm_calibration *ret_calibration)
{
	char key[sizeof(ret_calibration->sensor)];
	int found = 0;

	jm_calibration_key(info, seed, key, sizeof(key));
	for (size_t i = 0; i < jm_calibration_count(file); i++) {
		struct jm_calibration c;

		if (!jm_calibration_get(file, i, &c) || strcmp(c.board, board) != 0 ||
			strcmp(c.sensor, key) != 0 || strcmp(c.rail, rail) != 0 ||
			c.simulated != ((info->flags & JM_SENSOR_SIMULATED) != 0))
			continue;
		if (same_setting(&c, info)) {
			*ret_calibration = c;
			return 1;
		}
		found = -1;
	}
	return found;
}

/* "" for a file in the current folder. */
static void get_parent(const char *path, char ret_parent[JM_PATH_MAX])
{
	size_t folder = strlen(path) - strlen(jm_path_name(path));

	while (folder > 1 && path[folder - 1] == '/')
		folder--;
	jm_text_copy(ret_parent, folder + 1, path);
}

int jm_calibration_check_place(struct jm_error *reterr)
{
	char path[JM_PATH_MAX], parent[JM_PATH_MAX], above[JM_PATH_MAX];
	int result = jm_calibration_path(path, reterr);

	if (result < 0)
		return result;
	get_parent(path, parent);
	while (parent[0] && !jm_path_exists(parent)) {
		if (errno != ENOENT)
			return jm_fail_errno(reterr, errno, "cannot write '%s'", path);
		get_parent(parent, above);
		memcpy(parent, above, sizeof(parent));
	}
	if (parent[0] && !jm_path_is_folder(parent))
		return jm_fail_errno(reterr, ENOTDIR, "cannot write '%s'", path);
	if (access(parent[0] ? parent : ".", W_OK | X_OK) != 0)
		return jm_fail_errno(reterr, errno, "cannot write '%s'", path);
	return 0;
}

static int save(const char *path, const json_t *file, struct jm_error *reterr)
{
	char parent[JM_PATH_MAX], *text;
	int result = 0;

	get_parent(path, parent);
	if (parent[0])
		result = jm_folder_make(parent, reterr);
	if (result < 0)
		return result;
	text = jm_json_dump(file, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
	if (!text)
		return jm_fail_memory(reterr, "the calibrations");
	result = jm_file_write(path, text, strlen(text), reterr);
	free(text);
	return result < 0 ? result : jm_file_sync(path, reterr);
}

static int same_rail(const struct jm_calibration *a, const struct jm_calibration *b)
{
	return strcmp(a->board, b->board) == 0 && strcmp(a->sensor, b->sensor) == 0 &&
	       strcmp(a->rail, b->rail) == 0 && a->simulated == b->simulated;
}

/* One entry into the list, in the place of its predecessor. */
static int put(json_t *entries, const struct jm_calibration *calibration)
{
	json_t *json = jm_calibration_to_json(calibration);
	struct jm_calibration old;

	if (!json)
		return -1;
	for (size_t i = 0; i < json_array_size(entries); i++)
		if (jm_calibration_from_json(json_array_get(entries, i), &old) &&
			same_rail(&old, calibration))
			return json_array_set_new(entries, i, json);
	return json_array_append_new(entries, json);
}

int jm_calibration_store(
	const struct jm_calibration *calibrations, size_t n, struct jm_error *reterr)
{
	char path[JM_PATH_MAX];
	json_t *file = NULL;
	int result = jm_calibration_path(path, reterr);

	if (result == 0)
		result = jm_calibration_load(&file, reterr);
	if (result == 0 && !file) {
		file = json_pack("{s:i, s:[]}", "schema", SCHEMA, "calibrations");
		if (!file)
			result = jm_fail_memory(reterr, "the calibrations");
	}
	for (size_t i = 0; i < n && result == 0; i++)
		if (put(entries_of(file), &calibrations[i]) != 0)
			result = jm_fail_memory(reterr, "the calibrations");
	if (result == 0)
		result = save(path, file, reterr);
	json_decref(file);
	return result;
}

int jm_calibration_forget(const char *sensor, struct jm_error *reterr)
{
	char path[JM_PATH_MAX];
	json_t *file = NULL;
	int removed = 0, result = jm_calibration_path(path, reterr);

	if (result == 0)
		result = jm_calibration_load(&file, reterr);
	for (size_t i = jm_calibration_count(file); i-- > 0;) {
		struct jm_calibration c;

		if (sensor &&
			(!jm_calibration_get(file, i, &c) || strcmp(c.sensor, sensor) != 0))
			continue;
		json_array_remove(entries_of(file), i);
		removed++;
	}
	if (result == 0 && removed)
		result = save(path, file, reterr);
	json_decref(file);
	return result < 0 ? result : removed;
}

/* ---- Use ---------------------------------------------------------------------------- */

void jm_calibration_prior(const struct jm_calibration *c, struct jm_fit_prior *prior)
{
	double from_shape = c->shape > 0 ? SHAPE_SHARE * c->tau_ms : 0;

	if (c->delay_sd_ms > 0) {
		prior->delay_ms = c->delay_ms;
		prior->delay_sd_ms = hypot(hypot(c->delay_sd_ms, DELAY_FLOOR_MS), from_shape);
	}
	if (c->tau_sd_ms > 0) {
		prior->tau_ms = c->tau_ms;
		prior->tau_sd_ms = hypot(hypot(c->tau_sd_ms, from_shape),
			fmax(TAU_FLOOR_MS, TAU_FLOOR_SHARE * c->tau_ms));
	}
	if (c->window_sd_ms > 0) {
		prior->window_ms = c->window_ms;
		prior->window_sd_ms = hypot(c->window_sd_ms, WINDOW_FLOOR_SHARE * c->window_ms);
	}
}
