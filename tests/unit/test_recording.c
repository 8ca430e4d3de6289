/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "formats/layer_energy_file.h"
#include "map/map.h"
#include "report/fit_table.h"
#include "run/fit_file.h"
#include "run/session.h"
#include "scratch.h"
#include "simulate/simulate.h"

#define RUNS JM_TEST_DATA "/runs/"

static char notes[4096];

static void take_note(void *context, const char *text)
{
	size_t used = strlen(notes);

	(void)context;
	snprintf(notes + used, sizeof(notes) - used, "%s\n", text);
}

static const struct jm_progress progress = {.note = take_note};

static void run_command(const char *format, const char *a, const char *b)
{
	char command[1024];

	snprintf(command, sizeof(command), "%s '%s' '%s'", format, a, b);
	assert_int_equal(system(command), 0);
}

static const char *simulate(const char *name, const char *scenario, int64_t cycles)
{
	struct jm_simulate_config config;
	struct jm_error error = {0};
	const char *folder = scratch_path(name);

	assert_int_equal(jm_simulate_config_scenario(&config, scenario, &error), 0);
	config.cycles = cycles;
	config.layers = 4;
	if (jm_simulate_run(&config, folder, &error) < 0)
		fail_msg("%s", error.message);
	return folder;
}

static struct jm_recording *open_recording(const char *path)
{
	struct jm_recording *recording = NULL;
	struct jm_error error = {0};

	notes[0] = '\0';
	if (jm_recording_open(path, &progress, &recording, &error) < 0)
		fail_msg("%s", error.message);
	return recording;
}

struct rows {
	size_t n;
	double sum_uw;
};

static int count_row(void *context, const struct jm_cycle_power *row)
{
	struct rows *rows = context;

	if (!isnan(row->power_uw))
		rows->sum_uw += row->power_uw;
	return ++rows->n == 1001 ? -77 : 0;
}

/* A folder of the original scripts: no run.json. */
static void test_bare_folder(void **state)
{
	struct jm_recording *recording =
		open_recording(simulate("bare", "ina3221-default", 1500));
	struct jm_fit_result fit;
	struct rows rows = {0};
	struct jm_error error = {0};

	(void)state;
	assert_string_equal(jm_recording_model(recording), "network");
	assert_string_equal(jm_recording_engine(recording), "");
	assert_string_equal(jm_recording_sensor(recording), "");
	assert_int_equal(jm_recording_cycles(recording), 1500);
	assert_int_equal(jm_recording_is_simulated(recording), 1);
	assert_true(fabs(jm_recording_idle_power_w(recording) - 4.2346) < 1e-4);
	assert_int_equal(jm_recording_timeline(recording)->n_layers, 4);
	assert_int_equal(jm_recording_timeline(recording)->stamp, JM_STAMP_END);
	assert_int_equal(jm_recording_power_log(recording)->n_rails, 1);
	assert_non_null(strstr(notes, "time stamps mean: end"));
	assert_int_equal(jm_recording_fit(recording, &progress, &fit, &error), 0);
	assert_true(fit.n_layers == 4 && fit.n_resolved > 0);
	assert_int_equal(jm_recording_rows(recording, &fit, count_row, &rows, &error), -77);
	assert_true(rows.n == 1001 && rows.sum_uw > 0);
	fit.n_layers--;
	assert_int_equal(
		jm_recording_rows(recording, &fit, count_row, &rows, &error), JM_EINVAL);
	fit.n_layers++;
	jm_fit_result_release(&fit);
	jm_recording_close(recording);
	jm_recording_close(NULL);
}

/* A run of the previous version, with everything that its run.json says. */
static void test_previous_version(void **state)
{
	struct jm_recording *recording = open_recording(RUNS "schema1");

	(void)state;
	assert_string_equal(jm_recording_model(recording), "lenet");
	assert_string_equal(jm_recording_engine(recording), "onnxruntime 1.30.0");
	assert_string_equal(jm_recording_sensor(recording), "sim VDD_IN");
	assert_int_equal(jm_recording_cycles(recording), 40);
	assert_true(jm_recording_is_simulated(recording));
	assert_true(fabs(jm_recording_idle_power_w(recording) - 4.37320857206) < 1e-12);
	assert_true(recording->run.schedule.pause_max_ms == 0.001467);
	jm_recording_close(recording);
}

/* What the previous version left when it was killed is completed as it would have been. */
static void test_previous_version_killed(void **state)
{
	static struct jm_session_report report;
	struct jm_recording *recording;
	struct jm_error error = {0};
	char folder[256];

	(void)state;
	snprintf(folder, sizeof(folder), "%s", scratch_path("killed"));
	run_command("cp -r", RUNS "schema1-killed", folder);
	assert_int_equal(jm_recording_open(folder, NULL, &recording, &error), JM_ETRUNCATED);
	assert_null(recording);
	assert_non_null(strstr(error.message, "joulemap recover"));
	strcat(folder, "/lenet");
	if (jm_session_finish(folder, &report, &error) < 0)
		fail_msg("%s", error.message);
	assert_true(report.cycles == 36 && report.readings == 540 && report.bytes_dropped > 0);
	assert_true(report.simulated && !report.ended);
	recording = open_recording(folder);
	assert_int_equal(jm_recording_cycles(recording), 37); /* the last in part */
	assert_string_equal(jm_recording_engine(recording), "onnxruntime 1.30.0");
	assert_true(recording->run.sensors[0].rails[0].calibrated);
	assert_int_equal(recording->run.orderly_end, 0);
	assert_string_equal(recording->run.config.dtype, "float32");
	jm_recording_close(recording);
}

