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

/* The last line of the gram holds rhs and square. */
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

/* ---- In chunks of rows, several at a time ---------------------------------------------- */

enum {
	CHUNKS_EACH = 8, /* at most, for a thread and before all wait for all */
	ROUND_BYTES = 2 << 20,
	LINES_EACH = 3 /* shares of the lines, for a thread: they take unequal time */
};

/* Products below which threads would wait for each other more than work. */
#define SHARED_MIN 3e7

struct build {
	struct jm_normal *normal;
	const struct jm_problem *problem;
	const struct jm_response *response;
	struct jm_pool *pool;
	size_t stride, chunk; /* doubles of a row, and of a chunk */
	size_t room;          /* chunks that have memory */
	size_t n_chunks;      /* that are being added, from row `first` on */
	size_t first, shares;
	double *rows, *gram, *last;
	char *work;
	size_t work_size;
};

static size_t rows_of(const struct build *build, size_t chunk)
{
	size_t n = build->problem->moments.n - build->first - chunk * JM_CHUNK_ROWS;

	return n < JM_CHUNK_ROWS ? n : JM_CHUNK_ROWS;
}

static void make_chunk(void *context, size_t chunk)
{
	const struct build *build = context;
	const struct jm_problem *problem = build->problem;
	size_t first = build->first + chunk * JM_CHUNK_ROWS, n = rows_of(build, chunk);
	double *rows = build->rows + chunk * build->chunk;

	jm_design_rows(build->response, problem->segments, &problem->moments, first, n, rows,
		build->stride, build->work + chunk * build->work_size);
	if (build->response->low_pass > 0)
		low_pass_rows(build->response, &problem->moments, first, n,
			build->normal->n_columns, rows, build->stride, build->last);
	complete_rows(build->normal, problem, first, n, rows, build->stride);
}

/* Where share i of the lines begins: each has as much of the triangle. */
static size_t share_begin(const struct build *build, size_t i)
{
	size_t line = (size_t)((double)build->stride * sqrt((double)i / (double)build->shares));

	/* So that no bit depends on the number of shares. */
	return i == build->shares ? build->stride : line - line % JM_GRAM_LINES;
}

/* Share 0 is the spline's lines; those behind it are of the rest, the longest first. */
static void add_share(void *context, size_t task)
{
	const struct build *build = context;
	size_t share = build->shares - task;

	for (size_t c = 0; c < build->n_chunks; c++) {
		const double *rows = build->rows + c * build->chunk;
		size_t n = rows_of(build, c);

		if (task)
			jm_gram_add(build->gram, build->stride, build->stride,
				share_begin(build, share), share_begin(build, share + 1),
				&(struct jm_rows){rows, n, build->stride});
		for (size_t i = 0; i < n && !task && build->problem->spline.n; i++)
			add_spline(build->normal, build->problem,
				build->first + c * JM_CHUNK_ROWS + i, rows + i * build->stride);
	}
}

static void add_all(struct build *build)
{
	size_t n = build->problem->moments.n;

	for (build->first = 0; build->first < n;
		build->first += build->n_chunks * JM_CHUNK_ROWS) {
		size_t left = (n - build->first + JM_CHUNK_ROWS - 1) / JM_CHUNK_ROWS;

		build->n_chunks = left < build->room ? left : build->room;
		jm_pool_run(build->pool, build->n_chunks, make_chunk, NULL, build);
		jm_pool_run(build->pool, build->shares + 1, add_share, NULL, build);
	}
	for (size_t i = 0; i < n; i++)
		build->normal->count += build->problem->weight ? build->problem->weight[i] : 1;
	finish(build->normal, build->gram, build->stride);
}

/* Alone for a low-pass, which ties each row to the one before. */
static void share_work(struct build *build)
{
	double size = (double)build->stride;
	size_t threads = jm_pool_threads(build->problem->pool), each;

	build->room = build->shares = 1;
	if (threads < 2 || build->response->low_pass > 0 ||
		size * size * (double)build->problem->moments.n < SHARED_MIN)
		return;
	build->pool = build->problem->pool;
	each = ROUND_BYTES / (build->chunk * sizeof(double)) / threads;
	each = each > CHUNKS_EACH ? CHUNKS_EACH : each;
	build->room = threads * (each ? each : 1);
	build->shares = threads * LINES_EACH;
}

int jm_normal_build(struct jm_normal *normal, const struct jm_problem *problem,
	const struct jm_response *response)
{
	struct build build = {.normal = normal, .problem = problem, .response = response};
	int result = JM_ENOMEM;

	if (allocate(normal, problem) < 0)
		return JM_ENOMEM;
	build.stride = normal->n_columns + normal->n_extra + 1;
	build.chunk = JM_CHUNK_ROWS * build.stride;
	build.work_size = jm_design_work_size(problem->segments);
	share_work(&build);
	build.rows = malloc(build.room * build.chunk * sizeof(double));
	build.gram = calloc(build.stride * build.stride, sizeof(double));
	build.last = calloc(build.stride, sizeof(double));
	build.work = malloc(build.room * build.work_size);
	if (build.rows && build.gram && build.last && build.work) {
		normal->reference_w = mean_of(problem);
		add_all(&build);
		result = 0;
	}
	free(build.rows);
	free(build.gram);
	free(build.last);
	free(build.work);
	return result;
}

void jm_normal_release(struct jm_normal *normal)
{
	free(normal->gram);
	free(normal->rhs);
	memset(normal, 0, sizeof(*normal));
}
