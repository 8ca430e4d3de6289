/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the power logger costs, and how punctual it is: it reads an INA3221
 * tree of plain files (no bus behind them) at a fixed rate. Arguments:
 * [SECONDS [RATE_HZ]], 10 and 1000 by default.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "logger/logger.h"
#include "run/spool.h"
#include "sensors/registry.h"

static char root[] = "/dev/shm/joulemap-bench-XXXXXX";

static void put(const char *name, const char *text)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/sys/class/hwmon/hwmon1/%s", root, name);
	if (jm_file_write(path, text, strlen(text), NULL) < 0)
		exit(1);
}

static void make_tree(int n_rails)
{
	char path[256], name[32];

	snprintf(path, sizeof(path), "%s/sys/class/hwmon/hwmon1", root);
	if (jm_folder_make(path, NULL) < 0)
		exit(1);
	put("name", "ina3221\n");
	put("update_interval", "7\n");
	put("samples", "1\n");
	for (int i = 1; i <= 3; i++) {
		snprintf(name, sizeof(name), "in%d_enable", i);
		put(name, i <= n_rails ? "1\n" : "0\n");
		snprintf(name, sizeof(name), "in%d_input", i);
		put(name, "5032\n");
		snprintf(name, sizeof(name), "curr%d_input", i);
		put(name, "840\n");
		snprintf(name, sizeof(name), "shunt%d_resistor", i);
		put(name, "5000\n");
	}
}

static int print_end(void *context, enum jm_spool_type type, const void *payload, size_t size,
	struct jm_error *reterr)
{
	json_t *end = type == JM_SPOOL_END ? json_loadb(payload, size, 0, NULL) : NULL;
	const char *label = context;
	json_t *late, *read;

	(void)reterr;
	if (!end)
		return 0;
	late = json_object_get(end, "lateness_us");
	read = json_object_get(end, "read_us");
	printf("%-22s %6.0f Hz  CPU %5.2f %% of a core  late p50 %5.1f p99 %6.1f max %8.1f us  "
	       "read p50 %5.1f p99 %5.1f us  missed %lld of %lld  wake-ups %lld  %s\n",
		label, json_real_value(json_object_get(end, "rate_hz")),
		100.0 * json_real_value(json_object_get(end, "cpu_share")),
		json_real_value(json_object_get(late, "p50")),
		json_real_value(json_object_get(late, "p99")),
		json_real_value(json_object_get(late, "max")),
		json_real_value(json_object_get(read, "p50")),
		json_real_value(json_object_get(read, "p99")),
		(long long)json_integer_value(json_object_get(end, "missed_periods")),
		(long long)json_integer_value(json_object_get(end, "passes")),
		(long long)json_integer_value(json_object_get(end, "wakeups_voluntary")),
		json_string_value(json_object_get(end, "scheduling")));
	json_decref(end);
	return 0;
}

static void log_for(
	double seconds, double rate_hz, int realtime, const char *wanted, const char *label)
{
	struct jm_logger_config config = {.rate_hz = rate_hz, .pin_cpu = -1};
	struct jm_sensor_options options = {
		.sysfs_root = root, .now_ns = jm_clock_monotonic_ns};
	struct jm_sensor_set set;
	struct jm_spool_report report;
	struct jm_error error = {0};
	char spool[256];
	int stop[2], status;
	pid_t child;

	jm_sensor_set_init(&set);
	config.set = &set;
	config.realtime = realtime;
	if (jm_sensor_set_select(&set, wanted, &options, &error) < 0 || pipe(stop) != 0) {
		fprintf(stderr, "%s\n", error.message);
		return;
	}
	snprintf(spool, sizeof(spool), "%s/power.spool", root);
	config.spool_path = spool;
	config.stop_fd = stop[0];
	fflush(stdout);
	child = fork();
	if (child == 0) {
		close(stop[1]);
		if (jm_logger_run(&config, &error) < 0)
			fprintf(stderr, "%s\n", error.message);
		_exit(0);
	}
	close(stop[0]);
	usleep((useconds_t)(seconds * 1e6));
	close(stop[1]);
	waitpid(child, &status, 0);
	jm_spool_read(spool, print_end, (void *)(uintptr_t)label, &report, NULL);
	jm_sensor_set_release(&set);
}

static int drop(void *context, size_t rail, const struct jm_reading *reading)
{
	(void)context;
	(void)rail;
	(void)reading;
	return 0;
}

/* A pass without anything around it. */
static void bare(const char *wanted, const char *label)
{
	struct jm_sensor_options options = {
		.sysfs_root = root, .now_ns = jm_clock_monotonic_ns};
	const struct jm_reading_sink sink = {drop, NULL};
	struct jm_sensor_set set;
	const int n = 100000;
	int64_t begin;

	jm_sensor_set_init(&set);
	if (jm_sensor_set_select(&set, wanted, &options, NULL) < 0)
		return;
	if (jm_sensor_set_open(&set, 0, NULL) < 0)
		exit(1);
	begin = jm_clock_monotonic_ns(NULL);
	for (int i = 0; i < n; i++)
		jm_sensor_set_read(&set.members[0], &sink, NULL);
	printf("%-22s %.2f us for a pass of %zu rails\n", label,
		(double)(jm_clock_monotonic_ns(NULL) - begin) * 1e-3 / n, set.n_rails);
	jm_sensor_set_release(&set);
}

static double cpu_seconds(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

/* What waking up at this rate costs on this machine, with nothing to do. */
static void sleep_alone(double seconds, double rate_hz)
{
	int64_t begin = jm_clock_monotonic_ns(NULL), deadline = begin;
	double before = cpu_seconds(), elapsed;

	prctl(PR_SET_TIMERSLACK, 1UL);
	while (deadline - begin < (int64_t)(seconds * 1e9)) {
		deadline += (int64_t)(1e9 / rate_hz);
		jm_clock_sleep_until(deadline);
	}
	elapsed = (double)(jm_clock_monotonic_ns(NULL) - begin) * 1e-9;
	printf("%-22s %6.0f Hz  CPU %5.2f %% of a core\n", "sleeping alone", rate_hz,
		100.0 * (cpu_seconds() - before) / elapsed);
}

int main(int argc, char **argv)
{
	double seconds = argc > 1 ? atof(argv[1]) : 10.0;
	double rate_hz = argc > 2 ? atof(argv[2]) : 1000.0;
	char command[128];

	if (!mkdtemp(root))
		return 1;
	sleep_alone(seconds, rate_hz);
	make_tree(3);
	bare("ina3221", "bare read, 3 rails");
	log_for(seconds, rate_hz, 1, "ina3221", "3 rails, real-time");
	log_for(seconds, rate_hz, 0, "ina3221", "3 rails, ordinary");
	make_tree(1);
	bare("ina3221", "bare read, 1 rail");
	log_for(seconds, rate_hz, 1, "ina3221", "1 rail, real-time");
	log_for(seconds, rate_hz, 0, "ina3221", "1 rail, ordinary");
	bare("sim", "bare read, sim");
	log_for(seconds, rate_hz, 0, "sim", "sim, ordinary");
	snprintf(command, sizeof(command), "rm -rf '%s'", root);
	return system(command) != 0;
}
