/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A run: network and power logger side by side, into results/MODEL. With a
 * plug-in its sensors and engines can be named too; Ctrl-C ends it early.
 *
 *     cc measure_network.c $(pkg-config --cflags --libs joulemap) -o measure_network
 *     ./measure_network MODEL RUNS [SENSOR [ENGINE [PLUGIN.so...]]]
 */
#include <stdio.h>
#include <stdlib.h>

#include <joulemap/joulemap.h>

static void show(void *context, const char *phase, double done, double total, const char *unit)
{
	(void)context;
	fprintf(stderr, "\r%s: %.0f of %.0f %s ", phase, done, total, unit);
}

static void note(void *context, const char *text)
{
	(void)context;
	fprintf(stderr, "\n%s\n", text);
}

static int measure(int argc, char **argv, struct jm_error *error)
{
	const struct jm_progress progress = {show, note, NULL};
	struct jm_measure_options options;
	struct jm_measure_outcome run;
	int result = 0;

	for (int i = 5; i < argc && result == 0; i++)
		result = jm_plugin_load(argv[i], error);
	if (result < 0)
		return result;
	jm_measure_options_init(&options, sizeof(options));
	options.model = argv[1];
	options.runs = (uint32_t)strtoul(argv[2], NULL, 10);
	options.sensor = argc > 3 ? argv[3] : NULL;
	options.engine = argc > 4 ? argv[4] : NULL;
	options.idle_seconds = 1;
	options.progress = &progress;
	result = jm_measure(&options, &run, error);
	if (run.cycles)
		printf("%s%u cycles in %s%s\n", run.simulated ? "SIMULATED: " : "", run.cycles,
			run.run_folder, run.interrupted ? ", ended early" : "");
	return result;
}

int main(int argc, char **argv)
{
	struct jm_error error;

	if (argc < 3) {
		fprintf(stderr, "usage: %s MODEL RUNS [SENSOR [ENGINE [PLUGIN.so...]]]\n",
			argv[0]);
		return EXIT_FAILURE;
	}
	if (measure(argc, argv, &error) < 0) {
		fprintf(stderr, "%s: %s\n", argv[0], error.message);
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
