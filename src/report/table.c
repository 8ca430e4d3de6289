/* SPDX-License-Identifier: Apache-2.0 */
#include "report/table.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "report/text.h"

#define NAME_WIDTH_MAX 44

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

static void print_header(FILE *out, const struct jm_summary *summary,
	const struct jm_table_header *header)
{
	if (header->simulated)
		fprintf(out, "SIMULATED: power comes from joulemap's virtual board, "
			     "not from this machine\n");
	fprintf(out, "%s", header->model ? header->model : "run");
	if (header->engine)
		fprintf(out, ", %s", header->engine);
	if (header->sensor)
		fprintf(out, ", sensor %s", header->sensor);
	fprintf(out, "\n%zu cycles", summary->cycles);
	if (!isnan(summary->cycle_ms))
		fprintf(out, " of %.3f ms", summary->cycle_ms);
	if (!isnan(summary->idle_power_w))
		fprintf(out, ", idle %.3f W", summary->idle_power_w);
	fprintf(out, ", method: %s\n\n", header->method);
}

static void print_row(FILE *out, size_t width, const char *type, const struct jm_layer_summary *row,
	double share)
{
	jm_text_print_cut(out, row->name, width);
	fprintf(out, "  %-12.12s", type);
	print_number(out, 9, 4, row->runtime_ms);
	print_number(out, 6, 1, share);
	print_number(out, 8, 3, row->power_w);
	print_number(out, 7, 3, row->power_se_w);
	print_number(out, 9, 4, row->energy_mj);
	print_number(out, 9, 4, row->dynamic_energy_mj);
	fprintf(out, " %8zu\n", row->samples);
}

/* What must be known to read the figures right. */
static void print_notes(FILE *out, const struct jm_summary *summary)
{
	double difference = summary->sensor_energy_mj - summary->layers_energy_mj;

	fprintf(out, "\nclosure: the sensor saw %.4f mJ per cycle, the layers sum to %.4f mJ,\n"
		     "         %.4f mJ (%.1f %%) lie in gaps or in layers without samples\n",
		summary->sensor_energy_mj, summary->layers_energy_mj, difference,
		100.0 * difference / summary->sensor_energy_mj);
	if (summary->layers_without_power)
		fprintf(out, "%zu of %zu layers have no sample: no power is given for them\n",
			summary->layers_without_power, summary->n_layers);
	if (isnan(summary->change_ms))
		fprintf(out, "NOT RESOLVED: the sensor showed one and the same value all the time\n");
	else if (summary->layers_too_short)
		fprintf(out,
			"NOT RESOLVED: the sensor shows a new value every %.2f ms, %zu of %zu layers "
			"are\nshorter; the window method gives such layers the network's mean power, "
			"whatever\nthey draw. +- is the statistical error only.\n",
			summary->change_ms, summary->layers_too_short, summary->n_layers);
}

void jm_table_print(FILE *out, const struct jm_summary *summary,
	const struct jm_table_header *header)
{
	size_t width = name_width(summary);
	struct jm_layer_summary gap = {.name = "(gaps)", .runtime_ms = (double)NAN, .power_w = (double)NAN,
		.power_se_w = (double)NAN, .energy_mj = (double)NAN, .dynamic_energy_mj = (double)NAN};

	print_header(out, summary, header);
	fprintf(out, "%-*s  %-12s %9s %6s %8s %7s %9s %9s %8s\n", (int)width, "layer", "type",
		"time ms", "time %", "power W", "+- W", "energy mJ", "above idle", "samples");
	for (size_t i = 0; i < summary->n_layers; i++)
		print_row(out, width, summary->layers[i].type, &summary->layers[i],
			100.0 * summary->layers[i].runtime_ms / summary->cycle_ms);
	gap.runtime_ms = summary->cycle_ms - summary->layers_ms;
	print_row(out, width, "", &gap, 100.0 * gap.runtime_ms / summary->cycle_ms);
	gap.name = "(total)";
	gap.runtime_ms = summary->cycle_ms;
	gap.power_w = summary->sensor_power_w;
	gap.energy_mj = summary->sensor_energy_mj;
	gap.dynamic_energy_mj =
		(summary->sensor_power_w - summary->idle_power_w) * summary->cycle_ms;
	print_row(out, width, "", &gap, 100.0);
	print_notes(out, summary);
}

/* A CSV field, quoted where it has to be. */
static void print_field(FILE *out, const char *text)
{
	if (!strpbrk(text, ",\"\r\n")) {
		fputs(text, out);
		return;
	}
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"')
			fputc('"', out);
		fputc(*text, out);
	}
	fputc('"', out);
}

static void print_value(FILE *out, double value)
{
	if (isnan(value))
		fputc(',', out);
	else
		fprintf(out, ",%.9g", value);
}

/* A layer that the sensor's values are too slow for has no power of its own. */
static const char *resolved(const struct jm_summary *summary, const struct jm_layer_summary *layer)
{
	return layer->cycles_with_power && layer->runtime_ms >= summary->change_ms ? "yes" : "no";
}

void jm_table_print_csv(FILE *out, const struct jm_summary *summary,
	const struct jm_table_header *header)
{
	fputs("layer_index,layer_name,layer_type,executions,runtime_ms,runtime_sd_ms,power_w,"
	      "power_se_w,dynamic_power_w,energy_mj,dynamic_energy_mj,samples,resolved,simulated\n",
		out);
	for (size_t i = 0; i < summary->n_layers; i++) {
		const struct jm_layer_summary *layer = &summary->layers[i];

		fprintf(out, "%zu,", i);
		print_field(out, layer->name);
		fputc(',', out);
		print_field(out, layer->type);
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

/* NaN has no place in JSON: null. */
static json_t *number(double value)
{
	return isnan(value) ? json_null() : json_real(value);
}

static json_t *layer_json(const struct jm_summary *summary, const struct jm_layer_summary *layer)
{
	return json_pack("{s:s, s:s, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:s}", "name",
		layer->name, "type", layer->type, "executions", (json_int_t)layer->executions,
		"runtime_ms", number(layer->runtime_ms), "runtime_sd_ms",
		number(layer->runtime_sd_ms), "power_w", number(layer->power_w), "power_se_w",
		number(layer->power_se_w), "dynamic_power_w", number(layer->dynamic_power_w),
		"energy_mj", number(layer->energy_mj), "dynamic_energy_mj",
		number(layer->dynamic_energy_mj), "samples", (json_int_t)layer->samples, "resolved",
		resolved(summary, layer));
}

int jm_table_print_json(FILE *out, const struct jm_summary *summary,
	const struct jm_table_header *header, struct jm_error *reterr)
{
	json_t *layers = json_array();
	json_t *root;

	for (size_t i = 0; layers && i < summary->n_layers; i++)
		json_array_append_new(layers, layer_json(summary, &summary->layers[i]));
	root = json_pack("{s:s?, s:s?, s:s?, s:s?, s:b, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
		"model", header->model, "engine", header->engine, "sensor", header->sensor, "method",
		header->method, "simulated", header->simulated, "cycles",
		(json_int_t)summary->cycles, "cycle_ms", number(summary->cycle_ms), "idle_power_w",
		number(summary->idle_power_w), "sensor_power_w", number(summary->sensor_power_w),
		"sensor_energy_mj", number(summary->sensor_energy_mj), "layers_energy_mj",
		number(summary->layers_energy_mj), "sensor_change_ms", number(summary->change_ms),
		"layers", layers);
	if (!root)
		return jm_fail_memory(reterr, "the table");
	json_dumpf(root, out, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
	fputc('\n', out);
	json_decref(root);
	return 0;
}
