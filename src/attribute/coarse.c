/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One walk along bins of time around each conversion gives its design row for
 * every delay of the grid: the filtered occupancy F of each group is carried
 * along, and a row is (F at the window's end - F at its begin) / window.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attribute/coarse.h"
#include "attribute/dense.h"
#include "base/error.h"

enum {
	GROUPS_MAX = 64,
	COLUMNS_MAX = GROUPS_MAX + JM_N_GAP_COLUMNS,
	LINE_MAX = COLUMNS_MAX + 1, /* with y behind the columns */
	BATCH = 16,                 /* conversions whose rows are added at once */
	CONVERSIONS_MIN = 720,
	MAX_DELAYS = 900,
	MAX_BINS = 4000
};

#define BIN_S 50e-6
#define MEMORY_TAUS 6.0
/* Minima this much worse than the best of their scan are none, per conversion. */
#define FAR 0.5
/* Ridge: noise over spread of the groups, squared. */
#define RIDGE 5e-4
/* Of the sum of squares: what is left beyond is rounding of numbers. */
#define REST_MIN 1e-14

struct search {
	const struct jm_segments *segments;
	const struct jm_moments *moments;
	const double *power_w;
	double mean_w;
	double bin_s, delay_min_s;
	size_t n_delays;
	size_t stride, n_used; /* conversions looked at: every stride-th */
	size_t groups, columns, line;
	unsigned char *group;    /* [columns of segments] */
	double *occupancy;       /* [MAX_BINS * columns] of one conversion */
	double *integral[BATCH]; /* [(MAX_BINS + 1) * columns] each */
	double *gram;            /* [n_delays * line * line] */
	double *cost;            /* [n_delays] of one scan */
	struct jm_start *starts; /* all scans' */
	size_t n_starts, room;
};

/*
 * Neighbouring layers share a group, each with about the same time; as long as
 * there are groups enough every layer has its own.
 */
static void make_groups(struct search *search)
{
	const struct jm_segments *segments = search->segments;
	size_t groups = search->groups;
	double all = 0, sum = 0;

	for (size_t k = 0; k < segments->n_loads; k++)
		all += segments->total_s[k];
	for (size_t k = 0; k < segments->n_loads; k++) {
		double middle = sum + 0.5 * segments->total_s[k];
		size_t g = all > 0 ? (size_t)(middle / all * (double)groups) : 0;

		if (groups == segments->n_loads)
			g = k;
		search->group[k] = (unsigned char)(g < groups ? g : groups - 1);
		sum += segments->total_s[k];
	}
	for (size_t k = 0; k < JM_N_GAP_COLUMNS; k++)
		search->group[segments->n_loads + k] = (unsigned char)(groups + k);
}

/* Share of every bin of [from_s, from_s + n bins) in which each group runs. */
static void fill_bins(struct search *search, double from_s, size_t n)
{
	const struct jm_segments *segments = search->segments;
	double bin = search->bin_s, at = from_s, end = from_s + (double)n * bin;
	size_t i = jm_segments_find(segments, from_s), b = 0;

	memset(search->occupancy, 0, n * search->columns * sizeof(double));
	while (at < end && b < n) {
		double bin_end = from_s + (double)(b + 1) * bin;
		double until = fmin(segments->time_s[i + 1], bin_end);
		double *line = search->occupancy + b * search->columns;

		if (until > at)
			line[search->group[segments->column[i]]] += (until - at) / bin;
		at = fmax(at, until);
		if (segments->time_s[i + 1] <= bin_end && i + 1 < segments->n)
			i++;
		else
			b++;
	}
}

/* Integral of the occupancy behind a filter, at the bins' edges. */
static void filter_bins(const struct search *search, size_t n, double tau_s, double *integral)
{
	double fade = tau_s > 0 ? exp(-search->bin_s / tau_s) : 0;
	double run[COLUMNS_MAX] = {0}, z[COLUMNS_MAX] = {0};
	size_t columns = search->columns;

	memset(integral, 0, columns * sizeof(double));
	for (size_t b = 0; b < n; b++) {
		const double *x = search->occupancy + b * columns;
		double *out = integral + (b + 1) * columns;

		for (size_t c = 0; c < columns; c++) {
			run[c] += x[c] * search->bin_s;
			z[c] = x[c] + (z[c] - x[c]) * fade;
			out[c] = run[c] - tau_s * z[c];
		}
	}
}

/* Rows of a batch of conversions for all delays; delays grow as bins go back. */
static void add_batch(
	struct search *search, const double *y, size_t n_rows, size_t n, size_t window)
{
	double rows[BATCH * LINE_MAX], scale = 1 / ((double)window * search->bin_s);
	size_t columns = search->columns, line = search->line;

	for (size_t d = 0; d < search->n_delays; d++) {
		for (size_t r = 0; r < n_rows; r++) {
			const double *end = search->integral[r] + (n - d) * columns;
			const double *begin = end - window * columns;

			for (size_t c = 0; c < columns; c++)
				rows[r * line + c] = (end[c] - begin[c]) * scale;
			rows[r * line + columns] = y[r];
		}
		jm_gram_add(search->gram + d * line * line, line, line, 0, line,
			&(struct jm_rows){rows, n_rows, line});
	}
}

/* Smallest penalised sum of squares of one delay. */
static double cost_of(const struct search *search, const double *gram)
{
	double a[COLUMNS_MAX * COLUMNS_MAX], b[COLUMNS_MAX];
	size_t columns = search->columns, line = search->line;
	double rest = gram[columns * line + columns];

	for (size_t i = 0; i < columns; i++) {
		memcpy(a + i * columns, gram + i * line, (i + 1) * sizeof(double));
		a[i * columns + i] += RIDGE;
		b[i] = gram[columns * line + i];
	}
	if (jm_cholesky(a, columns) < 0)
		return HUGE_VAL;
	jm_cholesky_solve(a, columns, b);
	rest -= jm_dot(b, gram + columns * line, columns);
	rest = fmax(rest, REST_MIN * gram[columns * line + columns]);
	return (double)search->n_used * log(fmax(rest, DBL_MIN));
}

static int compare_costs(const void *a, const void *b)
{
	double x = ((const struct jm_start *)a)->cost, y = ((const struct jm_start *)b)->cost;

	return (x > y) - (x < y);
}

static int compare_ranks(const void *a, const void *b)
{
	size_t x = ((const struct jm_start *)a)->rank, y = ((const struct jm_start *)b)->rank;

	return x != y ? (x > y) - (x < y) : compare_costs(a, b);
}

/* Appends the local minima of a scan, in the order of their cost. */
static void pick(struct search *search, double tau_s, double window_s)
{
	struct jm_start *minima = search->starts + search->n_starts;
	size_t n = 0;

	for (size_t d = 0; d < search->n_delays; d++) {
		double cost = search->cost[d];
		double delay_s = search->delay_min_s - tau_s + (double)d * search->bin_s;

		if (!isfinite(cost) || (d && search->cost[d - 1] < cost) ||
			(d + 1 < search->n_delays && search->cost[d + 1] <= cost))
			continue;
		minima[n++] = (struct jm_start){delay_s, tau_s, window_s, cost, 0};
	}
	qsort(minima, n, sizeof(*minima), compare_costs);
	for (size_t i = 0; i < n && i < JM_START_MAX; i++) {
		if (minima[i].cost > minima[0].cost + FAR * (double)search->n_used)
			break;
		minima[i].rank = i;
		search->n_starts++;
	}
}

static void scan(struct search *search, double tau_s, double window_s)
{
	size_t window = (size_t)fmax(1, round(window_s / search->bin_s));
	size_t memory = (size_t)ceil(MEMORY_TAUS * tau_s / search->bin_s);
	size_t n = search->n_delays + window + memory, square = search->line * search->line;
	double y[BATCH];
	size_t held = 0;

	if (n > MAX_BINS)
		n = MAX_BINS;
	memset(search->gram, 0, search->n_delays * square * sizeof(double));
	for (size_t i = 0; i < search->n_used; i++) {
		size_t j = i * search->stride + search->stride / 2;
		double end = search->moments->time_s[j] - (search->delay_min_s - tau_s);

		fill_bins(search, end - (double)n * search->bin_s, n);
		filter_bins(search, n, tau_s, search->integral[held]);
		y[held++] = search->power_w[j] - search->mean_w;
		if (held == BATCH || i + 1 == search->n_used) {
			add_batch(search, y, held, n, window);
			held = 0;
		}
	}
	for (size_t d = 0; d < search->n_delays; d++)
		search->cost[d] = cost_of(search, search->gram + d * square);
	pick(search, tau_s, window_s);
}

static int allocate(struct search *search)
{
	size_t line = search->line, columns = search->columns;

	search->group = malloc(search->segments->n_loads + JM_N_GAP_COLUMNS);
	search->occupancy = malloc(MAX_BINS * columns * sizeof(double));
	for (size_t r = 0; r < BATCH; r++) {
		search->integral[r] = malloc((MAX_BINS + 1) * columns * sizeof(double));
		if (!search->integral[r])
			return 0;
	}
	search->gram = malloc(search->n_delays * line * line * sizeof(double));
	search->cost = malloc(search->n_delays * sizeof(double));
	search->starts = malloc(search->room * sizeof(*search->starts));
	return search->group && search->occupancy && search->gram && search->cost &&
	       search->starts;
}

static void release(struct search *search)
{
	free(search->group);
	free(search->occupancy);
	for (size_t r = 0; r < BATCH; r++)
		free(search->integral[r]);
	free(search->gram);
	free(search->cost);
	free(search->starts);
}

static void set_up(struct search *search, const struct jm_coarse_options *options)
{
	double range = options->delay_max_s - options->delay_min_s, longest = 0;
	size_t n = search->moments->n, wanted;

	search->groups =
		search->segments->n_loads < GROUPS_MAX ? search->segments->n_loads : GROUPS_MAX;
	search->columns = search->groups + JM_N_GAP_COLUMNS;
	search->line = search->columns + 1;
	for (size_t i = 0; i < options->n_window; i++)
		longest = fmax(longest, options->window_s[i]);
	search->bin_s = fmax(BIN_S, range / (MAX_DELAYS - 1));
	search->bin_s = fmax(search->bin_s, 1.5 * longest / (MAX_BINS - MAX_DELAYS));
	search->n_delays = (size_t)(range / search->bin_s) + 1;
	search->delay_min_s = options->delay_min_s;
	wanted = options->per_column * search->columns;
	wanted = wanted > CONVERSIONS_MIN ? wanted : CONVERSIONS_MIN;
	search->stride = n > wanted ? n / wanted : 1;
	search->n_used = n / search->stride;
	search->room = options->n_window * options->n_tau * JM_START_MAX + search->n_delays;
	for (size_t i = 0; i < search->n_used; i++)
		search->mean_w += search->power_w[i * search->stride + search->stride / 2];
	search->mean_w /= (double)(search->n_used ? search->n_used : 1);
}

int jm_coarse_search(const struct jm_segments *segments, const struct jm_moments *moments,
	const double *power_w, const struct jm_coarse_options *options,
	struct jm_start ret_starts[JM_START_MAX])
{
	struct search search = {.segments = segments, .moments = moments, .power_w = power_w};
	int result = JM_ENOMEM;

	set_up(&search, options);
	if (!allocate(&search))
		goto out;
	make_groups(&search);
	for (size_t w = 0; w < options->n_window; w++)
		for (size_t t = 0; t < options->n_tau; t++)
			scan(&search, options->tau_s[t], options->window_s[w]);
	qsort(search.starts, search.n_starts, sizeof(*search.starts), compare_ranks);
	result = search.n_starts < JM_START_MAX ? (int)search.n_starts : JM_START_MAX;
	memcpy(ret_starts, search.starts, (size_t)result * sizeof(*ret_starts));
out:
	release(&search);
	return result;
}
