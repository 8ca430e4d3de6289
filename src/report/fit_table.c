/* SPDX-License-Identifier: Apache-2.0 */
#include "report/fit_table.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "report/text.h"

#define NAME_WIDTH_MAX 44

size_t jm_fit_table_name_width(const struct jm_timeline *timeline)
{
	size_t width = 10;

	for (size_t i = 0; i < timeline->n_layers; i++) {
		size_t n = jm_text_columns(timeline->layers[i].name);

		width = n > width ? n : width;
	}
	return width < NAME_WIDTH_MAX ? width : NAME_WIDTH_MAX;
}

static void print_number(FILE *out, int width, int decimals, double value)
{
	if (isnan(value))
		fprintf(out, " %*s", width, "-");
	else
		fprintf(out, " %*.*f", width, decimals, value);
}

void jm_fit_table_print_header(
	FILE *out, const struct jm_fit_result *result, const struct jm_table_header *header)
{
	if (header->simulated)
		fprintf(out, "SIMULATED: power comes from joulemap's virtual board, "
			     "not from this machine\n");
	fprintf(out, "%s", header->model ? header->model : "run");
	if (header->engine)
		fprintf(out, ", %s", header->engine);
	if (header->sensor)
		fprintf(out, ", sensor %s", header->sensor);
	fprintf(out, "\n%zu cycles of %.3f ms", result->between.executions,
		result->closure.cycle_ms);
	jm_table_print_pauses(out, header);
	fprintf(out, ", method: fit\n");
}

/* A sum of rails has none. */
static void print_response(FILE *out, const struct jm_fit_response *response)
{
	fprintf(out, "sensor: ");
	if (isnan(response->window_ms)) {
		fprintf(out, "no single response (each rail has its own: --rail NAME)\n\n");
		return;
	}
	if (response->round_ms > 0)
		fprintf(out, "round %.4f ms, ", response->round_ms);
	fprintf(out, "window %.3f ms, delay %.3f +- %.3f ms, supply ", response->window_ms,
		response->delay_ms, response->delay_sd_ms);
	if (response->taps > 1)
		fprintf(out, "of no simple form\n\n");
	else
		fprintf(out, "%.3f +- %.3f ms%s\n\n", response->tau_ms, response->tau_sd_ms,
			response->shape > 0.25 ? ", overshooting"
			: response->shape > 0  ? ", second order"
					       : "");
}

static void print_mark(FILE *out, const struct jm_fit_layer *layer)
{
	if (layer->resolved == JM_RESOLVED_GROUP)
		fprintf(out, "  group %d\n", layer->group);
	else
		fprintf(out, "  %s\n", jm_resolved_name(layer->resolved));
}

static void print_row(FILE *out, size_t width, const char *name, const char *type,
	const struct jm_fit_layer *layer)
{
	jm_text_print_cut(out, name, width);
	fprintf(out, "  %-12.12s", type);
	print_number(out, 9, 4, layer->runtime_ms);
	print_number(out, 8, 3, layer->power_w);
	print_number(out, 7, 3, layer->power_sd_w);
	print_number(out, 9, 3, layer->dynamic_power_w);
	print_number(out, 9, 4, layer->energy_mj);
	print_number(out, 8, 4, layer->energy_sd_mj);
	print_number(out, 7, 2, 100 * layer->energy_share);
	print_mark(out, layer);
}

static void print_groups(FILE *out, const struct jm_fit_result *result)
{
	int last = -1;

	for (size_t i = 0; i < result->n_layers; i++) {
		const struct jm_fit_layer *layer = &result->layers[i];

		if (layer->group <= last)
			continue;
		last = layer->group;
		fprintf(out, "group %d: together %.4f +- %.4f mJ\n", last,
			layer->group_energy_mj, layer->group_energy_sd_mj);
	}
}

