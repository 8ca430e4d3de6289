/* SPDX-License-Identifier: Apache-2.0 */
/* What every sensor of the registry has to obey. */
#include "unit.h"

#include <math.h>

#include "base/clock.h"
#include "base/text.h"
#include "plugin_unit.h"
#include "sensors.h"
#include "sensors/registry.h"

/* One way to open each sensor, and one argument that it must refuse (NULL: none known). */
struct fixture {
	const char *name;
	const char *root;
	const char *argument;
	const char *bad_argument;
	const char *nvml; /* what the fake NVML is told; NULL: there is none */
};

static char log_folder[64];
static char log_path[128];  /* a power log, written by make_log */
static char text_path[128]; /* what examples/sensor_plugin.c reads, likewise */

/* The last one: JM_TEST_SENSOR=NAME[:ARGUMENT] of JM_TEST_PLUGIN=FILE.so. */
static struct fixture fixtures[] = {
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
	{"textfile", "", text_path, "/nonexistent/power", NULL},
	{NULL, "", NULL, NULL, NULL},
};
static size_t n_fixtures = sizeof(fixtures) / sizeof(fixtures[0]) - 1;

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

/* Another plug-in's sensor. */
static void take_other(void)
{
	static char name[JM_NAME_MAX];
	struct fixture *last = &fixtures[n_fixtures];
	const char *wanted = getenv("JM_TEST_SENSOR");
	char *colon;

	if (!wanted || !*wanted)
		return;
	jm_text_copy(name, sizeof(name), wanted);
	colon = strchr(name, ':');
	if (colon) {
		*colon = '\0';
		last->argument = strchr(wanted, ':') + 1;
	}
	last->name = name;
	n_fixtures++;
	assert_non_null(jm_sensor_find(name));
}

static int make_log(void **state)
{
	FILE *file;

	plugin_unit_load_all(state);
	take_other();
	make_folder(log_folder);
	snprintf(text_path, sizeof(text_path), "%s/watts", log_folder);
	file = fopen(text_path, "w");
	fprintf(file, "5.25 2.1\n");
	fclose(file);
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
		assert_true(ops->name && ops->name[0] && !strpbrk(ops->name, ":+,"));
		assert_true(ops->summary && ops->summary[0]);
		assert_true(ops->state_size > 0);
		assert_true(ops->probe && ops->open && ops->info && ops->read && ops->close);
		assert_ptr_equal(jm_sensor_find(ops->name), ops);
		for (size_t j = 0; j < n_fixtures; j++)
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
	assert_in_range(info->n_rails, 1, LATEST_MAX);
	assert_int_equal((info->flags & JM_SENSOR_SIMULATED) != 0, ops->complete != NULL);
	assert_true(info->scope <= JM_SCOPE_OTHER);
	assert_non_null(memchr(info->device, '\0', sizeof(info->device)));
	assert_int_equal(info->rails[0].parent, -1);
	for (size_t i = 0; i < info->n_rails; i++) {
		assert_true(info->rails[i].name[0]);
		assert_in_range(info->rails[i].quantity, JM_QUANTITY_MV_MA, JM_QUANTITY_UJ);
		assert_true(info->rails[i].parent >= -1);
		assert_true(info->rails[i].parent < (int)info->n_rails);
		assert_int_not_equal(info->rails[i].parent, i);
		assert_false(info->rails[i].quantum[0] < 0.0);
		assert_false(info->rails[i].range < 0.0);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(info->rails[i].name, info->rails[j].name);
	}
}

/* What a sensor delivers, looked at as it comes. */
struct delivered {
	const struct jm_sensor_info *info;
	int64_t last_ns[LATEST_MAX]; /* of each rail: one read may be of several at once */
	size_t in_read;              /* of this read */
	size_t values;
};

static int look_at(void *context, size_t rail, const struct jm_reading *reading)
{
	struct delivered *delivered = context;
	int stamped = (delivered->info->flags & JM_SENSOR_STAMPED) != 0;

	assert_true(rail < delivered->info->n_rails);
	assert_true(reading->before_ns >= delivered->last_ns[rail]);
	assert_true(reading->after_ns >= reading->before_ns);
	assert_true(isfinite(reading->value[0]) && isfinite(reading->value[1]));
	if (stamped) {
		assert_true(reading->after_ns == reading->before_ns);
		assert_true(reading->after_ns > delivered->last_ns[rail]);
	} else { /* every rail once, in order */
		assert_int_equal(rail, delivered->in_read);
	}
	delivered->last_ns[rail] = reading->after_ns;
	delivered->in_read++;
	delivered->values++;
	return 0;
}

