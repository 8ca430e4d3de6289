/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Design rows. With x_k(t) = 1 while column k draws power, the integral of the
 * filtered x_k up to t is X_k(t) - sum_m weight_m tau_m z_km(t), X_k the time
 * for which k has run and z_km its indicator behind mode m alone. Both are
 * carried along the edges of all windows, so that a row costs O(columns) and
 * the run O(segments), however long the filter remembers.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attribute/response.h"

/* States are kept scaled by exp(age of the reference / tau), up to this. */
#define SCALE_MAX 200.0
/* Filters faster than this do not matter. */
#define TAU_MIN_S 1e-7

struct walker {
	const struct jm_segments *segments;
	size_t k; /* columns */
	size_t n_modes;
	double tau_s[JM_MODES_MAX], weight[JM_MODES_MAX];
	double reference_s[JM_MODES_MAX];
	double grown[JM_MODES_MAX]; /* exp((at - reference) / tau) */
	double at_s;
	size_t segment;
	double *run;   /* [k] X_k since the last restart */
	double *state; /* [n_modes * k], scaled */
};

size_t jm_design_work_size(const struct jm_segments *segments)
{
	size_t k = segments->n_layers + JM_N_GAP_COLUMNS;

	return k * (1 + JM_MODES_MAX) * sizeof(double)
		+ 2 * JM_AGES_MAX * JM_CHUNK_ROWS * sizeof(struct jm_edge);
}

static void restart(struct walker *walker, double at_s)
{
	memset(walker->run, 0, walker->k * sizeof(double));
	memset(walker->state, 0, walker->n_modes * walker->k * sizeof(double));
	for (size_t m = 0; m < walker->n_modes; m++) {
		walker->reference_s[m] = at_s;
		walker->grown[m] = 1;
	}
	walker->at_s = at_s;
	walker->segment = jm_segments_find(walker->segments, at_s);
}

static void walker_init(struct walker *walker, const struct jm_response *response,
	const struct jm_segments *segments, double *work)
{
	walker->segments = segments;
	walker->k = segments->n_layers + JM_N_GAP_COLUMNS;
	walker->n_modes = 0;
	for (size_t m = 0; m < response->n_modes; m++) {
		if (response->weight[m] == 0 || response->tau_s[m] < TAU_MIN_S)
			continue;
		walker->tau_s[walker->n_modes] = response->tau_s[m];
		walker->weight[walker->n_modes++] = response->weight[m];
	}
	walker->run = work;
	walker->state = work + walker->k;
}

static void rescale(struct walker *walker, size_t m)
{
	double factor = 1 / walker->grown[m];
	double *state = walker->state + m * walker->k;

	for (size_t k = 0; k < walker->k; k++)
		state[k] *= factor;
	walker->reference_s[m] = walker->at_s;
	walker->grown[m] = 1;
}

/* Column `column` draws power from where the walker is until to_s. */
static void step(struct walker *walker, size_t column, double to_s)
{
	walker->run[column] += to_s - walker->at_s;
	for (size_t m = 0; m < walker->n_modes; m++) {
		double *state = &walker->state[m * walker->k + column];
		double x = (to_s - walker->reference_s[m]) / walker->tau_s[m], grown;

		if (x > SCALE_MAX) {
			rescale(walker, m);
			x = (to_s - walker->at_s) / walker->tau_s[m];
			if (x > SCALE_MAX) { /* nothing but this column is left */
				memset(walker->state + m * walker->k, 0,
					walker->k * sizeof(double));
				*state = 1;
				walker->reference_s[m] = to_s;
				continue;
			}
		}
		grown = exp(x);
		*state += grown - walker->grown[m];
		walker->grown[m] = grown;
	}
	walker->at_s = to_s;
}

static void advance(struct walker *walker, double to_s)
{
	const struct jm_segments *segments = walker->segments;

	while (segments->time_s[walker->segment + 1] < to_s
		&& walker->segment + 1 < segments->n) {
		step(walker, segments->column[walker->segment],
			segments->time_s[walker->segment + 1]);
		walker->segment++;
	}
	step(walker, segments->column[walker->segment], to_s);
}

static void add_integral(const struct walker *walker, double factor, double *row)
{
	for (size_t k = 0; k < walker->k; k++)
		row[k] += factor * walker->run[k];
	for (size_t m = 0; m < walker->n_modes; m++) {
		const double *state = walker->state + m * walker->k;
		double scale = -factor * walker->weight[m] * walker->tau_s[m] / walker->grown[m];

		for (size_t k = 0; k < walker->k; k++)
			row[k] += scale * state[k];
	}
}

void jm_design_rows(const struct jm_response *response, const struct jm_segments *segments,
	const struct jm_moments *moments, size_t first, size_t n, double *ret_rows, size_t stride,
	void *work)
{
	struct jm_edge *edges = work;
	struct walker walker;
	double memory = jm_response_memory_s(response);
	size_t per_row = jm_response_edges_max(response), n_edges, open = 0;
	unsigned char left[JM_CHUNK_ROWS];

	walker_init(&walker, response, segments,
		(double *)(edges + 2 * JM_AGES_MAX * JM_CHUNK_ROWS));
	n_edges = jm_response_edges(response, moments, first, n, edges);
	for (size_t i = 0; i < n; i++) {
		memset(ret_rows + i * stride, 0, walker.k * sizeof(double));
		left[i] = (unsigned char)per_row;
	}
	for (size_t i = 0; i < n_edges; i++) {
		const struct jm_edge *edge = &edges[i];

		if (!i || (!open && edge->time_s - walker.at_s > 2 * memory))
			restart(&walker, edge->time_s - memory);
		advance(&walker, edge->time_s);
		add_integral(&walker, edge->factor, ret_rows + edge->row * stride);
		if (left[edge->row] == per_row)
			open++;
		if (--left[edge->row] == 0)
			open--;
	}
}
