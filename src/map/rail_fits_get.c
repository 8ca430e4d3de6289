/* SPDX-License-Identifier: Apache-2.0 */
/* What the fits of a run tell, by rail. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "map/rail_fits.h"
#include "run/rails.h"

void jm_rail_fits_release(struct jm_rail_fits *fits)
{
	for (size_t i = 0; i < fits->n; i++)
		jm_fit_result_release(&fits->fits[i].result);
	free(fits->fits);
	memset(fits, 0, sizeof(*fits));
}

/* ---- By name --------------------------------------------------------------------------- */

/* "nvml:0/GPU", and "GPU" for it. */
static int is_called(const char *rail, const char *name)
{
	const char *slash = strrchr(rail, '/');

	return strcmp(rail, name) == 0 || (slash && strcmp(slash + 1, name) == 0);
}

int jm_rail_fits_check(
	const struct jm_recording *recording, const char *name, struct jm_error *reterr)
{
	struct jm_rail_name *names;
	size_t n = jm_run_count_rails(&recording->run), used = 0;
	int result = jm_run_rail_names(&recording->run, &names, reterr), found = 0;
	char list[256] = "";

	if (result < 0)
		return result;
	found = strcmp(name, JM_TOTAL_NAME) == 0 || strcmp(name, JM_RAIL_ALL) == 0;
	for (size_t i = 0; i < n; i++) {
		found |= is_called(names[i].name, name);
		if (used < sizeof(list))
			used += (size_t)snprintf(
				list + used, sizeof(list) - used, "%s, ", names[i].name);
	}
	free(names);
	if (found)
		return 0;
	return jm_fail(reterr, JM_ENOTFOUND,
		"the run has no rail '%.60s': take one of %s" JM_TOTAL_NAME ", " JM_RAIL_ALL,
		name, list);
}

const struct jm_fit_of_rail *jm_rail_fits_find(
	const struct jm_rail_fits *fits, const char *name)
{
	if (fits->n && strcmp(name, JM_TOTAL_NAME) == 0)
		return &fits->fits[0];
	for (size_t i = 0; i < fits->n; i++)
		if (strcmp(fits->fits[i].rail, name) == 0)
			return &fits->fits[i];
	for (size_t i = 0; i < fits->n; i++)
		if (is_called(fits->fits[i].rail, name))
			return &fits->fits[i];
	return NULL;
}

const struct jm_fit_of_rail *jm_rail_fits_aligned(
	const struct jm_rail_fits *fits, const struct jm_fit_of_rail *other)
{
	const struct jm_fit_of_rail *best = NULL;

	for (size_t i = 0; i < fits->n; i++) {
		const struct jm_fit_of_rail *fit = &fits->fits[i];
		const struct jm_fit_response *response = &fit->result.response;

		if (fit == other || fit->is_sum || !fit->result.n_resolved ||
			!response->ticks || response->ambiguous || response->taps > 1 ||
			fit->aligned_as[0] || strcmp(fit->sensor, other->sensor) != 0)
			continue;
		if (!best || fit->result.n_resolved > best->result.n_resolved)
			best = fit;
	}
	return best;
}

const char *jm_fit_of_rail_role(const struct jm_fit_of_rail *fit)
{
	return fit->is_part     ? "part"
	       : fit->is_inside ? "inside"
	       : fit->is_other  ? "other"
				: "total";
}

/* ---- The table by rail ------------------------------------------------------------------- */

struct jm_layer_energy_rail *jm_rail_fits_table(const struct jm_rail_fits *fits)
{
	struct jm_layer_energy_rail *table = calloc(fits->n + 1, sizeof(*table));

	for (size_t i = 0; table && i < fits->n; i++)
		table[i] = (struct jm_layer_energy_rail){fits->fits[i].rail,
			jm_fit_of_rail_role(&fits->fits[i]), &fits->fits[i].result};
	return table;
}

int jm_rail_fits_write(const char *path, const struct jm_rail_fits *fits,
	const struct jm_timeline *timeline, struct jm_error *reterr)
{
	struct jm_layer_energy_rail *table = jm_rail_fits_table(fits);
	int result =
		table ? jm_layer_energy_by_rail_write(path, timeline, table, fits->n, reterr)
		      : jm_fail_memory(reterr, "the table by rail");

	free(table);
	return result;
}
