/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A simulated sensor, for trying joulemap where there is none and for testing
 * it where the truth must be known. While logging it shows the virtual board
 * idle; `complete` computes what it would have shown, from what really ran.
 */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "sensors/registry.h"
#include "sensors/sim/sim.h"

struct sim {
	struct jm_sim_board board;
	int64_t (*now_ns)(void *clock);
	void *clock;
	/* The latest conversions and their values. */
	int64_t current_index;
	int64_t voltage_index;
	double current_ma;
	double voltage_mv;
};

static void describe(
	const struct jm_sim_board *board, const char *argument, struct jm_sensor_info *info)
{
	struct jm_rail_info *rail = &info->rails[0];

	memset(info, 0, sizeof(*info));
	jm_text_copy(info->id, sizeof(info->id), "sim");
	snprintf(info->path, sizeof(info->path), "sim:%s", argument ? argument : "");
	jm_text_copy(info->board, sizeof(info->board), "virtual Orin Nano (SIMULATED)");
	info->kind = JM_SENSOR_WINDOW;
	info->round_ms = board->round_ms;
	info->window_ms = board->window_ms;
	info->poll_ms = board->round_ms / 6.0;
	info->simulated = 1;
	info->n_rails = 1;
	jm_text_copy(rail->name, sizeof(rail->name), "VDD_IN");
	rail->quantity = JM_QUANTITY_MV_MA;
	rail->parent = -1;
	rail->quantum[0] = JM_SIM_VOLTAGE_STEP_MV;
	rail->quantum[1] = JM_SIM_CURRENT_STEP_MA;
	snprintf(info->provenance, sizeof(info->provenance),
		"simulated: nominal round and window of the virtual board");
}

static int sim_probe(const struct jm_sensor_options *options, struct jm_sensor_info *ret_infos,
	size_t max, struct jm_error *reterr)
{
	const char *argument = options->argument;
	struct jm_sim_board board;
	int result = jm_sim_board_init(&board, argument, options->seed, reterr);

	if (result < 0)
		return result;
	if (argument && strlen(argument) + 5 > sizeof(ret_infos[0].path))
		return jm_fail(reterr, JM_EINVAL, "sensor 'sim': too many options");
	if (!max)
		return 0;
	describe(&board, argument, &ret_infos[0]);
	return 1;
}

static int sim_open(void *state, struct jm_sensor_info *info,
	const struct jm_sensor_options *options, struct jm_error *reterr)
{
	struct sim *sim = state;
	int result = sim_probe(options, info, 1, reterr);

	if (result < 0)
		return result;
	result = jm_sim_board_init(&sim->board, options->argument, options->seed, reterr);
	if (result < 0)
		return result;
	sim->now_ns = options->now_ns;
	sim->clock = options->clock;
	sim->current_index = INT64_MIN;
	sim->voltage_index = INT64_MIN;
	return 0;
}

static struct jm_monitor_value show_idle(const struct jm_sim_board *board, int64_t index)
{
	return jm_chip_convert(&board->chip, index, board->idle_w, board->idle_w);
}

static int sim_read(void *state, struct jm_reading *ret_readings, struct jm_error *reterr)
{
	struct sim *sim = state;
	int64_t before = sim->now_ns(sim->clock);
	int64_t current = jm_chip_visible_current(&sim->board.chip, before);
	int64_t voltage = jm_chip_visible_voltage(&sim->board.chip, before);

	(void)reterr;
	if (current != sim->current_index)
		sim->current_ma = show_idle(&sim->board, current).ma;
	if (voltage != sim->voltage_index)
		sim->voltage_mv = show_idle(&sim->board, voltage).mv;
	sim->current_index = current;
	sim->voltage_index = voltage;
	ret_readings[0].before_ns = before;
	ret_readings[0].after_ns = sim->now_ns(sim->clock);
	ret_readings[0].value[0] = sim->voltage_mv;
	ret_readings[0].value[1] = sim->current_ma;
	return 0;
}

static void sim_close(void *state)
{
	(void)state;
}

const struct jm_sensor_ops jm_sensor_sim = {
	.abi = JM_SENSOR_ABI,
	.size = sizeof(struct jm_sensor_ops),
	.name = "sim",
	.summary = "virtual board, results are SIMULATED",
	.state_size = sizeof(struct sim),
	.probe = sim_probe,
	.open = sim_open,
	.read = sim_read,
	.close = sim_close,
	.complete = jm_sim_complete,
};
