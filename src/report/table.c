/* SPDX-License-Identifier: Apache-2.0 */
#include "report/table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "formats/csv.h"
#include "report/text.h"

#define NAME_WIDTH_MAX 44
#define TYPE_WIDTH 12

static size_t name_width(const struct jm_summary *summary)
{
	size_t width = 10;

	for (size_t i = 0; i < summary->n_layers; i++) {
		size_t n = jm_text_columns(summary->layers[i].name);

		if (n > width)
			width = n;
	}
	return width < NAME_WIDTH_MAX ? width : NAME_WIDTH_MAX;
}

/* A number of `width` columns; "-" where there is none: never a made-up 0. */
static void print_number(FILE *out, int width, int decimals, double value)
{
	if (isnan(value))
		fprintf(out, " %*s", width, "-");
	else
		fprintf(out, " %*.*f", width, decimals, value);
}

void jm_table_print_pauses(FILE *out, const struct jm_table_header *header)
{
	if (header->pause_max_ms > 0)
		fprintf(out, ", with random pauses of up to %.3g ms", header->pause_max_ms);
}

static void print_header(
	FILE *out, const struct jm_summary *summary, const struct jm_table_header *header)
{
	if (header->simulated)
		fprintf(out, "SIMULATED: power comes from joulemap's virtual board, "
			     "not from this machine\n");
	jm_text_print(out, header->model ? header->model : "run");
	if (header->engine) {
		fputs(", ", out);
		jm_text_print(out, header->engine);
	}
	if (header->sensor) {
		fputs(", sensor ", out);
		jm_text_print(out, header->sensor);
	}
	fprintf(out, "\n%zu cycle%s", summary->cycles, summary->cycles == 1 ? "" : "s");
	if (!isnan(summary->cycle_ms))
		fprintf(out, " of %.3f ms", summary->cycle_ms);
	jm_table_print_pauses(out, header);
	if (!isnan(summary->idle_power_w))
		fprintf(out, ", idle %.3f W", summary->idle_power_w);
	fprintf(out, ", method: %s\n\n", header->method);
}

static void print_row(FILE *out, size_t width, const struct jm_layer_summary *row, double share)
{
	jm_text_print_cut(out, row->name, width);
	fputs("  ", out);
	jm_text_print_cut(out, row->type ? row->type : "", TYPE_WIDTH);
	print_number(out, 9, 4, row->runtime_ms);
	print_number(out, 6, 1, share);
	print_number(out, 8, 3, row->power_w);
	print_number(out, 7, 3, row->power_se_w);
	print_number(out, 9, 4, row->energy_mj);
	print_number(out, 9, 4, row->dynamic_energy_mj);
	if (row->type)
		fprintf(out, " %8zu\n", row->samples);
	else
		fprintf(out, " %8s\n", "-");
}

/* What no layer covers, and the whole cycle. */
static void print_sums(FILE *out, size_t width, const struct jm_summary *summary)
{
	const double none = (double)NAN;
	struct jm_layer_summary gaps = {.name = "(gaps)",
		.runtime_ms = summary->cycle_ms - summary->layers_ms,
		.power_w = none,
		.power_se_w = none,
		.energy_mj = none,
		.dynamic_energy_mj = none};
	struct jm_layer_summary total = {.name = "(total)",
		.runtime_ms = summary->cycle_ms,
		.power_w = summary->sensor_power_w,
		.power_se_w = none,
		.energy_mj = summary->sensor_energy_mj,
		.dynamic_energy_mj =
			(summary->sensor_power_w - summary->idle_power_w) * summary->cycle_ms};

	print_row(out, width, &gaps, 100.0 * gaps.runtime_ms / summary->cycle_ms);
	print_row(out, width, &total, isnan(summary->cycle_ms) ? none : 100.0);
}

static void print_closure(FILE *out, const struct jm_summary *summary)
{
	double difference = summary->sensor_energy_mj - summary->layers_energy_mj;

	if (isnan(summary->sensor_power_w))
		fprintf(out, "closure: not known, the sensor has no reading inside the run\n");
	else if (isnan(summary->cycle_ms))
		fprintf(out, "closure: not known, the length of a cycle takes two of them\n");
	else
		fprintf(out,
			"closure: the sensor saw %.4f mJ per cycle, the layers sum to %.4f "
			"mJ,\n"
			"         %.4f mJ (%.1f %%) lie in gaps or in layers without samples\n",
			summary->sensor_energy_mj, summary->layers_energy_mj, difference,
			100.0 * difference / summary->sensor_energy_mj);
}

/* What must be known to read the figures right. */
static void print_notes(FILE *out, const struct jm_summary *summary)
{
	fputc('\n', out);
	if (summary->log_ends_early)
		fprintf(out, "power log ends after %zu of %zu cycles: only these are counted\n",
			summary->cycles, summary->timeline_cycles);
	else if (summary->cycles < summary->timeline_cycles)
		fprintf(out,
			"power could be mapped in %zu of %zu cycles: only these are counted\n",
			summary->cycles, summary->timeline_cycles);
	print_closure(out, summary);
	if (summary->layers_without_power)
		fprintf(out, "%zu of %zu layers have no sample: no power is given for them\n",
			summary->layers_without_power, summary->n_layers);
	if (isnan(summary->change_ms))
		fprintf(out, "NOT RESOLVED: the sensor showed one and the same value all the "
			     "time\n");
	else if (summary->layers_too_short)
		fprintf(out,
			"NOT RESOLVED: the sensor shows a new value every %.2f ms, %zu of %zu "
			"layers "
			"are\nshorter; the window method gives such layers the network's mean "
			"power, "
			"whatever\nthey draw. +- is the statistical error only.\n",
			summary->change_ms, summary->layers_too_short, summary->n_layers);
}

