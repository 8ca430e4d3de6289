/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For authors of power sensors: one const struct jm_sensor_ops, one line in
 * src/sensors/registry.c, one fixture, one page of documentation.
 *
 * Call order: probe (any number of times, no state kept), then open, read
 * until the logger ends, close. After a run of a simulated sensor `complete`
 * is called once, in another process, with no state.
 */
#ifndef JOULEMAP_SENSOR_H
#define JOULEMAP_SENSOR_H

#include "joulemap/joulemap.h"

#ifdef __cplusplus
extern "C" {
#endif

#define JM_SENSOR_ABI 1

enum jm_sensor_kind {
	JM_SENSOR_INSTANT = 1, /* value of the moment */
	JM_SENSOR_WINDOW = 2,  /* mean over a window that ends at a conversion */
	JM_SENSOR_COUNTER = 3  /* energy counter */
};

#define JM_SENSOR_RAILS_MAX 16

/* What is known of one rail. 0 or NaN: not known. */
struct jm_rail_info {
	char name[JM_NAME_MAX];
	enum jm_quantity quantity;
	int parent;        /* index of the rail that contains this one, -1: none */
	double quantum[2]; /* step of value[] */
};

/* What is known of a sensor before it is opened. */
struct jm_sensor_info {
	char id[JM_NAME_MAX]; /* unique on this machine: "ina3221:1-0040" */
	char path[256];       /* where it was found */
	char board[JM_NAME_MAX];
	enum jm_sensor_kind kind;
	double round_ms;  /* time between conversions of one rail; 0: unknown */
	double window_ms; /* averaging window; 0: unknown */
	unsigned samples; /* conversions in the sensor's own low-pass; 0, 1: none */
	double poll_ms;   /* how often it is worth reading */
	int simulated;    /* results are SIMULATED */
	struct jm_rail_info rails[JM_SENSOR_RAILS_MAX];
	size_t n_rails;
	char provenance[256]; /* how round and window were found */
	/*
	 * 1: the sensor stamps its values. A reading is then one conversion,
	 * before = after = its own moment, each handed out once and in order;
	 * with nothing new it has no value and the time of the last one.
	 */
	int stamped;
};

/* What the caller asks for. */
struct jm_sensor_options {
	const char *argument;           /* text after "NAME:", NULL: none */
	const char *sysfs_root;         /* prefix of /sys and /proc, "": the real one */
	uint64_t seed;                  /* of simulated sensors */
	int64_t (*now_ns)(void *clock); /* monotonic, never NULL */
	void *clock;
};

struct jm_sensor_ops {
	uint32_t abi;  /* JM_SENSOR_ABI */
	uint32_t size; /* sizeof(struct jm_sensor_ops) */
	const char *name;
	const char *summary;
	size_t state_size;

	/*
	 * Required. Finds sensors of this kind: fills at most `max` infos and
	 * returns their number; 0: none here. A failure means that one is here
	 * but cannot be used, and says why and what to do.
	 */
	int (*probe)(const struct jm_sensor_options *options, struct jm_sensor_info *ret_infos,
		size_t max, struct jm_error *reterr);

	/*
	 * Required. Opens the sensor that `info` (of probe) describes in
	 * zeroed `state` of state_size bytes; refines `info` where opening
	 * tells more. Descriptors stay open until close.
	 */
	int (*open)(void *state, struct jm_sensor_info *info,
		const struct jm_sensor_options *options, struct jm_error *reterr);

	/*
	 * Required. Reads every rail once into ret_readings[n_rails], with
	 * the clock before and after each (info.stamped: see there). A reading
	 * that the sensor has not (channel off) has NaN values. Fails when the
	 * sensor is gone.
	 */
	int (*read)(void *state, struct jm_reading *ret_readings, struct jm_error *reterr);

	/* Required. Accepts a zeroed or half-opened state. */
	void (*close)(void *state);

	/*
	 * Only for simulated sensors: computes the values of a log whose
	 * readings have times only, from the timeline that really happened,
	 * and writes the truth behind them as JSON into `truth_path` (NULL:
	 * nowhere). `info` is that of the run, its path names what the sensor
	 * was asked for; a seed in there wins over `seed`.
	 */
	int (*complete)(const struct jm_sensor_info *info, uint64_t seed,
		struct jm_power_log *log, const struct jm_timeline *timeline,
		const char *truth_path, struct jm_error *reterr);
};

#ifdef __cplusplus
}
#endif

#endif
