/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "logger/logger.h"
#include "sensors.h"
#include "sensors/registry.h"
#include "run/run.h"
#include "run/spool.h"

/* ---- A sensor that misbehaves ------------------------------------------------- */

/* What it does is in its argument: "fail=N", "block_ms=N", "gap" or "noopen". */
struct moody {
	struct jm_sensor_info info;
	struct jm_rail_info rails[2];
	int reads;
	int fail_after;
	int block_ms;
	int gap;
	int64_t (*now_ns)(void *clock);
	void *clock;
};

static void moody_describe(struct moody *moody)
{
	strcpy(moody->info.id, "moody");
	strcpy(moody->info.provenance, "made up");
	moody->info.poll_ms = 1.0;
	moody->info.rails = moody->rails;
	moody->info.n_rails = 2;
	for (int i = 0; i < 2; i++) {
		moody->rails[i].quantity = JM_QUANTITY_MV_MA;
		moody->rails[i].parent = i - 1;
		strcpy(moody->rails[i].name, i ? "part" : "whole");
	}
}

static int moody_probe(const struct jm_sensor_options *options,
	const struct jm_sensor_found *found, struct jm_error *reterr)
{
	struct moody moody = {.reads = 0};

	(void)options;
	(void)reterr;
	moody_describe(&moody);
	return found->found(found->context, &moody.info) < 0 ? JM_ENOMEM : 1;
}

static int moody_open(void *state, const struct jm_sensor_info *info,
	const struct jm_sensor_options *options, struct jm_error *reterr)
{
	struct moody *moody = state;
	const char *argument = options->argument ? options->argument : "";

	(void)info;
	if (strcmp(argument, "noopen") == 0) {
		reterr->code = JM_EPERM;
		strcpy(reterr->message, "no");
		return JM_EPERM;
	}
	moody_describe(moody);
	moody->fail_after = strncmp(argument, "fail=", 5) == 0 ? atoi(argument + 5) : 1 << 30;
	moody->block_ms = strncmp(argument, "block_ms=", 9) == 0 ? atoi(argument + 9) : 0;
	moody->gap = strcmp(argument, "gap") == 0;
	moody->now_ns = options->now_ns;
	moody->clock = options->clock;
	return 0;
}

static const struct jm_sensor_info *moody_info(const void *state)
{
	return &((const struct moody *)state)->info;
}

static int moody_read(void *state, const struct jm_reading_sink *sink, struct jm_error *reterr)
{
	struct moody *moody = state;

	if (moody->reads++ >= moody->fail_after) {
		reterr->code = JM_ESENSOR;
		strcpy(reterr->message, "sensor 'moody' vanished");
		return JM_ESENSOR;
	}
	for (int i = 0; i < 2; i++) {
		struct jm_reading reading;
		int result;

		reading.before_ns = moody->now_ns(moody->clock);
		if (moody->block_ms)
			usleep((useconds_t)moody->block_ms * 1000);
		reading.after_ns = moody->now_ns(moody->clock);
		reading.value[0] = 5000.0;
		reading.value[1] = moody->gap && i ? (double)NAN : moody->reads;
		result = sink->reading(sink->context, (size_t)i, &reading);
		if (result < 0)
			return result;
	}
	return 0;
}

static void moody_close(void *state)
{
	(void)state;
}

static const struct jm_sensor_ops moody_ops = {
	.abi = JM_SENSOR_ABI,
	.size = sizeof(struct jm_sensor_ops),
	.name = "moody",
	.summary = "misbehaves",
	.state_size = sizeof(struct moody),
	.probe = moody_probe,
	.open = moody_open,
	.info = moody_info,
	.read = moody_read,
	.close = moody_close,
};

/* ---- A logger in a child ---------------------------------------------------------- */

struct logger {
	struct jm_sensor_set set;
	struct jm_logger_config config;
	struct jm_logger_shared *shared;
	char folder[64];
	char spool[128];
	int stop[2];
	pid_t child;
};

static void add_sensor(
	struct logger *logger, const struct jm_sensor_ops *ops, const char *argument)
{
	struct jm_sensor_options options = {.argument = argument,
		.sysfs_root = "",
		.seed = 1,
		.now_ns = jm_clock_monotonic_ns};
	struct jm_sensor_info info;

	assert_int_equal(probe_first(ops, &options, &info, NULL), 1);
	assert_int_equal(jm_sensor_set_add(&logger->set, ops, &info, &options, NULL), 0);
	jm_sensor_info_release(&info);
}

