/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All of the way in one program: loads a plug-in, measures a network with the
 * sensor it brings, and attributes the run; or attributes a folder that is there.
 *
 *     outside FOLDER
 *     outside PLUGIN.so SENSOR MODEL RUNS RESULT_DIR
 */
#include <joulemap/joulemap.h>

#include <stdio.h>
#include <stdlib.h>

static int attribute(const char *folder, struct jm_error *error)
{
	struct jm_recording *recording = NULL;
	struct jm_fit_result result;
	int status = jm_recording_open(folder, NULL, &recording, error);

	if (status < 0)
		return status;
	status = jm_recording_fit(recording, NULL, &result, error);
	if (status == 0)
		printf("%s: %lu layers, %lu resolved, %.3f mJ a cycle\n",
			jm_recording_model(recording), (unsigned long)result.n_layers,
			(unsigned long)result.n_resolved, result.closure.measured_mj);
	jm_fit_result_release(&result);
	jm_recording_close(recording);
	return status;
}

static int measure(char **arguments, struct jm_error *error)
{
	struct jm_measure_options options;
	struct jm_measure_outcome run;
	int status = jm_plugin_load(arguments[0], error);

	if (status < 0)
		return status;
	jm_measure_options_init(&options, sizeof(options));
	options.sensor = arguments[1];
	options.model = arguments[2];
	options.runs = (uint32_t)strtoul(arguments[3], NULL, 10);
	options.result_dir = arguments[4];
	options.idle_seconds = 0.5;
	status = jm_measure(&options, &run, error);
	if (status == 0)
		status = attribute(run.run_folder, error);
	return status;
}

int main(int argc, char **argv)
{
	struct jm_error error;
	int status;

	if (argc != 2 && argc != 6) {
		fprintf(stderr, "usage: %s FOLDER | PLUGIN.so SENSOR MODEL RUNS RESULT_DIR\n",
			argv[0]);
		return EXIT_FAILURE;
	}
	status = argc == 2 ? attribute(argv[1], &error) : measure(argv + 1, &error);
	if (status < 0)
		fprintf(stderr, "%s\n", error.message);
	return status < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
