/* SPDX-License-Identifier: Apache-2.0 */
/* Several sensors as one source. */
#include "unit.h"

#include <fcntl.h>
#include <math.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "logger/logger.h"
#include "measure/idle.h"
#include "run/run.h"
#include "run/spool.h"
#include "sensors.h"
#include "sensors/registry.h"
#include "sensors/set.h"

/* ---- A meter at the end of a pipe, with 40 rails ---------------------------------- */

#define N_RAILS 40

static int meter_pipe[2];

struct meter {
	struct jm_sensor_info info;
	struct jm_rail_info rails[N_RAILS];
};

static void meter_describe(struct meter *meter)
{
	strcpy(meter->info.id, "meter");
	meter->info.rails = meter->rails;
	meter->info.n_rails = N_RAILS;
	for (int i = 0; i < N_RAILS; i++) {
		snprintf(meter->rails[i].name, sizeof(meter->rails[i].name), "rail %d", i);
		meter->rails[i].quantity = JM_QUANTITY_UW;
		meter->rails[i].parent = -1;
	}
}

static int meter_probe(const struct jm_sensor_options *options,
	const struct jm_sensor_found *found, struct jm_error *reterr)
{
	struct meter meter = {.info.flags = 0};

	(void)options;
	(void)reterr;
	meter_describe(&meter);
	return found->found(found->context, &meter.info) < 0 ? JM_ENOMEM : 1;
}

static int meter_open(void *state, const struct jm_sensor_info *info,
	const struct jm_sensor_options *options, struct jm_error *reterr)
{
	(void)info;
	(void)options;
	(void)reterr;
	meter_describe(state);
	return 0;
}

static const struct jm_sensor_info *meter_info(const void *state)
{
	return &((const struct meter *)state)->info;
}

/* One byte is one pass over all rails. */
static int meter_read(void *state, const struct jm_reading_sink *sink, struct jm_error *reterr)
{
	unsigned char byte;
	int result = 0;

	(void)state;
	if (read(meter_pipe[0], &byte, 1) != 1) {
		reterr->code = JM_ESENSOR;
		strcpy(reterr->message, "sensor 'meter' hung up");
		return JM_ESENSOR;
	}
	for (size_t i = 0; i < N_RAILS && result == 0; i++) {
		struct jm_reading reading = {.value = {byte * 100.0 + (double)i, 0}};

		reading.before_ns = reading.after_ns = jm_clock_monotonic_ns(NULL);
		result = sink->reading(sink->context, i, &reading);
	}
	return result;
}

static int meter_descriptor(const void *state)
{
	(void)state;
	return meter_pipe[0];
}

static void meter_close(void *state)
{
	(void)state;
}

static const struct jm_sensor_ops meter_ops = {.abi = JM_SENSOR_ABI,
	.size = sizeof(struct jm_sensor_ops),
	.name = "meter",
	.summary = "a meter at the end of a pipe",
	.state_size = sizeof(struct meter),
	.probe = meter_probe,
	.open = meter_open,
	.info = meter_info,
	.read = meter_read,
	.descriptor = meter_descriptor,
	.close = meter_close};

/* ---- Helpers ------------------------------------------------------------------------ */

static struct jm_sensor_options real_time(const char *root)
{
	struct jm_sensor_options options = {
		.sysfs_root = root, .seed = 1, .now_ns = jm_clock_monotonic_ns};

	return options;
}

static void use_nvml(const char *told)
{
	setenv("JOULEMAP_NVML_LIBRARY", JM_TEST_NVML, 1);
	setenv("JM_FAKE_NVML", told, 1);
}

static void expect_set(const char *root, const char *wanted, const char *id)
{
	struct jm_sensor_options options = real_time(root);
	struct jm_sensor_set set;
	struct jm_error error = {0};
	char found[256];

	jm_sensor_set_init(&set);
	if (jm_sensor_set_select(&set, wanted, &options, &error) < 0)
		fail_msg("%s: %s", wanted, error.message);
	jm_sensor_set_id(&set, found, sizeof(found));
	assert_string_equal(found, id);
	jm_sensor_set_release(&set);
}

static void refuse_set(const char *wanted, int code, const char *words)
{
	struct jm_sensor_options options = real_time(TREE("agx-xavier-jp5"));
	struct jm_sensor_set set;
	struct jm_error error = {0};

	jm_sensor_set_init(&set);
	assert_int_equal(jm_sensor_set_select(&set, wanted, &options, &error), code);
	if (!strstr(error.message, words))
		fail_msg("'%s' does not say '%s'", error.message, words);
	jm_sensor_set_release(&set);
}

