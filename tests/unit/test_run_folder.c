/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "scratch.h"
#include "run/run_folder.h"

static struct jm_run_folder run;

static void touch(const char *name)
{
	char folder[256];

	snprintf(folder, sizeof(folder), "%s", scratch_path(name));
	*strrchr(folder, '/') = '\0';
	assert_int_equal(jm_folder_make(folder, NULL), 0);
	scratch_write(name, "x");
}

static void expect_path(enum jm_run_part part, const char *ending)
{
	const char *path = run.path[part];

	assert_true(strlen(path) >= strlen(ending));
	assert_string_equal(path + strlen(path) - strlen(ending), ending);
	assert_true(jm_path_exists(path));
}

static void find(const char *name)
{
	struct jm_error error = {0};

	memset(&run, 0, sizeof(run));
	if (jm_run_folder_find(&run, scratch_path(name), &error) < 0)
		fail_msg("%s", error.message);
}

static void expect_failure(const char *name, int code, const char *part)
{
	struct jm_error error = {0};

	memset(&run, 0, sizeof(run));
	assert_int_equal(jm_run_folder_find(&run, scratch_path(name), &error), code);
	if (!strstr(error.message, part))
		fail_msg("'%s' is not in '%s'", part, error.message);
}

static void test_original_layout(void **state)
{
	(void)state;
	touch("a/resnet18/6000_cycles_power_log_20241121-052000.log");
	touch("a/resnet18/50_cycles_power_log_20241122-052000.log");
	touch("a/resnet18/9000_cycles_power_log_20231122-052000.log");
	touch("a/resnet18/trt_profiling/trt_layer_latency.json");
	touch("a/resnet18/trt_profiling/trt_engine_info.json");
	touch("a/resnet18/resnet18_tensorrt.json");
	touch("a/60_seconds_idling_power_log_20241121-051743.log");
	touch("a/9_seconds_idling_power_log_20241121-051744.log");
	for (int i = 0; i < 3; i++) {
		find(i == 0 ? "a" : i == 1 ? "a/resnet18" : "a/resnet18//");
		assert_string_equal(run.model, "resnet18");
		assert_string_equal(jm_path_name(run.result_dir), "a");
		expect_path(JM_RUN_POWER_LOG, "/50_cycles_power_log_20241122-052000.log");
		expect_path(JM_RUN_LATENCY, "/trt_profiling/trt_layer_latency.json");
		expect_path(JM_RUN_ENGINE_INFO, "/trt_profiling/trt_engine_info.json");
		expect_path(JM_RUN_IDLE, "/9_seconds_idling_power_log_20241121-051744.log");
		expect_path(JM_RUN_BENCHMARK, "/resnet18_tensorrt.json");
		assert_true(run.n_power_logs == 3 && run.n_idle_logs == 2);
		assert_int_equal(run.path[JM_RUN_JSON][0], '\0');
		assert_int_equal(jm_run_folder_need(&run, JM_RUN_LATENCY, NULL), 0);
	}
	touch("a/idling_power.json");
	find("a");
	expect_path(JM_RUN_IDLE, "/idling_power.json");
}

static void test_later_layout(void **state)
{
	struct jm_error error = {0};

	(void)state;
	touch("b/lenet/lenet_power_log.log");
	touch("b/lenet/trt_profiling/trt_layer_latency.json");
	find("b/lenet");
	expect_path(JM_RUN_POWER_LOG, "/lenet_power_log.log");
	assert_int_equal(run.n_power_logs, 1);
	assert_int_equal(jm_run_folder_need(&run, JM_RUN_ENGINE_INFO, &error), JM_ENOTFOUND);
	assert_non_null(strstr(error.message, "no engine information in"));
	assert_non_null(strstr(error.message, "give it with --trt-engine-info-path"));
	assert_int_equal(jm_run_folder_need(&run, JM_RUN_JSON, &error), JM_ENOTFOUND);
	/* What an option gave stays. */
	memset(&run, 0, sizeof(run));
	strcpy(run.path[JM_RUN_POWER_LOG], "mine.log");
	assert_int_equal(jm_run_folder_find(&run, scratch_path("b"), NULL), 0);
	assert_string_equal(run.path[JM_RUN_POWER_LOG], "mine.log");
}

static void write_log(const char *name, const char *line)
{
	touch(name);
	scratch_write(name, line);
}

