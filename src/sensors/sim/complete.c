/* SPDX-License-Identifier: Apache-2.0 */
/* What the virtual board's sensor shows of a timeline that really happened. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "sensors/sim/sim.h"

static int check(const struct jm_power_log *log, const struct jm_timeline *timeline,
	struct jm_error *reterr)
{
	if (log->n_rails != 1 || log->rails[0].quantity != JM_QUANTITY_MV_MA)
		return jm_fail(reterr, JM_EINVAL,
			"the simulated board has one rail of mV and mA: this log is not its "
			"own");
	if (timeline->stamp != JM_STAMP_BEGIN && timeline->stamp != JM_STAMP_END)
		return jm_fail(reterr, JM_EINVAL,
			"the simulated board needs a timeline that says when layers begin or "
			"end");
	return 0;
}

static int fill_log(struct jm_rail *rail, const struct jm_sim_board *board,
	const struct jm_timeline *timeline, struct jm_sim_layer *layers,
	struct jm_error *reterr)
{
	int64_t origin_ns = rail->n_readings ? rail->readings[0].before_ns : 0;
	struct jm_supply_load load;
	int result = jm_sim_load_init(&load, board, timeline, layers, origin_ns, reterr);

	if (result == 0)
		result = jm_chip_read(&board->chip, &board->supply, &load, origin_ns,
			rail->readings, rail->n_readings, reterr);
	jm_supply_load_release(&load);
	return result;
}

/* ---- Truth --------------------------------------------------------------------- */

static json_t *layer_truth(const struct jm_sim_layer *layer)
{
	double runtime_ms = (double)NAN;

	if (layer->executions)
		runtime_ms = layer->runtime_s * 1e3 / (double)layer->executions;
	if (isnan(runtime_ms))
		return json_pack("{s:f, s:n, s:n}", "power_w", layer->power_w, "runtime_ms",
			"energy_mj");
	return json_pack("{s:f, s:f, s:f}", "power_w", layer->power_w, "runtime_ms", runtime_ms,
		"energy_mj", layer->power_w * runtime_ms);
}

static json_t *layers_truth(
	const struct jm_timeline *timeline, const struct jm_sim_layer *layers)
{
	json_t *object = json_object();

	for (size_t k = 0; object && k < timeline->n_layers; k++) {
		const char *name = timeline->layers[k].name;
		char distinct[512];

		if (json_object_get(object, name)) {
			snprintf(distinct, sizeof(distinct), "%s#%zu", name, k);
			name = distinct;
		}
		/* nocheck: names come from models and need not be UTF-8 */
		if (json_object_set_new_nocheck(object, name, layer_truth(&layers[k])) != 0) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}

/* Keys and units (s, W, ms, mJ) as in the sample data's truth.json. */
static json_t *truth_of(const struct jm_sim_board *board, const struct jm_timeline *timeline,
	const struct jm_sim_layer *layers)
{
	return json_pack(
		"{s:s, s:b, s:I, s:o, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:s}",
		"scenario", "sim", "simulated", 1, "seed", (json_int_t)board->seed, "layers",
		layers_truth(timeline, layers), "gap_w", board->gap_w, "idle_w", board->idle_w,
		"T", board->round_ms * 1e-3, "w", board->window_ms * 1e-3, "tau",
		board->tau_ms * 1e-3, "delay", board->delay_ms * 1e-3, "clock_ppm",
		board->clock_ppm, "phase", board->chip.phase_s, "noise_ma", board->noise_ma,
		"stamp", timeline->stamp == JM_STAMP_BEGIN ? "begin" : "end");
}

static int write_truth(const char *path, const struct jm_sim_board *board,
	const struct jm_timeline *timeline, const struct jm_sim_layer *layers,
	struct jm_error *reterr)
{
	json_t *truth = truth_of(board, timeline, layers);
	char *text = truth ? json_dumps(truth, JSON_INDENT(1)) : NULL;
	int result;

	json_decref(truth);
	if (!text)
		return jm_fail_memory(reterr, "the simulated board's truth");
	result = jm_file_write(path, text, strlen(text), reterr);
	free(text);
	return result;
}

int jm_sim_complete(const struct jm_sensor_info *info, uint64_t seed, struct jm_power_log *log,
	const struct jm_timeline *timeline, const char *truth_path, struct jm_error *reterr)
{
	struct jm_sim_layer *layers;
	struct jm_sim_board board;
	int result;

	if (!jm_text_starts_with(info->path, "sim:"))
		return jm_fail(reterr, JM_EINVAL, "sensor path '%.60s' is not a simulated one",
			info->path);
	result = jm_sim_board_init(&board, info->path + 4, seed, reterr);
	if (result == 0)
		result = check(log, timeline, reterr);
	if (result < 0)
		return result;
	layers = calloc(timeline->n_layers + 1, sizeof(*layers));
	if (!layers)
		return jm_fail_memory(reterr, "the simulated board");
	result = jm_sim_layer_powers(&board, timeline, layers, reterr);
	if (result == 0)
		result = fill_log(&log->rails[0], &board, timeline, layers, reterr);
	if (result == 0 && truth_path)
		result = write_truth(truth_path, &board, timeline, layers, reterr);
	free(layers);
	return result;
}
