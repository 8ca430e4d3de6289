/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of the result in terms of the fit's unknowns. */
#include <math.h>

#include "attribute/fit.h"

struct jm_row jm_fit_layer_row(const struct jm_fit *fit, size_t layer)
{
	const struct jm_segments *segments = &fit->segments;
	struct jm_row row = {.n = segments->n_regimes};

	for (size_t r = 0; r < row.n; r++) {
		row.column[r] = r * segments->n_layers + layer;
		row.total_s += segments->total_s[row.column[r]];
	}
	for (size_t r = 0; r < row.n; r++)
		row.share[r] = row.total_s > 0 ? segments->total_s[row.column[r]] / row.total_s
					       : 1 / (double)row.n;
	return row;
}

struct jm_row jm_fit_gap_row(const struct jm_fit *fit, size_t which)
{
	size_t column = fit->segments.n_loads + which;

	return (struct jm_row){.n = 1,
		.column = {column},
		.share = {1},
		.total_s = fit->segments.total_s[column]};
}

double jm_fit_row_mean(const struct jm_fit *fit, const struct jm_row *row)
{
	const struct jm_posterior *posterior = &fit->alignment.posterior;
	double sum = posterior->reference_w;

	for (size_t i = 0; i < row->n; i++)
		sum += row->share[i] * posterior->mean[row->column[i]];
	return sum;
}

double jm_fit_row_covariance(
	const struct jm_fit *fit, const struct jm_row *a, const struct jm_row *b)
{
	const struct jm_posterior *posterior = &fit->alignment.posterior;
	double sum = 0;

	for (size_t i = 0; i < a->n; i++)
		for (size_t j = 0; j < b->n; j++)
			sum += a->share[i] * b->share[j] *
			       posterior->covariance[a->column[i] * posterior->total +
						     b->column[j]];
	return sum;
}

double jm_fit_row_readings(const struct jm_fit *fit, const struct jm_row *row)
{
	const struct jm_normal *normal = &fit->alignment.normal;
	double sum = 0;

	for (size_t i = 0; i < row->n; i++)
		for (size_t c = 0; c < normal->n_columns; c++)
			sum += normal->gram[row->column[i] * normal->p + c];
	return fmax(0, sum);
}