/* Logs of both kinds: the newest by what it says, then by what its name says. */
static void test_both_layouts(void **state)
{
	(void)state;
	write_log("k/net/net_power_log.log", "20250301-10:20:02.0,5000.0,1.0\n");
	write_log("k/net/500_cycles_power_log_20250110-102000.log",
		"20250110-10:20:02.0,5000.0,1.0\n");
	write_log("k/net/other_power_log.log", "20260110-10:20:02.0,5000.0,1.0\n");
	find("k/net");
	expect_path(JM_RUN_POWER_LOG, "/net_power_log.log");
	assert_int_equal(run.n_power_logs, 2);
	write_log("k/net/net_power_log.log", "\n20240301-10:20:02.0,5000.0,1.0\n");
	find("k/net");
	expect_path(JM_RUN_POWER_LOG, "/500_cycles_power_log_20250110-102000.log");
	/* A name that says another time than what is in the file. */
	write_log("k/net/9_cycles_power_log_20200110-102000.log",
		"\xef\xbb\xbf"
		"20250501-10:20:02.0,5000.0,1.0\n");
	find("k/net");
	expect_path(JM_RUN_POWER_LOG, "/9_cycles_power_log_20200110-102000.log");
	assert_int_equal(run.n_power_logs, 3);
	/* Nothing in it: by its name. */
	write_log("k/net/7_cycles_power_log_20250601-102000.log", "");
	find("k/net");
	expect_path(JM_RUN_POWER_LOG, "/7_cycles_power_log_20250601-102000.log");
	write_log("k/net/net_power_log.log", "");
	find("k/net");
	expect_path(JM_RUN_POWER_LOG, "/7_cycles_power_log_20250601-102000.log");
}

static void test_own_layout(void **state)
{
	char old[4096];

	(void)state;
	touch("c/m/run.json");
	touch("c/m/readings.csv");
	find("c");
	assert_string_equal(run.model, "m"); /* run.json is no JSON */
	expect_path(JM_RUN_JSON, "/run.json");
	expect_path(JM_RUN_READINGS, "/readings.csv");
	/* From inside. */
	touch("c/m/m_power_log.log");
	touch("c/idling_power.json");
	assert_non_null(getcwd(old, sizeof(old)));
	assert_int_equal(chdir(scratch_path("c/m")), 0);
	memset(&run, 0, sizeof(run));
	assert_int_equal(jm_run_folder_find(&run, ".", NULL), 0);
	assert_string_equal(run.model, "m");
	expect_path(JM_RUN_IDLE, "/idling_power.json");
	expect_path(JM_RUN_POWER_LOG, "/m_power_log.log");
	assert_int_equal(chdir(".."), 0);
	memset(&run, 0, sizeof(run));
	assert_int_equal(jm_run_folder_find(&run, "m", NULL), 0);
	assert_string_equal(run.result_dir, ".");
	expect_path(JM_RUN_IDLE, "/idling_power.json");
	assert_int_equal(chdir(old), 0);
}

/* Of a run that was cut off there is the spool only. */
static void test_cut_off(void **state)
{
	(void)state;
	touch("f/m/spool/session.json");
	find("f");
	assert_string_equal(run.model, "m");
	/* The files of a spool are no run by themselves. */
	touch("g/m/power.spool");
	touch("g/m/timeline.spool");
	expect_failure("g", JM_ENOTFOUND, "holds no run");
}

/* An earlier run: its folder has the name of a time. */
static void test_previous(void **state)
{
	(void)state;
	touch("h/m/trt_profiling/trt_layer_latency.json");
	touch("h/m/previous/20250101-101010/trt_profiling/trt_layer_latency.json");
	touch("h/m/previous/20250101-101010/m_tensorrt.json");
	touch("h/m/previous/20250101-101010/m_power_log.log");
	scratch_write(
		"h/m/previous/20250101-101010/run.json", "{\"model\": {\"name\": \"m\"}}");
	find("h/m/previous/20250101-101010");
	assert_string_equal(run.model, "m");
	expect_path(JM_RUN_BENCHMARK, "/m_tensorrt.json");
	expect_path(JM_RUN_POWER_LOG, "/m_power_log.log");
	/* A name that would lead elsewhere is none. */
	scratch_write(
		"h/m/previous/20250101-101010/run.json", "{\"model\": {\"name\": \"../x\"}}");
	find("h/m/previous/20250101-101010");
	assert_string_equal(run.model, "20250101-101010");
}

static void test_failures(void **state)
{
	struct jm_error error = {0};

	(void)state;
	touch("d/one/run.json");
	touch("d/two/run.json");
	expect_failure("d", JM_EFORMAT, "holds 2 runs; give one of them: ");
	touch("e/nothing/here");
	expect_failure(
		"e", JM_ENOTFOUND, "holds no run: looked for '*_cycles_power_log_*.log'");
	expect_failure("e/nothing/here", JM_EINVAL, "is a file; give the folder of a run");
	expect_failure("no", JM_ENOTFOUND, "cannot open folder");
	memset(&run, 0, sizeof(run));
	assert_int_equal(jm_run_folder_need(&run, JM_RUN_POWER_LOG, &error), JM_EUSAGE);
	assert_string_equal(error.message,
		"no power log given: use --power-log-path, or give the folder of a run");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_original_layout),
		cmocka_unit_test(test_later_layout),
		cmocka_unit_test(test_both_layouts),
		cmocka_unit_test(test_own_layout),
		cmocka_unit_test(test_cut_off),
		cmocka_unit_test(test_previous),
		cmocka_unit_test(test_failures),
	};

	return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
