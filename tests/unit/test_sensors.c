/* SPDX-License-Identifier: Apache-2.0 */
/* What every sensor of the registry has to obey. */
#include "unit.h"

#include <math.h>

#include "sensors.h"
#include "sensors/registry.h"

/* One way to open each sensor, and one argument that it must refuse. */
struct fixture {
	const char *name;
	const char *root;
	const char *argument;
	const char *bad_argument;
	const char *nvml; /* what the fake NVML is told; NULL: there is none */
};

static char log_folder[64];
static char log_path[128]; /* a power log, written by make_log */

static const struct fixture fixtures[] = {
	{"ina3221", TREE("orin-nano-jp6"), NULL, "1-0040,nonsense", NULL},
	{"ina3221", TREE("agx-xavier-jp5"), "1-0040+1-0041", ",,", NULL},
	{"ina3221", TREE("unlabelled"), ",total", "2-0043,", NULL},
	{"nvml", "", NULL, "nonsense", ""},
	{"nvml", TREE("empty"), "1", "GPU", "shuffle=1 gap=2 spacing_us=1000"},
	{"nvml", "", "3b:00.0", "3b:00.0.0", "samples=3"},
	{"nvml", "", "GPU-fa4e0000-0000-0000-0000-000000000001", "-1", "samples=3 instant=3"},
	{"replay", "", log_path, "/nonexistent/power.log", NULL},
	{"sim", "", NULL, "round_ms=-1", NULL},
	{"sim", TREE("orin-nano-jp6"), "seed=5,tau_ms=0", "colour=red", NULL},
};
#define N_FIXTURES (sizeof(fixtures) / sizeof(fixtures[0]))

/* Makes what the fake NVML is told hold for what follows. */
static void set_nvml(const char *told)
{
	if (told) {
		setenv("JOULEMAP_NVML_LIBRARY", JM_TEST_NVML, 1);
		setenv("JM_FAKE_NVML", told, 1);
	} else {
		unsetenv("JOULEMAP_NVML_LIBRARY");
	}
}

static int make_log(void **state)
{
	FILE *file;

	(void)state;
	make_folder(log_folder);
	snprintf(log_path, sizeof(log_path), "%s/power.log", log_folder);
	file = fopen(log_path, "w");
	for (int i = 0; i < 1000; i++)
		fprintf(file, "20241121-05:20:%02d.%06d,5032.0,%d.0\n", i / 100,
			(i % 100) * 10000, 800 + 8 * (i / 5 % 7));
	return fclose(file);
}

static int drop_log(void **state)
{
	(void)state;
	drop_folder(log_folder);
	return 0;
}

/* ---- The table ------------------------------------------------------------------- */

static void test_table(void **state)
{
	size_t n;
	const struct jm_sensor_ops *const *sensors = jm_sensors(&n);

	(void)state;
	assert_true(n >= 3);
	for (size_t i = 0; i < n; i++) {
		const struct jm_sensor_ops *ops = sensors[i];
		int covered = 0;

		assert_int_equal(ops->abi, JM_SENSOR_ABI);
		assert_int_equal(ops->size, sizeof(struct jm_sensor_ops));
		assert_true(ops->name && ops->name[0] && !strchr(ops->name, ':'));
		assert_true(ops->summary && ops->summary[0]);
		assert_true(ops->state_size > 0);
		assert_true(ops->probe && ops->open && ops->read && ops->close);
		assert_ptr_equal(jm_sensor_find(ops->name), ops);
		for (size_t j = 0; j < N_FIXTURES; j++)
			covered |= strcmp(fixtures[j].name, ops->name) == 0;
		assert_true(covered);
	}
	assert_null(jm_sensor_find(""));
	assert_null(jm_sensor_find("ina"));
}

/* ---- Each of them ------------------------------------------------------------------- */