static void print_closure(FILE *out, const struct jm_fit_result *result)
{
	const struct jm_fit_closure *closure = &result->closure;

	if (isnan(closure->fitted_mj))
		fprintf(out, "\nclosure: none; the sensor saw %.4f mJ per cycle\n",
			closure->measured_mj);
	else
		fprintf(out,
			"\nclosure: the sensor saw %.4f mJ per cycle, layers and gaps sum to "
			"%.4f mJ (%+.2f %%)\n",
			closure->measured_mj, closure->fitted_mj,
			100 * closure->difference_mj / fabs(closure->measured_mj));
	if (closure->beyond_share > 0 && !isnan(closure->fitted_mj))
		fprintf(out,
			"that is beyond its own error: the model misses something, and all "
			"rows are as much as %.1f %% of their power less certain\n",
			100 * closure->beyond_share);
	if (isnan(result->gap.power_w) && result->gap.runtime_ms > 0 &&
		!isnan(closure->fitted_mj))
		fprintf(out, "the gap in the cycle came out below what there can be, and has "
			     "no figure\n");
	if (result->diagnostics.waiting_ms > 0)
		fprintf(out,
			"spans of layers hold waiting time (launches that the host is late "
			"with): %.3g ms per cycle count as gap, not as layers\n",
			result->diagnostics.waiting_ms);
}

/* Where unresolved layers have figures: what these are, and where they have none. */
static void print_rule(FILE *out, const struct jm_fit_result *result)
{
	for (size_t i = 0; i < result->n_layers; i++) {
		const struct jm_fit_layer *layer = &result->layers[i];

		if (layer->resolved != JM_RESOLVED_NO || isnan(layer->power_w))
			continue;
		fprintf(out, "rows marked 'no' are hardly more than what was assumed, within "
			     "their +-; a table by cycle has no room for that, and leaves "
			     "them empty\n");
		return;
	}
}

static void print_notes(FILE *out, const struct jm_fit_result *result)
{
	const struct jm_fit_diagnostics *diagnostics = &result->diagnostics;

	print_closure(out, result);
	print_groups(out, result);
	if (diagnostics->robust_share > 0.002)
		fprintf(out,
			"other work on the machine: %.1f %% of the conversions were left out\n",
			100 * diagnostics->robust_share);
	if (diagnostics->drift_w > 0.05)
		fprintf(out, "power drifted by %.2f W during the run; that is taken out\n",
			diagnostics->drift_w);
	if (diagnostics->clock_shift_s)
		fprintf(out,
			"the power log's clock was %.2f h away from the timeline's: taken "
			"out\n",
			-diagnostics->clock_shift_s / 3600.0);
	if (result->response.ambiguous)
		fprintf(out, "the delay may be off by whole cycles, which are all alike\n");
	if (result->n_resolved < result->n_layers)
		fprintf(out, "NOT RESOLVED: %zu of %zu layers; %s: %s\n",
			result->n_layers - result->n_resolved, result->n_layers,
			jm_fit_cause_text(result->cause), result->advice);
	print_rule(out, result);
}

void jm_fit_table_print(FILE *out, const struct jm_timeline *timeline,
	const struct jm_fit_result *result, const struct jm_table_header *header)
{
	size_t width = jm_fit_table_name_width(timeline);

	jm_fit_table_print_header(out, result, header);
	print_response(out, &result->response);
	fprintf(out, "%-*s  %-12s %9s %8s %7s %9s %9s %8s %7s  %s\n", (int)width, "layer",
		"type", "time ms", "power W", "+- W", "above id.", "energy mJ", "+- mJ",
		"share %", "resolved");
	for (size_t i = 0; i < result->n_layers; i++)
		print_row(out, width, timeline->layers[i].name, timeline->layers[i].type,
			&result->layers[i]);
	if (result->gap.runtime_ms > 0)
		print_row(out, width, "(gap in the cycle)", "", &result->gap);
	print_row(out, width, "(gap between cycles)", "", &result->between);
	jm_text_print_cut(out, "(total)", width);
	fprintf(out, "  %-12s", "");
	print_number(out, 9, 4, result->closure.cycle_ms);
	print_number(out, 8, 3, result->closure.measured_mj / result->closure.cycle_ms);
	fprintf(out, "%18s", "");
	print_number(out, 9, 4, result->closure.measured_mj);
	print_number(out, 8, 4, result->closure.sd_mj);
	fprintf(out, "\n");
	print_notes(out, result);
}

/* ---- JSON ------------------------------------------------------------------------ */

