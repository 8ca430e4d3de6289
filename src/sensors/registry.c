/* SPDX-License-Identifier: Apache-2.0 */
#include "sensors/registry.h"

#include <stdlib.h>
#include <string.h>

#include "base/build.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"
#include "sensors/info.h"

/*
 * In order of preference: finest first. Grows at the program's start, by what
 * its user brings along (jm_sensors_add).
 */
static const struct jm_sensor_ops *sensors[JM_SENSORS_MAX] = {
	&jm_sensor_ina3221, /* a whole board */
	&jm_sensor_nvml,
	&jm_sensor_replay,
	&jm_sensor_sim,
};

enum { N_OWN = 4 };
static size_t n_sensors = N_OWN;

const struct jm_sensor_ops *const *jm_sensors(size_t *ret_n)
{
	*ret_n = n_sensors;
	return sensors;
}

const struct jm_sensor_ops *jm_sensor_find(const char *name)
{
	for (size_t i = 0; i < n_sensors; i++)
		if (strcmp(sensors[i]->name, name) == 0)
			return sensors[i];
	return NULL;
}

void jm_sensor_options_init(struct jm_sensor_options *options, uint64_t seed)
{
	const char *root = getenv("JOULEMAP_SYSFS_ROOT");

	memset(options, 0, sizeof(*options));
	options->sysfs_root = root ? root : "";
	options->seed = seed;
	options->now_ns = jm_clock_monotonic_ns;
}

/* ---- Sensors from outside ------------------------------------------------------ */

static int check_name(const struct jm_sensor_ops *ops, struct jm_error *reterr)
{
	if (!ops->name || !*ops->name || !ops->summary || !*ops->summary)
		return jm_fail(
			reterr, JM_EINVAL, "the sensor has no name, or no summary of itself");
	if (strpbrk(ops->name, ":+,") || strlen(ops->name) >= JM_NAME_MAX / 2)
		return jm_fail(reterr, JM_EINVAL,
			"sensor name '%.60s' is too long or has one of ':', '+', ',' in it",
			ops->name);
	return 0;
}

static const char *missing_function(const struct jm_sensor_ops *ops)
{
	return !ops->probe   ? "probe"
	       : !ops->open  ? "open"
	       : !ops->info  ? "info"
	       : !ops->read  ? "read"
	       : !ops->close ? "close"
			     : NULL;
}

int jm_sensors_add(const struct jm_sensor_ops *ops, struct jm_error *reterr)
{
	const char *missing;
	int result =
		jm_build_check("the sensor", "sensor.h", (struct jm_build){ops->abi, ops->size},
			(struct jm_build){JM_SENSOR_ABI, sizeof(*ops)}, reterr);

	if (result == 0)
		result = check_name(ops, reterr);
	if (result < 0)
		return result;
	missing = missing_function(ops);
	if (missing)
		return jm_fail(reterr, JM_EINVAL, "sensor '%s' lacks the function '%s'",
			ops->name, missing);
	if (jm_sensor_find(ops->name))
		return jm_fail(reterr, JM_EINVAL, "there is a sensor '%s' already", ops->name);
	if (n_sensors == JM_SENSORS_MAX)
		return jm_fail(reterr, JM_EINVAL, "there is no room for sensor '%s', %d are",
			ops->name, JM_SENSORS_MAX);
	sensors[n_sensors++] = ops;
	return 0;
}

void jm_sensors_keep(size_t n)
{
	if (n >= N_OWN && n < n_sensors)
		n_sensors = n;
}

/* ---- Choice --------------------------------------------------------------------- */

/* Appends ", text" (or "text" when it is the first). */
static void append(char *list, size_t size, const char *text)
{
	size_t used = strlen(list);

	if (used && used + 2 < size) {
		memcpy(list + used, ", ", 3);
		used += 2;
	}
	jm_text_copy(list + used, size - used, text);
}

/* Moves the first info of the list out of it. */
static void take_first(struct jm_sensor_infos *infos, struct jm_sensor_info *ret_info)
{
	*ret_info = infos->list[0];
	memset(&infos->list[0], 0, sizeof(infos->list[0]));
}

