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

int jm_cli_list_sensors(const struct jm_sensor_ops *ops,
	const struct jm_sensor_options *options, struct jm_sensor_info *ret_infos, size_t max,
	struct jm_error *reterr)
{
	int n = ops->probe(options, ret_infos, max, reterr), kept = 0;

	for (int i = 0; i < n; i++) {
		int part = 0;

		/* Those before i that were left out are in a larger one themselves. */
		for (int j = 0; j < n && !part; j++)
			part = (j < kept || j > i) && is_part_of(&ret_infos[i], &ret_infos[j]);
		if (part)
			continue;
		if (kept != i)
			ret_infos[kept] = ret_infos[i];
		kept++;
	}
	return n < 0 ? n : kept;
}
