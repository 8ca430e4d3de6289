/* SPDX-License-Identifier: Apache-2.0 */
#include "run/run_keys.h"

/* A century, and year 2156: any time of the one clock can be put on the other. */
#define MONOTONIC_MAX_NS 3.2e18
#define REALTIME_MAX_NS 5.9e18
#define COUNT_MAX 9e15
#define TIME_MAX_MS 1e9
#define POWER_MAX_UW 1e15
#define ANY_MAX 1e18
#define SEED_MAX 9.3e18

static const char *const kinds[] = {
	NULL,
	[JM_SENSOR_INSTANT] = "instant",
	[JM_SENSOR_WINDOW] = "window",
	[JM_SENSOR_COUNTER] = "counter",
};

static const char *const scopes[] = {
	NULL,
	[JM_SCOPE_BOARD] = "board",
	[JM_SCOPE_CPU] = "cpu",
	[JM_SCOPE_GPU] = "gpu",
	[JM_SCOPE_BATTERY] = "battery",
	[JM_SCOPE_OTHER] = "other",
};

static const char *const quantities[] = {
	NULL,
	[JM_QUANTITY_MV_MA] = "mv_ma",
	[JM_QUANTITY_UW] = "uw",
	[JM_QUANTITY_UJ] = "uj",
};

static const char *const stamps[] = {
	NULL,
	[JM_STAMP_BEGIN] = "begin",
	[JM_STAMP_END] = "end",
	[JM_STAMP_CALLBACK] = "callback",
};

static const struct jm_key model_keys[] = {
	JM_KEY_TEXT(struct jm_run_model, name, "name"),
	JM_KEY_TEXT(struct jm_run_model, path, "path"),
	JM_KEY_TEXT(struct jm_run_model, sha256, "sha256"),
	JM_KEY_BOOL(struct jm_run_model, catalog, "catalog", -1),
};
static const struct jm_keys model_table = JM_KEYS(model_keys, jm_run_model);

static const struct jm_key config_keys[] = {
	JM_KEY_TEXT(struct jm_run_config, model, "model"),
	JM_KEY_TEXT(struct jm_run_config, dtype, "dtype"),
	JM_KEY_INTEGERS(struct jm_run_config, input_shape, n_input_shape, "input_shape",
		-COUNT_MAX, COUNT_MAX),
	JM_KEY_INTEGER(struct jm_run_config, warmup, "warmup", 0, COUNT_MAX, -1),
	JM_KEY_INTEGER(struct jm_run_config, runs, "runs", 0, COUNT_MAX, -1),
	JM_KEY_INTEGER(
		struct jm_run_config, optimization_level, "optimization_level", -1, 1000, -1),
	JM_KEY_TEXT(struct jm_run_config, result_dir, "result_dir"),
	JM_KEY_TEXT(struct jm_run_config, engine, "engine"),
	JM_KEY_TEXT(struct jm_run_config, sensor, "sensor"),
	JM_KEY_INTEGER(struct jm_run_config, threads, "threads", 0, 1e6, 0),
	JM_KEY_NUMBER(struct jm_run_config, rate_hz, "rate_hz", 0, 1e9),
	JM_KEY_NUMBER(struct jm_run_config, jitter_ms, "jitter_ms", 0, TIME_MAX_MS),
	JM_KEY_INTEGER(struct jm_run_config, seed, "seed", -SEED_MAX, SEED_MAX, 0),
	JM_KEY_TEXT(struct jm_run_config, command, "command"),
	JM_KEY_TEXT(struct jm_run_config, load, "load"),
	JM_KEY_NUMBER(struct jm_run_config, seconds, "seconds", 0, 1e9),
};
const struct jm_keys jm_run_config_keys = JM_KEYS(config_keys, jm_run_config);

/* The calibration is read and written by its own file's functions. */
static const struct jm_key rail_keys[] = {
	JM_KEY_TEXT(struct jm_run_rail, name, "name"),
	JM_KEY_NAME(struct jm_run_rail, quantity, "quantity", quantities),
	JM_KEY_INTEGER(struct jm_run_rail, parent, "parent", -1, 4095, -1),
	JM_KEY_NUMBERS(struct jm_run_rail, quantum, "quantum", 0, ANY_MAX),
	JM_KEY_NUMBER(struct jm_run_rail, range, "range", 0, 1e20),
};
static const struct jm_keys rail_table = JM_KEYS(rail_keys, jm_run_rail);