/* ---- Tests ---------------------------------------------------------------------------- */

static void test_select(void **state)
{
	const char *xavier = TREE("agx-xavier-jp5");

	(void)state;
	use_nvml("");
	expect_set(xavier, "ina3221:1-0040+1-0041", "ina3221:1-0040+1-0041");
	expect_set(xavier, "ina3221:1-0040+1-0041+nvml:1", "ina3221:1-0040+1-0041+nvml:1");
	expect_set(xavier, "nvml:0+nvml:1+sim", "nvml:0+nvml:1+sim");
	expect_set(xavier, "sim:seed=3+ina3221+nvml", "sim+ina3221:1-0040+1-0041+nvml:0");
	expect_set(xavier, NULL, "ina3221:1-0040+1-0041");
	refuse_set("nvml:0+nvml:0", JM_EUSAGE, "sensor 'nvml:0' is in the set twice");
	refuse_set("nvml+nvml:0", JM_EUSAGE, "twice");
	refuse_set("ina3221+simm", JM_EUSAGE, "no sensor named 'ina3221+simm'");
	refuse_set("simm+sim", JM_EUSAGE, "did you mean 'sim'");
	refuse_set("sim+replay", JM_EUSAGE, "replay:FILE");
	refuse_set("+sim", JM_EUSAGE, "no sensor named '': a set is 'A+B'");
}

/* Each member comes at its own rate, and misses are not made up for. */
static void test_deadlines(void **state)
{
	struct jm_sensor_options options = real_time(TREE("orin-nano-jp6"));
	struct jm_sensor_set set;
	int reads[2] = {0, 0};

	(void)state;
	use_nvml("samples=3");
	jm_sensor_set_init(&set);
	assert_int_equal(jm_sensor_set_select(&set, "ina3221+nvml:0", &options, NULL), 0);
	assert_int_equal(set.n_rails, 4);
	assert_int_equal(jm_sensor_set_open(&set, 0, NULL), 0);
	jm_sensor_set_start(&set, 1000);
	for (int64_t now_ns = 1000; now_ns < 1000000000;) {
		struct jm_sensor_member *member = jm_sensor_set_next(&set);

		now_ns = member->deadline_ns;
		reads[member->number]++;
		assert_int_equal(jm_sensor_member_advance(member, now_ns), 0);
	}
	for (size_t i = 0; i < 2; i++)
		assert_true(abs(reads[i] - (int)(1000000000 / set.members[i].period_ns)) <= 2);
	set.members[0].deadline_ns = 0;
	set.members[0].period_ns = 10;
	assert_int_equal(jm_sensor_member_advance(&set.members[0], 35), 3);
	assert_true(set.members[0].deadline_ns == 40);
	jm_sensor_set_close(&set);
	assert_int_equal(jm_sensor_set_open(&set, 50, NULL), 0);
	assert_true(set.members[0].period_ns == 20000000);
	assert_true(set.members[1].period_ns == 20000000);
	jm_sensor_set_release(&set);
}

/* The board contains its GPU: its power alone is the total. */
static void test_total(void **state)
{
	struct jm_sensor_options options = real_time(TREE("orin-nano-jp6"));
	struct jm_idle_result result;
	struct jm_sensor_set set;

	(void)state;
	use_nvml("samples=3");
	jm_sensor_set_init(&set);
	assert_int_equal(jm_sensor_set_select(&set, "nvml:0+ina3221", &options, NULL), 0);
	assert_int_equal(jm_idle_measure(&set, 0.1, NULL, NULL, &result, NULL), 0);
	assert_true(result.mean_uw == 5032.0 * 840.0);
	jm_sensor_set_release(&set);
	/* Two GPUs are a sum: 100 W and 1100 W, and some steps of 10 mW. */
	jm_sensor_set_init(&set);
	assert_int_equal(jm_sensor_set_select(&set, "nvml:0+nvml:1", &options, NULL), 0);
	assert_int_equal(jm_idle_measure(&set, 0.1, NULL, NULL, &result, NULL), 0);
	assert_true(result.mean_uw > 1200e6 && result.mean_uw < 1221e6);
	jm_sensor_set_release(&set);
}

struct seen {
	size_t of_rail[64];
	struct jm_run run;
	int ended;
};