static void expect_sane(const struct jm_sensor_ops *ops, const struct jm_sensor_info *info)
{
	assert_true(strncmp(info->id, ops->name, strlen(ops->name)) == 0);
	assert_non_null(memchr(info->path, '\0', sizeof(info->path)));
	assert_non_null(memchr(info->board, '\0', sizeof(info->board)));
	assert_non_null(memchr(info->provenance, '\0', sizeof(info->provenance)));
	assert_true(info->path[0] && info->provenance[0]);
	assert_in_range(info->kind, JM_SENSOR_INSTANT, JM_SENSOR_COUNTER);
	assert_true(info->round_ms >= 0.0 && info->window_ms >= 0.0 && info->poll_ms > 0.0);
	assert_in_range(info->n_rails, 1, JM_SENSOR_RAILS_MAX);
	assert_int_equal(info->simulated, ops->complete != NULL);
	assert_int_equal(info->rails[0].parent, -1);
	for (size_t i = 0; i < info->n_rails; i++) {
		assert_true(info->rails[i].name[0]);
		assert_in_range(info->rails[i].quantity, JM_QUANTITY_MV_MA, JM_QUANTITY_UJ);
		assert_true(info->rails[i].parent >= -1);
		assert_true(info->rails[i].parent < (int)info->n_rails);
		assert_int_not_equal(info->rails[i].parent, i);
		assert_false(info->rails[i].quantum[0] < 0.0);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(info->rails[i].name, info->rails[j].name);
	}
}

static void read_some(
	const struct jm_sensor_ops *ops, void *sensor, const struct jm_sensor_info *info)
{
	struct jm_reading readings[JM_SENSOR_RAILS_MAX];
	struct jm_error error = {0};
	int64_t last_ns = INT64_MIN;
	int values = 0;

	for (int i = 0; i < 50; i++) {
		if (ops->read(sensor, readings, &error) != 0)
			fail_msg("%s", error.message);
		for (size_t j = 0; j < info->n_rails; j++) {
			int value = isfinite(readings[j].value[0]) &&
				    isfinite(readings[j].value[1]);

			assert_true(readings[j].before_ns >= last_ns);
			assert_true(readings[j].after_ns >= readings[j].before_ns);
			if (info->stamped) {
				assert_true(readings[j].after_ns == readings[j].before_ns);
				assert_int_equal(value, readings[j].after_ns > last_ns);
			} else {
				assert_true(value);
			}
			values += value;
			last_ns = readings[j].after_ns;
		}
	}
	assert_true(values > 0);
}

/* Probe, open, read, close: twice, in storage of exactly the size it asks for. */
static void test_life(void **state)
{
	int descriptors = count_descriptors();

	(void)state;
	for (size_t i = 0; i < N_FIXTURES; i++) {
		const struct jm_sensor_ops *ops = jm_sensor_find(fixtures[i].name);
		struct fake_clock clock = {INT64_C(1000000000), 100000};
		struct jm_sensor_options options =
			fake_options(&clock, fixtures[i].root, fixtures[i].argument);
		struct jm_sensor_info info, again;
		void *sensor = calloc(1, ops->state_size);

		set_nvml(fixtures[i].nvml);
		ops->close(sensor); /* zeroed */
		assert_true(ops->probe(&options, &info, 1, NULL) == 1);
		assert_int_equal(count_descriptors(), descriptors);
		expect_sane(ops, &info);
		memset(&again, 0xa5, sizeof(again));
		assert_true(ops->probe(&options, &again, 1, NULL) == 1);
		assert_string_equal(info.id, again.id);
		assert_int_equal(info.n_rails, again.n_rails);
		for (int turn = 0; turn < 2; turn++) {
			memset(sensor, 0, ops->state_size);
			assert_int_equal(ops->open(sensor, &info, &options, NULL), 0);
			expect_sane(ops, &info);
			read_some(ops, sensor, &info);
			ops->close(sensor);
			assert_int_equal(count_descriptors(), descriptors);
		}
		ops->close(sensor); /* closed */
		free(sensor);
	}
	set_nvml(NULL);
}

