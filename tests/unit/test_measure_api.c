/* SPDX-License-Identifier: Apache-2.0 */
/* The public functions that measure, and their manners: signals, versions, processes. */
#include "unit.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "plugin_unit.h"
#include "scratch.h"

static const int watched[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGXFSZ, SIGCHLD};
#define N_WATCHED (sizeof(watched) / sizeof(watched[0]))

static void own_handler(int signal_number)
{
	(void)signal_number;
}

/* Handlers of the program's own, and children that nobody collects. */
static void set_handlers(void)
{
	for (size_t i = 0; i < N_WATCHED; i++)
		signal(watched[i], watched[i] == SIGCHLD ? SIG_IGN : own_handler);
}

static void expect_handlers(void)
{
	for (size_t i = 0; i < N_WATCHED; i++) {
		struct sigaction action;

		assert_int_equal(sigaction(watched[i], NULL, &action), 0);
		assert_ptr_equal(
			action.sa_handler, watched[i] == SIGCHLD ? SIG_IGN : own_handler);
		signal(watched[i], SIG_DFL);
	}
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
	assert_int_equal(errno, ECHILD);
}

static void measure_options(struct jm_measure_options *options, uint32_t runs)
{
	jm_measure_options_init(options, sizeof(*options));
	options->model = JM_TEST_DATA "/models/lenet.onnx";
	options->sensor = "sim";
	options->engine = "threelayers";
	options->result_dir = scratch_path("results");
	options->runs = runs;
	options->warmup = 1;
	options->idle_seconds = 0;
}

static void test_defaults(void **state)
{
	struct jm_measure_options options;
	struct jm_idle_options idle;

	(void)state;
	memset(&options, 0xa5, sizeof(options));
	jm_measure_options_init(&options, sizeof(options));
	assert_int_equal(options.size, sizeof(options));
	assert_string_equal(options.model, "mobilenet_v2");
	assert_string_equal(options.result_dir, "results");
	assert_true(options.runs == 30000 && options.warmup == 50 && options.seed == 1);
	assert_true(options.optimization_level == -1 && isnan(options.jitter_ms));
	assert_true(!options.sensor && !options.engine && !options.progress);
	memset(&idle, 0xa5, sizeof(idle));
	jm_idle_options_init(&idle, sizeof(idle));
	assert_true(idle.size == sizeof(idle) && idle.seconds == 10.0 && idle.seed == 1);
	assert_true(!idle.sensor && !idle.result_dir && !idle.progress);
}

/* A program of an earlier version has shorter options, one of a later one longer ones. */
static void test_versions(void **state)
{
	struct {
		struct jm_idle_options options;
		char more[8];
	} later;
	struct jm_idle_outcome idle;
	struct jm_error error;
	size_t shorter = offsetof(struct jm_idle_options, seconds);

	(void)state;
	memset(&later, 0x5a, sizeof(later));
	jm_idle_options_init(&later.options, shorter);
	assert_int_equal(later.options.size, shorter);
	assert_int_equal(*(char *)&later.options.seconds, 0x5a); /* not ours to write */
	later.options.sensor = "no such sensor";
	assert_int_equal(jm_idle(&later.options, &idle, &error), JM_EUSAGE);
	jm_idle_options_init(&later.options, sizeof(later));
	assert_int_equal(later.more[0], 0x5a);
	assert_int_equal(jm_idle(&later.options, &idle, &error), JM_EUNSUPPORTED);
	assert_non_null(strstr(error.message, "later version"));
	memset(&later, 0, sizeof(later));
	assert_int_equal(jm_idle(&later.options, &idle, &error), JM_EINVAL);
	assert_non_null(strstr(error.message, "jm_idle_options_init()"));
}

static void test_values(void **state)
{
	struct jm_measure_options options;
	struct jm_measure_outcome run;
	struct jm_error error;

	(void)state;
#define EXPECT_REFUSED(field, value, text)                                                     \
	do {                                                                                   \
		measure_options(&options, 10);                                                 \
		options.field = value;                                                         \
		assert_int_equal(jm_measure(&options, &run, &error), JM_EINVAL);               \
		assert_non_null(strstr(error.message, text));                                  \
		assert_true(run.cycles == 0 && !run.run_folder[0]);                            \
	} while (0)
	EXPECT_REFUSED(model, NULL, "model");
	EXPECT_REFUSED(result_dir, NULL, "result_dir");
	EXPECT_REFUSED(runs, 0, "runs");
	EXPECT_REFUSED(n_input_shape, 9, "input_shape");
	EXPECT_REFUSED(idle_seconds, -1, "idle_seconds");
	EXPECT_REFUSED(idle_seconds, (double)NAN, "idle_seconds");
	EXPECT_REFUSED(rate_hz, 0.01, "rate_hz");
	EXPECT_REFUSED(jitter_ms, -1, "jitter_ms");
	EXPECT_REFUSED(ready_seconds, -1, "ready_seconds");
#undef EXPECT_REFUSED
}

