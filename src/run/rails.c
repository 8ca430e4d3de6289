/* SPDX-License-Identifier: Apache-2.0 */
#include "run/rails.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

size_t jm_run_count_rails(const struct jm_run *run)
{
	size_t n = 0;

	for (size_t i = 0; i < run->n_sensors; i++)
		n += run->sensors[i].n_rails;
	return n;
}

void jm_run_rail_get(const struct jm_run *run, size_t index, struct jm_run_subject *ret_rail)
{
	size_t first = 0;

	memset(ret_rail, 0, sizeof(*ret_rail));
	for (size_t i = 0; i < run->n_sensors; first += run->sensors[i++].n_rails) {
		const struct jm_run_sensor *sensor = &run->sensors[i];

		if (index < first || index - first >= sensor->n_rails)
			continue;
		*ret_rail = (struct jm_run_subject){
			sensor, &sensor->rails[index - first], index, 0};
		return;
	}
}

int jm_run_rail_names(
	const struct jm_run *run, struct jm_rail_name **ret_names, struct jm_error *reterr)
{
	struct jm_rail_name *names = calloc(jm_run_count_rails(run) + 1, sizeof(*names));
	size_t n = 0;

	*ret_names = names;
	if (!names)
		return jm_fail_memory(reterr, "the rails of the run");
	for (size_t i = 0; i < run->n_sensors; i++)
		for (size_t j = 0; j < run->sensors[i].n_rails; j++, n++) {
			names[n].sensor = run->sensors[i].id;
			names[n].number = i;
			names[n].rail = run->sensors[i].rails[j].name;
		}
	jm_rail_names_set(names, n);
	return 0;
}

int jm_run_total_init(const struct jm_run *run, size_t n_rails, struct jm_total *ret_total,
	struct jm_error *reterr)
{
	struct jm_total_rail *rails = calloc(n_rails + 1, sizeof(*rails));
	size_t n = 0;
	int result;

	if (!rails)
		return jm_fail_memory(reterr, "the total");
	for (size_t i = 0; i < run->n_sensors; i++) {
		const struct jm_run_sensor *sensor = &run->sensors[i];
		size_t first = n;

		for (size_t j = 0; j < sensor->n_rails && n < n_rails; j++, n++) {
			const struct jm_run_rail *rail = &sensor->rails[j];

			rails[n].sensor = i;
			rails[n].scope = sensor->scope;
			rails[n].parent = rail->parent < 0 ? -1 : (int)first + rail->parent;
			rails[n].quantity = rail->quantity;
			rails[n].range = rail->range;
		}
	}
	result = jm_total_init(ret_total, rails, n, reterr);
	free(rails);
	return result;
}

/* Ids of sensors joined as those of a set are; total: of those that it is made of. NULL: all.
 */
static void join_ids(
	const struct jm_run *run, const struct jm_total *total, char *ret_id, size_t size)
{
	size_t used = 0, rail = 0;

	ret_id[0] = '\0';
	for (size_t i = 0; i < run->n_sensors && used < size; i++) {
		int wanted = !total;

		for (size_t j = 0; j < run->sensors[i].n_rails; j++, rail++)
			wanted |= total && jm_total_has(total, rail);
		if (wanted)
			used += (size_t)snprintf(ret_id + used, size - used, "%s%s",
				used ? "+" : "", run->sensors[i].id);
	}
}

void jm_run_total_id(const struct jm_run *run, char *ret_id, size_t size)
{
	struct jm_total total;

	ret_id[0] = '\0';
	if (jm_run_total_init(run, jm_run_count_rails(run), &total, NULL) < 0)
		return;
	join_ids(run, &total, ret_id, size);
	jm_total_release(&total);
}

int jm_run_has_total_of(const struct jm_run *run, const char *id)
{
	char own[4 * JM_NAME_MAX];

	join_ids(run, NULL, own, sizeof(own));
	if (strcmp(own, id) == 0)
		return 1;
	jm_run_total_id(run, own, sizeof(own));
	return own[0] && strcmp(own, id) == 0;
}