/* No room is no crash; what is not there is 0; a bad option says so and leaves nothing open. */
static void test_refusals(void **state)
{
	int descriptors = count_descriptors();

	(void)state;
	for (size_t i = 0; i < N_FIXTURES; i++) {
		const struct jm_sensor_ops *ops = jm_sensor_find(fixtures[i].name);
		struct fake_clock clock = {INT64_C(1000000000), 100000};
		struct jm_sensor_options options =
			fake_options(&clock, fixtures[i].root, fixtures[i].argument);
		struct jm_sensor_info info;
		struct jm_error error = {0};
		void *sensor = calloc(1, ops->state_size);
		int n;

		set_nvml(fixtures[i].nvml);
		assert_int_equal(ops->probe(&options, &info, 0, NULL), 0);
		options.sysfs_root = "/nonexistent";
		assert_true(ops->probe(&options, &info, 1, NULL) >= 0);
		options.sysfs_root = fixtures[i].root;
		assert_int_equal(ops->probe(&options, &info, 1, NULL), 1);
		options.argument = fixtures[i].bad_argument;
		n = ops->probe(&options, &info, 1, &error);
		assert_true(n < 0);
		assert_int_equal(error.code, n);
		assert_true(error.message[0]);
		memset(&error, 0, sizeof(error));
		n = ops->open(sensor, &info, &options, &error);
		assert_true(n < 0);
		assert_int_equal(error.code, n);
		ops->close(sensor);
		free(sensor);
		assert_int_equal(count_descriptors(), descriptors);
	}
	set_nvml(NULL);
}

/* ---- Choice ----------------------------------------------------------------------------- */

static void test_choice(void **state)
{
	struct fake_clock clock = {0, 1};
	struct jm_sensor_options options = fake_options(&clock, TREE("empty"), "left over");
	const struct jm_sensor_ops *ops;
	struct jm_sensor_info info;
	struct jm_error error;
	char wanted[256];

	(void)state;
	assert_int_equal(jm_sensor_select("sim", &options, &ops, &info, &error), 0);
	assert_ptr_equal(ops, &jm_sensor_sim);
	assert_null(options.argument);
	assert_int_equal(
		jm_sensor_select("sim:seed=3,tau_ms=0.8", &options, &ops, &info, &error), 0);
	assert_string_equal(options.argument, "seed=3,tau_ms=0.8");
	snprintf(wanted, sizeof(wanted), "replay:%s", log_path);
	assert_int_equal(jm_sensor_select(wanted, &options, &ops, &info, &error), 0);
	assert_ptr_equal(ops, &jm_sensor_replay);
	assert_int_equal(
		jm_sensor_select("replay", &options, &ops, &info, &error), JM_ENOSENSOR);
	assert_int_equal(jm_sensor_select("sim:x=1", &options, &ops, &info, &error), JM_EUSAGE);
	/* Neither sim nor replay offers itself. */
	assert_int_equal(jm_sensor_select(NULL, &options, &ops, &info, &error), JM_ENOSENSOR);
	set_nvml("");
	assert_int_equal(jm_sensor_select(NULL, &options, &ops, &info, &error), 0);
	assert_ptr_equal(ops, &jm_sensor_nvml);
	set_nvml("power=3"); /* a Jetson's: its monitor is taken, or this is what is said */
	assert_int_equal(jm_sensor_select(NULL, &options, &ops, &info, &error), JM_ENOSENSOR);
	assert_non_null(strstr(error.message, "does not tell its power"));
	options.sysfs_root = TREE("xavier-nx-jp5");
	assert_int_equal(jm_sensor_select(NULL, &options, &ops, &info, &error), 0);
	assert_ptr_equal(ops, &jm_sensor_ina3221);
	set_nvml(""); /* a whole board before its GPU */
	assert_int_equal(jm_sensor_select(NULL, &options, &ops, &info, &error), 0);
	assert_ptr_equal(ops, &jm_sensor_ina3221);
	set_nvml(NULL);
	assert_int_equal(jm_sensor_select(NULL, &options, &ops, &info, &error), 0);
	assert_ptr_equal(ops, &jm_sensor_ina3221);
	assert_true(jm_sensor_rail_is_root(&info, 0));
	assert_false(jm_sensor_rail_is_root(&info, 1));
	assert_false(jm_sensor_rail_is_root(&info, 3));
}