static int stop_at(void *context, size_t rail, const struct jm_reading *reading)
{
	(void)context;
	(void)rail;
	(void)reading;
	return JM_EINTERRUPTED;
}

static void read_some(
	const struct jm_sensor_ops *ops, void *sensor, const struct jm_sensor_info *info)
{
	struct delivered delivered = {.info = info};
	struct jm_reading_sink sink = {look_at, &delivered}, stop = {stop_at, NULL};
	struct jm_error error = {0};

	for (int i = 0; i < 50; i++) {
		delivered.in_read = 0;
		if (ops->read(sensor, &sink, &error) != 0)
			fail_msg("%s", error.message);
		if (!(info->flags & JM_SENSOR_STAMPED))
			assert_int_equal(delivered.in_read, info->n_rails);
		if (info->flags & JM_SENSOR_STAMPED && !delivered.values)
			jm_clock_sleep_until(jm_clock_monotonic_ns(NULL) + JM_NS_PER_MS);
	}
	assert_true(delivered.values > 0);
	if (!(info->flags & JM_SENSOR_STAMPED)) /* the sink's word is what it returns */
		assert_int_equal(ops->read(sensor, &stop, &error), JM_EINTERRUPTED);
}

/* The caller's word is what probe returns. */
static int refuse(void *context, const struct jm_sensor_info *info)
{
	(void)context;
	(void)info;
	return JM_EINTERRUPTED;
}

static void open_twice(const struct fixture *fixture, const struct jm_sensor_ops *ops,
	const struct jm_sensor_options *options, const struct jm_sensor_info *probed)
{
	int descriptors = count_descriptors();
	void *sensor = calloc(1, ops->state_size);

	ops->close(sensor); /* zeroed */
	for (int turn = 0; turn < 2; turn++) {
		const struct jm_sensor_info *info;

		memset(sensor, 0, ops->state_size);
		if (fixture->nvml)
			setenv("JM_FAKE_NVML", fixture->nvml, 1);
		assert_int_equal(ops->open(sensor, probed, options, NULL), 0);
		info = ops->info(sensor);
		expect_sane(ops, info);
		assert_string_equal(info->id, probed->id);
		assert_int_equal(info->n_rails, probed->n_rails);
		assert_ptr_equal(info, ops->info(sensor));
		read_some(ops, sensor, info);
		ops->close(sensor);
		assert_int_equal(count_descriptors(), descriptors);
	}
	ops->close(sensor); /* closed */
	free(sensor);
}

/* Probe, open, read, close: twice, in storage of exactly the size it asks for. */
static void test_life(void **state)
{
	int descriptors = count_descriptors();

	(void)state;
	for (size_t i = 0; i < n_fixtures; i++) {
		const struct jm_sensor_ops *ops = jm_sensor_find(fixtures[i].name);
		struct fake_clock clock = {INT64_C(1000000000), 100000};
		struct jm_sensor_options options =
			fake_options(&clock, fixtures[i].root, fixtures[i].argument);
		const struct jm_sensor_found nobody = {refuse, NULL};
		struct jm_sensor_info info, again;
		int n;

		set_nvml(fixtures[i].nvml);
		n = probe_first(ops, &options, &info, NULL);
		assert_true(n >= 1);
		assert_int_equal(count_descriptors(), descriptors);
		expect_sane(ops, &info);
		assert_int_equal(probe_first(ops, &options, &again, NULL), n);
		assert_string_equal(info.id, again.id);
		assert_int_equal(info.n_rails, again.n_rails);
		assert_int_equal(ops->probe(&options, &nobody, NULL), JM_EINTERRUPTED);
		assert_int_equal(count_descriptors(), descriptors);
		open_twice(&fixtures[i], ops, &options, &info);
		jm_sensor_info_release(&info);
		jm_sensor_info_release(&again);
	}
	set_nvml(NULL);
}