static const struct jm_key sensor_keys[] = {
	JM_KEY_TEXT(struct jm_run_sensor, name, "name"),
	JM_KEY_TEXT(struct jm_run_sensor, wanted, "wanted"),
	JM_KEY_TEXT(struct jm_run_sensor, id, "id"),
	JM_KEY_TEXT(struct jm_run_sensor, path, "path"),
	JM_KEY_TEXT(struct jm_run_sensor, device, "device"),
	JM_KEY_NAME(struct jm_run_sensor, kind, "kind", kinds),
	JM_KEY_NAME(struct jm_run_sensor, scope, "scope", scopes),
	JM_KEY_BOOL(struct jm_run_sensor, simulated, "simulated", 0),
	JM_KEY_BOOL(struct jm_run_sensor, stamped, "stamped", 0),
	JM_KEY_BOOL(struct jm_run_sensor, blocking, "blocking", 0),
	JM_KEY_INTEGER(struct jm_run_sensor, seed, "seed", -SEED_MAX, SEED_MAX, 0),
	JM_KEY_NUMBER(struct jm_run_sensor, round_ms, "round_ms", 0, TIME_MAX_MS),
	JM_KEY_NUMBER(struct jm_run_sensor, window_ms, "window_ms", 0, TIME_MAX_MS),
	JM_KEY_INTEGER(struct jm_run_sensor, samples, "samples", 0, 1e6, 0),
	JM_KEY_NUMBER(struct jm_run_sensor, poll_ms, "poll_ms", 0, TIME_MAX_MS),
	JM_KEY_TEXT(struct jm_run_sensor, provenance, "provenance"),
	JM_KEY_LIST(struct jm_run_sensor, rails, n_rails, "rails", &rail_table, 4096),
};
const struct jm_keys jm_run_sensor_keys = JM_KEYS(sensor_keys, jm_run_sensor);

static const struct jm_key power_log_keys[] = {
	JM_KEY_TEXT(struct jm_run_power_log, sensor, "sensor"),
	JM_KEY_TEXT(struct jm_run_power_log, rail, "rail"),
};
static const struct jm_keys power_log_table = JM_KEYS(power_log_keys, jm_run_power_log);

static const struct jm_key idle_keys[] = {
	JM_KEY_NUMBER(struct jm_run_idle, power_uw, "power_uw", -POWER_MAX_UW, POWER_MAX_UW),
	JM_KEY_NUMBER(struct jm_run_idle, error_uw, "error_uw", 0, POWER_MAX_UW),
	JM_KEY_BOOL(struct jm_run_idle, measured_now, "measured_now", -1),
};
static const struct jm_keys idle_table = JM_KEYS(idle_keys, jm_run_idle);

static const struct jm_key clock_keys[] = {
	JM_KEY_INTEGER(
		struct jm_run_clock, monotonic_ns, "monotonic_ns", 0, MONOTONIC_MAX_NS, -1),
	JM_KEY_INTEGER(struct jm_run_clock, realtime_ns, "realtime_ns", 0, REALTIME_MAX_NS, -1),
	JM_KEY_INTEGER(
		struct jm_run_clock, uncertainty_ns, "uncertainty_ns", 0, MONOTONIC_MAX_NS, -1),
	JM_KEY_INTEGER(struct jm_run_clock, utc_offset_s, "utc_offset_s", -86400, 86400,
		JM_RUN_NO_OFFSET),
};
static const struct jm_keys clock_table = JM_KEYS(clock_keys, jm_run_clock);

static const struct jm_key input_keys[] = {
	JM_KEY_TEXT(struct jm_run_input, name, "name"),
	JM_KEY_TEXT(struct jm_run_input, dtype, "dtype"),
	JM_KEY_INTEGERS(struct jm_run_input, shape, n_shape, "shape", -COUNT_MAX, COUNT_MAX),
};
static const struct jm_keys input_table = JM_KEYS(input_keys, jm_run_input);