static void test_idle(void **state)
{
	struct jm_idle_options options;
	struct jm_idle_outcome idle;
	struct jm_error error;

	(void)state;
	jm_idle_options_init(&options, sizeof(options));
	options.sensor = "sim";
	options.seconds = 0.2;
	set_handlers();
	if (jm_idle(&options, &idle, &error) < 0)
		fail_msg("%s", error.message);
	expect_handlers();
	assert_true(idle.power_w > 4 && idle.power_w < 5 && idle.simulated);
	assert_true(idle.readings > 5 && idle.conversions > 1);
	options.result_dir = scratch_path("idle");
	assert_int_equal(jm_idle(&options, &idle, &error), 0);
	assert_true(jm_path_exists(scratch_path("idle/idling_power.json")));
}

static void test_measure(void **state)
{
	struct jm_recording *recording = NULL;
	struct jm_measure_options options;
	struct jm_measure_outcome run;
	struct jm_error error;

	(void)state;
	measure_options(&options, 20);
	set_handlers();
	if (jm_measure(&options, &run, &error) < 0)
		fail_msg("%s", error.message);
	expect_handlers();
	assert_true(run.cycles == 20 && run.simulated && !run.interrupted);
	if (jm_recording_open(run.run_folder, NULL, &recording, &error) < 0)
		fail_msg("%s", error.message);
	assert_int_equal(jm_recording_cycles(recording), 20);
	assert_int_equal(jm_recording_timeline(recording)->n_layers, 3);
	jm_recording_close(recording);
}

/* A program that reports its own layers, by the public functions as by the command. */
static void test_command(void **state)
{
	char *const command[] = {JM_BINARY_DIR "/examples/worker", NULL};
	char *const missing[] = {"./nowhere", NULL}, *const empty[] = {NULL};
	struct jm_measure_options options;
	struct jm_measure_outcome run;
	struct jm_error error;

	(void)state;
	measure_options(&options, 20);
	options.model = NULL;
	options.command = command;
	set_handlers();
	if (jm_measure(&options, &run, &error) < 0)
		fail_msg("%s", error.message);
	expect_handlers();
	assert_int_equal(run.cycles, 20);
	assert_string_equal(run.run_folder, scratch_path("results/worker"));
	options.command = missing;
	assert_int_equal(jm_measure(&options, &run, &error), JM_ENOTFOUND);
	options.command = empty;
	assert_int_equal(jm_measure(&options, &run, &error), JM_EINVAL);
}

/* The user presses Ctrl-C as soon as cycles are counted. */
static void press(void *context, const char *phase, double done, double total, const char *unit)
{
	int *pressed = context;
	struct sigaction action;

	(void)total;
	(void)unit;
	/* Other children of the program are none of our business. */
	assert_int_equal(sigaction(SIGCHLD, NULL, &action), 0);
	assert_ptr_equal(action.sa_handler, SIG_IGN);
	if (strcmp(phase, "measuring") == 0 && done >= 5 && !*pressed) {
		*pressed = 1;
		raise(SIGINT);
	}
}

static void test_interrupt(void **state)
{
	int pressed = 0;
	const struct jm_progress progress = {press, NULL, &pressed};
	struct jm_measure_options options;
	struct jm_measure_outcome run;
	struct jm_error error;

	(void)state;
	measure_options(&options, 1000000);
	options.progress = &progress;
	set_handlers();
	if (jm_measure(&options, &run, &error) < 0)
		fail_msg("%s", error.message);
	expect_handlers();
	assert_true(pressed && run.interrupted);
	assert_true(run.cycles >= 5 && run.cycles < 1000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_measure),
		cmocka_unit_test(test_command),
		cmocka_unit_test(test_interrupt),
	};

	return cmocka_run_group_tests(tests, plugin_unit_load_all, scratch_remove);
}