/* What is not there is 0; a bad option says so and leaves nothing open. */
static void test_refusals(void **state)
{
	int descriptors = count_descriptors();

	(void)state;
	for (size_t i = 0; i < n_fixtures; i++) {
		const struct jm_sensor_ops *ops = jm_sensor_find(fixtures[i].name);
		struct fake_clock clock = {INT64_C(1000000000), 100000};
		struct jm_sensor_options options =
			fake_options(&clock, fixtures[i].root, fixtures[i].argument);
		struct jm_sensor_info info, unused;
		struct jm_error error = {0};
		void *sensor;
		int n;

		if (!fixtures[i].bad_argument)
			continue;
		sensor = calloc(1, ops->state_size);
		set_nvml(fixtures[i].nvml);
		options.sysfs_root = "/nonexistent";
		assert_true(probe_first(ops, &options, &info, NULL) >= 0);
		jm_sensor_info_release(&info);
		options.sysfs_root = fixtures[i].root;
		assert_true(probe_first(ops, &options, &info, NULL) >= 1);
		options.argument = fixtures[i].bad_argument;
		n = probe_first(ops, &options, &unused, &error);
		assert_true(n < 0);
		assert_int_equal(error.code, n);
		assert_true(error.message[0]);
		memset(&error, 0, sizeof(error));
		n = ops->open(sensor, &info, &options, &error);
		assert_true(n < 0);
		assert_int_equal(error.code, n);
		ops->close(sensor);
		free(sensor);
		jm_sensor_info_release(&info);
		assert_int_equal(count_descriptors(), descriptors);
	}
	set_nvml(NULL);
}

/* ---- Sensors from outside -------------------------------------------------------------- */

static void refuse_build(struct jm_sensor_ops ops, int code, const char *words)
{
	static struct jm_sensor_ops kept[16];
	static size_t n;
	struct jm_error error = {0};

	kept[n] = ops;
	assert_int_equal(jm_sensors_add(&kept[n++], &error), code);
	if (!strstr(error.message, words))
		fail_msg("'%s' does not say '%s'", error.message, words);
}

static void refuse_ops(struct jm_sensor_ops ops, const char *words)
{
	refuse_build(ops, JM_EINVAL, words);
}

static void test_add(void **state)
{
	static struct jm_sensor_ops guest, others[JM_SENSORS_MAX];
	static char names[JM_SENSORS_MAX][16];
	struct jm_sensor_ops wrong;
	size_t n, before, i = 0;

	(void)state;
	jm_sensors(&before);
	guest = jm_sensor_sim;
	guest.name = "guest";
	wrong = guest;
	wrong.abi = 1;
	refuse_build(wrong, JM_EUNSUPPORTED, "version 1 of joulemap/sensor.h");
	wrong = guest;
	wrong.size--;
	refuse_build(wrong, JM_EUNSUPPORTED, "set its size by sizeof");
	wrong = guest;
	wrong.name = "";
	refuse_ops(wrong, "no name");
	wrong.name = "a:b";
	refuse_ops(wrong, "'a:b' is too long or has one of");
	wrong.name = "a+b";
	refuse_ops(wrong, "'a+b'");
	wrong.name = "sim";
	refuse_ops(wrong, "a sensor 'sim' already");
	wrong = guest;
	wrong.info = NULL;
	refuse_ops(wrong, "'guest' lacks the function 'info'");
	wrong = guest;
	wrong.read = NULL;
	refuse_ops(wrong, "lacks the function 'read'");
	assert_int_equal(jm_sensors_add(&guest, NULL), 0);
	assert_ptr_equal(jm_sensor_find("guest"), &guest);
	jm_sensors(&n);
	assert_int_equal(n, before + 1);
	for (; n < JM_SENSORS_MAX; n++, i++) {
		others[i] = guest;
		snprintf(names[i], sizeof(names[i]), "guest%zu", i);
		others[i].name = names[i];
		assert_int_equal(jm_sensors_add(&others[i], NULL), 0);
	}
	wrong = guest;
	wrong.name = "last";
	refuse_ops(wrong, "no room for sensor 'last'");
	jm_sensors_keep(0); /* our own stay */
	jm_sensors(&n);
	assert_int_equal(n, JM_SENSORS_MAX);
	jm_sensors_keep(before);
	assert_null(jm_sensor_find("guest"));
	assert_non_null(jm_sensor_find("sim"));
}

/* ---- Choice ----------------------------------------------------------------------------- */

/* Returns the result; the sensor, where there is one, is `ops`. */
static int choose(const char *wanted, struct jm_sensor_options *options,
	const struct jm_sensor_ops *ops, struct jm_error *reterr)
{
	const struct jm_sensor_ops *chosen = NULL;
	struct jm_sensor_info info;
	int result = jm_sensor_select(wanted, options, &chosen, &info, reterr);

	assert_ptr_equal(chosen, ops);
	if (result == 0)
		jm_sensor_info_release(&info);
	return result;
}

