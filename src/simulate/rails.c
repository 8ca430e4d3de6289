/* SPDX-License-Identifier: Apache-2.0 */
/* Several rails of one board: which of them feeds what. */
#include <string.h>

#include "simulate/internal.h"

static const char *const root_names[] = {"VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0", "RAIL_4",
	"RAIL_5", "RAIL_6", "RAIL_7", "RAIL_8"};
static const char *const inside_names[] = {"VDD_IN", "VDD_CPU_GPU_CV", "VDD_SOC", "RAIL_4",
	"RAIL_5", "RAIL_6", "RAIL_7", "RAIL_8"};

static int is_inside(const struct jm_simulate_config *config)
{
	return !strcmp(config->rail_layout, "inside");
}

const char *jm_simulated_rail_name(const struct jm_simulate_config *config, size_t rail)
{
	if (config->rails == 1)
		return "power";
	return is_inside(config) ? inside_names[rail] : root_names[rail];
}

int jm_simulated_rail_is_inside(const struct jm_simulate_config *config, size_t rail)
{
	return rail > 0 && is_inside(config);
}

/* Shares fall from rail to rail, and differ from layer to layer when there is a `random`. */
static void divide(
	double *share, const struct jm_simulate_config *config, struct jm_random *random)
{
	size_t n = (size_t)config->rails;
	size_t moving = !strcmp(config->rail_layout, "still") && n > 1 ? n - 1 : n;
	double sum = 0;

	for (size_t r = 0; r < n; r++) {
		double among = random ? 0.4 + 1.2 * jm_random_uniform(random) : 1;

		share[r] = r < moving ? among / (double)(r + 1) : 0;
		sum += share[r];
	}
	for (size_t r = 0; r < n; r++)
		share[r] /= sum;
	if (is_inside(config))
		share[0] = 1; /* what no other rail feeds is in it too */
}

void jm_simulated_rails_init(
	struct jm_simulated_network *network, const struct jm_simulate_config *config)
{
	struct jm_random random;

	jm_random_init(&random, (uint64_t)config->seed, JM_STREAM_RAILS);
	divide(network->gap_share, config, NULL);
	for (size_t i = 0; i < network->n_units; i++)
		divide(network->units[i].share, config, &random);
}

double jm_simulated_rail_w(
	const struct jm_simulate_config *config, size_t rail, double power_w, double share)
{
	double idle_w = config->idle_w;

	if (rail > 0 || !is_inside(config))
		idle_w /= (double)config->rails;
	return idle_w + (power_w - config->idle_w) * share;
}
