/* SPDX-License-Identifier: Apache-2.0 */
#include "report/rail_table.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/json.h"
#include "report/fit_table.h"
#include "report/text.h"

#define RAIL_WIDTH 18 /* "power W" and "+- W" of one rail */

static void print_number(FILE *out, int width, double value)
{
	if (isnan(value))
		fprintf(out, " %*s", width, "-");
	else
		fprintf(out, " %*.3f", width, value);
}

/* Two figures of each rail; unresolved ones are in brackets. */
static void print_powers(FILE *out, const struct jm_layer_energy_rail *rails, size_t n,
	size_t layer, size_t place)
{
	for (size_t i = 0; i < n; i++) {
		const struct jm_fit_result *result = rails[i].result;
		const struct jm_fit_layer *row = (const void *)((const char *)result + place);

		if (layer != SIZE_MAX)
			row = &result->layers[layer];
		print_number(out, 9, row->power_w);
		print_number(out, 6, row->power_sd_w);
		fputs(isnan(row->power_w) || row->resolved == JM_RESOLVED_YES ? "  "
			: row->resolved == JM_RESOLVED_GROUP                  ? " g"
									      : " ?",
			out);
	}
	fputc('\n', out);
}

static void print_row(FILE *out, size_t width, const char *name,
	const struct jm_layer_energy_rail *rails, size_t n, size_t layer, size_t place)
{
	const struct jm_fit_layer *row =
		layer != SIZE_MAX ? &rails[0].result->layers[layer]
				  : (const void *)((const char *)rails[0].result + place);

	jm_text_print_cut(out, name, width);
	if (isnan(row->runtime_ms))
		fprintf(out, " %9s", "-");
	else
		fprintf(out, " %9.4f", row->runtime_ms);
	print_powers(out, rails, n, layer, place);
}

static void print_total(
	FILE *out, size_t width, const struct jm_layer_energy_rail *rails, size_t n)
{
	jm_text_print_cut(out, "(total)", width);
	fprintf(out, " %9.4f", rails[0].result->closure.cycle_ms);
	for (size_t i = 0; i < n; i++) {
		const struct jm_fit_closure *closure = &rails[i].result->closure;

		print_number(out, 9, closure->measured_mj / closure->cycle_ms);
		print_number(out, 6, closure->sd_mj / closure->cycle_ms);
		fputs("  ", out);
	}
	fputc('\n', out);
}

static void print_heads(
	FILE *out, size_t width, const struct jm_layer_energy_rail *rails, size_t n)
{
	fprintf(out, "%-*s %9s", (int)width, "", "");
	for (size_t i = 0; i < n; i++) {
		fputs("  ", out);
		jm_text_print_cut(out, rails[i].rail, RAIL_WIDTH - 1);
	}
	fprintf(out, "\n%-*s %9s", (int)width, "layer", "time ms");
	for (size_t i = 0; i < n; i++)
		fprintf(out, " %9s %6s  ", "power W", "+- W");
	fputc('\n', out);
}

/* What each rail is, and how much of it is known. */
static void print_notes(FILE *out, const struct jm_layer_energy_rail *rails, size_t n)
{
	static const char *const words[][2] = {{"part", "a part of the total"},
		{"inside", "inside the total"}, {"other", "not in the total"},
		{"total", "the total"}};

	fputc('\n', out);
	for (size_t i = 0; i < n; i++) {
		const struct jm_fit_result *result = rails[i].result;
		const char *role = rails[i].role;

		for (size_t j = 0; j < sizeof(words) / sizeof(words[0]); j++)
			if (strcmp(words[j][0], role) == 0)
				role = words[j][1];
		jm_text_print(out, rails[i].rail);
		fprintf(out, ": %s, %zu of %zu layers resolved", role, result->n_resolved,
			result->n_layers);
		if (result->n_resolved < result->n_layers) {
			fputs("; ", out);
			jm_text_print(out, result->advice);
		}
		fputc('\n', out);
	}
	fputs("?: not resolved; g: only known together with its neighbours\n", out);
}

void jm_rail_table_print(FILE *out, const struct jm_timeline *timeline,
	const struct jm_layer_energy_rail *rails, size_t n,
	const struct jm_table_header *header)
{
	size_t width = jm_fit_table_name_width(timeline);

	jm_fit_table_print_header(out, rails[0].result, header);
	fputc('\n', out);
	width = width > 20 ? width : 20;
	print_heads(out, width, rails, n);
	for (size_t k = 0; k < timeline->n_layers; k++)
		print_row(out, width, timeline->layers[k].name, rails, n, k, 0);
	if (rails[0].result->gap.runtime_ms > 0)
		print_row(out, width, "(gap in the cycle)", rails, n, SIZE_MAX,
			offsetof(struct jm_fit_result, gap));
	print_row(out, width, "(gap between cycles)", rails, n, SIZE_MAX,
		offsetof(struct jm_fit_result, between));
	print_total(out, width, rails, n);
	print_notes(out, rails, n);
}

/* ---- JSON ------------------------------------------------------------------------ */

int jm_rail_table_print_json(FILE *out, const struct jm_timeline *timeline,
	const struct jm_layer_energy_rail *rails, size_t n,
	const struct jm_table_header *header, struct jm_error *reterr)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < n; i++) {
		json_t *one = jm_fit_table_json(timeline, rails[i].result, header);

		if (one && json_object_set_new(one, "rail", jm_json_text(rails[i].rail)) == 0 &&
			json_object_set_new(one, "role", json_string(rails[i].role)) == 0 &&
			json_array_append(list, one) == 0) {
			json_decref(one);
			continue;
		}
		json_decref(one);
		json_decref(list);
		list = NULL;
	}
	return jm_json_print_report(
		out, list ? json_pack("{s:o}", "rails", list) : NULL, reterr);
}