static void test_choice(void **state)
{
	struct fake_clock clock = {0, 1};
	struct jm_sensor_options options = fake_options(&clock, TREE("empty"), "left over");
	struct jm_error error;
	char wanted[256];

	(void)state;
	assert_int_equal(choose("sim", &options, &jm_sensor_sim, &error), 0);
	assert_null(options.argument);
	assert_int_equal(choose("sim:seed=3,tau_ms=0.8", &options, &jm_sensor_sim, &error), 0);
	assert_string_equal(options.argument, "seed=3,tau_ms=0.8");
	snprintf(wanted, sizeof(wanted), "replay:%s", log_path);
	assert_int_equal(choose(wanted, &options, &jm_sensor_replay, &error), 0);
	assert_int_equal(choose("replay", &options, NULL, &error), JM_EUSAGE);
	assert_non_null(strstr(error.message, "as in 'replay:FILE'"));
	assert_int_equal(choose("sim:x=1", &options, NULL, &error), JM_EUSAGE);
	/* Neither sim nor replay offers itself. */
	assert_int_equal(choose(NULL, &options, NULL, &error), JM_ENOSENSOR);
	assert_null(strstr(error.message, "replay:FILE"));
	assert_non_null(strstr(error.message, "looked for: INA3221"));
	set_nvml("");
	assert_int_equal(choose(NULL, &options, &jm_sensor_nvml, &error), 0);
	set_nvml("power=3"); /* a Jetson's: its monitor is taken, or this is what is said */
	assert_int_equal(choose(NULL, &options, NULL, &error), JM_ENOSENSOR);
	assert_non_null(strstr(error.message, "does not tell its power"));
	options.sysfs_root = TREE("xavier-nx-jp5");
	assert_int_equal(choose(NULL, &options, &jm_sensor_ina3221, &error), 0);
	set_nvml(""); /* a whole board before its GPU */
	assert_int_equal(choose(NULL, &options, &jm_sensor_ina3221, &error), 0);
	set_nvml(NULL);
	assert_int_equal(choose(NULL, &options, &jm_sensor_ina3221, &error), 0);
}

/* ---- Replay ------------------------------------------------------------------------------ */

static void expect_replayed(void *sensor, struct fake_clock *clock, int64_t at_ns, double ma)
{
	struct latest latest;

	clock->now_ns = at_ns;
	assert_int_equal(read_latest(&jm_sensor_replay, sensor, &latest, NULL), 0);
	assert_int_equal(latest.total, 1);
	assert_true(latest.readings[0].before_ns == at_ns);
	assert_true(latest.readings[0].value[1] == ma);
}

/* Each value from its own time on until the next one comes. */
static void test_replay(void **state)
{
	struct fake_clock clock = {INT64_C(77000000000), 0};
	struct jm_sensor_options options = fake_options(&clock, "", log_path);
	struct jm_sensor_info info;
	struct latest latest;
	struct jm_error error = {0};
	void *sensor = calloc(1, jm_sensor_replay.state_size);
	int64_t start = clock.now_ns;
	char looped[256];

	(void)state;
	assert_int_equal(probe_first(&jm_sensor_replay, &options, &info, NULL), 1);
	assert_int_equal(info.flags, JM_SENSOR_ON_REQUEST);
	assert_int_equal(jm_sensor_replay.open(sensor, &info, &options, NULL), 0);
	assert_float_equal(jm_sensor_replay.info(sensor)->poll_ms, 10.0, 0.1);
	expect_replayed(sensor, &clock, start, 800);
	expect_replayed(sensor, &clock, start + 49999999, 800);
	expect_replayed(sensor, &clock, start + 50000000, 808);
	expect_replayed(sensor, &clock, start + 5 * INT64_C(350000000), 800);
	expect_replayed(sensor, &clock, start + INT64_C(9999999999), 824);
	clock.now_ns = start + INT64_C(10000000000);
	assert_int_equal(read_latest(&jm_sensor_replay, sensor, &latest, &error), JM_ESENSOR);
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
	jm_sensor_info_release(&info);
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
			probe_first(&jm_sensor_replay, &options, &info, &error), JM_EFORMAT);
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
		cmocka_unit_test(test_add),
		cmocka_unit_test(test_choice),
		cmocka_unit_test(test_replay),
		cmocka_unit_test(test_replay_of_nothing),
	};

	return cmocka_run_group_tests(tests, make_log, drop_log);
}
