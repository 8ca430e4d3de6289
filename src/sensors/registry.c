/* SPDX-License-Identifier: Apache-2.0 */
#include "sensors/registry.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"

#define INFOS_MAX 16

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

/* abi and size come first in every version, so they can be looked at. */
static int check_version(const struct jm_sensor_ops *ops, struct jm_error *reterr)
{
	if (ops->abi != JM_SENSOR_ABI)
		return jm_fail(reterr, JM_EINVAL,
			"the sensor was built for version %u of joulemap/sensor.h, this is "
			"version %d: build it again",
			(unsigned)ops->abi, JM_SENSOR_ABI);
	if (ops->size != sizeof(*ops))
		return jm_fail(reterr, JM_EINVAL,
			"the sensor's table of functions has %u bytes instead of %zu: set size "
			"to sizeof(struct jm_sensor_ops), and build it again",
			(unsigned)ops->size, sizeof(*ops));
	return 0;
}

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
	       : !ops->read  ? "read"
	       : !ops->close ? "close"
			     : NULL;
}

int jm_sensors_add(const struct jm_sensor_ops *ops, struct jm_error *reterr)
{
	const char *missing;
	int result = check_version(ops, reterr);

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

int jm_sensor_rail_is_root(const struct jm_sensor_info *info, size_t rail)
{
	return rail < info->n_rails && info->rails[rail].parent < 0;
}

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

static int select_best(struct jm_sensor_options *options, const struct jm_sensor_ops **ret_ops,
	struct jm_sensor_info *ret_info, struct jm_error *reterr)
{
	struct jm_sensor_info infos[INFOS_MAX];
	struct jm_error first = {0}, error;
	char looked_for[256] = "";

	options->argument = NULL;
	for (size_t i = 0; i < n_sensors; i++) {
		int n = sensors[i]->probe(options, infos, INFOS_MAX, &error);

		if (n < 0 && !first.code)
			first = error;
		if (n > 0 && !infos[0].simulated) {
			*ret_ops = sensors[i];
			*ret_info = infos[0];
			return 0;
		}
		if (n <= 0 && sensors[i] != &jm_sensor_replay) /* that is not looked for */
			append(looked_for, sizeof(looked_for), sensors[i]->summary);
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
	struct jm_sensor_info infos[INFOS_MAX];
	char present[256] = "";
	int n;

	any.argument = NULL;
	n = options->argument ? ops->probe(&any, infos, INFOS_MAX, NULL) : 0;
	for (int i = 0; i < n; i++)
		append(present, sizeof(present), infos[i].id);
	if (n > 0)
		return jm_fail(reterr, JM_ENOSENSOR, "no sensor '%s' here: there is %s", wanted,
			present);
	return jm_fail(reterr, JM_ENOSENSOR,
		"no sensor '%s' here; looked for: %s; to try without one use '--sensor sim' "
		"(its "
		"results are marked SIMULATED)",
		wanted, ops->summary);
}

int jm_sensor_select(const char *wanted, struct jm_sensor_options *options,
	const struct jm_sensor_ops **ret_ops, struct jm_sensor_info *ret_info,
	struct jm_error *reterr)
{
	struct jm_sensor_info infos[INFOS_MAX];
	const struct jm_sensor_ops *ops;
	const char *colon;
	char name[32];
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
	n = ops->probe(options, infos, INFOS_MAX, reterr);
	if (n < 0)
		return n;
	if (n == 0)
		return fail_absent(ops, wanted, options, reterr);
	*ret_ops = ops;
	*ret_info = infos[0];
	return 0;
}
