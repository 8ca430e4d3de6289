/* SPDX-License-Identifier: Apache-2.0 */
#include "run/run_folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"
#include "formats/power_log_file.h"
#include "run/run.h"

#define POWER_LOG_MIDDLE "_cycles_power_log_"
#define IDLE_LOG_MIDDLE "_seconds_idling_power_log_"

static const struct {
	const char *name; /* in the run folder, if it is always the same */
	const char *what;
	const char *looked_for;
	const char *option;
} parts[JM_RUN_N_PARTS] = {
	[JM_RUN_POWER_LOG] = {NULL, "power log",
		"'*" POWER_LOG_MIDDLE "*.log' or '{model}_power_log.log'", "--power-log-path"},
	[JM_RUN_LATENCY] = {JM_RUN_LATENCY_NAME, "layer latency file",
		"'" JM_RUN_LATENCY_NAME "'", "--trt-layer-latency-path"},
	[JM_RUN_ENGINE_INFO] = {JM_RUN_ENGINE_INFO_NAME, "engine information",
		"'" JM_RUN_ENGINE_INFO_NAME "'", "--trt-engine-info-path"},
	[JM_RUN_IDLE] = {NULL, "idle power",
		"'" JM_IDLE_JSON_NAME "' or '*" IDLE_LOG_MIDDLE
		"*.log' there and one folder up",
		"--idling-power-log-path"},
	[JM_RUN_BENCHMARK] = {NULL, "benchmark result", "'{model}_tensorrt.json'", NULL},
	[JM_RUN_JSON] = {JM_RUN_JSON_NAME, "description of the run", "'" JM_RUN_JSON_NAME "'",
		NULL},
	[JM_RUN_TIMELINE] = {JM_RUN_TIMELINE_NAME, "timeline", "'" JM_RUN_TIMELINE_NAME "'",
		NULL},
	[JM_RUN_READINGS] = {JM_RUN_READINGS_NAME, "table of readings",
		"'" JM_RUN_READINGS_NAME "'", NULL},
};

/* Sets *ret_path to folder/name if that is there. */
static void take_if_there(char ret_path[JM_PATH_MAX], const char *folder, const char *name)
{
	char path[JM_PATH_MAX];

	if (!ret_path[0] && jm_path_join(path, folder, name, NULL) == 0 && jm_path_exists(path))
		memcpy(ret_path, path, sizeof(path));
}

/* ---- Logs with a date in their names ---------------------------------------- */

/* The stamp in "{N}{middle}{stamp}.log", borrowed from the name; NULL: other. */
static const char *stamp_in_name(const char *name, const char *middle)
{
	const char *found = strstr(name, middle);

	if (!found || found == name || !jm_text_ends_with(name, ".log"))
		return NULL;
	return found + strlen(middle);
}

/* The newest such log of a folder by the stamp in its name; counts them all. */
static size_t find_newest(const char *folder, const char *middle, char ret_path[JM_PATH_MAX])
{
	char newest[256] = "";
	const struct dirent *entry;
	DIR *stream = opendir(folder);
	size_t n = 0;

	if (!stream)
		return 0;
	while ((entry = readdir(stream)) != NULL) {
		const char *stamp = stamp_in_name(entry->d_name, middle);
		int order;

		if (!stamp)
			continue;
		n++;
		order = newest[0] ? strcmp(stamp, stamp_in_name(newest, middle)) : 1;
		if (order > 0 || (order == 0 && strcmp(entry->d_name, newest) > 0))
			jm_text_copy(newest, sizeof(newest), entry->d_name);
	}
	closedir(stream);
	if (n && !ret_path[0] && jm_path_join(ret_path, folder, newest, NULL) < 0)
		ret_path[0] = '\0';
	return n;
}

/* A power log that may be the run's. */
struct candidate {
	char name[256];
	int64_t begin_ns; /* INT64_MIN: not known */
};

