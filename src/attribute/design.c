/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Design rows. With x_k(t) = 1 while column k draws power, the integral of the
 * filtered x_k up to t is X_k(t) - tau z_k(t), X_k the time for which k has run
 * and z_k its indicator behind the filter. Both are carried along the edges of
 * all windows, so that a row costs O(columns) and the run O(segments), however
 * long the filter remembers.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attribute/response.h"

/* The state is kept scaled by exp(age of the reference / tau), up to this. */
#define SCALE_MAX 200.0
/* A filter faster than this does not matter. */
#define TAU_MIN_S 1e-7

struct walker {
	const struct jm_response *response;
	const struct jm_segments *segments;
	size_t k; /* columns */
	double tau_s; /* 0: no filter */
	double reference_s;
	double grown; /* exp((at - reference) / tau) */
	double at_s;
	size_t segment;
	double *run;   /* [k] X_k since the last restart */
	double *state; /* [k] z_k, scaled */
};

size_t jm_design_work_size(const struct jm_segments *segments)
{
	return 2 * (segments->n_layers + JM_N_GAP_COLUMNS) * sizeof(double)
		+ JM_EDGES_MAX * JM_CHUNK_ROWS * sizeof(struct jm_edge);
}

static void restart(struct walker *walker, double at_s)
{
	memset(walker->run, 0, walker->k * sizeof(double));
	memset(walker->state, 0, walker->k * sizeof(double));
	walker->reference_s = walker->at_s = at_s;
	walker->grown = 1;
	walker->segment = jm_segments_find(walker->segments, at_s);
}

static void rescale(struct walker *walker)
{
	double factor = 1 / walker->grown;

	for (size_t k = 0; k < walker->k; k++)
		walker->state[k] *= factor;
	walker->reference_s = walker->at_s;
	walker->grown = 1;
}

/* Makes the scaled time of to_s known; returns how much a full load adds. */
static double grow(struct walker *walker, double to_s)
{
	double x = (to_s - walker->reference_s) / walker->tau_s, added;

	if (x > SCALE_MAX) {
		rescale(walker);
		x = (to_s - walker->at_s) / walker->tau_s;
	}
	if (x > SCALE_MAX) { /* nothing but this column is left */
		memset(walker->state, 0, walker->k * sizeof(double));
		walker->reference_s = to_s;
		return 1;
	}
	added = -walker->grown;
	walker->grown = exp(x);
	return walker->grown + added;
}

/* Column `column` draws power from where the walker is until to_s. */
static void step(struct walker *walker, size_t segment, double to_s)
{
	size_t column = walker->segments->column[segment];
	double gain = jm_response_gain(walker->response, walker->segments, segment);
	double time = to_s - walker->at_s, added = 0;

	if (walker->tau_s > 0)
		added = grow(walker, to_s);
	walker->run[column] += gain * time;
	walker->state[column] += gain * added;
	if (gain != 1) { /* the rest is idle */
		size_t idle = walker->segments->n_layers + JM_COLUMN_OUTSIDE;

		walker->run[idle] += (1 - gain) * time;
		walker->state[idle] += (1 - gain) * added;
	}
	walker->at_s = to_s;
}

static void advance(struct walker *walker, double to_s)
{
	const struct jm_segments *segments = walker->segments;

	while (segments->time_s[walker->segment + 1] < to_s && walker->segment + 1 < segments->n) {
		step(walker, walker->segment, segments->time_s[walker->segment + 1]);
		walker->segment++;
	}
	step(walker, walker->segment, to_s);
}

static void add_integral(const struct walker *walker, double factor, double *row)
{
	double scale = -factor * walker->tau_s / walker->grown;

	if (walker->tau_s > 0)
		for (size_t k = 0; k < walker->k; k++)
			row[k] += factor * walker->run[k] + scale * walker->state[k];
	else
		for (size_t k = 0; k < walker->k; k++)
			row[k] += factor * walker->run[k];
}

void jm_design_rows(const struct jm_response *response, const struct jm_segments *segments,
	const struct jm_moments *moments, size_t first, size_t n, double *ret_rows, size_t stride,
	void *work)
{
	struct jm_edge *edges = work;
	double *state = (double *)(edges + JM_EDGES_MAX * JM_CHUNK_ROWS);
	size_t k = segments->n_layers + JM_N_GAP_COLUMNS;
	struct walker walker = {.response = response, .segments = segments, .k = k, .run = state, .state = state + k,
		.tau_s = response->tau_s > TAU_MIN_S ? response->tau_s : 0};
	double memory = jm_response_memory_s(response);
	size_t per_row = jm_response_edges_per_row(response), n_edges, open = 0;
	unsigned char left[JM_CHUNK_ROWS];

	n_edges = jm_response_edges(response, moments, first, n, edges);
	memset(left, (int)per_row, n);
	for (size_t i = 0; i < n; i++)
		memset(ret_rows + i * stride, 0, k * sizeof(double));
	for (size_t i = 0; i < n_edges; i++) {
		const struct jm_edge *edge = &edges[i];

		if (!i || (!open && edge->time_s - walker.at_s > 2 * memory))
			restart(&walker, edge->time_s - memory);
		advance(&walker, edge->time_s);
		add_integral(&walker, edge->factor * response->tap[edge->tap],
			ret_rows + edge->row * stride);
		open += left[edge->row] == per_row;
		open -= --left[edge->row] == 0;
	}
}
