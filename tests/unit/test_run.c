/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <math.h>

#include "base/json_keys.h"
#include "run/run.h"
#include "run/run_keys.h"
#include "scratch.h"

#define RUNS JM_TEST_DATA "/runs/"

/* The rail that is fitted; NULL: not known. */
static const struct jm_run_rail *first_rail(const struct jm_run *run)
{
	struct jm_run_subject subject;

	jm_run_subject_get(run, &subject);
	return subject.rail;
}

static struct jm_run run, again;

static void read_run(const char *path)
{
	struct jm_error error = {0};

	if (jm_run_read(path, &run, &error) < 0)
		fail_msg("%s", error.message);
}

static void parse(const char *text, struct jm_run *ret_run)
{
	struct jm_error error = {0};

	if (jm_run_parse("test", text, strlen(text), ret_run, &error) < 0)
		fail_msg("%s in %s", error.message, text);
}

/* What is written reads back as the same, to the last bit of its text. */
static void expect_stable(const struct jm_run *original)
{
	char *first = jm_run_format(original), *second;

	assert_non_null(first);
	parse(first, &again);
	second = jm_run_format(&again);
	for (size_t i = 0; first[i] || second[i]; i++)
		if (first[i] != second[i])
			fail_msg("became %.60s: %.60s", first + (i < 30 ? 0 : i - 30),
				second + i);
	jm_run_release(&again);
	free(first);
	free(second);
}

/* ---- Every field ------------------------------------------------------------------- */

/* Gives every field of a table a value of its own. */
static void fill(const struct jm_keys *keys, void *object, int *counter);

static void fill_list(const struct jm_key *key, char *at, size_t *count, int *counter)
{
	char *list = calloc(2, key->keys->size);

	for (size_t i = 0; i < 2; i++) {
		jm_keys_init(key->keys, list + i * key->keys->size);
		fill(key->keys, list + i * key->keys->size, counter);
	}
	memcpy(at, &list, sizeof(list));
	*count = 2;
}

static void fill_one(const struct jm_key *key, char *object, int *counter)
{
	char *at = object + key->offset;
	size_t *count = (size_t *)(void *)(object + key->count_offset);
	int value = ++*counter;
	int64_t wide = value;
	double *numbers = (double *)(void *)at;

	switch (key->kind) {
	case JM_KIND_TEXT:
		snprintf(at, key->size, "text \"%d\" \xc3\xa9", value);
		break;
	case JM_KIND_NUMBER:
		numbers[0] = value / 3.0;
		break;
	case JM_KIND_NUMBERS:
		for (size_t i = 0; i < key->size / sizeof(double); i++)
			numbers[i] = value + 0.1 * (double)(i + 1);
		break;
	case JM_KIND_INTEGER:
		if (key->size == 4)
			*(int *)(void *)at = value;
		else
			memcpy(at, &wide, sizeof(wide));
		break;
	case JM_KIND_BOOL:
		*(int *)(void *)at = 1;
		break;
	case JM_KIND_NAME:
		*(int *)(void *)at = 1 + value % ((int)key->n_names - 1);
		break;
	case JM_KIND_INTEGERS:
		*count = key->size / sizeof(int64_t);
		for (size_t i = 0; i < *count; i++)
			((int64_t *)(void *)at)[i] = value + (int64_t)i;
		break;
	case JM_KIND_OPEN:
		*(json_t **)(void *)at = json_pack("{s:i}", "any", value);
		break;
	case JM_KIND_OBJECT:
		fill(key->keys, at, counter);
		break;
	case JM_KIND_LIST:
		fill_list(key, at, count, counter);
		break;
	}
}

static void fill(const struct jm_keys *keys, void *object, int *counter)
{
	for (size_t i = 0; i < keys->n; i++)
		fill_one(&keys->key[i], object, counter);
}

/* Every key of the tables is in the text. */
static void expect_keys(const struct jm_keys *keys, const json_t *json)
{
	for (size_t i = 0; i < keys->n; i++) {
		const json_t *value = json_object_get(json, keys->key[i].name);

		if (!value)
			fail_msg("'%s' is not written", keys->key[i].name);
		if (keys->key[i].kind == JM_KIND_OBJECT)
			expect_keys(keys->key[i].keys, value);
		if (keys->key[i].kind == JM_KIND_LIST)
			expect_keys(keys->key[i].keys, json_array_get(value, 1));
	}
}

