/* SPDX-License-Identifier: Apache-2.0 */
/* For the tests of sensors: a clock that obeys, and trees that can be broken. */
#ifndef JM_TESTS_SENSORS_H
#define JM_TESTS_SENSORS_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "joulemap/sensor.h"
#include "sensors/info.h"

#define TREE(name) JM_TEST_DATA "/sysfs/" name

/* Goes on by step_ns at every look. */
struct fake_clock {
	int64_t now_ns;
	int64_t step_ns;
};

static inline int64_t fake_now_ns(void *clock)
{
	struct fake_clock *fake = clock;

	fake->now_ns += fake->step_ns;
	return fake->now_ns;
}

static inline struct jm_sensor_options fake_options(
	struct fake_clock *clock, const char *root, const char *argument)
{
	struct jm_sensor_options options = {
		.argument = argument,
		.sysfs_root = root,
		.seed = 1,
		.now_ns = fake_now_ns,
		.clock = clock,
	};

	return options;
}

/*
 * What a sensor's probe tells: returns as it does, and *ret_info is a copy of
 * the first, to be released; zeroed when there is none.
 */
static inline int probe_first(const struct jm_sensor_ops *ops,
	const struct jm_sensor_options *options, struct jm_sensor_info *ret_info,
	struct jm_error *reterr)
{
	struct jm_sensor_infos infos = {0};
	int result = jm_sensor_infos_probe(&infos, ops, options, reterr);

	memset(ret_info, 0, sizeof(*ret_info));
	if (infos.n) {
		*ret_info = infos.list[0];
		memset(&infos.list[0], 0, sizeof(infos.list[0]));
	}
	jm_sensor_infos_release(&infos);
	return result;
}

#define LATEST_MAX 64

/* The latest reading of each rail, and how many there were of it. */
struct latest {
	struct jm_reading readings[LATEST_MAX];
	size_t n[LATEST_MAX];
	size_t total;
};

static inline int keep_latest(void *context, size_t rail, const struct jm_reading *reading)
{
	struct latest *latest = context;

	assert_true(rail < LATEST_MAX);
	latest->readings[rail] = *reading;
	latest->n[rail]++;
	latest->total++;
	return 0;
}

/* One read; `n` and `total` are those of this read. */
static inline int read_latest(const struct jm_sensor_ops *ops, void *state,
	struct latest *latest, struct jm_error *reterr)
{
	struct jm_reading_sink sink = {keep_latest, latest};

	memset(latest->n, 0, sizeof(latest->n));
	latest->total = 0;
	return ops->read(state, &sink, reterr);
}

/* A folder of its own, removed by drop_folder. */
static inline void make_folder(char ret_path[64])
{
	snprintf(ret_path, 64, "/tmp/joulemap-test-XXXXXX");
	assert_non_null(mkdtemp(ret_path));
	assert_int_equal(chmod(ret_path, 0755), 0);
}

static inline void drop_folder(const char *path)
{
	char command[128];

	assert_true(strncmp(path, "/tmp/joulemap-test-", 19) == 0);
	snprintf(command, sizeof(command), "rm -rf '%s'", path);
	assert_int_equal(system(command), 0);
}

/* Copies a tree so that it can be changed. */
static inline void copy_tree(const char *tree, char ret_path[64])
{
	char command[512];

	make_folder(ret_path);
	snprintf(command, sizeof(command), "cp -r '%s/.' '%s' && chmod -R u+w,a+rX '%s'", tree,
		ret_path, ret_path);
	assert_int_equal(system(command), 0);
}

/* Writes text into ROOT/sys/class/hwmon/NAME; NULL: removes it. */
static inline void set_file(const char *root, const char *name, const char *text)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/sys/class/hwmon/%s", root, name);
	if (!text) {
		assert_int_equal(unlink(path), 0);
		return;
	}
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static inline int count_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

#endif
