/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Predictions for known powers, and how they change with the response. Along
 * a constant load p over d seconds a mode goes z -> p + (z - p) exp(-d / tau);
 * the integral of the filtered load is X - sum of weight tau z.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attribute/response.h"
#include "joulemap/joulemap.h"

struct signal {
	const struct jm_response *response;
	const struct jm_segments *segments;
	const double *power_w;
	struct jm_mode modes[JM_MODES_MAX];
	size_t n_modes;
	double at_s;
	size_t segment;
	double energy_j;
	double load_w;
	double complex z[JM_MODES_MAX];
};

static void step(struct signal *signal, double power_w, double to_s)
{
	double d = to_s - signal->at_s;

	for (size_t m = 0; m < signal->n_modes; m++) {
		const struct jm_mode *mode = &signal->modes[m];
		double complex *z = &signal->z[m];

		if (mode->real)
			*z = power_w + (creal(*z) - power_w) * exp(-d * creal(mode->rate));
		else
			*z = power_w + (*z - power_w) * cexp(-d * mode->rate);
	}
	signal->energy_j += power_w * d;
	signal->load_w = power_w;
	signal->at_s = to_s;
}

/* Of the load behind the filter: its value, and its integral. */
static double filtered(const struct signal *signal, double *ret_integral)
{
	double value = signal->n_modes ? 0 : signal->load_w;

	*ret_integral = signal->energy_j;
	for (size_t m = 0; m < signal->n_modes; m++) {
		const struct jm_mode *mode = &signal->modes[m];
		double complex part = mode->real ? creal(mode->weight) * creal(signal->z[m])
						 : mode->weight * signal->z[m];

		value += creal(part);
		*ret_integral -= mode->real ? creal(part) * creal(mode->tau_s)
					    : creal(part * mode->tau_s);
	}
	return value;
}

static double power_of(const struct signal *signal, size_t segment)
{
	return signal->power_w[signal->segments->column[segment]];
}

static void restart(struct signal *signal, double at_s)
{
	signal->at_s = at_s;
	signal->segment = jm_segments_find_from(signal->segments, signal->segment, at_s);
	signal->energy_j = 0;
	signal->load_w = power_of(signal, signal->segment);
	for (size_t m = 0; m < signal->n_modes; m++)
		signal->z[m] = signal->load_w;
}

static void advance(struct signal *signal, double to_s)
{
	const struct jm_segments *segments = signal->segments;

	while (segments->time_s[signal->segment + 1] < to_s &&
		signal->segment + 1 < segments->n) {
		step(signal, power_of(signal, signal->segment),
			segments->time_s[signal->segment + 1]);
		signal->segment++;
	}
	step(signal, power_of(signal, signal->segment), to_s);
}

static void add(const struct jm_prediction *to, const struct signal *signal, size_t row,
	const struct jm_edge *edge)
{
	const struct jm_response *response = signal->response;
	double integral, power_w = filtered(signal, &integral);
	double factor = edge->factor * response->tap[edge->tap];

	to->value[row] += factor * integral;
	if (to->by_delay)
		to->by_delay[row] -= factor * power_w;
	if (to->by_window && edge->factor < 0) /* the begin of the window moves */
		to->by_window[row] -= factor * power_w;
	if (response->n_taps > 1 && to->by_tap[edge->tap])
		to->by_tap[edge->tap][row] += edge->factor * integral;
}

/* Columns of taps so far hold the taps' own predictions, main_tap's too. */
static void finish(const struct jm_prediction *to, const struct jm_response *response,
	const struct jm_moments *moments, const double *main_tap)
{
	for (size_t i = 0; i < moments->n; i++) {
		double width = moments->width_s ? moments->width_s[i] : response->window_s;

		if (to->by_window)
			to->by_window[i] -= to->value[i] / width;
		if (to->by_skew)
			to->by_skew[i] =
				to->by_delay[i] * (moments->time_s[i] - response->middle_s);
		for (size_t m = 0; m < response->n_taps && main_tap; m++)
			if (to->by_tap[m] && m != to->main_tap)
				to->by_tap[m][i] -= main_tap[i];
	}
}

