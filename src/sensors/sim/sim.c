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
	struct jm_sensor_info info;
	struct jm_rail_info rail;
	int64_t (*now_ns)(void *clock);
	void *clock;
	/* The latest conversions and their values. */
	int64_t current_index;
	int64_t voltage_index;
	double current_ma;
	double voltage_mv;
};

static void describe(const struct jm_sim_board *board, const char *argument,
	struct jm_sensor_info *info, struct jm_rail_info *rail)
{
	memset(info, 0, sizeof(*info));
	memset(rail, 0, sizeof(*rail));
	jm_text_copy(info->id, sizeof(info->id), "sim");
	snprintf(info->path, sizeof(info->path), "sim:%s", argument ? argument : "");
	jm_text_copy(info->board, sizeof(info->board), "virtual Orin Nano (SIMULATED)");
	info->kind = JM_SENSOR_WINDOW;
	info->round_ms = board->round_ms;
	info->window_ms = board->window_ms;
	info->poll_ms = board->round_ms / 6.0;
	info->scope = JM_SCOPE_BOARD;
	info->flags = JM_SENSOR_SIMULATED | JM_SENSOR_ON_REQUEST;
	info->rails = rail;
	info->n_rails = 1;
	jm_text_copy(rail->name, sizeof(rail->name), "VDD_IN");
	rail->quantity = JM_QUANTITY_MV_MA;
	rail->parent = -1;
	rail->quantum[0] = JM_SIM_VOLTAGE_STEP_MV;
	rail->quantum[1] = JM_SIM_CURRENT_STEP_MA;
	snprintf(info->provenance, sizeof(info->provenance),
		"simulated: nominal round and window of the virtual board");
}

static int prepare(
	struct sim *sim, const struct jm_sensor_options *options, struct jm_error *reterr)
{
	const char *argument = options->argument;
	int result = jm_sim_board_init(&sim->board, argument, options->seed, reterr);

	if (result < 0)
		return result;
	if (argument && strlen(argument) + 5 > sizeof(sim->info.path))
		return jm_fail(reterr, JM_EINVAL, "sensor 'sim': too many options");
	describe(&sim->board, argument, &sim->info, &sim->rail);
	return 0;
}

static int sim_probe(const struct jm_sensor_options *options,
	const struct jm_sensor_found *found, struct jm_error *reterr)
{
	struct sim sim = {.now_ns = NULL};
	int result = prepare(&sim, options, reterr);

	if (result == 0)
		result = found->found(found->context, &sim.info);
	return result < 0 ? result : 1;
}

static int sim_open(void *state, const struct jm_sensor_info *info,
	const struct jm_sensor_options *options, struct jm_error *reterr)
{
	struct sim *sim = state;
	int result = prepare(sim, options, reterr);

	(void)info;
	if (result < 0)
		return result;
	sim->now_ns = options->now_ns;
	sim->clock = options->clock;
	sim->current_index = INT64_MIN;
	sim->voltage_index = INT64_MIN;
	return 0;
}

static const struct jm_sensor_info *sim_info(const void *state)
{
	const struct sim *sim = state;

	return &sim->info;
}

static struct jm_monitor_value show_idle(const struct jm_sim_board *board, int64_t index)
{
	return jm_chip_convert(&board->chip, index, board->idle_w, board->idle_w);
}

static int sim_read(void *state, const struct jm_reading_sink *sink, struct jm_error *reterr)
{
	struct sim *sim = state;
	int64_t before = sim->now_ns(sim->clock);
	int64_t current = jm_chip_visible_current(&sim->board.chip, before);
	int64_t voltage = jm_chip_visible_voltage(&sim->board.chip, before);
	struct jm_reading reading;

	(void)reterr;
	if (current != sim->current_index)
		sim->current_ma = show_idle(&sim->board, current).ma;
	if (voltage != sim->voltage_index)
		sim->voltage_mv = show_idle(&sim->board, voltage).mv;
	sim->current_index = current;
	sim->voltage_index = voltage;
	reading.before_ns = before;
	reading.after_ns = sim->now_ns(sim->clock);
	reading.value[0] = sim->voltage_mv;
	reading.value[1] = sim->current_ma;
	return sink->reading(sink->context, 0, &reading);
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
	.info = sim_info,
	.read = sim_read,
	.close = sim_close,
	.complete = jm_sim_complete,
};
