/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything that run.json says of a run. While a run is measured the same lies
 * in spool/session.json, and what its processes say of sensor and engine in
 * their spools' first records. One reader and one writer, for all of them.
 *
 * Not known: NaN, "", 0 of enums, or what the field's comment says. In the file
 * such a key is not there (null reads the same).
 */
#ifndef JM_RUN_RUN_H
#define JM_RUN_RUN_H

#include <jansson.h>

#include "base/file.h"
#include "joulemap/engine.h"
#include "joulemap/sensor.h"
#include "run/calibration.h"

#define JM_RUN_SCHEMA 2

struct jm_run_model {
	char name[JM_PATH_MAX]; /* of its files: without '/' */
	char path[JM_PATH_MAX];
	char sha256[65];
	int catalog; /* 1: of joulemap's own catalogue; -1: not known */
};

/* What was asked for, under the names that the original gave its options. */
struct jm_run_config {
	char model[JM_PATH_MAX];
	char dtype[32];
	int64_t input_shape[JM_SHAPE_MAX];
	size_t n_input_shape;
	int64_t warmup, runs;   /* -1: not known */
	int optimization_level; /* -1: left to the engine */
	char result_dir[JM_PATH_MAX];
	char engine[JM_NAME_MAX];
	char sensor[2 * JM_NAME_MAX];
	int threads;    /* 0: left to the engine */
	double rate_hz; /* 0: left to the sensor */
	double jitter_ms;
	uint64_t seed;
	char command[1024]; /* instead of an engine: its words, cut where it is longer */
	/* Of a calibration: the load and its length. */
	char load[JM_NAME_MAX];
	double seconds;
};

struct jm_run_rail {
	char name[JM_NAME_MAX];
	enum jm_quantity quantity;
	int parent;        /* index of the rail that contains this one, -1: none */
	double quantum[2]; /* step of value[] */
	double range;      /* of a counter: where it wraps; else what no value reaches */
	int calibrated;    /* 1: the calibration is what was known before the run */
	struct jm_calibration calibration;
};

/* A sensor: all that is needed to select it again, and its rails. */
struct jm_run_sensor {
	char name[JM_NAME_MAX]; /* of the back end */
	char wanted[512];       /* what the user asked for, else its id */
	char id[JM_NAME_MAX];
	char path[512];
	char device[JM_NAME_MAX];
	enum jm_sensor_kind kind;
	enum jm_scope scope;
	int simulated, stamped, blocking;
	uint64_t seed;
	double round_ms, window_ms;
	unsigned samples; /* 0: none, or not known */
	double poll_ms;
	char provenance[512];
	struct jm_run_rail *rails; /* [n_rails], owned */
	size_t n_rails;
};

/* What the log in the original's format holds. */
struct jm_run_power_log {
	char sensor[JM_NAME_MAX]; /* its id; "": the first sensor */
	char rail[JM_NAME_MAX];   /* "": the first rail; "total": the sum of the roots */
};

/* Subtracted as idle power. */
struct jm_run_idle {
	double power_uw;
	double error_uw;
	int measured_now; /* 0: found in the result folder; -1: not known */
};

/* Both clocks at one moment. */
struct jm_run_clock {
	int64_t monotonic_ns; /* of this and the next two -1: not known */
	int64_t realtime_ns;
	int64_t uncertainty_ns;
	int utc_offset_s; /* of local time; JM_RUN_NO_OFFSET: not known */
};

#define JM_RUN_NO_OFFSET 1000000

struct jm_run_input {
	char name[256];
	char dtype[32];
	int64_t shape[JM_DIMS_MAX]; /* -1: not known */
	size_t n_shape;
};

/* What the inference process says of its engine, or a calibration of its load. */
struct jm_run_engine {
	char name[JM_NAME_MAX];
	char version[JM_NAME_MAX];
	char library[JM_PATH_MAX];
	char tracing[JM_NAME_MAX];
	char tracing_note[JM_ERROR_MESSAGE_MAX]; /* what was left out, and why; or "" */
	char input_note[JM_ERROR_MESSAGE_MAX];   /* what was chosen for its inputs; or "" */
	enum jm_scope scope;
	int threads;            /* 0: not known */
	int optimization_level; /* -1: not known */
	double trace_bias_us, trace_bias_sd_us;
	double network_untraced_ms, network_traced_ms;
	struct jm_run_input *inputs; /* [n_inputs], owned */
	size_t n_inputs;
	json_t *settings; /* its own options as they were given, owned; NULL: none */
	char load[256];   /* of a calibration, in words */
};

/* How cycles follow each other. */
struct jm_run_schedule {
	char kind[16];       /* "none", "jitter" */
	double pause_max_ms; /* of random pauses between cycles */
	uint64_t seed;
};

/* A plug-in that was loaded. */
struct jm_run_plugin {
	char name[JM_NAME_MAX];
	char version[JM_NAME_MAX];
	char path[JM_PATH_MAX];
};