static struct jm_calibration some_calibration(void)
{
	return (struct jm_calibration){.board = "board",
		.sensor = "sensor",
		.rail = "VDD_IN",
		.created = "2025-01-31T12:00:00Z",
		.joulemap = "0.1.0",
		.load = "cpu",
		.sensor_round_ms = 6.6,
		.sensor_window_ms = 1.1,
		.round_ms = 6.61,
		.window_ms = 1.0 / 3,
		.window_sd_ms = 0.1,
		.delay_ms = (double)NAN,
		.delay_sd_ms = (double)NAN,
		.tau_ms = 0.3,
		.tau_sd_ms = 0.01,
		.step_w = 2,
		.step_sd_w = 0.02,
		.noise_w = 0.1,
		.conversions = 7,
		.spans = 8};
}

static void test_every_field(void **state)
{
	int counter = 0;
	json_t *json;
	char *text;

	(void)state;
	jm_run_init(&run);
	fill(&jm_run_keys, &run, &counter);
	strcpy(run.model.name, "model");
	run.sensors[1].rails[1].calibrated = 1;
	run.sensors[1].rails[1].calibration = some_calibration();
	text = jm_run_format(&run);
	json = json_loads(text, 0, NULL);
	assert_int_equal(json_integer_value(json_object_get(json, "schema")), 2);
	expect_keys(&jm_run_keys, json);
	json_decref(json);
	expect_stable(&run);
	/* Values, not only texts. */
	parse(text, &again);
	free(text);
	assert_string_equal(again.config.dtype, run.config.dtype);
	assert_true(again.sensors[1].rails[1].quantum[1] == run.sensors[1].rails[1].quantum[1]);
	assert_true(again.sensors[1].rails[1].calibration.window_ms == 1.0 / 3);
	assert_true(isnan(again.sensors[1].rails[1].calibration.delay_ms));
	assert_int_equal(again.sensors[0].rails[1].calibrated, 0);
	assert_int_equal(again.sensors[1].kind, run.sensors[1].kind);
	assert_int_equal(again.stamp, run.stamp);
	assert_true(again.clock_end.realtime_ns == run.clock_end.realtime_ns);
	assert_true(again.engine.inputs[1].shape[7] == run.engine.inputs[1].shape[7]);
	assert_true(again.load_of_others == run.load_of_others);
	jm_run_release(&again);
	jm_run_release(&run);
}

static void test_nothing_known(void **state)
{
	char *text;

	(void)state;
	jm_run_init(&run);
	text = jm_run_format(&run);
	assert_string_equal(text, "{\n  \"schema\": 2\n}\n");
	free(text);
	parse("{\"idle\": null, \"sensors\": null, \"engine\": {\"threads\": null}}", &run);
	assert_true(isnan(run.idle.power_uw) && isnan(run.load_of_others));
	assert_int_equal(run.idle.measured_now, -1);
	assert_int_equal(run.throttling_seen, -1);
	assert_true(run.cycles == -1 && run.started_ns == -1 && run.clock.monotonic_ns == -1);
	assert_int_equal(run.stamp, 0);
	assert_null(first_rail(&run));
	assert_int_equal(jm_run_is_simulated(&run), 0);
	jm_run_release(&run);
	jm_run_release(&run); /* twice does no harm */
}

/* A path of any bytes is written as one that can be read. */
static void test_bytes(void **state)
{
	(void)state;
	jm_run_init(&run);
	memset(run.model.path, 0xff, sizeof(run.model.path) - 1);
	strcpy(run.model.name, "caf\xe9");
	expect_stable(&run);
	jm_run_release(&run);
}

/* ---- Earlier versions ------------------------------------------------------------------ */