static void prepare(
	struct logger *logger, const struct jm_sensor_ops *ops, const char *argument)
{
	memset(logger, 0, sizeof(*logger));
	make_folder(logger->folder);
	snprintf(logger->spool, sizeof(logger->spool), "%s/power.spool", logger->folder);
	logger->shared = mmap(NULL, sizeof(*logger->shared), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(logger->shared, MAP_FAILED);
	assert_int_equal(pipe2(logger->stop, O_CLOEXEC), 0);
	jm_sensor_set_init(&logger->set);
	add_sensor(logger, ops, argument);
	logger->config.set = &logger->set;
	logger->config.rate_hz = 1000.0;
	logger->config.spool_path = logger->spool;
	logger->config.stop_fd = logger->stop[0];
	logger->config.pin_cpu = -1;
	logger->config.shared = logger->shared;
}

static void start(struct logger *logger)
{
	logger->child = fork();
	assert_true(logger->child >= 0);
	if (logger->child == 0) {
		close(logger->stop[1]);
		_exit(jm_logger_run(&logger->config, NULL) < 0 ? 1 : 0);
	}
	close(logger->stop[0]);
	logger->stop[0] = -1;
}

/* Waits without an end: the test's own time limit ends it. */
static void wait_readings(struct logger *logger, uint64_t n)
{
	while (atomic_load(&logger->shared->readings) < n &&
		atomic_load(&logger->shared->state) < JM_LOGGER_ENDED)
		usleep(1000);
}

static int join(struct logger *logger)
{
	int status;

	while (waitpid(logger->child, &status, 0) < 0)
		assert_int_equal(errno, EINTR);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void finish(struct logger *logger)
{
	if (logger->stop[0] >= 0)
		close(logger->stop[0]);
	if (logger->stop[1] >= 0)
		close(logger->stop[1]);
	munmap(logger->shared, sizeof(*logger->shared));
	jm_sensor_set_release(&logger->set);
	drop_folder(logger->folder);
}

/* ---- What it wrote ------------------------------------------------------------------ */

struct found {
	struct jm_spool_report report;
	size_t readings;
	size_t missing;
	int64_t last_ns;
	int metas;
	size_t of_rail[64];
	struct jm_run run; /* its sensors, from the first record */
	json_t *end;
};

static int look(void *context, enum jm_spool_type type, const void *payload, size_t size,
	struct jm_error *reterr)
{
	struct found *found = context;
	const struct jm_spool_reading *readings = payload;

	(void)reterr;
	if (type == JM_SPOOL_META) {
		assert_int_equal(found->readings, 0);
		assert_int_equal(
			jm_run_sensors_parse(&found->run, "spool", payload, size, NULL), 0);
		found->metas++;
	}
	if (type == JM_SPOOL_END)
		found->end = json_loadb(payload, size, 0, NULL);
	if (type != JM_SPOOL_READING)
		return 0;
	assert_int_equal(size % sizeof(*readings), 0);
	for (size_t i = 0; i < size / sizeof(*readings); i++) {
		assert_true(readings[i].before_ns <= readings[i].after_ns);
		assert_true(readings[i].before_ns >= found->last_ns);
		assert_true(readings[i].rail < 64);
		found->of_rail[readings[i].rail]++;
		found->last_ns = readings[i].before_ns;
		found->missing += isnan(readings[i].value[1]) ? 1 : 0;
		found->readings++;
	}
	return 0;
}

static void drop_found(struct found *found)
{
	json_decref(found->end);
	jm_run_release(&found->run);
}

static struct found read_spool(const struct logger *logger)
{
	struct found found = {0};
	struct jm_error error = {0};

	if (jm_spool_read(logger->spool, look, &found, &found.report, &error) < 0)
		fail_msg("%s", error.message);
	assert_int_equal(found.metas, 1);
	assert_int_equal(found.report.bytes_dropped, 0);
	return found;
}

static double number_of(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	assert_true(json_is_number(value));
	return json_number_value(value);
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	assert_non_null(text);
	return text;
}

/* The end record is there, agrees with the readings, and gives this reason. */
static void expect_end(struct found *found, const char *reason)
{
	assert_true(found->report.ended);
	assert_non_null(found->end);
	assert_string_equal(text_of(found->end, "end"), reason);
	assert_int_equal((size_t)number_of(found->end, "readings"), found->readings);
	assert_int_equal((size_t)number_of(found->end, "missing"), found->missing);
	assert_true(number_of(found->end, "passes") > 0);
	assert_true(number_of(found->end, "missed_periods") >= 0);
	assert_true(number_of(found->end, "rate_hz") > 0);
	assert_true(number_of(found->end, "cpu_user_s") >= 0);
	assert_true(number_of(found->end, "cpu_system_s") >= 0);
	assert_true(number_of(found->end, "wakeups_voluntary") >= 0);
	assert_true(number_of(found->end, "wakeups_involuntary") >= 0);
	for (int i = 0; i < 2; i++) {
		json_t *us = json_object_get(found->end, i ? "read_us" : "lateness_us");

		assert_true(number_of(us, "p50") >= 0);
		assert_true(number_of(us, "p99") >= number_of(us, "p50"));
		assert_true(number_of(us, "max") >= number_of(us, "p99"));
	}
	text_of(found->end, "scheduling");
	text_of(found->end, "memory");
	text_of(found->end, "cpu");
	text_of(json_object_get(found->end, "sensor"), "provenance");
}

/* ---- Ends ------------------------------------------------------------------------------ */

static void test_stop_by_byte(void **state)
{
	struct logger logger;
	struct found found;

	(void)state;
	prepare(&logger, &jm_sensor_sim, "seed=3");
	start(&logger);
	wait_readings(&logger, 50);
	assert_int_equal(atomic_load(&logger.shared->state), JM_LOGGER_RUNNING);
	assert_int_equal(write(logger.stop[1], "x", 1), 1);
	assert_int_equal(join(&logger), 0);
	assert_int_equal(atomic_load(&logger.shared->state), JM_LOGGER_ENDED);
	found = read_spool(&logger);
	assert_true(found.readings >= 50);
	assert_int_equal(found.readings, atomic_load(&logger.shared->readings));
	assert_true(found.last_ns == atomic_load(&logger.shared->last_before_ns));
	assert_int_equal(atomic_load(&logger.shared->covered), 1);
	assert_int_equal(found.run.n_sensors, 1);
	assert_string_equal(found.run.sensors[0].rails[0].name, "VDD_IN");
	assert_string_equal(found.run.sensors[0].wanted, "sim:seed=3");
	assert_int_equal(found.run.sensors[0].simulated, 1);
	expect_end(&found, "stopped");
	assert_true(json_is_null(json_object_get(found.end, "error")));
	drop_found(&found);
	finish(&logger);
}

static void test_stop_by_close(void **state)
{
	struct logger logger;
	struct found found;

	(void)state;
	prepare(&logger, &moody_ops, NULL);
	start(&logger);
	wait_readings(&logger, 10);
	close(logger.stop[1]);
	logger.stop[1] = -1;
	assert_int_equal(join(&logger), 0);
	found = read_spool(&logger);
	expect_end(&found, "stop pipe closed");
	drop_found(&found);
	finish(&logger);
}

/* Ctrl-C and a closed terminal are not for the logger; SIGTERM is. */
static void test_signals(void **state)
{
	struct logger logger;
	struct found found;

	(void)state;
	prepare(&logger, &moody_ops, NULL);
	start(&logger);
	wait_readings(&logger, 10);
	assert_int_equal(kill(logger.child, SIGINT), 0);
	assert_int_equal(kill(logger.child, SIGHUP), 0);
	wait_readings(&logger, atomic_load(&logger.shared->readings) + 50);
	assert_int_equal(atomic_load(&logger.shared->state), JM_LOGGER_RUNNING);
	assert_int_equal(kill(logger.child, SIGTERM), 0);
	assert_int_equal(join(&logger), 0);
	found = read_spool(&logger);
	expect_end(&found, "terminated");
	drop_found(&found);
	finish(&logger);
}

/* The parent is killed; keep_pipe: somebody else still holds the stop pipe. */
static void expect_parent_death(int keep_pipe, const char *reason)
{
	struct logger logger;
	struct found found;
	pid_t parent;
	int status;

	prepare(&logger, &jm_sensor_sim, NULL);
	parent = fork();
	assert_true(parent >= 0);
	if (parent == 0) {
		start(&logger);
		pause();
		_exit(9);
	}
	if (!keep_pipe) {
		close(logger.stop[1]);
		logger.stop[1] = -1;
	}
	wait_readings(&logger, 20);
	assert_int_equal(kill(parent, SIGKILL), 0);
	assert_int_equal(waitpid(parent, &status, 0), parent);
	while (atomic_load(&logger.shared->state) < JM_LOGGER_ENDED)
		usleep(1000);
	assert_int_equal(atomic_load(&logger.shared->state), JM_LOGGER_ENDED);
	found = read_spool(&logger);
	assert_true(found.readings >= 20);
	if (reason)
		expect_end(&found, reason);
	drop_found(&found);
	finish(&logger);
}

static void test_parent_death(void **state)
{
	(void)state;
	expect_parent_death(1, "parent died");
	expect_parent_death(0, NULL); /* the signal or the pipe, whichever is first */
}

/* A slow rate does not delay the stop, nor does it keep readings in memory. */
static void test_slow_rate(void **state)
{
	struct logger logger;
	struct found found;

	(void)state;
	prepare(&logger, &moody_ops, NULL);
	logger.config.rate_hz = 0.01;
	start(&logger);
	wait_readings(&logger, 2);
	found = read_spool(&logger);
	assert_int_equal(found.readings, 2);
	drop_found(&found);
	assert_int_equal(write(logger.stop[1], "x", 1), 1);
	assert_int_equal(join(&logger), 0);
	found = read_spool(&logger);
	expect_end(&found, "stopped");
	drop_found(&found);
	finish(&logger);
}

/* ---- Failures ------------------------------------------------------------------------- */

static void test_sensor_fails(void **state)
{
	struct logger logger;
	struct found found;

	(void)state;
	prepare(&logger, &moody_ops, "fail=30");
	start(&logger);
	assert_int_equal(join(&logger), 1);
	assert_int_equal(atomic_load(&logger.shared->state), JM_LOGGER_FAILED);
	assert_int_equal(logger.shared->error.code, JM_ESENSOR);
	assert_string_equal(logger.shared->error.message, "sensor 'moody' vanished");
	found = read_spool(&logger);
	assert_int_equal(found.readings, 60);
	expect_end(&found, "sensor failed");
	assert_string_equal(text_of(json_object_get(found.end, "error"), "code"), "JM_ESENSOR");
	drop_found(&found);
	finish(&logger);
}

static void test_log_ends(void **state)
{
	struct logger logger;
	struct found found;
	char argument[128];
	FILE *file;

	(void)state;
	make_folder(argument);
	strcat(argument, "/power.log");
	file = fopen(argument, "w");
	for (int i = 0; i < 50; i++)
		fprintf(file, "20241121-05:20:04.%06d,5032.0,%d.0\n", i * 1000,
			800 + 8 * (i % 5));
	fclose(file);
	prepare(&logger, &jm_sensor_replay, argument);
	start(&logger);
	assert_int_equal(join(&logger), 1);
	assert_int_equal(logger.shared->error.code, JM_ESENSOR);
	assert_non_null(strstr(logger.shared->error.message, "ended"));
	found = read_spool(&logger);
	expect_end(&found, "sensor failed");
	drop_found(&found);
	*strrchr(argument, '/') = '\0';
	drop_folder(argument);
	finish(&logger);
}

static void test_cannot_start(void **state)
{
	struct logger logger;

	(void)state;
	prepare(&logger, &moody_ops, "noopen");
	start(&logger);
	assert_int_equal(join(&logger), 1);
	assert_int_equal(logger.shared->error.code, JM_EPERM);
	finish(&logger);
	prepare(&logger, &moody_ops, NULL);
	logger.config.rate_hz = 1e9;
	start(&logger);
	assert_int_equal(join(&logger), 1);
	assert_int_equal(logger.shared->error.code, JM_EINVAL);
	finish(&logger);
	prepare(&logger, &moody_ops, NULL);
	logger.config.spool_path = "/nonexistent/power.spool";
	start(&logger);
	assert_int_equal(join(&logger), 1);
	assert_int_equal(logger.shared->error.code, JM_ENOTFOUND);
	finish(&logger);
}

static void test_missing_values(void **state)
{
	struct logger logger;
	struct found found;

	(void)state;
	prepare(&logger, &moody_ops, "gap");
	start(&logger);
	wait_readings(&logger, 20);
	assert_int_equal(write(logger.stop[1], "x", 1), 1);
	assert_int_equal(join(&logger), 0);
	found = read_spool(&logger);
	assert_int_equal(found.missing * 2, found.readings);
	expect_end(&found, "stopped");
	drop_found(&found);
	finish(&logger);
}

/* A read longer than the period: periods are missed and not made up for. */
static void test_missed_periods(void **state)
{
	struct logger logger;
	struct found found;

	(void)state;
	prepare(&logger, &moody_ops, "block_ms=3");
	start(&logger);
	wait_readings(&logger, 40);
	assert_true(atomic_load(&logger.shared->missed_periods) > 0);
	assert_int_equal(write(logger.stop[1], "x", 1), 1);
	assert_int_equal(join(&logger), 0);
	found = read_spool(&logger);
	expect_end(&found, "stopped");
	assert_true(number_of(found.end, "missed_periods") >= number_of(found.end, "passes"));
	drop_found(&found);
	finish(&logger);
}

/* ---- Full disk -------------------------------------------------------------------------- */

static void expect_kept(struct logger *logger)
{
	struct found found;

	assert_int_equal(join(logger), 1);
	assert_int_equal(atomic_load(&logger->shared->state), JM_LOGGER_FAILED);
	found = read_spool(logger);
	assert_true(found.readings > 100);
	assert_false(found.report.ended);
	drop_found(&found);
}

static void test_file_limit(void **state)
{
	struct rlimit limit = {16384, 16384}, before;
	struct logger logger;

	(void)state;
	prepare(&logger, &moody_ops, NULL);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit.rlim_max = before.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	start(&logger);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	expect_kept(&logger);
	assert_int_equal(logger.shared->error.code, JM_EIO);
	finish(&logger);
}

static void test_full_disk(void **state)
{
	struct logger logger;

	(void)state;
	prepare(&logger, &moody_ops, NULL);
	if (mount("tmpfs", logger.folder, "tmpfs", 0, "size=32k") != 0) {
		finish(&logger);
		skip();
	}
	start(&logger);
	expect_kept(&logger);
	assert_int_equal(logger.shared->error.code, JM_ENOSPC);
	assert_int_equal(umount2(logger.folder, MNT_DETACH), 0);
	finish(&logger);
}

/* ---- Scheduling ------------------------------------------------------------------------- */

/* Whatever is permitted here, what was achieved is what is reported. */
static void test_scheduling(void **state)
{
	struct logger logger;
	struct found found;
	cpu_set_t cpus;
	int cpu = 0, policy;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof(cpus), &cpus), 0);
	while (!CPU_ISSET((size_t)cpu, &cpus))
		cpu++;
	prepare(&logger, &moody_ops, NULL);
	logger.config.realtime = 1;
	logger.config.pin_cpu = cpu;
	logger.config.rate_hz = 0.0; /* the sensor's own */
	start(&logger);
	wait_readings(&logger, 20);
	policy = sched_getscheduler(logger.child) & ~SCHED_RESET_ON_FORK;
	assert_int_equal(sched_getaffinity(logger.child, sizeof(cpus), &cpus), 0);
	assert_int_equal(write(logger.stop[1], "x", 1), 1);
	assert_int_equal(join(&logger), 0);
	found = read_spool(&logger);
	expect_end(&found, "stopped");
	assert_int_equal(
		strcmp(text_of(found.end, "scheduling"), "fifo") == 0, policy == SCHED_FIFO);
	assert_int_equal(CPU_COUNT(&cpus), 1);
	assert_int_equal(atoi(text_of(found.end, "cpu")), cpu);
	assert_float_equal(number_of(found.end, "rate_hz"), 1000.0, 1e-9);
	drop_found(&found);
	finish(&logger);
	prepare(&logger, &moody_ops, NULL);
	logger.config.pin_cpu = 100000;
	start(&logger);
	wait_readings(&logger, 4);
	assert_int_equal(write(logger.stop[1], "x", 1), 1);
	assert_int_equal(join(&logger), 0);
	found = read_spool(&logger);
	assert_non_null(strstr(text_of(found.end, "cpu"), "any: cpu 100000"));
	drop_found(&found);
	finish(&logger);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stop_by_byte),
		cmocka_unit_test(test_stop_by_close),
		cmocka_unit_test(test_signals),
		cmocka_unit_test(test_parent_death),
		cmocka_unit_test(test_slow_rate),
		cmocka_unit_test(test_sensor_fails),
		cmocka_unit_test(test_log_ends),
		cmocka_unit_test(test_cannot_start),
		cmocka_unit_test(test_missing_values),
		cmocka_unit_test(test_missed_periods),
		cmocka_unit_test(test_file_limit),
		cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_scheduling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