static json_t *layer_json(const char *name, const char *type, const struct jm_fit_layer *layer)
{
	json_t *json = json_pack(
		"{s:s, s:s, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s}",
		"name", name, "type", type, "executions", (json_int_t)layer->executions,
		"runtime_ms", jm_json_number(layer->runtime_ms), "runtime_sd_ms",
		jm_json_number(layer->runtime_sd_ms), "power_w", jm_json_number(layer->power_w),
		"power_sd_w", jm_json_number(layer->power_sd_w), "power_lo_w",
		jm_json_number(layer->power_lo_w), "power_hi_w",
		jm_json_number(layer->power_hi_w), "dynamic_power_w",
		jm_json_number(layer->dynamic_power_w), "energy_mj",
		jm_json_number(layer->energy_mj), "energy_sd_mj",
		jm_json_number(layer->energy_sd_mj), "energy_share",
		jm_json_number(layer->energy_share), "readings",
		jm_json_number(layer->readings), "resolved", jm_resolved_name(layer->resolved));

	if (json && layer->group >= 0) {
		json_object_set_new(json, "group", json_integer(layer->group));
		json_object_set_new(
			json, "group_energy_mj", jm_json_number(layer->group_energy_mj));
		json_object_set_new(
			json, "group_energy_sd_mj", jm_json_number(layer->group_energy_sd_mj));
	}
	return json;
}

static json_t *response_json(const struct jm_fit_response *response)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:i, s:b, s:b}", "delay_ms",
		jm_json_number(response->delay_ms), "delay_sd_ms",
		jm_json_number(response->delay_sd_ms), "tau_ms",
		jm_json_number(response->tau_ms), "tau_sd_ms",
		jm_json_number(response->tau_sd_ms), "window_ms",
		jm_json_number(response->window_ms), "window_sd_ms",
		jm_json_number(response->window_sd_ms), "round_ms",
		jm_json_number(response->round_ms), "shape", jm_json_number(response->shape),
		"taps", response->taps, "ticks", response->ticks, "ambiguous",
		response->ambiguous);
}

static json_t *diagnostics_json(const struct jm_fit_result *result)
{
	const struct jm_fit_diagnostics *d = &result->diagnostics;

	return json_pack("{s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:i, s:o, s:o}",
		"readings", (json_int_t)d->readings, "conversions", (json_int_t)d->conversions,
		"noise_w", jm_json_number(d->noise_w), "tick_hits",
		jm_json_number(d->tick_hits), "disturbed_share",
		jm_json_number(d->robust_share), "inflation", jm_json_number(d->inflation),
		"drift_w", jm_json_number(d->drift_w), "phase_fill",
		jm_json_number(d->phase_fill), "autocorrelation",
		jm_json_number(d->autocorrelation), "regimes", (json_int_t)d->regimes,
		"clock_shift_s", d->clock_shift_s, "waiting_ms", jm_json_number(d->waiting_ms),
		"closure_beyond_share", jm_json_number(result->closure.beyond_share));
}

json_t *jm_fit_table_json(const struct jm_timeline *timeline,
	const struct jm_fit_result *result, const struct jm_table_header *header)
{
	json_t *layers = json_array();

	for (size_t i = 0; layers && i < result->n_layers; i++)
		json_array_append_new(
			layers, layer_json(timeline->layers[i].name, timeline->layers[i].type,
					&result->layers[i]));
	return json_pack(
		"{s:s?, s:s?, s:s?, s:s, s:b, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o,"
		" s:o, s:o, s:s, s:s}",
		"model", header->model, "engine", header->engine, "sensor", header->sensor,
		"method", "fit", "simulated", header->simulated, "cycles",
		(json_int_t)result->between.executions, "cycle_ms",
		jm_json_number(result->closure.cycle_ms), "pause_max_ms",
		header->pause_max_ms > 0 ? json_real(header->pause_max_ms) : json_null(),
		"sensor_energy_mj", jm_json_number(result->closure.measured_mj),
		"rows_energy_mj", jm_json_number(result->closure.fitted_mj), "idle_power_w",
		jm_json_number(result->idle.power_w), "gap",
		layer_json("(gap in the cycle)", "", &result->gap), "between",
		layer_json("(gap between cycles)", "", &result->between), "response",
		response_json(&result->response), "diagnostics", diagnostics_json(result),
		"layers", layers, "cause", jm_fit_cause_text(result->cause), "advice",
		result->advice);
}

int jm_json_print_report(FILE *out, json_t *taken, struct jm_error *reterr)
{
	if (!taken)
		return jm_fail_memory(reterr, "the table");
	json_dumpf(taken, out, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
	fputc('\n', out);
	json_decref(taken);
	return 0;
}

int jm_fit_table_print_json(FILE *out, const struct jm_timeline *timeline,
	const struct jm_fit_result *result, const struct jm_table_header *header,
	struct jm_error *reterr)
{
	return jm_json_print_report(out, jm_fit_table_json(timeline, result, header), reterr);
}