static void expect_open(const char *path, int code, const char *part)
{
	struct jm_recording *recording;
	struct jm_error error = {0};

	assert_int_equal(jm_recording_open(path, &progress, &recording, &error), code);
	assert_null(recording);
	if (!strstr(error.message, part))
		fail_msg("'%s' is not in '%s'", part, error.message);
}

static void test_refused(void **state)
{
	char folder[256], path[512];
	struct jm_recording *recording;

	(void)state;
	expect_open(scratch_path("nowhere"), JM_ENOTFOUND, "nowhere");
	snprintf(folder, sizeof(folder), "%s", scratch_path("later"));
	run_command("cp -r", RUNS "schema1", folder);
	snprintf(path, sizeof(path), "%s/lenet/run.json", folder);
	assert_int_equal(jm_file_write(path, "{\"schema\": 99}", 14, NULL), 0);
	expect_open(folder, JM_EUNSUPPORTED, "later version of joulemap");
	/* One that says what cannot be is not used, and that is said. */
	assert_int_equal(jm_file_write(path, "{\"idle\": {\"power_uw\": []}}", 26, NULL), 0);
	recording = open_recording(folder);
	assert_non_null(strstr(notes, "'idle.power_uw' is not a number"));
	assert_non_null(strstr(notes, "is not used"));
	assert_true(isnan(jm_recording_idle_power_w(recording)));
	jm_recording_close(recording);
}

/* Times at the end of all time do not overflow: the power log is used, and that is said. */
static void test_impossible_readings(void **state)
{
	static const char table[] = "rail,before_ns,after_ns,uj\n"
				    "power,9223372036854775806,9223372036854775807,1.0\n";
	char path[512];
	struct jm_recording *recording;
	struct jm_fit_result fit;

	(void)state;
	snprintf(path, sizeof(path), "%s/network/readings.csv",
		simulate("impossible", "rapl", 1500));
	assert_int_equal(jm_file_write(path, table, sizeof(table) - 1, NULL), 0);
	recording = open_recording(scratch_path("impossible"));
	jm_recording_fit(recording, &progress, &fit, NULL);
	assert_non_null(strstr(notes, ": the power log is used"));
	jm_fit_result_release(&fit);
	jm_recording_close(recording);
}

/* What earlier versions kept although no rail can carry it is left out. */
static void test_wild_readings(void **state)
{
	struct jm_recording *recording;
	struct jm_fit_result fit;
	char path[512], *text, *wild;
	size_t length;

	(void)state;
	snprintf(path, sizeof(path), "%s/network/readings.csv", simulate("wild", "rapl", 1500));
	text = scratch_read(path);
	length = strlen(text);
	wild = malloc(length + 32);
	while (text[length - 1] != ',')
		length--;
	/* The last counter's value is one that no counter has. */
	sprintf(wild, "%.*s1e21\n", (int)length, text);
	assert_int_equal(jm_file_write(path, wild, strlen(wild), NULL), 0);
	recording = open_recording(scratch_path("wild"));
	assert_int_equal(jm_recording_fit(recording, &progress, &fit, NULL), 0);
	assert_non_null(strstr(notes, "1 readings in '"));
	assert_non_null(strstr(notes, "beyond what their rails can carry: left out"));
	assert_true(fit.n_resolved > 0);
	jm_fit_result_release(&fit);
	jm_recording_close(recording);
	free(text);
	free(wild);
}

/* ---- What is stored of a fit -------------------------------------------------------- */

static char *print_table(const struct jm_timeline *timeline, const struct jm_fit_result *fit,
	const struct jm_table_header *header)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	jm_fit_table_print(out, timeline, fit, header);
	jm_layer_energy_print(out, timeline, fit);
	assert_int_equal(jm_fit_table_print_json(out, timeline, fit, header, NULL), 0);
	fclose(out);
	return text;
}

