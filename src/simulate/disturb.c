/* SPDX-License-Identifier: Apache-2.0 */
/* Logs that do not say what was: clocks that are set, readings that are missing. */
#include <math.h>

#include "simulate/internal.h"

static void set_clock(struct jm_power_log *log, struct jm_timeline *timeline, int64_t moment_ns,
	int64_t step_ns)
{
	struct jm_rail *rail = &log->rails[0];

	for (size_t i = 0; i < rail->n_readings; i++)
		if (rail->readings[i].after_ns > moment_ns) {
			rail->readings[i].before_ns += step_ns;
			rail->readings[i].after_ns += step_ns;
		}
	for (size_t k = 0; k < timeline->n_layers; k++)
		for (size_t j = 0; j < timeline->layers[k].n_executions; j++) {
			int64_t *stamp_ns = &timeline->layers[k].executions[j].stamp_ns;

			if (*stamp_ns > moment_ns)
				*stamp_ns += step_ns;
		}
}

static void make_hole(struct jm_rail *rail, int64_t from_ns, int64_t to_ns)
{
	size_t kept = 0;

	for (size_t i = 0; i < rail->n_readings; i++)
		if (rail->readings[i].after_ns <= from_ns || rail->readings[i].after_ns > to_ns)
			rail->readings[kept++] = rail->readings[i];
	rail->n_readings = kept;
}

void jm_simulated_disturb(struct jm_power_log *log, struct jm_simulated_run *run,
	const struct jm_simulate_config *config)
{
	int64_t hole_ns = llround(config->hole_at * run->end_s * 1e9);

	if (config->hole_s > 0)
		make_hole(&log->rails[0], hole_ns, hole_ns + llround(config->hole_s * 1e9));
	if (config->step_s != 0)
		set_clock(log, &run->timeline, llround(config->step_at * run->end_s * 1e9),
			llround(config->step_s * 1e9));
}
