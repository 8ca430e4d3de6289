/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "simulate/internal.h"

/* Kinds of layers: how common, and where in the range of power they lie. */
static const struct kind {
	const char *name;
	const char *upper;
	double share;
	double level; /* 0: least power, 1: most */
} kinds[] = {
	{"CaskConvolution", "CASKCONVOLUTION", 0.55, 0.45},
	{"CaskGemmConvolution", "CASKGEMMCONVOLUTION", 0.10, 0.65},
	{"PointWiseV2", "POINTWISEV2", 0.15, 0.25},
	{"CaskPooling", "CASKPOOLING", 0.08, 0.20},
	{"Reformat", "REFORMAT", 0.12, 0.15},
};

#define LEVEL_DEVIATION 0.22

enum { N_KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static const struct kind *choose_kind(struct jm_random *random)
{
	double u = jm_random_uniform(random);
	size_t i = 0;

	while (i + 1 < N_KINDS && u >= kinds[i].share)
		u -= kinds[i++].share;
	return &kinds[i];
}

/* Around the kind's level, folded back into 0..1. */
static double choose_level(const struct kind *kind, struct jm_random *random)
{
	double level = kind->level + LEVEL_DEVIATION * jm_random_normal(random);

	level = fabs(level);
	level = level > 1 ? 2 - level : level;
	return level < 0 ? 0 : level;
}

static void init_unit(struct jm_simulated_unit *unit, size_t index,
	const struct jm_simulate_config *config, struct jm_random *times,
	struct jm_random *powers)
{
	const struct kind *kind = choose_kind(powers);
	double span = log(config->layer_max_us / config->layer_min_us);

	memset(unit, 0, sizeof(*unit));
	unit->type = kind->name;
	snprintf(unit->name, sizeof(unit->name), "[%s]-[aten_ops.%zu]-[/features/%zu/%s]",
		kind->upper, index, index, kind->name);
	unit->mean_s = config->layer_min_us * exp(span * jm_random_uniform(times)) * 1e-6;
	unit->power_w = config->power_min_w + (config->power_max_w - config->power_min_w) *
						      choose_level(kind, powers);
}

/* The r-th layer behind the middle has the name of the r-th one of all. */
static void repeat_names(struct jm_simulated_network *network, size_t repeated)
{
	size_t half = (network->n_units + 1) / 2, layers = 0;

	for (size_t i = 0; i < network->n_units; i++) {
		struct jm_simulated_unit *unit = &network->units[i];
		int again = i >= half && i - half < repeated;

		if (again)
			memcpy(unit->name, network->units[i - half].name, sizeof(unit->name));
		snprintf(unit->place, sizeof(unit->place), "%s%s", unit->name,
			again ? " (2)" : "");
		unit->layer = again ? network->units[i - half].layer : layers++;
	}
}

/* Spread evenly, the first and the last layer not among them. */
static void choose_optional(struct jm_simulated_network *network, size_t optional)
{
	for (size_t k = 0; k < optional; k++)
		network->units[(2 * k + 1) * network->n_units / (2 * optional)].optional = 1;
}

int jm_simulated_network_init(struct jm_simulated_network *network,
	const struct jm_simulate_config *config, struct jm_error *reterr)
{
	struct jm_random times, powers;
	double extra;

	memset(network, 0, sizeof(*network));
	network->n_units = (size_t)config->layers;
	network->units = malloc(network->n_units * sizeof(*network->units));
	if (!network->units)
		return jm_fail_memory(reterr, "the layers of the simulated network");
	jm_random_init(&times, (uint64_t)config->seed, JM_STREAM_NETWORK);
	jm_random_init(&powers, (uint64_t)config->seed, JM_STREAM_POWER);
	extra = 0.1 + 0.4 * jm_random_uniform(&powers);
	network->gap_w = config->gap_w > 0 ? config->gap_w : config->idle_w + extra;
	for (size_t i = 0; i < network->n_units; i++) {
		init_unit(&network->units[i], i, config, &times, &powers);
		network->cycle_s += network->units[i].mean_s;
	}
	repeat_names(network, (size_t)config->repeated);
	choose_optional(network, (size_t)config->optional);
	network->cycle_s += (double)(config->layers - 1) * config->layer_gap_us * 1e-6;
	jm_simulated_rails_init(network, config);
	return 0;
}

void jm_simulated_network_release(struct jm_simulated_network *network)
{
	free(network->units);
	memset(network, 0, sizeof(*network));
}
