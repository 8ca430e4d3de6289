/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "simulate/internal.h"

#define COUNTER_NS 2000 /* that the read of a counter takes */

/* Follows what is visible at moments that never go back. */
struct view {
	const struct jm_simulated_conversions *conversions;
	size_t current; /* latest one whose current is visible */
	size_t voltage;
};

static void look(struct view *view, double voltage_at_s, double current_at_s)
{
	const struct jm_simulated_conversions *all = view->conversions;

	while (view->current + 1 < all->n &&
		all->items[view->current + 1].visible_s <= current_at_s)
		view->current++;
	while (view->voltage + 1 < all->n &&
		all->items[view->voltage + 1].voltage_visible_s <= voltage_at_s)
		view->voltage++;
}

static double next_poll_s(struct jm_random *random, const struct jm_simulate_config *config)
{
	double step_s = config->poll_ms * 1e-3 + config->poll_jitter_us * 1e-6 *
							 fabs(jm_random_normal(random)) *
							 1.2533141373155;

	if (config->poll_pause_share > 0 &&
		jm_random_uniform(random) < config->poll_pause_share)
		step_s += config->poll_pause_ms * 1e-3 * jm_random_uniform(random);
	return step_s;
}

static int read_rail(struct jm_power_log *log, struct view *view, size_t rail, double at_s,
	double read_s, struct jm_error *reterr)
{
	struct jm_reading reading = {0};

	look(view, at_s - read_s, at_s);
	reading.before_ns = llround((at_s - read_s) * 1e9);
	reading.after_ns = llround(at_s * 1e9);
	if (log->rails[rail].quantity == JM_QUANTITY_UJ) {
		reading.before_ns -= COUNTER_NS;
		reading.value[0] = view->conversions->items[view->current].uj;
	} else {
		reading.value[0] = view->conversions->items[view->voltage].mv;
		reading.value[1] = view->conversions->items[view->current].ma;
	}
	return jm_power_log_append(log, rail, &reading, reterr);
}

static int add_rails(struct jm_power_log *log, struct view *views,
	const struct jm_simulated_conversions *conversions,
	const struct jm_simulate_config *config, struct jm_error *reterr)
{
	enum jm_quantity quantity =
		strcmp(config->sensor, "counter") ? JM_QUANTITY_MV_MA : JM_QUANTITY_UJ;
	int result = 0;

	jm_power_log_init(log);
	for (size_t r = 0; r < (size_t)config->rails && result >= 0; r++) {
		views[r] = (struct view){&conversions[r], 0, 0};
		result = jm_power_log_add_rail(
			log, jm_simulated_rail_name(config, r), quantity, reterr);
		if (result >= 0)
			log->rails[r].range_uj = config->range_uj;
	}
	return result;
}

int jm_simulated_poll(struct jm_power_log *log,
	const struct jm_simulated_conversions *conversions,
	const struct jm_simulate_config *config, double end_s, struct jm_error *reterr)
{
	int counter = !strcmp(config->sensor, "counter");
	double at_s = -config->lead_s, read_s = counter ? 0 : config->read_ms * 1e-3;
	struct view views[JM_SIMULATE_RAILS_MAX];
	struct jm_random random;
	int result = add_rails(log, views, conversions, config, reterr);

	jm_random_init(&random, (uint64_t)config->seed, JM_STREAM_POLL);
	for (at_s += next_poll_s(&random, config); result >= 0 && at_s < end_s + config->lead_s;
		at_s += next_poll_s(&random, config))
		for (size_t r = 0; r < (size_t)config->rails && result >= 0; r++) {
			double later_s = (double)r * (counter ? 2e-9 * COUNTER_NS : read_s);

			result = read_rail(log, &views[r], r, at_s + later_s, read_s, reterr);
		}
	return result < 0 ? result : 0;
}