void jm_table_print(
	FILE *out, const struct jm_summary *summary, const struct jm_table_header *header)
{
	size_t width = name_width(summary);

	print_header(out, summary, header);
	fprintf(out, "%-*s  %-*s %9s %6s %8s %7s %9s %9s %8s\n", (int)width, "layer",
		TYPE_WIDTH, "type", "time ms", "time %", "power W", "+- W", "energy mJ",
		"above idle", "samples");
	for (size_t i = 0; i < summary->n_layers; i++) {
		const struct jm_layer_summary *layer = &summary->layers[i];

		print_row(out, width, layer,
			100.0 * layer->runtime_ms * layer->per_cycle / summary->cycle_ms);
	}
	print_sums(out, width, summary);
	print_notes(out, summary);
}

static void print_value(FILE *out, double value)
{
	if (isnan(value))
		fputc(',', out);
	else
		fprintf(out, ",%.9g", value);
}

/* A layer that the sensor's values are too slow for has no power of its own. */
static const char *resolved(
	const struct jm_summary *summary, const struct jm_layer_summary *layer)
{
	return layer->cycles_with_power && layer->runtime_ms >= summary->change_ms ? "yes"
										   : "no";
}

void jm_table_print_csv(
	FILE *out, const struct jm_summary *summary, const struct jm_table_header *header)
{
	fputs("layer_index,layer_name,layer_type,executions,runtime_ms,runtime_sd_ms,power_w,"
	      "power_se_w,dynamic_power_w,energy_mj,dynamic_energy_mj,samples,resolved,"
	      "simulated\n",
		out);
	for (size_t i = 0; i < summary->n_layers; i++) {
		const struct jm_layer_summary *layer = &summary->layers[i];

		fprintf(out, "%zu,", i);
		jm_csv_print(out, layer->name);
		fputc(',', out);
		jm_csv_print(out, layer->type);
		fprintf(out, ",%zu", layer->executions);
		print_value(out, layer->runtime_ms);
		print_value(out, layer->runtime_sd_ms);
		print_value(out, layer->power_w);
		print_value(out, layer->power_se_w);
		print_value(out, layer->dynamic_power_w);
		print_value(out, layer->energy_mj);
		print_value(out, layer->dynamic_energy_mj);
		fprintf(out, ",%zu,%s,%s\n", layer->samples, resolved(summary, layer),
			header->simulated ? "yes" : "no");
	}
}

static json_t *layer_json(
	const struct jm_summary *summary, const struct jm_layer_summary *layer)
{
	return json_pack("{s:o, s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:s}", "name",
		jm_json_text(layer->name), "type", jm_json_text(layer->type), "executions",
		(json_int_t)layer->executions, "runtime_ms", jm_json_number(layer->runtime_ms),
		"runtime_sd_ms", jm_json_number(layer->runtime_sd_ms), "power_w",
		jm_json_number(layer->power_w), "power_se_w", jm_json_number(layer->power_se_w),
		"dynamic_power_w", jm_json_number(layer->dynamic_power_w), "energy_mj",
		jm_json_number(layer->energy_mj), "dynamic_energy_mj",
		jm_json_number(layer->dynamic_energy_mj), "samples", (json_int_t)layer->samples,
		"resolved", resolved(summary, layer));
}

int jm_table_print_json(FILE *out, const struct jm_summary *summary,
	const struct jm_table_header *header, struct jm_error *reterr)
{
	json_t *layers = json_array();
	json_t *root;

	for (size_t i = 0; layers && i < summary->n_layers; i++)
		json_array_append_new(layers, layer_json(summary, &summary->layers[i]));
	root = json_pack(
		"{s:o, s:o, s:o, s:o, s:b, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
		"model", jm_json_text(header->model), "engine", jm_json_text(header->engine),
		"sensor", jm_json_text(header->sensor), "method", jm_json_text(header->method),
		"simulated", header->simulated, "cycles", (json_int_t)summary->cycles,
		"timeline_cycles", (json_int_t)summary->timeline_cycles, "cycle_ms",
		jm_json_number(summary->cycle_ms), "pause_max_ms",
		header->pause_max_ms > 0 ? json_real(header->pause_max_ms) : json_null(),
		"idle_power_w", jm_json_number(summary->idle_power_w), "sensor_power_w",
		jm_json_number(summary->sensor_power_w), "sensor_energy_mj",
		jm_json_number(summary->sensor_energy_mj), "layers_energy_mj",
		jm_json_number(summary->layers_energy_mj), "sensor_change_ms",
		jm_json_number(summary->change_ms), "layers", layers);
	if (!root)
		return jm_fail_memory(reterr, "the table");
	json_dumpf(root, out, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
	fputc('\n', out);
	json_decref(root);
	return 0;
}
