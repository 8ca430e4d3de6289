/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long the simulated board takes to complete a run: 30 000 cycles of 53
 * layers, polled every 1.1 ms. Arguments: [CYCLES [LAYERS]].
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "sensors/registry.h"

static int64_t fill(struct jm_timeline *timeline, size_t layers, size_t cycles, int64_t now_ns)
{
	for (size_t k = 0; k < layers; k++) {
		char name[32];

		snprintf(name, sizeof(name), "layer%zu", k);
		if (jm_timeline_add_layer(timeline, name, NULL, NULL) < 0)
			exit(1);
		timeline->layers[k].macs = 1e6 * (double)(k + 1);
		timeline->layers[k].bytes = 1e5 * (double)(layers - k);
	}
	timeline->stamp = JM_STAMP_END;
	for (size_t i = 0; i < cycles; i++) {
		for (size_t k = 0; k < layers; k++) {
			int64_t ns = 12000 + (int64_t)(k * k * 40 % 390000);
			struct jm_execution execution = {now_ns += ns, (double)ns * 1e-6};

			if (jm_timeline_append(timeline, k, execution, NULL) < 0)
				exit(1);
			now_ns += 2000;
		}
		now_ns += (int64_t)(i * 7919 % 6600) * 1000;
	}
	return now_ns;
}

static int keep(void *context, const struct jm_sensor_info *info)
{
	*(struct jm_sensor_info *)context = *info; /* its rails are not used */
	return 0;
}

int main(int argc, char **argv)
{
	size_t cycles = argc > 1 ? strtoul(argv[1], NULL, 10) : 30000;
	size_t layers = argc > 2 ? strtoul(argv[2], NULL, 10) : 53;
	struct jm_sensor_options options = {.seed = 1, .now_ns = jm_clock_monotonic_ns};
	struct jm_sensor_info info;
	struct jm_sensor_found found = {keep, &info};
	struct jm_timeline timeline;
	struct jm_power_log log;
	struct jm_error error;
	int64_t begin, end;

	jm_timeline_init(&timeline);
	jm_power_log_init(&log);
	end = fill(&timeline, layers, cycles, 1000000000);
	if (jm_sensor_sim.probe(&options, &found, NULL) != 1 ||
		jm_power_log_add_rail(&log, "VDD_IN", JM_QUANTITY_MV_MA, NULL) < 0)
		return 1;
	for (int64_t at = 900000000; at < end; at += 1100000) {
		struct jm_reading reading = {at, at + 1000, {0, 0}};

		if (jm_power_log_append(&log, 0, &reading, NULL) < 0)
			return 1;
	}
	begin = jm_clock_monotonic_ns(NULL);
	if (jm_sensor_sim.complete(&info, 1, &log, &timeline, NULL, &error) < 0) {
		fprintf(stderr, "%s\n", error.message);
		return 1;
	}
	printf("%zu cycles of %zu layers, %zu readings over %.1f s: %.3f s\n", cycles, layers,
		log.rails[0].n_readings, (double)end * 1e-9,
		(double)(jm_clock_monotonic_ns(NULL) - begin) * 1e-9);
	jm_timeline_release(&timeline);
	jm_power_log_release(&log);
	return 0;
}
