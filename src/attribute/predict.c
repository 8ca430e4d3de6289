/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Predictions for known powers, and how they change with the response. Along
 * a constant load p over d seconds, with f = exp(-d / tau):
 *   z -> p + (z - p) f                  (behind the filter)
 *   v -> p + (v - p + (z - p) d / tau) f  (behind it twice)
 * The integral of z is F = X - tau z, and dz/dtau = (v - z) / tau.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attribute/response.h"

#define TAU_MIN_S 1e-7

struct signal {
	const struct jm_response *response;
	const struct jm_segments *segments;
	const double *power_w;
	double memory_s;
	double at_s;
	size_t segment;
	double energy_j;
	double z[JM_MODES_MAX];
	double v; /* of mode 0 */
};

/* What an edge adds to its row. */
struct sums {
	double value, slope, by_tau;
	double mode[JM_MODES_MAX];
};

static void step(struct signal *signal, double power_w, double to_s)
{
	const struct jm_response *response = signal->response;
	double d = to_s - signal->at_s;

	signal->energy_j += power_w * d;
	for (size_t m = 0; m < response->n_modes; m++) {
		double tau = response->tau_s[m], f, x;

		if (tau < TAU_MIN_S) {
			signal->z[m] = power_w;
			if (!m)
				signal->v = power_w;
			continue;
		}
		x = d / tau;
		f = exp(-x);
		if (!m)
			signal->v = power_w
				+ (signal->v - power_w + (signal->z[0] - power_w) * x) * f;
		signal->z[m] = power_w + (signal->z[m] - power_w) * f;
	}
	signal->at_s = to_s;
}

static double power_of(const struct signal *signal, size_t segment)
{
	return signal->power_w[signal->segments->column[segment]];
}

static void restart(struct signal *signal, double at_s)
{
	signal->at_s = at_s;
	signal->segment = jm_segments_find(signal->segments, at_s);
	signal->energy_j = 0;
	for (size_t m = 0; m < JM_MODES_MAX; m++)
		signal->z[m] = power_of(signal, signal->segment);
	signal->v = signal->z[0];
}

static void advance(struct signal *signal, double to_s)
{
	const struct jm_segments *segments = signal->segments;

	while (segments->time_s[signal->segment + 1] < to_s && signal->segment + 1 < segments->n) {
		step(signal, power_of(signal, signal->segment),
			segments->time_s[signal->segment + 1]);
		signal->segment++;
	}
	step(signal, power_of(signal, signal->segment), to_s);
}

static struct sums read_out(const struct signal *signal)
{
	const struct jm_response *response = signal->response;
	struct sums sums = {0};

	for (size_t m = 0; m < response->n_modes; m++) {
		sums.mode[m] = signal->energy_j - response->tau_s[m] * signal->z[m];
		sums.value += response->weight[m] * sums.mode[m];
		sums.slope += response->weight[m] * signal->z[m];
	}
	/* d/dtau of -tau z = -z - (v - z) */
	sums.by_tau = -response->weight[0] * signal->v;
	return sums;
}

static void add(const struct jm_prediction *to, const struct jm_response *response, size_t row,
	const struct jm_edge *edge, const struct sums *sums)
{
	to->value[row] += edge->factor * sums->value;
	if (to->by_delay)
		to->by_delay[row] -= edge->factor * sums->slope;
	if (to->by_window && edge->factor < 0) /* the begin of the window moves */
		to->by_window[row] -= edge->factor * sums->slope;
	if (to->by_tau)
		to->by_tau[row] += edge->factor * sums->by_tau;
	for (size_t m = 1; m < response->n_modes; m++)
		if (to->by_weight[m])
			to->by_weight[m][row] += edge->factor * (sums->mode[m] - sums->mode[0]);
}

static void clear(const struct jm_prediction *to, size_t first, size_t n)
{
	size_t size = n * sizeof(double);

	memset(to->value + first, 0, size);
	if (to->by_delay)
		memset(to->by_delay + first, 0, size);
	if (to->by_window)
		memset(to->by_window + first, 0, size);
	if (to->by_tau)
		memset(to->by_tau + first, 0, size);
	for (size_t m = 1; m < JM_MODES_MAX; m++)
		if (to->by_weight[m])
			memset(to->by_weight[m] + first, 0, size);
}

static double longest_memory(const struct jm_response *response)
{
	struct jm_response all = *response;

	for (size_t m = 0; m < all.n_modes; m++)
		all.weight[m] = 1;
	return jm_response_memory_s(&all);
}

static void predict_chunk(struct signal *signal, const struct jm_moments *moments, size_t first,
	size_t n, struct jm_edge *edges, const struct jm_prediction *to)
{
	const struct jm_response *response = signal->response;
	size_t n_edges = jm_response_edges(response, moments, first, n, edges);
	size_t per_row = jm_response_edges_max(response), open = 0;
	unsigned char left[JM_CHUNK_ROWS];

	clear(to, first, n);
	memset(left, (int)per_row, n);
	for (size_t i = 0; i < n_edges; i++) {
		const struct jm_edge *edge = &edges[i];
		struct sums sums;

		if (!i || (!open && edge->time_s - signal->at_s > 2 * signal->memory_s))
			restart(signal, edge->time_s - signal->memory_s);
		advance(signal, edge->time_s);
		sums = read_out(signal);
		add(to, response, first + edge->row, edge, &sums);
		if (left[edge->row] == per_row)
			open++;
		if (--left[edge->row] == 0)
			open--;
	}
	for (size_t i = first; to->by_window && i < first + n; i++) {
		double width = moments->width_s ? moments->width_s[i] : response->window_s;

		to->by_window[i] -= to->value[i] / width;
	}
}

void jm_predict(const struct jm_response *response, const struct jm_segments *segments,
	const struct jm_moments *moments, const double *power_w,
	const struct jm_prediction *ret_prediction)
{
	struct jm_edge edges[2 * JM_AGES_MAX * JM_CHUNK_ROWS];
	struct signal signal = {.response = response, .segments = segments, .power_w = power_w};

	signal.memory_s = longest_memory(response);
	for (size_t first = 0; first < moments->n; first += JM_CHUNK_ROWS) {
		size_t n = moments->n - first;

		predict_chunk(&signal, moments, first, n < JM_CHUNK_ROWS ? n : JM_CHUNK_ROWS,
			edges, ret_prediction);
	}
}
