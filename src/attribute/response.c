/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>

#include "attribute/response.h"

/* A round that the constants of the search suit. */
#define PACE_ROUND_S 10e-3

/* exp(-13) = 2e-6 of a step is forgotten. */
#define MEMORY_TAUS 13.0
/* A filter faster than this does not matter. */
#define TAU_MIN_S 1e-7
/* Two time constants closer than this would cancel each other's digits. */
#define APART_MIN 1e-6

double jm_response_pace(const struct jm_response *response)
{
	return fmax(1, response->round_s / PACE_ROUND_S);
}

struct jm_response jm_response_simple(double delay_s, double window_s, double tau_s)
{
	return (struct jm_response){.delay_s = delay_s,
		.window_s = window_s,
		.tau_s = tau_s,
		.n_taps = 1,
		.tap = {1}};
}

static size_t count_ages(const struct jm_response *response)
{
	double n;

	if (!(response->age_s > 0))
		return 1;
	n = ceil(2 * response->age_s / fmax(response->window_s, 1e-9));
	return n < 4 ? 4 : n > JM_AGES_MAX ? JM_AGES_MAX : (size_t)n;
}

size_t jm_response_edges_per_row(const struct jm_response *response)
{
	return 2 * (response->n_taps > 1 ? response->n_taps : count_ages(response));
}

static struct jm_mode mode_of(double complex tau_s, double complex weight)
{
	return (struct jm_mode){tau_s, weight, 1 / tau_s, cimag(tau_s) == 0};
}

/* Time constants are tau (1 +- root) / 2, root^2 = 1 - 4 shape. */
size_t jm_response_modes(
	const struct jm_response *response, struct jm_mode ret_modes[JM_MODES_MAX])
{
	double tau = response->tau_s, square = 1 - 4 * response->shape, root;
	double complex first;

	if (!(tau > TAU_MIN_S))
		return 0;
	if (fabs(square) < APART_MIN)
		square = APART_MIN;
	root = sqrt(fabs(square));
	if (square < 0) { /* a pair of conjugates: twice the real part of one */
		first = 0.5 * tau * (1 + JM_I * root);
		ret_modes[0] = mode_of(first, 2 * first / (JM_I * root * tau));
		return 1;
	}
	if (0.5 * tau * (1 - root) < TAU_MIN_S) {
		ret_modes[0] = mode_of(tau, 1);
		return 1;
	}
	ret_modes[0] = mode_of(0.5 * tau * (1 + root), 0.5 * (1 + root) / root);
	ret_modes[1] = mode_of(0.5 * tau * (1 - root), -0.5 * (1 - root) / root);
	return 2;
}

double jm_response_memory_s(const struct jm_response *response)
{
	struct jm_mode modes[JM_MODES_MAX];
	size_t n = jm_response_modes(response, modes);
	double slowest = 0;

	for (size_t i = 0; i < n; i++)
		slowest = fmax(slowest, 1 / creal(modes[i].rate));
	return MEMORY_TAUS * slowest;
}

double jm_response_kept(
	const struct jm_response *response, const struct jm_moments *moments, size_t i)
{
	double rounds;

	if (!(response->low_pass > 0) || !i)
		return 0;
	rounds = (moments->time_s[i] - moments->time_s[i - 1]) / response->round_s;
	return pow(1 - response->low_pass, fmax(1, round(rounds)));
}

static int compare_edges(const void *a, const void *b)
{
	const struct jm_edge *x = a, *y = b;

	if (x->time_s != y->time_s)
		return x->time_s < y->time_s ? -1 : 1;
	if (x->row != y->row)
		return x->row < y->row ? -1 : 1;
	return (x->tap > y->tap) - (x->tap < y->tap);
}

/* Edges of one row; parts are taps or ages, the oldest first. */
static size_t row_edges(const struct jm_response *response, double end_s, double width_s,
	unsigned row, struct jm_edge *ret_edges)
{
	size_t parts = jm_response_edges_per_row(response) / 2;
	int aged = response->n_taps == 1 && response->age_s > 0;
	double factor = 1 / (width_s * (aged ? (double)parts : 1));
	size_t used = 0;

	for (size_t i = parts; i-- > 0;) {
		double older = aged ? response->age_s * ((double)i + 0.5) / (double)parts
				    : response->offset_s[i];
		unsigned tap = aged ? 0 : (unsigned)i;

		ret_edges[used++] =
			(struct jm_edge){end_s - older - width_s, -factor, row, tap};
		ret_edges[used++] = (struct jm_edge){end_s - older, factor, row, tap};
	}
	return used;
}

size_t jm_response_edges(const struct jm_response *response, const struct jm_moments *moments,
	size_t first, size_t n, struct jm_edge *ret_edges)
{
	size_t used = 0;
	int sorted = 1;

	for (size_t i = 0; i < n; i++) {
		double time = moments->time_s[first + i];
		double width =
			moments->width_s ? moments->width_s[first + i] : response->window_s;
		double delay = response->delay_s + response->skew * (time - response->middle_s);

		used += row_edges(response, time - delay, width, (unsigned)i, ret_edges + used);
	}
	for (size_t i = 1; i < used && sorted; i++)
		sorted = ret_edges[i].time_s >= ret_edges[i - 1].time_s;
	if (!sorted)
		qsort(ret_edges, used, sizeof(*ret_edges), compare_edges);
	return used;
}