struct jm_run {
	char joulemap[JM_NAME_MAX]; /* the version that wrote it */
	struct jm_run_model model;
	struct jm_run_config config;
	struct jm_run_plugin *plugins; /* [n_plugins], owned */
	size_t n_plugins;
	struct jm_run_sensor *sensors; /* [n_sensors], owned */
	size_t n_sensors;
	struct jm_run_power_log power_log;
	struct jm_run_idle idle;
	/* As machine/ describes them: objects of any keys, owned; NULL: none. */
	json_t *board, *state_before, *state_after;
	struct jm_run_clock clock, clock_end; /* at begin and end */
	int64_t started_ns;                   /* monotonic; -1: not known */
	struct jm_run_engine engine;
	struct jm_run_schedule schedule;
	enum jm_stamp stamp;        /* of the latency file */
	double load_of_others;      /* share of the machine's processor time */
	int throttling_seen;        /* -1: not known */
	json_t *inference, *logger; /* each process's own statistics, owned; NULL: none */
	int64_t cycles;             /* -1: not known */
	char outcome[2 * JM_NAME_MAX];
	int orderly_end;       /* both processes ended in order; -1: not known */
	int64_t bytes_dropped; /* of torn blocks of the spools; -1: not known */
};

/* Nothing known. */
void jm_run_init(struct jm_run *run);
void jm_run_release(struct jm_run *run);

/*
 * Reads run.json or session.json, of this schema or an earlier one.
 * JM_EUNSUPPORTED: of a later version of joulemap. JM_EFORMAT names file and
 * key. *ret_run is initialised here and to be released after a failure too.
 */
int jm_run_read(const char *path, struct jm_run *ret_run, struct jm_error *reterr);
/* The same of a text; `name` stands in messages. */
int jm_run_parse(const char *name, const char *text, size_t size, struct jm_run *ret_run,
	struct jm_error *reterr);

/* Writes it whole and waits until it is on the disk. */
int jm_run_write(const char *path, const struct jm_run *run, struct jm_error *reterr);
/* Its text, freed with free(); NULL when out of memory. */
char *jm_run_format(const struct jm_run *run);
/* The options alone, for the benchmark file. The caller owns the reference. */
json_t *jm_run_config_json(const struct jm_run_config *config);

/* 1 when any of its sensors is simulated. */
int jm_run_is_simulated(const struct jm_run *run);

/* A rail and its sensor. */
struct jm_run_subject {
	const struct jm_run_sensor *sensor; /* NULL: not known */
	const struct jm_run_rail *rail;     /* NULL: not known */
	size_t index;                       /* among the rails of all sensors */
	int is_sum; /* 1: the power log holds a sum of several; this is the first of all */
};

/* The rail that the power log holds, where it is one. Borrows from the run. */
void jm_run_subject_get(const struct jm_run *run, struct jm_run_subject *ret_subject);

/* Both clocks now, as they are written down. */
void jm_run_clock_read(struct jm_run_clock *ret_clock);

/* Added to monotonic it gives civil time (ns). JM_ENOTFOUND: clocks not known. */
int jm_run_clock_shift(
	const struct jm_run_clock *clock, int64_t *ret_shift_ns, struct jm_error *reterr);

/* ---- Parts that stand in spools too ---------------------------------------------- */

/*
 * From a sensor's own account of itself. `wanted` is what the user asked for,
 * NULL: nothing. `sensor` is zeroed or initialised; what it owned is released.
 */
int jm_run_sensor_set(struct jm_run_sensor *sensor, const char *name,
	const struct jm_sensor_info *info, uint64_t seed, const char *wanted,
	struct jm_error *reterr);

/* The same the other way: text is copied, rails are left out. */
void jm_run_sensor_info(const struct jm_run_sensor *sensor, struct jm_sensor_info *ret_info);

/* Makes room for one more sensor, unknown in all; NULL when out of memory. */
struct jm_run_sensor *jm_run_add_sensor(struct jm_run *run);

/* First record of the logger's spool. Freed with free(); NULL when out of memory. */
char *jm_run_sensors_format(const struct jm_run_sensor *sensors, size_t n);
/* Adds the sensors of such a record to run->sensors, in place of those there. */
int jm_run_sensors_parse(struct jm_run *run, const char *name, const char *text, size_t size,
	struct jm_error *reterr);

void jm_run_engine_init(struct jm_run_engine *engine);
void jm_run_engine_release(struct jm_run_engine *engine);
/*
 * From an engine's own account of itself, what it was opened with, and the
 * network's inputs. `options` and `graph` may be NULL.
 */
int jm_run_engine_set(struct jm_run_engine *engine, const char *name,
	const struct jm_engine_info *info, const struct jm_engine_options *options,
	const struct jm_graph *graph, struct jm_error *reterr);

/*
 * First record of the timeline's spool; `schedule` may be NULL. The caller owns
 * the reference; NULL when out of memory.
 */
json_t *jm_run_engine_json(
	const struct jm_run_engine *engine, const struct jm_run_schedule *schedule);
/* Reads it into run->engine and run->schedule, in place of what is there. */
int jm_run_engine_parse(struct jm_run *run, const char *name, const char *text, size_t size,
	struct jm_error *reterr);

#endif