static int look(void *context, enum jm_spool_type type, const void *payload, size_t size,
	struct jm_error *reterr)
{
	struct seen *seen = context;
	const struct jm_spool_reading *readings = payload;

	if (type == JM_SPOOL_META)
		return jm_run_sensors_parse(&seen->run, "spool", payload, size, reterr);
	seen->ended |= type == JM_SPOOL_END;
	for (size_t i = 0; type == JM_SPOOL_READING && i < size / sizeof(*readings); i++)
		seen->of_rail[readings[i].rail]++;
	return 0;
}

/* Two polled sensors and a pipe behind one logger; the pipe is never polled. */
static void test_logger(void **state)
{
	struct jm_sensor_options options = real_time(TREE("orin-nano-jp6"));
	static struct seen seen;
	struct jm_logger_config config = {.pin_cpu = -1};
	struct jm_sensor_info info;
	struct jm_spool_report report;
	struct jm_sensor_set set;
	char folder[64], spool[128];
	int stop[2], status;
	pid_t child;

	(void)state;
	use_nvml("");
	make_folder(folder);
	snprintf(spool, sizeof(spool), "%s/power.spool", folder);
	assert_int_equal(pipe2(meter_pipe, O_CLOEXEC) | pipe2(stop, O_CLOEXEC), 0);
	jm_sensor_set_init(&set);
	assert_int_equal(jm_sensor_set_select(&set, "sim+nvml:0", &options, NULL), 0);
	assert_int_equal(probe_first(&meter_ops, &options, &info, NULL), 1);
	assert_int_equal(jm_sensor_set_add(&set, &meter_ops, &info, &options, NULL), 0);
	jm_sensor_info_release(&info);
	config.set = &set;
	config.spool_path = spool;
	config.stop_fd = stop[0];
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		close(stop[1]);
		close(meter_pipe[1]);
		_exit(jm_logger_run(&config, NULL) < 0 ? 1 : 0);
	}
	for (int i = 0; i < 7; i++) {
		assert_int_equal(write(meter_pipe[1], &i, 1), 1);
		usleep(30000);
	}
	close(stop[1]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	jm_run_init(&seen.run);
	assert_int_equal(jm_spool_read(spool, look, &seen, &report, NULL), 0);
	assert_int_equal(seen.run.n_sensors, 3);
	assert_string_equal(seen.run.sensors[1].id, "nvml:0");
	assert_int_equal(seen.run.sensors[1].stamped, 1);
	assert_int_equal(seen.run.sensors[2].n_rails, N_RAILS);
	assert_true(seen.of_rail[0] > 30 && seen.of_rail[1] >= 2 && seen.ended);
	assert_true(seen.of_rail[1] < seen.of_rail[0]);
	for (size_t i = 0; i < N_RAILS; i++)
		assert_int_equal(seen.of_rail[2 + i], 7);
	jm_run_release(&seen.run);
	jm_sensor_set_release(&set);
	close(stop[0]);
	close(meter_pipe[0]);
	close(meter_pipe[1]);
	drop_folder(folder);
}

/* Idle power waits for the pipe too, and fails with it. */
static void test_idle(void **state)
{
	struct jm_sensor_options options = real_time("");
	struct jm_idle_result result;
	struct jm_sensor_info info;
	struct jm_sensor_set set;
	struct jm_error error;

	(void)state;
	assert_int_equal(pipe2(meter_pipe, O_CLOEXEC), 0);
	jm_sensor_set_init(&set);
	assert_int_equal(probe_first(&meter_ops, &options, &info, NULL), 1);
	assert_int_equal(jm_sensor_set_add(&set, &meter_ops, &info, &options, NULL), 0);
	jm_sensor_info_release(&info);
	assert_int_equal(write(meter_pipe[1], "\1\2\3", 3), 3);
	assert_int_equal(jm_idle_measure(&set, 0.05, NULL, NULL, &result, NULL), 0);
	assert_int_equal(result.readings, 3);
	assert_float_equal(result.mean_uw, N_RAILS * 200.0 + 780.0, 1e-6);
	close(meter_pipe[1]);
	assert_int_equal(jm_idle_measure(&set, 0.05, NULL, NULL, &result, &error), JM_ESENSOR);
	assert_string_equal(error.message, "sensor 'meter' hung up");
	jm_sensor_set_release(&set);
	close(meter_pipe[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_select),
		cmocka_unit_test(test_deadlines),
		cmocka_unit_test(test_total),
		cmocka_unit_test(test_logger),
		cmocka_unit_test(test_idle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
