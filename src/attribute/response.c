/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>

#include "attribute/response.h"

/* exp(-13) = 2e-6 of a step is forgotten. */
#define MEMORY_TAUS 13.0

static size_t count_ages(const struct jm_response *response)
{
	double n;

	if (!(response->age_s > 0))
		return 1;
	n = ceil(2 * response->age_s / fmax(response->window_s, 1e-9));
	return n < 2 ? 2 : n > JM_AGES_MAX ? JM_AGES_MAX : (size_t)n;
}

size_t jm_response_edges_max(const struct jm_response *response)
{
	return 2 * count_ages(response);
}

double jm_response_memory_s(const struct jm_response *response)
{
	double tau = 0;

	for (size_t m = 0; m < response->n_modes; m++)
		if (response->weight[m] != 0)
			tau = fmax(tau, response->tau_s[m]);
	return MEMORY_TAUS * tau;
}

static int compare_edges(const void *a, const void *b)
{
	const struct jm_edge *x = a, *y = b;

	if (x->time_s != y->time_s)
		return x->time_s < y->time_s ? -1 : 1;
	return (x->row > y->row) - (x->row < y->row);
}

size_t jm_response_edges(const struct jm_response *response, const struct jm_moments *moments,
	size_t first, size_t n, struct jm_edge *ret_edges)
{
	size_t ages = count_ages(response), used = 0;
	int sorted = 1;

	for (size_t i = 0; i < n; i++) {
		double width = moments->width_s ? moments->width_s[first + i] : response->window_s;
		double end = moments->time_s[first + i] - response->delay_s;

		for (size_t a = ages; a-- > 0;) {
			double age = response->age_s * ((double)a + 0.5) / (double)ages;
			double factor = 1 / (width * (double)ages);

			if (!(response->age_s > 0))
				age = 0;
			ret_edges[used++] = (struct jm_edge){end - age - width, -factor, i, 0};
			ret_edges[used++] = (struct jm_edge){end - age, factor, i, 0};
		}
	}
	for (size_t i = 1; i < used && sorted; i++)
		sorted = ret_edges[i].time_s >= ret_edges[i - 1].time_s;
	if (!sorted)
		qsort(ret_edges, used, sizeof(*ret_edges), compare_edges);
	return used;
}
