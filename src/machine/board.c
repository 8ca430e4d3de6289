/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/board.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/sysfs.h"
#include "base/text.h"

static int read_line(const char *root, const char *path, char *ret_text, size_t size)
{
	char full[JM_PATH_MAX];

	snprintf(full, sizeof(full), "%s%s", root, path);
	return jm_sysfs_line(full, ret_text, size);
}

static int read_number(const char *path, long long *ret_value)
{
	char text[64], *end;

	if (!jm_sysfs_line(path, text, sizeof(text)))
		return 0;
	*ret_value = strtoll(text, &end, 10);
	return end != text;
}

/* Calls `each` for every path of the pattern below root. */
static void for_paths(const char *root, const char *pattern,
	void (*each)(const char *path, void *context), void *context)
{
	char full[JM_PATH_MAX];
	glob_t found;

	snprintf(full, sizeof(full), "%s%s", root, pattern);
	if (glob(full, 0, NULL, &found) == 0)
		for (size_t i = 0; i < found.gl_pathc; i++)
			each(found.gl_pathv[i], context);
	globfree(&found);
}

static int cpu_model(const char *root, char *ret_name, size_t size)
{
	char path[JM_PATH_MAX], line[256];
	FILE *file;
	int found = 0;

	snprintf(path, sizeof(path), "%s/proc/cpuinfo", root);
	file = fopen(path, "re");
	if (!file)
		return 0;
	while (!found && fgets(line, sizeof(line), file)) {
		const char *colon = strchr(line, ':');

		if (!colon || !jm_text_starts_with(line, "model name"))
			continue;
		line[strcspn(line, "\n")] = '\0';
		jm_text_copy(ret_name, size, colon + (colon[1] == ' ' ? 2 : 1));
		found = 1;
	}
	fclose(file);
	return found;
}

void jm_board_name(const char *root, char *ret_name, size_t size)
{
	if (read_line(root, "/proc/device-tree/model", ret_name, size) ||
		cpu_model(root, ret_name, size))
		return;
	jm_text_copy(ret_name, size, "unknown");
}

json_t *jm_board_describe(const char *root)
{
	char name[256], cpu[256], l4t[256];
	struct utsname system;
	json_t *board;

	jm_board_name(root, name, sizeof(name));
	if (!cpu_model(root, cpu, sizeof(cpu)))
		jm_text_copy(cpu, sizeof(cpu), "unknown");
	if (uname(&system) != 0)
		memset(&system, 0, sizeof(system));
	board = json_pack("{s:o, s:o, s:o, s:o, s:I}", "name", jm_json_text(name), "kernel",
		jm_json_text(system.release), "machine", jm_json_text(system.machine), "cpu",
		jm_json_text(cpu), "cpus", (json_int_t)sysconf(_SC_NPROCESSORS_ONLN));
	if (board && read_line(root, "/etc/nv_tegra_release", l4t, sizeof(l4t)))
		json_object_set_new(board, "l4t", jm_json_text(l4t));
	return board;
}

static void add_number(const char *path, void *array)
{
	long long value;

	if (read_number(path, &value))
		json_array_append_new(array, json_integer(value));
}

static void add_text(const char *path, void *array)
{
	char text[64];

	if (jm_sysfs_line(path, text, sizeof(text)))
		json_array_append_new(array, jm_json_text(text));
}

static void add_temperature(const char *path, void *zones)
{
	char type_path[JM_PATH_MAX], type[64];
	long long millidegrees;

	/* path ends with "/temp"; its neighbour "type" names the zone. */
	snprintf(type_path, sizeof(type_path), "%.*stype", (int)(strlen(path) - 4), path);
	if (read_number(path, &millidegrees) && jm_sysfs_line(type_path, type, sizeof(type)))
		json_object_set_new(zones, type, json_real((double)millidegrees / 1000.0));
}

struct events {
	long long total;
	int counters; /* 0: the machine does not count them */
};

static void add_events(const char *path, void *context)
{
	struct events *events = context;
	long long n;

	if (!read_number(path, &n))
		return;
	events->counters++;
	events->total += n > 0 ? n : 0;
}

/* Keeps `value` under `key` unless it is empty, and takes the reference. */
static void set_unless_empty(json_t *state, const char *key, json_t *value)
{
	if (json_array_size(value) || json_object_size(value))
		json_object_set(state, key, value);
	json_decref(value);
}

static void add_gpu(const char *path, void *state)
{
	char name[64], file[JM_PATH_MAX];
	long long hz;

	snprintf(file, sizeof(file), "%s/device/of_node/name", path);
	if (!jm_sysfs_line(file, name, sizeof(name)))
		return;
	if (strcmp(name, "gpu") != 0 && strcmp(name, "gv11b") != 0 &&
		strcmp(name, "gp10b") != 0 && strcmp(name, "ga10b") != 0)
		return;
	snprintf(file, sizeof(file), "%s/cur_freq", path);
	if (read_number(file, &hz))
		json_object_set_new(state, "gpu_hz", json_integer(hz));
}

json_t *jm_board_state(const char *root)
{
	json_t *state = json_object();
	json_t *khz = json_array(), *governors = json_array(), *zones = json_object();
	char text[128];
	struct events events = {.counters = 0};

	for_paths(root, "/sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_cur_freq",
		add_number, khz);
	for_paths(root, "/sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_governor", add_text,
		governors);
	for_paths(root, "/sys/class/thermal/thermal_zone*/temp", add_temperature, zones);
	for_paths(root, "/sys/devices/system/cpu/cpu[0-9]*/thermal_throttle/*_throttle_count",
		add_events, &events);
	for_paths(root, "/sys/class/hwmon/hwmon*/oc[0-9]_event_cnt", add_events, &events);
	for_paths(root, "/sys/class/devfreq/*", add_gpu, state);
	set_unless_empty(state, "cpu_khz", khz);
	set_unless_empty(state, "cpu_governors", governors);
	set_unless_empty(state, "temperatures_c", zones);
	if (events.counters)
		json_object_set_new(state, "throttle_events", json_integer(events.total));
	/* nvpmodel keeps the mode it set last here, readable by all. */
	if (read_line(root, "/var/lib/nvpmodel/status", text, sizeof(text)))
		json_object_set_new(state, "power_mode", jm_json_text(text));
	if (read_line(root, "/proc/loadavg", text, sizeof(text)))
		json_object_set_new(state, "load_average", json_real(strtod(text, NULL)));
	return state;
}

int jm_cpu_time_read(const char *root, struct jm_cpu_time *ret_time)
{
	unsigned long long ticks[8] = {0};
	char line[256];

	if (!read_line(root, "/proc/stat", line, sizeof(line)) ||
		sscanf(line, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &ticks[0],
			&ticks[1], &ticks[2], &ticks[3], &ticks[4], &ticks[5], &ticks[6],
			&ticks[7]) < 4)
		return -1;
	ret_time->total = 0;
	for (size_t i = 0; i < 8; i++)
		ret_time->total += ticks[i];
	ret_time->busy = ret_time->total - ticks[3] - ticks[4]; /* idle, iowait */
	return 0;
}
