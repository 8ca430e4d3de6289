/* SPDX-License-Identifier: Apache-2.0 */
#include "sensors/info.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/error.h"

int jm_sensor_info_copy(const struct jm_sensor_info *info, struct jm_sensor_info *ret_copy,
	struct jm_error *reterr)
{
	struct jm_rail_info *rails = calloc(info->n_rails ? info->n_rails : 1, sizeof(*rails));

	if (!rails)
		return jm_fail_memory(reterr, "the description of a sensor");
	if (info->n_rails)
		memcpy(rails, info->rails, info->n_rails * sizeof(*rails));
	*ret_copy = *info;
	ret_copy->rails = rails;
	return 0;
}

void jm_sensor_info_release(struct jm_sensor_info *info)
{
	free((void *)(uintptr_t)info->rails); /* const for those who borrow it */
	info->rails = NULL;
	info->n_rails = 0;
}

int jm_sensor_infos_add(struct jm_sensor_infos *infos, const struct jm_sensor_info *info,
	struct jm_error *reterr)
{
	struct jm_sensor_info *list = jm_array_grow(
		infos->list, &infos->capacity, infos->n + 1, sizeof(*infos->list));
	int result;

	if (!list)
		return jm_fail_memory(reterr, "the list of sensors");
	infos->list = list;
	result = jm_sensor_info_copy(info, &list[infos->n], reterr);
	if (result == 0)
		infos->n++;
	return result;
}

struct search {
	struct jm_sensor_infos *infos;
	struct jm_error *reterr;
};

static int keep(void *context, const struct jm_sensor_info *info)
{
	const struct search *search = context;

	return jm_sensor_infos_add(search->infos, info, search->reterr);
}

int jm_sensor_infos_probe(struct jm_sensor_infos *infos, const struct jm_sensor_ops *ops,
	const struct jm_sensor_options *options, struct jm_error *reterr)
{
	struct search search = {infos, reterr};
	struct jm_sensor_found found = {keep, &search};
	size_t before = infos->n;
	int result = ops->probe(options, &found, reterr);

	if (result < 0)
		return result;
	return infos->n - before > INT_MAX ? INT_MAX : (int)(infos->n - before);
}

void jm_sensor_infos_release(struct jm_sensor_infos *infos)
{
	for (size_t i = 0; i < infos->n; i++)
		jm_sensor_info_release(&infos->list[i]);
	free(infos->list);
	memset(infos, 0, sizeof(*infos));
}