/* When it began, as it says itself; else the time in its name, where it has one. */
static int64_t begin_of_log(const char *folder, const char *name)
{
	char path[JM_PATH_MAX];
	const char *stamp = stamp_in_name(name, POWER_LOG_MIDDLE);
	int64_t begin_ns;

	if (jm_path_join(path, folder, name, NULL) == 0 &&
		jm_power_log_begin(path, &begin_ns, NULL) == 0)
		return begin_ns;
	return stamp && jm_civil_scan_file(stamp, &begin_ns) ? begin_ns : INT64_MIN;
}

static int is_newer(const struct candidate *a, const struct candidate *b)
{
	const char *stamp_a = stamp_in_name(a->name, POWER_LOG_MIDDLE);
	const char *stamp_b = stamp_in_name(b->name, POWER_LOG_MIDDLE);
	int order;

	if (a->begin_ns != b->begin_ns)
		return a->begin_ns > b->begin_ns;
	order = stamp_a && stamp_b ? strcmp(stamp_a, stamp_b) : 0;
	return order ? order > 0 : strcmp(a->name, b->name) > 0;
}

/*
 * The newest power log of the folder, by either name: earlier versions of the
 * scripts wrote "{N}_cycles_power_log_{stamp}.log", later ones
 * "{model}_power_log.log". Counts them all.
 */
static size_t find_power_log(const char *folder, const char *model, char ret_path[JM_PATH_MAX])
{
	struct candidate newest = {"", INT64_MIN}, own;
	char later[sizeof(newest.name) + 32];
	const struct dirent *entry;
	DIR *stream = opendir(folder);
	size_t n = 0;

	snprintf(later, sizeof(later), "%s_power_log.log", model);
	while (stream && (entry = readdir(stream)) != NULL) {
		if (!stamp_in_name(entry->d_name, POWER_LOG_MIDDLE) &&
			strcmp(entry->d_name, later) != 0)
			continue;
		jm_text_copy(own.name, sizeof(own.name), entry->d_name);
		own.begin_ns = begin_of_log(folder, own.name);
		if (!n++ || is_newer(&own, &newest))
			newest = own;
	}
	if (stream)
		closedir(stream);
	if (n && !ret_path[0] && jm_path_join(ret_path, folder, newest.name, NULL) < 0)
		ret_path[0] = '\0';
	return n;
}

/* ---- The folder itself -------------------------------------------------------- */

static int is_run_folder(const char *folder)
{
	static const char *const signs[] = {
		JM_RUN_LATENCY_NAME, JM_RUN_JSON_NAME, JM_RUN_SESSION_NAME};
	char path[JM_PATH_MAX] = "";

	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
		take_if_there(path, folder, signs[i]);
	return path[0] || find_newest(folder, POWER_LOG_MIDDLE, path) > 0;
}

/* Looks for run folders in `folder`; adds their names to a list. */
static size_t list_runs(
	const char *folder, char ret_found[JM_PATH_MAX], char *ret_names, size_t size)
{
	const struct dirent *entry;
	DIR *stream = opendir(folder);
	size_t n = 0;

	ret_names[0] = '\0';
	if (!stream)
		return 0;
	while ((entry = readdir(stream)) != NULL) {
		char path[JM_PATH_MAX];
		size_t used = strlen(ret_names);

		if (entry->d_name[0] == '.' ||
			jm_path_join(path, folder, entry->d_name, NULL) < 0 ||
			!is_run_folder(path))
			continue;
		memcpy(ret_found, path, sizeof(path));
		snprintf(ret_names + used, size - used, "%s%s", n ? ", " : "", entry->d_name);
		n++;
	}
	closedir(stream);
	return n;
}