static void clear(const struct jm_prediction *to, const struct jm_response *response, size_t n)
{
	memset(to->value, 0, n * sizeof(double));
	if (to->by_delay)
		memset(to->by_delay, 0, n * sizeof(double));
	if (to->by_window)
		memset(to->by_window, 0, n * sizeof(double));
	for (size_t m = 0; m < response->n_taps; m++)
		if (to->by_tap[m])
			memset(to->by_tap[m], 0, n * sizeof(double));
}

static void predict_chunk(struct signal *signal, const struct jm_moments *moments, size_t first,
	size_t n, struct jm_edge *edges, const struct jm_prediction *to)
{
	const struct jm_response *response = signal->response;
	size_t n_edges = jm_response_edges(response, moments, first, n, edges);
	size_t per_row = jm_response_edges_per_row(response), open = 0;
	double memory = jm_response_memory_s(response);
	unsigned char left[JM_CHUNK_ROWS];

	memset(left, (int)per_row, n);
	for (size_t i = 0; i < n_edges; i++) {
		const struct jm_edge *edge = &edges[i];

		if (!i || (!open && edge->time_s - signal->at_s > memory))
			restart(signal, edge->time_s - memory);
		advance(signal, edge->time_s);
		add(to, signal, first + edge->row, edge);
		open += left[edge->row] == per_row;
		open -= --left[edge->row] == 0;
	}
}

static void predict_all(struct signal *signal, const struct jm_moments *moments,
	struct jm_edge *edges, const struct jm_prediction *to)
{
	for (size_t first = 0; first < moments->n; first += JM_CHUNK_ROWS) {
		size_t n = moments->n - first;

		predict_chunk(signal, moments, first, n < JM_CHUNK_ROWS ? n : JM_CHUNK_ROWS,
			edges, to);
	}
}

static void low_pass(
	const struct jm_response *response, const struct jm_moments *moments, double *column)
{
	for (size_t i = 1; column && i < moments->n; i++) {
		double kept = jm_response_kept(response, moments, i);

		column[i] = kept * column[i - 1] + (1 - kept) * column[i];
	}
}

static void low_pass_all(const struct jm_response *response, const struct jm_moments *moments,
	const struct jm_prediction *to)
{
	low_pass(response, moments, to->value);
	low_pass(response, moments, to->by_delay);
	low_pass(response, moments, to->by_window);
	low_pass(response, moments, to->by_skew);
	for (size_t m = 0; m < response->n_taps; m++)
		low_pass(response, moments, to->by_tap[m]);
}

int jm_predict(const struct jm_response *response, const struct jm_segments *segments,
	const struct jm_moments *moments, const double *power_w,
	const struct jm_prediction *ret_prediction)
{
	struct signal signal = {.response = response, .segments = segments, .power_w = power_w};
	struct jm_prediction to = *ret_prediction;
	struct jm_edge *edges = malloc(JM_EDGES_MAX * JM_CHUNK_ROWS * sizeof(*edges));
	double *main_tap =
		response->n_taps > 1 ? malloc((moments->n + 1) * sizeof(double)) : NULL;
	int result = JM_ENOMEM;

	if (!edges || (response->n_taps > 1 && !main_tap))
		goto out;
	signal.n_modes = jm_response_modes(response, signal.modes);
	if (main_tap)
		to.by_tap[to.main_tap] = main_tap;
	clear(&to, response, moments->n);
	predict_all(&signal, moments, edges, &to);
	finish(&to, response, moments, main_tap);
	if (response->low_pass > 0)
		low_pass_all(response, moments, ret_prediction);
	result = 0;
out:
	free(edges);
	free(main_tap);
	return result;
}
