/* SPDX-License-Identifier: Apache-2.0 */
#include "sensors/describe.h"

#include <stdlib.h>

#include "base/error.h"

static void swap_sensors(struct jm_run *a, struct jm_run *b)
{
	struct jm_run_sensor *sensors = a->sensors;
	size_t n = a->n_sensors;

	a->sensors = b->sensors;
	a->n_sensors = b->n_sensors;
	b->sensors = sensors;
	b->n_sensors = n;
}

static int add_members(
	const struct jm_sensor_set *set, struct jm_run *run, struct jm_error *reterr)
{
	int result = 0;

	for (size_t i = 0; i < set->n_members && result == 0; i++) {
		const struct jm_sensor_member *member = &set->members[i];
		struct jm_run_sensor *sensor = jm_run_add_sensor(run);

		result = sensor ? jm_run_sensor_set(sensor, member->ops->name, &member->info,
					  member->options.seed, member->wanted, reterr)
				: jm_fail_memory(reterr, "the description of a sensor");
	}
	return result;
}

int jm_sensor_set_describe(
	const struct jm_sensor_set *set, struct jm_run *run, struct jm_error *reterr)
{
	struct jm_run *fresh = malloc(sizeof(*fresh)); /* too large for a stack */
	int result;

	if (!fresh)
		return jm_fail_memory(reterr, "the description of the sensors");
	jm_run_init(fresh);
	result = add_members(set, fresh, reterr);
	if (result == 0)
		swap_sensors(run, fresh);
	jm_run_release(fresh);
	free(fresh);
	return result;
}

int jm_sensor_set_format(
	const struct jm_sensor_set *set, char **ret_text, struct jm_error *reterr)
{
	struct jm_run *run = malloc(sizeof(*run));
	int result;

	*ret_text = NULL;
	if (!run)
		return jm_fail_memory(reterr, "the description of the sensors");
	jm_run_init(run);
	result = add_members(set, run, reterr);
	if (result == 0) {
		*ret_text = jm_run_sensors_format(run->sensors, run->n_sensors);
		if (!*ret_text)
			result = jm_fail_memory(reterr, "the description of the sensors");
	}
	jm_run_release(run);
	free(run);
	return result;
}