/* ---- Replay ------------------------------------------------------------------------------ */

static void expect_replayed(void *sensor, struct fake_clock *clock, int64_t at_ns, double ma)
{
	struct jm_reading reading;

	clock->now_ns = at_ns;
	assert_int_equal(jm_sensor_replay.read(sensor, &reading, NULL), 0);
	assert_true(reading.before_ns == at_ns);
	assert_true(reading.value[1] == ma);
}

/* Each value from its own time on until the next one comes. */
static void test_replay(void **state)
{
	struct fake_clock clock = {INT64_C(77000000000), 0};
	struct jm_sensor_options options = fake_options(&clock, "", log_path);
	struct jm_sensor_info info;
	struct jm_reading reading;
	struct jm_error error = {0};
	void *sensor = calloc(1, jm_sensor_replay.state_size);
	int64_t start = clock.now_ns;
	char looped[256];

	(void)state;
	assert_int_equal(jm_sensor_replay.open(sensor, &info, &options, NULL), 0);
	assert_float_equal(info.poll_ms, 10.0, 0.1);
	expect_replayed(sensor, &clock, start, 800);
	expect_replayed(sensor, &clock, start + 49999999, 800);
	expect_replayed(sensor, &clock, start + 50000000, 808);
	expect_replayed(sensor, &clock, start + 5 * INT64_C(350000000), 800);
	expect_replayed(sensor, &clock, start + INT64_C(9999999999), 824);
	clock.now_ns = start + INT64_C(10000000000);
	assert_int_equal(jm_sensor_replay.read(sensor, &reading, &error), JM_ESENSOR);
	assert_non_null(strstr(error.message, "ended"));
	jm_sensor_replay.close(sensor);

	memset(sensor, 0, jm_sensor_replay.state_size);
	snprintf(looped, sizeof(looped), "%s,loop", log_path);
	options.argument = looped;
	clock.now_ns = start;
	assert_int_equal(jm_sensor_replay.open(sensor, &info, &options, NULL), 0);
	expect_replayed(sensor, &clock, start + INT64_C(9999999999), 824);
	expect_replayed(sensor, &clock, start + INT64_C(10000000000), 800);
	expect_replayed(sensor, &clock, start + INT64_C(70050000000), 808);
	jm_sensor_replay.close(sensor);
	free(sensor);
}

static void test_replay_of_nothing(void **state)
{
	static const char *const contents[] = {"", "20241121-05:20:04.131398,5032.0,840.0\n",
		"20241121-05:20:04.131398,5032.0,840.0\n20241121-05:20:04.131398,5032.0,840."
		"0\n",
		"no log\nat all\n"};
	struct fake_clock clock = {0, 1};
	char folder[64], path[128];

	(void)state;
	make_folder(folder);
	snprintf(path, sizeof(path), "%s/power.log", folder);
	for (size_t i = 0; i < sizeof(contents) / sizeof(contents[0]); i++) {
		struct jm_sensor_options options = fake_options(&clock, "", path);
		struct jm_sensor_info info;
		struct jm_error error = {0};
		FILE *file = fopen(path, "w");

		fputs(contents[i], file);
		fclose(file);
		assert_int_equal(
			jm_sensor_replay.probe(&options, &info, 1, &error), JM_EFORMAT);
		assert_non_null(strstr(error.message, path));
	}
	drop_folder(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_life),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_choice),
		cmocka_unit_test(test_replay),
		cmocka_unit_test(test_replay_of_nothing),
	};

	return cmocka_run_group_tests(tests, make_log, drop_log);
}
