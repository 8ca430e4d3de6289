/* SPDX-License-Identifier: Apache-2.0 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "catalog/catalog.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/plugins.h"
#include "cli/sensor_list.h"
#include "engines/registry.h"
#include "machine/board.h"
#include "report/text.h"
#include "run/calibration.h"
#include "sensors/registry.h"
#include "workload/probe.h"

struct values {
	struct jm_text_list plugins;
	const char *format;
	const char *ort_library;
};

static const char *const formats[] = {"table", "json", NULL};

static const struct jm_option options[] = {
	{"ort-library", JM_OPTION_TEXT, offsetof(struct values, ort_library), "FILE",
		"libonnxruntime.so to check", 0, 0, NULL},
	{"format", JM_OPTION_CHOICE, offsetof(struct values, format), "FORMAT",
		"table (default) or json", 0, 0, formats},
	JM_CLI_PLUGIN_OPTION(struct values),
	{NULL, JM_OPTION_FLAG, 0, NULL, NULL, 0, 0, NULL},
};

static int run(int argc, char **argv);

const struct jm_command jm_command_doctor = {
	.name = "doctor",
	.summary = "what this machine can measure, what is missing, how to fix it",
	.usage = "[OPTIONS]",
	.text = "Looks for power sensors, inference engines and what makes a measurement "
		"good.\n"
		"Changes nothing. Exit status 3 when there is no power sensor, 1 when no "
		"engine\n"
		"can be used.",
	.examples = "  joulemap doctor",
	.options = options,
	.run = run,
};

enum verdict { GOOD, HINT, MISSING };

struct finding {
	char subject[32];
	enum verdict verdict;
	char text[JM_ERROR_MESSAGE_MAX];
};

#define FINDINGS_MAX 32

struct findings {
	struct finding list[FINDINGS_MAX];
	size_t n;
	int engines; /* that can be used */
	int exit_status;
};

static void add(struct findings *findings, const char *subject, enum verdict verdict,
	const char *format, ...) JM_PRINTF(4, 5);

static void add(struct findings *findings, const char *subject, enum verdict verdict,
	const char *format, ...)
{
	struct finding *finding = &findings->list[findings->n];
	va_list arguments;

	if (findings->n == FINDINGS_MAX)
		return;
	findings->n++;
	jm_text_copy(finding->subject, sizeof(finding->subject), subject);
	finding->verdict = verdict;
	va_start(arguments, format);
	vsnprintf(finding->text, sizeof(finding->text), format, arguments);
	va_end(arguments);
}

static void look_at_board(struct findings *findings, const char *root)
{
	json_t *board = jm_board_describe(root);

	if (board)
		add(findings, "machine", GOOD, "%s, %lld CPUs, kernel %s",
			json_string_value(json_object_get(board, "name")),
			(long long)json_integer_value(json_object_get(board, "cpus")),
			json_string_value(json_object_get(board, "kernel")));
	json_decref(board);
}

/* Is there a calibration of this sensor's first rail, and does it still hold? */
static void look_at_calibration(
	struct findings *findings, const struct jm_sensor_info *info, const char *root)
{
	struct jm_calibration calibration;
	struct jm_error error;
	char board[128];
	json_t *file;
	int found;

	if (jm_calibration_load(&file, &error) < 0) {
		add(findings, "calibration", HINT, "%s", error.message);
		return;
	}
	jm_board_name(root, board, sizeof(board));
	found = info->n_rails ? jm_calibration_find(
					file, board, info, 0, info->rails[0].name, &calibration)
			      : 0;
	json_decref(file);
	if (found > 0)
		add(findings, "calibration", GOOD, "of %s %s, made %s", info->id,
			info->rails[0].name, calibration.created);
	else
		add(findings, "calibration", HINT,
			"%s %s: 'joulemap calibrate' finds out how it delays and smooths power",
			found < 0 ? "made at another setting of" : "none of", info->id);
}

static void look_at_sensor(struct findings *findings, const struct jm_sensor_info *info,
	const struct jm_sensor_options *sensor_options)
{
	add(findings, "power sensor", GOOD, "%s, %zu rails, first %s, %s", info->id,
		info->n_rails, info->n_rails ? info->rails[0].name : "-", info->path);
	look_at_calibration(findings, info, sensor_options->sysfs_root);
}

static void look_at_sensors(
	struct findings *findings, const struct jm_sensor_options *sensor_options)
{
	struct jm_sensor_options chosen = *sensor_options;
	struct jm_sensor_infos infos = {0};
	struct jm_sensor_info best;
	struct jm_error error;
	const struct jm_sensor_ops *ops;
	size_t n;
	const struct jm_sensor_ops *const *all = jm_sensors(&n);

	if (jm_sensor_select(NULL, &chosen, &ops, &best, &error) < 0) {
		add(findings, "power sensor", MISSING, "%s", error.message);
		findings->exit_status = jm_code_exit_status(error.code);
		return;
	}
	jm_sensor_info_release(&best);
	for (size_t i = 0; i < n; i++)
		jm_cli_list_sensors(&infos, all[i], sensor_options, NULL);
	for (size_t i = 0; i < infos.n; i++)
		look_at_sensor(findings, &infos.list[i], sensor_options);
	jm_sensor_infos_release(&infos);
}

/* --ort-library is for those that have a library to choose. */
static int has_library(const struct jm_engine_ops *ops)
{
	for (size_t i = 0; i < ops->n_options; i++)
		if (strcmp(ops->options[i].name, "library") == 0)
			return 1;
	return 0;
}