static void test_schema_1(void **state)
{
	const struct jm_run_rail *rail;

	(void)state;
	read_run(RUNS "schema1/lenet/run.json");
	assert_string_equal(run.model.name, "lenet");
	assert_int_equal(run.model.catalog, 1);
	assert_true(run.config.runs == 40 && run.config.warmup == 50);
	assert_true(run.config.n_input_shape == 4 && run.config.input_shape[3] == 32);
	assert_true(isnan(run.config.jitter_ms) && run.config.optimization_level == -1);
	assert_int_equal(run.n_sensors, 1);
	assert_string_equal(run.sensors[0].id, "sim");
	assert_int_equal(run.sensors[0].kind, JM_SENSOR_WINDOW);
	assert_true(run.sensors[0].round_ms == 6.6 && run.sensors[0].window_ms == 1.1);
	assert_true(jm_run_is_simulated(&run));
	rail = first_rail(&run);
	assert_non_null(rail);
	assert_string_equal(rail->name, "VDD_IN");
	assert_true(rail->quantity == JM_QUANTITY_MV_MA && rail->parent == -1);
	assert_true(rail->quantum[0] == 8 && rail->quantum[1] == 8);
	assert_int_equal(rail->calibrated, 0);
	assert_true(run.idle.power_uw == 4373208.57206 && run.idle.measured_now == 1);
	assert_true(run.clock.monotonic_ns == 1849429151007 && run.clock.utc_offset_s == 0);
	assert_string_equal(run.engine.name, "onnxruntime");
	assert_true(run.engine.threads == 2 && run.engine.trace_bias_us == 4.1536);
	assert_true(run.engine.n_inputs == 1 && run.engine.inputs[0].shape[2] == 32);
	assert_string_equal(run.schedule.kind, "jitter");
	assert_true(run.schedule.pause_max_ms == 0.001467 && run.schedule.seed == 1);
	assert_true(run.stamp == JM_STAMP_END && run.cycles == 40 && run.orderly_end == 1);
	assert_string_equal(run.outcome, "complete");
	assert_string_equal(run.power_log.rail, "VDD_IN");
	assert_true(json_is_object(run.logger) && json_is_object(run.board));
	expect_stable(&run);
	jm_run_release(&run);
}

static void test_schema_1_others(void **state)
{
	int64_t shift;

	(void)state;
	read_run(RUNS "schema1-killed/lenet/spool/session.json");
	assert_string_equal(run.model.name, "lenet");
	assert_int_equal(first_rail(&run)->calibrated, 1);
	assert_string_equal(first_rail(&run)->calibration.sensor, "sim: seed 1");
	assert_true(run.started_ns > 0 && run.cycles == -1 && !run.outcome[0]);
	assert_int_equal(jm_run_clock_shift(&run.clock, &shift, NULL), 0);
	assert_true(shift == run.clock.realtime_ns - run.clock.monotonic_ns);
	expect_stable(&run);
	jm_run_release(&run);

	read_run(RUNS "schema1-calibration.json");
	assert_string_equal(run.config.load, "cpu");
	assert_true(run.config.seconds == 2);
	assert_string_equal(run.engine.name, "load");
	assert_true(run.engine.load[0] && isnan(run.idle.power_uw));
	expect_stable(&run);
	jm_run_release(&run);

	read_run(RUNS "schema1-counter.json");
	assert_int_equal(run.sensors[0].kind, JM_SENSOR_COUNTER);
	assert_int_equal(first_rail(&run)->quantity, JM_QUANTITY_UJ);
	assert_true(first_rail(&run)->quantum[0] == 61.03515625);
	assert_true(run.cycles == 300 && jm_run_is_simulated(&run));
	expect_stable(&run);
	jm_run_release(&run);
}

/* ---- What cannot be ---------------------------------------------------------------------- */