static int find_folder(struct jm_run_folder *run, const char *path, struct jm_error *reterr)
{
	char names[160];
	size_t n;

	if (!jm_path_exists(path))
		return jm_fail_errno(reterr, ENOENT, "cannot open folder '%s'", path);
	if (!jm_path_is_folder(path))
		return jm_fail(
			reterr, JM_EINVAL, "'%s' is a file; give the folder of a run", path);
	if (is_run_folder(path)) {
		jm_text_copy(run->folder, sizeof(run->folder), path);
		return 0;
	}
	n = list_runs(path, run->folder, names, sizeof(names));
	if (n == 1)
		return 0;
	run->folder[0] = '\0';
	if (n)
		return jm_fail(reterr, JM_EFORMAT, "'%s' holds %zu runs; give one of them: %s",
			path, n, names);
	return jm_fail(reterr, JM_ENOTFOUND,
		"'%s' holds no run: looked for %s, '" JM_RUN_LATENCY_NAME
		"' and '" JM_RUN_JSON_NAME "' there and one folder down",
		path, parts[JM_RUN_POWER_LOG].looked_for);
}

/* Name and parent of the folder, also where it was given as ".". */
static int find_names(struct jm_run_folder *run, struct jm_error *reterr)
{
	char *slash, *whole = realpath(run->folder, NULL);

	if (!whole)
		return jm_fail_errno(reterr, errno, "cannot open folder '%s'", run->folder);
	slash = strrchr(whole, '/');
	jm_text_copy(run->model, sizeof(run->model), slash ? slash + 1 : whole);
	jm_text_copy(run->result_dir, sizeof(run->result_dir), run->folder);
	free(whole);
	slash = run->result_dir + strlen(run->result_dir);
	while (slash > run->result_dir + 1 && slash[-1] == '/')
		*--slash = '\0';
	slash = strrchr(run->result_dir, '/');
	if (strcmp(jm_path_name(run->result_dir), run->model) != 0)
		return jm_path_join(run->result_dir, run->folder, "..", reterr);
	if (!slash)
		jm_text_copy(run->result_dir, sizeof(run->result_dir), ".");
	else
		slash[slash == run->result_dir] = '\0';
	return 0;
}

/* The folder of a run that was put away is named after its time. */
static void take_model(struct jm_run_folder *run)
{
	const char *path = run->path[JM_RUN_JSON];
	struct jm_run *info = path[0] ? malloc(sizeof(*info)) : NULL;

	if (!info)
		return;
	if (jm_run_read(path, info, NULL) == 0 && info->model.name[0])
		jm_text_copy(run->model, sizeof(run->model), info->model.name);
	jm_run_release(info);
	free(info);
}

static void take_named(struct jm_run_folder *run, enum jm_run_part part, const char *ending)
{
	char name[sizeof(run->model) + 32];

	snprintf(name, sizeof(name), "%s%s", run->model, ending);
	take_if_there(run->path[part], run->folder, name);
}

int jm_run_folder_find(struct jm_run_folder *run, const char *path, struct jm_error *reterr)
{
	int result = find_folder(run, path, reterr);

	if (result == 0)
		result = find_names(run, reterr);
	if (result < 0)
		return result;
	for (size_t i = 0; i < JM_RUN_N_PARTS; i++)
		if (parts[i].name)
			take_if_there(run->path[i], run->folder, parts[i].name);
	take_model(run);
	run->n_power_logs =
		find_power_log(run->folder, run->model, run->path[JM_RUN_POWER_LOG]);
	take_named(run, JM_RUN_BENCHMARK, "_tensorrt.json");
	take_if_there(run->path[JM_RUN_IDLE], run->folder, JM_IDLE_JSON_NAME);
	take_if_there(run->path[JM_RUN_IDLE], run->result_dir, JM_IDLE_JSON_NAME);
	run->n_idle_logs =
		find_newest(run->result_dir, IDLE_LOG_MIDDLE, run->path[JM_RUN_IDLE]);
	return 0;
}

int jm_run_folder_need(
	const struct jm_run_folder *run, enum jm_run_part part, struct jm_error *reterr)
{
	const char *option = parts[part].option;

	if (run->path[part][0])
		return 0;
	if (!run->folder[0] && option)
		return jm_fail(reterr, JM_EUSAGE,
			"no %s given: use %s, or give the folder of a run", parts[part].what,
			option);
	return jm_fail(reterr, JM_ENOTFOUND, "no %s in '%s': looked for %s%s%s",
		parts[part].what, run->folder, parts[part].looked_for,
		option ? "; give it with " : "", option ? option : "");
}