static void look_at_engines(struct findings *findings, const char *library)
{
	struct jm_engine_setting setting = {"library", library};
	struct jm_engine_options engine_options = {.settings = &setting,
		.optimization_level = -1,
		.now_ns = jm_clock_monotonic_ns};
	size_t n;
	const struct jm_engine_ops *const *all = jm_engines(&n);

	for (size_t i = 0; i < n; i++) {
		struct jm_engine_info info = {.threads = 0};
		struct jm_error error;

		engine_options.n_settings = library && has_library(all[i]);
		if (jm_probe_engine(all[i], &engine_options, &info, &error) == 0) {
			add(findings, "engine", GOOD, "%s %s, %s", all[i]->name, info.version,
				info.library);
			findings->engines++;
		} else {
			add(findings, "engine", MISSING, "%s: %s", all[i]->name, error.message);
		}
	}
	if (!findings->engines && !findings->exit_status)
		findings->exit_status = 1;
}

static void look_at_catalog(struct findings *findings)
{
	char folder[JM_PATH_MAX];
	struct jm_catalog_entry *entries = NULL;
	struct jm_error error;
	int n = jm_catalog_folder(NULL, folder, &error);

	if (n >= 0)
		n = jm_catalog_list(folder, &entries, &error);
	if (n < 0)
		add(findings, "networks", MISSING, "%s", error.message);
	else
		add(findings, "networks", GOOD, "%d in %s", n, folder);
	free(entries);
}

static void look_at_scheduling(struct findings *findings)
{
	struct sched_param fifo = {.sched_priority = 1}, before;
	int policy = sched_getscheduler(0);

	if (policy < 0 || sched_getparam(0, &before) != 0)
		return;
	if (sched_setscheduler(0, SCHED_FIFO, &fifo) == 0) {
		sched_setscheduler(0, policy, &before);
		add(findings, "logger", GOOD, "may run with real-time priority");
		return;
	}
	add(findings, "logger", HINT,
		"no real-time priority, so it may read late on a busy machine: run as root, or "
		"'sudo setcap cap_sys_nice+ep' on the joulemap program");
}

static void look_at_clocks(struct findings *findings, const char *root)
{
	json_t *state = jm_board_state(root);
	json_t *governors = json_object_get(state, "cpu_governors");
	const char *governor = json_string_value(json_array_get(governors, 0));

	if (!governor)
		add(findings, "clocks", HINT,
			"this machine does not tell its CPU clocks; they may move while "
			"measuring");
	else if (strcmp(governor, "performance") == 0)
		add(findings, "clocks", GOOD, "CPU governor is performance");
	else
		add(findings, "clocks", HINT,
			"CPU governor is %s, clocks will move while measuring: on a Jetson run "
			"'sudo "
			"jetson_clocks', elsewhere 'sudo cpupower frequency-set -g "
			"performance'",
			governor);
	json_decref(state);
}

static void look_at_load(struct findings *findings, const char *root)
{
	json_t *state = jm_board_state(root);
	double load = json_real_value(json_object_get(state, "load_average"));

	if (load > 0.5)
		add(findings, "other work", HINT,
			"load average is %.1f: end other programs, their power counts too",
			load);
	else
		add(findings, "other work", GOOD, "load average is %.1f", load);
	json_decref(state);
}

static void look_at_disk(struct findings *findings)
{
	struct statvfs disk;
	double free_mb;

	if (statvfs(".", &disk) != 0)
		return;
	free_mb = (double)disk.f_bavail * (double)disk.f_frsize * 1e-6;
	if (free_mb < 500)
		add(findings, "disk", HINT,
			"%.0f MB free here; 30000 cycles of 60 layers need 400", free_mb);
	else
		add(findings, "disk", GOOD, "%.0f MB free here", free_mb);
}

static void print_table(const struct findings *findings)
{
	static const char *const words[] = {"ok", "hint", "MISSING"};

	for (size_t i = 0; i < findings->n; i++) {
		printf("%-8s %-13s ", words[findings->list[i].verdict],
			findings->list[i].subject);
		jm_text_print(stdout, findings->list[i].text);
		putchar('\n');
	}
	if (findings->exit_status && findings->engines)
		printf("\ntry joulemap all the same: joulemap measure --sensor sim --runs "
		       "300\n");
}

static void print_json(const struct findings *findings)
{
	static const char *const words[] = {"ok", "hint", "missing"};
	json_t *list = json_array();

	for (size_t i = 0; list && i < findings->n; i++)
		json_array_append_new(
			list, json_pack("{s:s, s:s, s:o}", "subject", findings->list[i].subject,
				      "verdict", words[findings->list[i].verdict], "text",
				      jm_json_text(findings->list[i].text)));
	if (list)
		json_dumpf(list, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(list);
}

static int run(int argc, char **argv)
{
	struct values values = {.format = "table"};
	struct findings findings = {.n = 0};
	struct jm_sensor_options sensor_options;
	struct jm_arguments arguments;
	struct jm_error error;

	if (jm_options_parse(&jm_command_doctor, argc, argv, &values, &arguments, &error) < 0)
		return jm_report_error(&error);
	if (arguments.help)
		return 0;
	if (jm_cli_load_plugins(&values.plugins, &error) < 0)
		return jm_report_error(&error);
	jm_sensor_options_init(&sensor_options, 1);
	look_at_board(&findings, sensor_options.sysfs_root);
	look_at_sensors(&findings, &sensor_options);
	look_at_engines(&findings, values.ort_library);
	look_at_catalog(&findings);
	look_at_scheduling(&findings);
	look_at_clocks(&findings, sensor_options.sysfs_root);
	look_at_load(&findings, sensor_options.sysfs_root);
	look_at_disk(&findings);
	if (strcmp(values.format, "json") == 0)
		print_json(&findings);
	else
		print_table(&findings);
	if (jm_finish_stdout(&error) < 0)
		return jm_report_error(&error);
	return findings.exit_status;
}