static void test_refused(void **state)
{
	static const struct {
		const char *text;
		int code;
		const char *part;
	} cases[] = {
		{"{\"schema\": 3}", JM_EUNSUPPORTED, "'test' was written by a later version"},
		{"{\"schema\": \"2\"}", JM_EFORMAT, "'schema'"},
		{"{\"schema\": -1}", JM_EFORMAT, "'schema'"},
		{"[]", JM_EFORMAT, "'test' holds no JSON object"},
		{"{\"model\": ", JM_EFORMAT, "'test' line 1"},
		{"{\"model\": 1}", JM_EFORMAT, "'test': 'model' is not an object"},
		{"{\"model\": {\"name\": \"../x\"}}", JM_EFORMAT, "'model.name'"},
		{"{\"model\": {\"name\": \"..\"}}", JM_EFORMAT, "'model.name'"},
		{"{\"model\": {\"name\": 7}}", JM_EFORMAT, "'model.name' is not a text"},
		{"{\"model\": {\"catalog\": 7}}", JM_EFORMAT, "'model.catalog' is not true"},
		{"{\"idle\": {\"power_uw\": 1e300}}", JM_EFORMAT, "'idle.power_uw' is not a n"},
		{"{\"idle\": {\"power_uw\": \"inf\"}}", JM_EFORMAT, "'idle.power_uw'"},
		{"{\"idle\": {\"power_uw\": \"x\"}}", JM_EFORMAT, "'idle.power_uw'"},
		{"{\"clock\": {\"realtime_ns\": 9223372036854775807}}", JM_EFORMAT,
			"'clock.realtime_ns' is not a number from 0"},
		{"{\"clock\": {\"monotonic_ns\": -5}}", JM_EFORMAT, "'clock.monotonic_ns'"},
		{"{\"clock\": {\"utc_offset_s\": 1.5}}", JM_EFORMAT, "whole number"},
		{"{\"stamp\": \"middle\"}", JM_EFORMAT, "'stamp' is not one of begin, end, ca"},
		{"{\"board\": []}", JM_EFORMAT, "'board' is not an object"},
		{"{\"config\": {\"input_shape\": [1,2,3,4,5,6,7,8,9]}}", JM_EFORMAT,
			"'config.input_shape'"},
		{"{\"config\": {\"input_shape\": [1e300]}}", JM_EFORMAT, "'config.input_shape"},
		{"{\"schema\": 2, \"sensors\": {}}", JM_EFORMAT, "'sensors' is not a list"},
		{"{\"schema\": 2, \"sensors\": [{}, {\"rails\": [{\"quantity\": 9}]}]}",
			JM_EFORMAT, "'sensors[1].rails[0].quantity' is not one of mv_ma, uw"},
		{"{\"schema\": 2, \"sensors\": [{\"rails\": [{\"calibration\": 1}]}]}",
			JM_EFORMAT, "'sensors[0].rails[0].calibration'"},
		{"{\"schema\": 2, \"sensors\": [{\"rails\": [{\"quantum\": [1]}]}]}",
			JM_EFORMAT, "'sensors[0].rails[0].quantum'"},
		{"{\"sensor\": {\"round_ms\": -1}}", JM_EFORMAT, "'sensors[0].round_ms'"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct jm_error error = {0};

		assert_int_equal(jm_run_parse("test", cases[i].text, strlen(cases[i].text),
					 &run, &error),
			cases[i].code);
		if (!strstr(error.message, cases[i].part))
			fail_msg("'%s' is not in '%s'", cases[i].part, error.message);
		jm_run_release(&run);
	}
}

/* ---- Files and parts -------------------------------------------------------------------- */

static void test_file(void **state)
{
	struct jm_error error = {0};

	(void)state;
	read_run(RUNS "schema1/lenet/run.json");
	assert_int_equal(jm_run_write(scratch_path("run.json"), &run, &error), 0);
	assert_int_equal(jm_run_read(scratch_path("run.json"), &again, &error), 0);
	assert_string_equal(again.sensors[0].provenance, run.sensors[0].provenance);
	jm_run_release(&again);
	jm_run_release(&run);
	assert_true(jm_run_read(scratch_path("none.json"), &run, &error) < 0);
	jm_run_release(&run);
	assert_int_equal(jm_run_clock_shift(&run.clock, &(int64_t){0}, &error), JM_ENOTFOUND);
	jm_run_clock_read(&run.clock);
	assert_true(run.clock.monotonic_ns > 0 && run.clock.utc_offset_s >= -86400);
}

static void test_sensor_record(void **state)
{
	struct jm_error error = {0};
	const char *old = "{\"rails\": [{\"name\": \"A\", \"quantity\": 2, \"parent\": -1, "
			  "\"quantum_0\": 0.0, \"quantum_1\": 0.0}, {\"name\": \"B\", "
			  "\"quantity\": 3, \"parent\": 0}]}";
	char *text;

	(void)state;
	jm_run_init(&run);
	assert_int_equal(jm_run_sensors_parse(&run, "spool", old, strlen(old), &error), 0);
	assert_true(run.n_sensors == 1 && run.sensors[0].n_rails == 2);
	assert_true(run.sensors[0].rails[1].parent == 0);
	assert_true(run.sensors[0].rails[1].quantity == JM_QUANTITY_UJ);
	assert_true(isnan(run.sensors[0].rails[0].quantum[0]));
	text = jm_run_sensors_format(run.sensors, run.n_sensors);
	assert_int_equal(jm_run_sensors_parse(&run, "spool", text, strlen(text), &error), 0);
	assert_true(run.n_sensors == 1 && run.sensors[0].n_rails == 2);
	assert_string_equal(run.sensors[0].rails[1].name, "B");
	free(text);
	assert_int_equal(jm_run_sensors_parse(&run, "spool", "{}", 2, &error), 0);
	assert_int_equal(run.sensors[0].n_rails, 0);
	assert_int_equal(
		jm_run_sensors_parse(&run, "spool", "{\"rails\": 1}", 12, &error), JM_EFORMAT);
	jm_run_release(&run);
}

static void test_sensor_set(void **state)
{
	struct jm_rail_info rail = {.name = "VDD_IN",
		.quantity = JM_QUANTITY_MV_MA,
		.parent = -1,
		.quantum = {8},
		.range = 70};
	struct jm_sensor_info info = {.id = "ina3221:1-0040",
		.path = "/sys/x",
		.device = "GPU-1",
		.kind = JM_SENSOR_WINDOW,
		.scope = JM_SCOPE_BOARD,
		.flags = JM_SENSOR_SIMULATED | JM_SENSOR_BLOCKING,
		.round_ms = 6.6,
		.samples = 4,
		.rails = &rail,
		.n_rails = 1};
	struct jm_sensor_info again;
	struct jm_run_sensor *sensor;
	struct jm_error error = {0};

	(void)state;
	jm_run_init(&run);
	sensor = jm_run_add_sensor(&run);
	for (int i = 0; i < 2; i++)
		assert_int_equal(
			jm_run_sensor_set(sensor, "ina3221", &info, 9, NULL, &error), 0);
	assert_string_equal(sensor->wanted, "ina3221:1-0040");
	assert_true(sensor->round_ms == 6.6 && isnan(sensor->window_ms));
	assert_true(sensor->rails[0].quantum[0] == 8 && isnan(sensor->rails[0].quantum[1]));
	assert_true(jm_run_is_simulated(&run) && sensor->samples == 4 && sensor->seed == 9);
	assert_int_equal(jm_run_sensor_set(sensor, "ina3221", &info, 9, "ina", &error), 0);
	assert_string_equal(sensor->wanted, "ina");
	assert_true(sensor->blocking && !sensor->stamped && sensor->rails[0].range == 70);
	jm_run_sensor_info(sensor, &again);
	assert_string_equal(again.id, info.id);
	assert_string_equal(again.device, info.device);
	assert_true(again.flags == info.flags && again.scope == info.scope);
	assert_true(again.round_ms == 6.6 && again.window_ms == 0 && !again.n_rails);
	expect_stable(&run);
	jm_run_release(&run);
}

static void test_engine_record(void **state)
{
	const char *old = "{\"engine\": \"onnxruntime\", \"version\": \"1.30.0\", \"threads\": "
			  "2, \"schedule\": {\"kind\": \"none\"}}";
	struct jm_tensor tensor = {.name = (char[]){"x"}, "float32", 2, {1, -1}};
	struct jm_graph graph = {.inputs = &tensor, .n_inputs = 1};
	struct jm_engine_info info = {.version = "2", .library = "lib", .threads = 3};
	struct jm_error error = {0};
	json_t *json;
	char *text;

	(void)state;
	jm_run_init(&run);
	assert_int_equal(jm_run_engine_parse(&run, "spool", old, strlen(old), &error), 0);
	assert_string_equal(run.engine.name, "onnxruntime");
	assert_string_equal(run.schedule.kind, "none");
	assert_int_equal(run.engine.optimization_level, -1);
	assert_int_equal(jm_run_engine_set(&run.engine, "own", &info, NULL, &graph, &error), 0);
	json = jm_run_engine_json(&run.engine, &run.schedule);
	text = json_dumps(json, 0);
	json_decref(json);
	jm_run_release(&run);
	assert_int_equal(jm_run_engine_parse(&run, "spool", text, strlen(text), &error), 0);
	free(text);
	assert_string_equal(run.engine.name, "own");
	assert_true(run.engine.threads == 3 && run.engine.inputs[0].shape[1] == -1);
	assert_string_equal(run.schedule.kind, "none");
	assert_int_equal(jm_run_engine_parse(&run, "spool", "{\"threads\": -4}", 15, &error),
		JM_EFORMAT);
	assert_non_null(strstr(error.message, "'spool': 'threads'"));
	jm_run_release(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_field),
		cmocka_unit_test(test_nothing_known),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_schema_1),
		cmocka_unit_test(test_schema_1_others),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_sensor_record),
		cmocka_unit_test(test_sensor_set),
		cmocka_unit_test(test_engine_record),
	};

	return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
