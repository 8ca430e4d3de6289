/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/sensor_list.h"

#include <string.h>

static int has_rail(const struct jm_sensor_info *info, const char *name)
{
	for (size_t i = 0; i < info->n_rails; i++)
		if (strcmp(info->rails[i].name, name) == 0)
			return 1;
	return 0;
}

static int is_part_of(const struct jm_sensor_info *info, const struct jm_sensor_info *larger)
{
	if (larger->n_rails <= info->n_rails)
		return 0;
	for (size_t i = 0; i < info->n_rails; i++)
		if (!has_rail(larger, info->rails[i].name))
			return 0;
	return 1;
}

static int is_to_list(const struct jm_sensor_infos *infos, size_t i)
{
	const struct jm_sensor_info *info = &infos->list[i];

	if (info->flags & (JM_SENSOR_SIMULATED | JM_SENSOR_ON_REQUEST))
		return 0;
	for (size_t j = 0; j < infos->n; j++)
		if (j != i && is_part_of(info, &infos->list[j]))
			return 0;
	return 1;
}

int jm_cli_list_sensors(struct jm_sensor_infos *infos, const struct jm_sensor_ops *ops,
	const struct jm_sensor_options *options, struct jm_error *reterr)
{
	struct jm_sensor_infos found = {0};
	int n = jm_sensor_infos_probe(&found, ops, options, reterr), kept = 0;

	for (size_t i = 0; i < found.n && n >= 0; i++) {
		if (!is_to_list(&found, i))
			continue;
		n = jm_sensor_infos_add(infos, &found.list[i], reterr);
		kept++;
	}
	jm_sensor_infos_release(&found);
	return n < 0 ? n : kept;
}
