/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes a simulated run and tells how long that took:
 *     bench_simulate FOLDER [SCENARIO] [NAME=VALUE ...]
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "simulate/simulate.h"

static int set_all(
	struct jm_simulate_config *config, int argc, char **argv, struct jm_error *reterr)
{
	int result = 0;

	for (int i = 2; i < argc && result == 0; i++) {
		char *equals = strchr(argv[i], '=');

		if (!equals) {
			result = jm_simulate_config_scenario(config, argv[i], reterr);
			continue;
		}
		*equals = '\0';
		result = jm_simulate_set(config, argv[i], equals + 1, reterr);
	}
	return result;
}

int main(int argc, char **argv)
{
	int64_t begin_ns = jm_clock_monotonic_ns(NULL);
	struct jm_simulate_config config;
	struct jm_error error;
	int result;

	jm_simulate_config_init(&config);
	if (argc < 2) {
		fprintf(stderr, "usage: bench_simulate FOLDER [SCENARIO] [NAME=VALUE ...]\n");
		return 2;
	}
	result = set_all(&config, argc, argv, &error);
	if (result == 0)
		result = jm_simulate_run(&config, argv[1], &error);
	if (result < 0) {
		fprintf(stderr, "bench_simulate: %s\n", error.message);
		return 1;
	}
	printf("%s: %lld cycles of %lld layers in %.2f s\n", config.scenario,
		(long long)config.cycles, (long long)config.layers,
		(double)(jm_clock_monotonic_ns(NULL) - begin_ns) * 1e-9);
	return 0;
}