/* 1: one to use without being asked, in *ret_info; 0: none; or why it cannot be used. */
static int try_best(const struct jm_sensor_ops *ops, const struct jm_sensor_options *options,
	char looked_for[256], struct jm_sensor_info *ret_info, struct jm_error *reterr)
{
	struct jm_sensor_infos infos = {0};
	int n = jm_sensor_infos_probe(&infos, ops, options, reterr);

	if (n > 0 && infos.list[0].flags & (JM_SENSOR_SIMULATED | JM_SENSOR_ON_REQUEST))
		n = 0; /* there, but nobody asked for it */
	else if (n > 0)
		take_first(&infos, ret_info);
	else if (n != JM_EUSAGE) /* that is one that wants an argument */
		append(looked_for, 256, ops->summary);
	jm_sensor_infos_release(&infos);
	return n == JM_EUSAGE ? 0 : n;
}

static int select_best(struct jm_sensor_options *options, const struct jm_sensor_ops **ret_ops,
	struct jm_sensor_info *ret_info, struct jm_error *reterr)
{
	struct jm_error first = {0}, error;
	char looked_for[256] = "";

	options->argument = NULL;
	for (size_t i = 0; i < n_sensors; i++) {
		int n = try_best(sensors[i], options, looked_for, ret_info, &error);

		if (n < 0 && !first.code)
			first = error;
		if (n > 0) {
			*ret_ops = sensors[i];
			return 0;
		}
	}
	if (first.code) { /* one is there, and why it cannot be used matters more */
		if (reterr)
			*reterr = first;
		return first.code;
	}
	return jm_fail(reterr, JM_ENOSENSOR,
		"no power sensor on this machine; looked for: %s; to try without one use "
		"'--sensor sim' (its results are marked SIMULATED)",
		looked_for);
}

static int fail_unknown(const char *name, struct jm_error *reterr)
{
	char known[256] = "";
	const char *nearest = sensors[0]->name;

	for (size_t i = 0; i < n_sensors; i++) {
		append(known, sizeof(known), sensors[i]->name);
		if (jm_text_distance(name, sensors[i]->name) < jm_text_distance(name, nearest))
			nearest = sensors[i]->name;
	}
	if (!*name)
		return jm_fail(reterr, JM_EUSAGE,
			"no sensor named '': a set is 'A+B', and there are %s", known);
	if (jm_text_distance(name, nearest) <= 2)
		return jm_fail(reterr, JM_EUSAGE, "no sensor named '%s': did you mean '%s'?",
			name, nearest);
	return jm_fail(reterr, JM_EUSAGE, "no sensor named '%s': there are %s", name, known);
}

/* Nothing matched "NAME:ARGUMENT": says what of this name is there. */
static int fail_absent(const struct jm_sensor_ops *ops, const char *wanted,
	const struct jm_sensor_options *options, struct jm_error *reterr)
{
	struct jm_sensor_options any = *options;
	struct jm_sensor_infos infos = {0};
	char present[256] = "";
	int n = 0;

	any.argument = NULL;
	if (options->argument)
		n = jm_sensor_infos_probe(&infos, ops, &any, NULL);
	for (size_t i = 0; i < infos.n; i++)
		append(present, sizeof(present), infos.list[i].id);
	jm_sensor_infos_release(&infos);
	if (n > 0)
		return jm_fail(reterr, JM_ENOSENSOR, "no sensor '%s' here: there is %s", wanted,
			present);
	return jm_fail(reterr, JM_ENOSENSOR,
		"no sensor '%s' here; looked for: %s; to try without one use '--sensor sim' "
		"(its results are marked SIMULATED)",
		wanted, ops->summary);
}

int jm_sensor_select(const char *wanted, struct jm_sensor_options *options,
	const struct jm_sensor_ops **ret_ops, struct jm_sensor_info *ret_info,
	struct jm_error *reterr)
{
	struct jm_sensor_infos infos = {0};
	const struct jm_sensor_ops *ops;
	const char *colon;
	char name[JM_NAME_MAX];
	int n;

	if (!wanted)
		return select_best(options, ret_ops, ret_info, reterr);
	colon = strchr(wanted, ':');
	jm_text_copy(name, sizeof(name), wanted);
	if (colon && (size_t)(colon - wanted) < sizeof(name))
		name[colon - wanted] = '\0';
	ops = jm_sensor_find(name);
	if (!ops)
		return fail_unknown(name, reterr);
	options->argument = colon && colon[1] ? colon + 1 : NULL;
	n = jm_sensor_infos_probe(&infos, ops, options, reterr);
	if (n > 0) {
		*ret_ops = ops;
		take_first(&infos, ret_info);
	}
	jm_sensor_infos_release(&infos);
	if (n == 0)
		return fail_absent(ops, wanted, options, reterr);
	return n < 0 ? n : 0;
}
