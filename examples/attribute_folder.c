/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Power by layer of a run folder, of joulemap's or of the original scripts:
 * opens it, fits, prints the layers, and the first rows of the cycles.
 *
 *     cc attribute_folder.c $(pkg-config --cflags --libs joulemap) -o attribute_folder
 *     ./attribute_folder results/mobilenet_v2 [ROWS]
 */
#include <stdio.h>
#include <stdlib.h>

#include <joulemap/joulemap.h>

struct rows {
	const struct jm_timeline *timeline;
	unsigned long left;
};

static void note(void *context, const char *text)
{
	(void)context;
	fprintf(stderr, "%s\n", text);
}

static void print_layers(const struct jm_timeline *timeline, const struct jm_fit_result *result)
{
	for (size_t i = 0; i < result->n_layers; i++) {
		const struct jm_fit_layer *layer = &result->layers[i];

		printf("%s (%s): %.4f ms, %.3f W +- %.3f W, %.4f mJ, resolved: %s\n",
			timeline->layers[i].name, timeline->layers[i].type, layer->runtime_ms,
			layer->power_w, layer->power_sd_w, layer->energy_mj,
			jm_resolved_name(layer->resolved));
	}
	if (result->advice[0])
		printf("%s\n", result->advice);
}

/* A return other than 0 ends the walk. */
static int print_row(void *context, const struct jm_cycle_power *row)
{
	struct rows *rows = context;

	if (!rows->left)
		return JM_EINTERRUPTED;
	rows->left--;
	printf("cycle %lu, %s: %.3f W for %.4f ms\n", (unsigned long)row->cycle + 1,
		rows->timeline->layers[row->layer].name, row->power_uw * 1e-6,
		row->duration_ms);
	return 0;
}

static int attribute(const struct jm_recording *recording, unsigned long n_rows,
	const struct jm_progress *progress, struct jm_error *error)
{
	struct rows rows = {jm_recording_timeline(recording), n_rows};
	struct jm_fit_result result;
	int status;

	printf("%s%s, %lu cycles, idle power %.3f W\n",
		jm_recording_is_simulated(recording) ? "SIMULATED: " : "",
		jm_recording_model(recording), (unsigned long)jm_recording_cycles(recording),
		jm_recording_idle_power_w(recording));
	status = jm_recording_fit(recording, progress, &result, error);
	if (status == 0) {
		print_layers(rows.timeline, &result);
		status = jm_recording_rows(recording, &result, print_row, &rows, error);
		if (status == JM_EINTERRUPTED)
			status = 0; /* as many as were asked for */
	}
	jm_fit_result_release(&result);
	return status;
}

int main(int argc, char **argv)
{
	const struct jm_progress progress = {NULL, note, NULL};
	struct jm_recording *recording = NULL;
	struct jm_error error;
	int status;

	if (argc < 2) {
		fprintf(stderr, "usage: %s RUN_FOLDER [ROWS]\n", argv[0]);
		return EXIT_FAILURE;
	}
	status = jm_recording_open(argv[1], &progress, &recording, &error);
	if (status == 0)
		status = attribute(recording, argc > 2 ? strtoul(argv[2], NULL, 10) : 0,
			&progress, &error);
	if (status < 0)
		fprintf(stderr, "%s: %s\n", argv[0], error.message);
	jm_recording_close(recording);
	return status < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