static void expect_stored(const char *name, const char *scenario, const char *rail)
{
	static struct jm_map_result mapped;
	static struct jm_fit_file file;
	struct jm_map_config config = {.paths = {.folder = simulate(name, scenario, 1500)}};
	struct jm_table_header header = {.model = "m", .method = "fit", .pause_max_ms = 1};
	struct jm_error error = {0};
	char path[512], *fresh, *stored;
	const struct jm_fit_source *source;

	if (jm_map_run(&config, &mapped, &error) < 0)
		fail_msg("%s", error.message);
	assert_true(mapped.fitted);
	snprintf(path, sizeof(path), "%s/network/fit.json", scratch_path(name));
	if (jm_fit_file_read(path, &file, &error) < 0)
		fail_msg("%s", error.message);
	assert_int_equal(file.n_fits, 1);
	assert_string_equal(file.fits[0].rail, rail);
	assert_string_equal(file.model, "network");
	assert_true(file.simulated && strcmp(file.joulemap, jm_version()) == 0);
	fresh = print_table(&mapped.recording->timeline, &mapped.rails.fits[0].result, &header);
	stored = print_table(&file.timeline, &file.fits[0].result, &header);
	assert_true(strcmp(fresh, stored) == 0);
	free(fresh);
	free(stored);
	snprintf(path, sizeof(path), "%s/again.csv", scratch_path(name));
	assert_int_equal(
		jm_layer_energy_write(path, &file.timeline, &file.fits[0].result, &error), 0);
	assert_same_files(path, mapped.energy_csv);
	jm_map_release(&mapped);

	/* The folder may be moved; it is stale when a file has changed. */
	snprintf(path, sizeof(path), "%s.moved", scratch_path(name));
	run_command("mv", scratch_path(name), path);
	strcat(path, "/network");
	if (jm_fit_file_is_stale(&file, path, &source))
		fail_msg("'%s' is said to have changed", source->path);
	strcat(path, "/trt_profiling/trt_layer_latency.json");
	assert_int_equal(truncate(path, 1000), 0);
	*strstr(path, "/trt_profiling") = '\0';
	assert_int_equal(jm_fit_file_is_stale(&file, path, &source), 1);
	assert_string_equal(source->what, "latency");
	jm_fit_file_release(&file);
}

static void test_stored_fit(void **state)
{
	(void)state;
	expect_stored("stored", "ina3221-default", "power");
	expect_stored("counter", "rapl", "power");
	expect_stored("locked", "locked", "power"); /* nothing is resolved: much is NaN */
}

/* Of a fit into another folder: the files are named from the root. */
static void test_stored_elsewhere(void **state)
{
	static struct jm_map_result mapped;
	static struct jm_fit_file file;
	struct jm_map_config config = {.paths = {.folder = simulate("here", "rapl", 1500)}};
	struct jm_error error = {0};
	const struct jm_fit_source *source;
	char folder[512], path[1024];

	(void)state;
	config.result_dir = scratch_path("there");
	if (jm_map_run(&config, &mapped, &error) < 0)
		fail_msg("%s", error.message);
	jm_map_release(&mapped);
	snprintf(folder, sizeof(folder), "%s/network", scratch_path("there"));
	snprintf(path, sizeof(path), "%s/fit.json", folder);
	assert_int_equal(jm_fit_file_read(path, &file, &error), 0);
	assert_true(file.n_sources >= 4 && file.sources[0].path[0] == '/');
	assert_true(file.fits[0].from_readings);
	assert_int_equal(jm_fit_file_is_stale(&file, folder, &source), 0);
	jm_fit_file_release(&file);
}

/* The public way to it. */
static void test_stored_fit_of_recording(void **state)
{
	static struct jm_map_result mapped;
	struct jm_map_config config = {.paths = {.folder = simulate("api", "rapl", 1500)}};
	struct jm_recording *recording = open_recording(scratch_path("api"));
	struct jm_fit_result fit;
	struct jm_error error = {0};
	char path[512];

	(void)state;
	assert_int_equal(jm_recording_stored_fit(recording, &fit, &error), JM_ENOTFOUND);
	assert_non_null(strstr(error.message, "no fit is stored"));
	assert_int_equal(jm_map_run(&config, &mapped, &error), 0);
	assert_int_equal(jm_recording_stored_fit(recording, &fit, &error), 0);
	assert_int_equal(fit.n_layers, mapped.rails.fits[0].result.n_layers);
	for (size_t i = 0; i < fit.n_layers; i++)
		assert_memory_equal(
			&fit.layers[i], &mapped.rails.fits[0].result.layers[i], sizeof(double));
	assert_true(fit.diagnostics.log_likelihood ==
		    mapped.rails.fits[0].result.diagnostics.log_likelihood);
	jm_fit_result_release(&fit);
	jm_map_release(&mapped);
	snprintf(path, sizeof(path), "%s/network/run.json", scratch_path("api"));
	assert_int_equal(jm_file_write(path, "{}", 2, NULL), 0);
	assert_int_equal(jm_recording_stored_fit(recording, &fit, &error), JM_ENOTFOUND);
	assert_non_null(strstr(error.message, "'run.json' changed"));
	jm_fit_result_release(&fit);
	jm_recording_close(recording);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bare_folder),
		cmocka_unit_test(test_previous_version),
		cmocka_unit_test(test_previous_version_killed),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_impossible_readings),
		cmocka_unit_test(test_wild_readings),
		cmocka_unit_test(test_stored_fit),
		cmocka_unit_test(test_stored_elsewhere),
		cmocka_unit_test(test_stored_fit_of_recording),
	};

	return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