static const struct jm_key engine_keys[] = {
	JM_KEY_TEXT(struct jm_run_engine, name, "name"),
	JM_KEY_TEXT(struct jm_run_engine, version, "version"),
	JM_KEY_TEXT(struct jm_run_engine, library, "library"),
	JM_KEY_TEXT(struct jm_run_engine, tracing, "tracing"),
	JM_KEY_TEXT(struct jm_run_engine, tracing_note, "tracing_note"),
	JM_KEY_TEXT(struct jm_run_engine, input_note, "input_note"),
	JM_KEY_NAME(struct jm_run_engine, scope, "scope", scopes),
	JM_KEY_INTEGER(struct jm_run_engine, threads, "threads", 0, 1e6, 0),
	JM_KEY_INTEGER(
		struct jm_run_engine, optimization_level, "optimization_level", 0, 1000, -1),
	JM_KEY_NUMBER(struct jm_run_engine, trace_bias_us, "trace_bias_us", -1e12, 1e12),
	JM_KEY_NUMBER(struct jm_run_engine, trace_bias_sd_us, "trace_bias_sd_us", 0, 1e12),
	JM_KEY_NUMBER(
		struct jm_run_engine, network_untraced_ms, "network_untraced_ms", 0, 1e12),
	JM_KEY_NUMBER(struct jm_run_engine, network_traced_ms, "network_traced_ms", 0, 1e12),
	JM_KEY_LIST(struct jm_run_engine, inputs, n_inputs, "inputs", &input_table, 4096),
	JM_KEY_OPEN(struct jm_run_engine, settings, "settings"),
	JM_KEY_TEXT(struct jm_run_engine, load, "load"),
};
const struct jm_keys jm_run_engine_keys = JM_KEYS(engine_keys, jm_run_engine);

static const struct jm_key schedule_keys[] = {
	JM_KEY_TEXT(struct jm_run_schedule, kind, "kind"),
	JM_KEY_NUMBER(struct jm_run_schedule, pause_max_ms, "pause_max_ms", 0, TIME_MAX_MS),
	JM_KEY_INTEGER(struct jm_run_schedule, seed, "seed", -SEED_MAX, SEED_MAX, 0),
};
const struct jm_keys jm_run_schedule_keys = JM_KEYS(schedule_keys, jm_run_schedule);

static const struct jm_key plugin_keys[] = {
	JM_KEY_TEXT(struct jm_run_plugin, name, "name"),
	JM_KEY_TEXT(struct jm_run_plugin, version, "version"),
	JM_KEY_TEXT(struct jm_run_plugin, path, "path"),
};
static const struct jm_keys plugin_table = JM_KEYS(plugin_keys, jm_run_plugin);

static const struct jm_key run_keys[] = {
	JM_KEY_TEXT(struct jm_run, joulemap, "joulemap"),
	JM_KEY_OBJECT(struct jm_run, model, "model", &model_table),
	JM_KEY_OBJECT(struct jm_run, config, "config", &jm_run_config_keys),
	JM_KEY_LIST(struct jm_run, plugins, n_plugins, "plugins", &plugin_table, 1024),
	JM_KEY_LIST(struct jm_run, sensors, n_sensors, "sensors", &jm_run_sensor_keys, 1024),
	JM_KEY_OBJECT(struct jm_run, power_log, "power_log", &power_log_table),
	JM_KEY_OBJECT(struct jm_run, idle, "idle", &idle_table),
	JM_KEY_OPEN(struct jm_run, board, "board"),
	JM_KEY_OPEN(struct jm_run, state_before, "state_before"),
	JM_KEY_OPEN(struct jm_run, state_after, "state_after"),
	JM_KEY_OBJECT(struct jm_run, clock, "clock", &clock_table),
	JM_KEY_OBJECT(struct jm_run, clock_end, "clock_end", &clock_table),
	JM_KEY_INTEGER(struct jm_run, started_ns, "started_ns", 0, MONOTONIC_MAX_NS, -1),
	JM_KEY_OBJECT(struct jm_run, engine, "engine", &jm_run_engine_keys),
	JM_KEY_OBJECT(struct jm_run, schedule, "schedule", &jm_run_schedule_keys),
	JM_KEY_NAME(struct jm_run, stamp, "stamp", stamps),
	JM_KEY_NUMBER(struct jm_run, load_of_others, "load_of_others", 0, 1e6),
	JM_KEY_BOOL(struct jm_run, throttling_seen, "throttling_seen", -1),
	JM_KEY_OPEN(struct jm_run, inference, "inference"),
	JM_KEY_OPEN(struct jm_run, logger, "logger"),
	JM_KEY_INTEGER(struct jm_run, cycles, "cycles", 0, COUNT_MAX, -1),
	JM_KEY_TEXT(struct jm_run, outcome, "outcome"),
	JM_KEY_BOOL(struct jm_run, orderly_end, "orderly_end", -1),
	JM_KEY_INTEGER(struct jm_run, bytes_dropped, "bytes_dropped", 0, ANY_MAX, -1),
};
const struct jm_keys jm_run_keys = JM_KEYS(run_keys, jm_run);

static const struct jm_key sensors_only_keys[] = {
	JM_KEY_LIST(struct jm_run, sensors, n_sensors, "sensors", &jm_run_sensor_keys, 1024),
};
const struct jm_keys jm_run_sensors_only_keys = JM_KEYS(sensors_only_keys, jm_run);
