/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Design rows. With x_k(t) = 1 while column k draws power, the integral of the
 * filtered x_k up to t is X_k(t) - sum of weight tau z_k(t), X_k the time for
 * which k has run and z_k its indicator behind one mode of the filter. All are
 * carried along the edges of all windows, so that a row costs O(columns) and
 * the run O(segments), however long the filter remembers.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attribute/dense.h"
#include "attribute/response.h"

/* The state is kept scaled by exp(age of the reference / tau), up to this. */
#define SCALE_MAX 200.0

/* One mode of the filter; im is NULL when all of it is real. */
struct mode {
	double complex rate, factor; /* 1 / tau; weight tau */
	double reference_s;
	double complex grown; /* exp((at - reference) rate) */
	double *re, *im;      /* [k] z_k, scaled */
};

struct walker {
	const struct jm_response *response;
	const struct jm_segments *segments;
	size_t k; /* columns */
	struct mode modes[JM_MODES_MAX];
	size_t n_modes;
	double at_s;
	size_t segment;
	double *run; /* [k] X_k since the last restart */
};

size_t jm_design_work_size(const struct jm_segments *segments)
{
	return (1 + JM_MODES_MAX) * (segments->n_loads + JM_N_GAP_COLUMNS) * sizeof(double) +
	       JM_EDGES_MAX * JM_CHUNK_ROWS * sizeof(struct jm_edge);
}

static void set_modes(struct walker *walker, double *state)
{
	struct jm_mode modes[JM_MODES_MAX] = {{.real = 1}};

	walker->n_modes = jm_response_modes(walker->response, modes);
	for (size_t m = 0; m < walker->n_modes && m < JM_MODES_MAX; m++) {
		struct mode *mode = &walker->modes[m];

		*mode = (struct mode){
			.rate = modes[m].rate, .factor = modes[m].weight * modes[m].tau_s};
		mode->re = state + m * walker->k;
		if (!modes[m].real) /* there is one mode then */
			mode->im = state + walker->k;
	}
}

static void forget(const struct walker *walker, struct mode *mode, double at_s)
{
	memset(mode->re, 0, walker->k * sizeof(double));
	if (mode->im)
		memset(mode->im, 0, walker->k * sizeof(double));
	mode->reference_s = at_s;
	mode->grown = 1;
}

static void restart(struct walker *walker, double at_s)
{
	memset(walker->run, 0, walker->k * sizeof(double));
	for (size_t m = 0; m < walker->n_modes; m++)
		forget(walker, &walker->modes[m], at_s);
	walker->at_s = at_s;
	walker->segment = jm_segments_find_from(walker->segments, walker->segment, at_s);
}

static void rescale(const struct walker *walker, struct mode *mode)
{
	double complex factor = 1 / mode->grown;

	for (size_t k = 0; k < walker->k; k++) {
		double im = mode->im ? mode->im[k] : 0;
		double complex state = (mode->re[k] + JM_I * im) * factor;

		mode->re[k] = creal(state);
		if (mode->im)
			mode->im[k] = cimag(state);
	}
	mode->reference_s = walker->at_s;
	mode->grown = 1;
}

/* Makes the scaled time of to_s known; returns how much a full load adds. */
static double complex grow(const struct walker *walker, struct mode *mode, double to_s)
{
	double complex x = (to_s - mode->reference_s) * mode->rate, added;

	if (creal(x) > SCALE_MAX) {
		rescale(walker, mode);
		x = (to_s - walker->at_s) * mode->rate;
	}
	if (creal(x) > SCALE_MAX) { /* nothing but this column is left */
		forget(walker, mode, to_s);
		return 1;
	}
	added = -mode->grown;
	mode->grown = mode->im ? cexp(x) : exp(creal(x));
	return mode->grown + added;
}

static void add_to(const struct mode *mode, size_t column, double complex added)
{
	mode->re[column] += creal(added);
	if (mode->im)
		mode->im[column] += cimag(added);
}

/* The segment's column draws power from where the walker is until to_s. */
static void step(struct walker *walker, size_t segment, double to_s)
{
	size_t column = walker->segments->column[segment];

	for (size_t m = 0; m < walker->n_modes; m++)
		add_to(&walker->modes[m], column, grow(walker, &walker->modes[m], to_s));
	walker->run[column] += to_s - walker->at_s;
	walker->at_s = to_s;
}

static void advance(struct walker *walker, double to_s)
{
	const struct jm_segments *segments = walker->segments;

	while (segments->time_s[walker->segment + 1] < to_s &&
		walker->segment + 1 < segments->n) {
		step(walker, walker->segment, segments->time_s[walker->segment + 1]);
		walker->segment++;
	}
	step(walker, walker->segment, to_s);
}

static void add_integral(const struct walker *walker, double factor, double *row)
{
	jm_add_scaled(row, walker->run, factor, walker->k);
	for (size_t m = 0; m < walker->n_modes; m++) {
		const struct mode *mode = &walker->modes[m];
		double complex scale = -factor * mode->factor / mode->grown;

		jm_add_scaled(row, mode->re, creal(scale), walker->k);
		if (mode->im)
			jm_add_scaled(row, mode->im, -cimag(scale), walker->k);
	}
}

void jm_design_rows(const struct jm_response *response, const struct jm_segments *segments,
	const struct jm_moments *moments, size_t first, size_t n, double *ret_rows,
	size_t stride, void *work)
{
	struct jm_edge *edges = work;
	double *state = (double *)(edges + JM_EDGES_MAX * JM_CHUNK_ROWS);
	size_t k = segments->n_loads + JM_N_GAP_COLUMNS;
	struct walker walker = {
		.response = response, .segments = segments, .k = k, .run = state};
	double memory = jm_response_memory_s(response);
	size_t per_row = jm_response_edges_per_row(response), n_edges, open = 0;
	unsigned char left[JM_CHUNK_ROWS];

	set_modes(&walker, state + k);
	n_edges = jm_response_edges(response, moments, first, n, edges);
	memset(left, (int)per_row, n);
	for (size_t i = 0; i < n; i++)
		memset(ret_rows + i * stride, 0, k * sizeof(double));
	for (size_t i = 0; i < n_edges; i++) {
		const struct jm_edge *edge = &edges[i];

		if (!i || (!open && edge->time_s - walker.at_s > memory))
			restart(&walker, edge->time_s - memory);
		advance(&walker, edge->time_s);
		add_integral(&walker, edge->factor * response->tap[edge->tap],
			ret_rows + edge->row * stride);
		open += left[edge->row] == per_row;
		open -= --left[edge->row] == 0;
	}
}
