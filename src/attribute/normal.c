/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attribute/dense.h"
#include "attribute/normal.h"
#include "base/error.h"

void jm_spline_init(
	struct jm_spline *spline, double begin_s, double end_s, double step_s, size_t max)
{
	double pieces = ceil((end_s - begin_s) / step_s);

	memset(spline, 0, sizeof(*spline));
	if (!(pieces >= 2))
		return;
	pieces = fmin(pieces, (double)max - 3);
	spline->begin_s = begin_s;
	spline->step_s = (end_s - begin_s) / pieces;
	spline->n = (size_t)pieces + 3;
}

size_t jm_spline_at(const struct jm_spline *spline, double time_s, double ret_factor[4])
{
	double x = (time_s - spline->begin_s) / spline->step_s;
	double last = (double)(spline->n - 4), u, piece;

	piece = fmin(fmax(floor(x), 0), last);
	u = fmin(fmax(x - piece, 0), 1);
	ret_factor[0] = (1 - u) * (1 - u) * (1 - u) / 6;
	ret_factor[1] = (3 * u * u * u - 6 * u * u + 4) / 6;
	ret_factor[2] = (-3 * u * u * u + 3 * u * u + 3 * u + 1) / 6;
	ret_factor[3] = u * u * u / 6;
	return (size_t)piece;
}

static int allocate(struct jm_normal *normal, const struct jm_problem *problem)
{
	size_t p;

	normal->n_columns = problem->segments->n_loads + JM_N_GAP_COLUMNS;
	normal->n_extra = problem->n_extra;
	normal->n_spline = problem->spline.n;
	p = normal->n_columns + normal->n_extra + normal->n_spline;
	if (p != normal->p) {
		free(normal->gram);
		free(normal->rhs);
		normal->gram = malloc(p * p * sizeof(double));
		normal->rhs = malloc(p * sizeof(double));
		normal->p = p;
	}
	if (!normal->gram || !normal->rhs)
		return -1;
	memset(normal->gram, 0, p * p * sizeof(double));
	memset(normal->rhs, 0, p * sizeof(double));
	normal->square = normal->count = 0;
	return 0;
}

static double mean_of(const struct jm_problem *problem)
{
	double sum = 0;

	for (size_t i = 0; i < problem->moments.n; i++)
		sum += problem->power_w[i];
	return problem->moments.n ? sum / (double)problem->moments.n : 0;
}

/* The sensor's own low-pass; `last` holds the row before, and then the last one. */
static void low_pass_rows(const struct jm_response *response, const struct jm_moments *moments,
	size_t first, size_t n, size_t k, double *rows, size_t stride, double *last)
{
	for (size_t i = 0; i < n; i++) {
		double kept = jm_response_kept(response, moments, first + i);
		double *row = rows + i * stride;

		for (size_t j = 0; j < k; j++)
			row[j] = last[j] = kept * last[j] + (1 - kept) * row[j];
	}
}

/* Rows times the root of their weight, the extra columns and y behind them. */
static void complete_rows(const struct jm_normal *normal, const struct jm_problem *problem,
	size_t first, size_t n, double *rows, size_t stride)
{
	for (size_t i = 0; i < n; i++) {
		double *row = rows + i * stride;
		double root = problem->weight ? sqrt(problem->weight[first + i]) : 1;
		size_t d = normal->n_columns;

		for (size_t e = 0; e < problem->n_extra; e++)
			row[d++] = problem->extra[e][first + i];
		row[d++] = problem->power_w[first + i] - normal->reference_w;
		if (root != 1)
			for (size_t j = 0; j < d; j++)
				row[j] *= root;
	}
}

static void add_spline(struct jm_normal *normal, const struct jm_problem *problem, size_t index,
	const double *row)
{
	size_t dense = normal->n_columns + normal->n_extra, at;
	double root = problem->weight ? sqrt(problem->weight[index]) : 1, factor[4];

	at = dense + jm_spline_at(&problem->spline, problem->moments.time_s[index], factor);
	for (size_t i = 0; i < 4; i++) {
		double *line = normal->gram + (at + i) * normal->p, f = factor[i] * root;

		for (size_t j = 0; j < dense; j++)
			line[j] += f * row[j];
		for (size_t j = 0; j <= i; j++)
			line[at + j] += f * factor[j] * root;
		normal->rhs[at + i] += f * row[dense];
	}
}

/* The last line of a chunk's gram holds rhs and square. */
static void add_chunk(struct jm_normal *normal, const struct jm_problem *problem, size_t first,
	size_t n, const double *rows, size_t stride, double *gram)
{
	if (problem->spline.n)
		for (size_t i = 0; i < n; i++)
			add_spline(normal, problem, first + i, rows + i * stride);
	jm_gram_add(gram, normal->n_columns + normal->n_extra + 1, stride, rows, n, stride);
	for (size_t i = 0; i < n; i++)
		normal->count += problem->weight ? problem->weight[first + i] : 1;
}

static void finish(struct jm_normal *normal, const double *gram, size_t stride)
{
	size_t dense = normal->n_columns + normal->n_extra;

	for (size_t i = 0; i < dense; i++)
		memcpy(normal->gram + i * normal->p, gram + i * stride,
			(i + 1) * sizeof(double));
	memcpy(normal->rhs, gram + dense * stride, dense * sizeof(double));
	normal->square = gram[dense * stride + dense];
	for (size_t i = 0; i < normal->p; i++)
		for (size_t j = 0; j < i; j++)
			normal->gram[j * normal->p + i] = normal->gram[i * normal->p + j];
}

int jm_normal_build(struct jm_normal *normal, const struct jm_problem *problem,
	const struct jm_response *response)
{
	size_t stride, n = problem->moments.n;
	double *rows = NULL, *gram = NULL, *last = NULL;
	void *work = NULL;
	int result = JM_ENOMEM;

	if (allocate(normal, problem) < 0)
		return JM_ENOMEM;
	stride = normal->n_columns + normal->n_extra + 1;
	rows = malloc(JM_CHUNK_ROWS * stride * sizeof(double));
	gram = calloc(stride * stride, sizeof(double));
	last = calloc(stride, sizeof(double));
	work = malloc(jm_design_work_size(problem->segments));
	if (!rows || !gram || !last || !work)
		goto out;
	normal->reference_w = mean_of(problem);
	for (size_t first = 0; first < n; first += JM_CHUNK_ROWS) {
		size_t rest = n - first < JM_CHUNK_ROWS ? n - first : JM_CHUNK_ROWS;

		jm_design_rows(response, problem->segments, &problem->moments, first, rest,
			rows, stride, work);
		if (response->low_pass > 0)
			low_pass_rows(response, &problem->moments, first, rest,
				normal->n_columns, rows, stride, last);
		complete_rows(normal, problem, first, rest, rows, stride);
		add_chunk(normal, problem, first, rest, rows, stride, gram);
	}
	finish(normal, gram, stride);
	result = 0;
out:
	free(rows);
	free(gram);
	free(last);
	free(work);
	return result;
}

void jm_normal_release(struct jm_normal *normal)
{
	free(normal->gram);
	free(normal->rhs);
	memset(normal, 0, sizeof(*normal));
}
