/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Idle power of this machine: SENSOR as 'joulemap sensors' names it, or best.
 *
 *     cc measure_idle.c $(pkg-config --cflags --libs joulemap) -o measure_idle
 *     ./measure_idle [SECONDS [SENSOR]]
 */
#include <stdio.h>
#include <stdlib.h>

#include <joulemap/joulemap.h>

static void show(void *context, const char *phase, double done, double total, const char *unit)
{
	(void)context;
	fprintf(stderr, "\r%s: %.1f of %.1f %s ", phase, done, total, unit);
}

int main(int argc, char **argv)
{
	const struct jm_progress progress = {show, NULL, NULL};
	struct jm_idle_options options;
	struct jm_idle_outcome idle;
	struct jm_error error;

	jm_idle_options_init(&options, sizeof(options));
	if (argc > 1)
		options.seconds = atof(argv[1]);
	if (argc > 2)
		options.sensor = argv[2];
	options.progress = &progress;
	if (jm_idle(&options, &idle, &error) < 0) {
		fprintf(stderr, "%s: %s\n", argv[0], error.message);
		return EXIT_FAILURE;
	}
	printf("%sidle power %.4f W +- %.4f W (%llu readings of %llu conversions)\n",
		idle.simulated ? "SIMULATED " : "", idle.power_w, idle.error_w,
		(unsigned long long)idle.readings, (unsigned long long)idle.conversions);
	return EXIT_SUCCESS;
}
