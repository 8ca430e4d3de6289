/* SPDX-License-Identifier: Apache-2.0 */
/* Small configurations of simulated runs; include unit.h first. */
#ifndef JM_TESTS_SIMULATED_H
#define JM_TESTS_SIMULATED_H

#include <stdio.h>

#include "simulate/simulate.h"

/* "scenario name=value ...", small unless it says otherwise. */
static inline struct jm_simulate_config config_of(const char *words)
{
	struct jm_simulate_config config;
	char name[64], value[64], text[512];
	struct jm_error error;
	int used;

	snprintf(text, sizeof(text), "%s", words);
	assert_int_equal(sscanf(text, "%63s%n", name, &used), 1);
	words += used;
	assert_int_equal(jm_simulate_config_scenario(&config, name, &error), 0);
	config.cycles = 200;
	config.layers = 8;
	while (sscanf(words, " %63[^= ]=%63[^ ]%n", name, value, &used) == 2) {
		assert_int_equal(jm_simulate_set(&config, name, value, &error), 0);
		words += used;
	}
	return config;
}

#endif
