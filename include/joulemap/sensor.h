/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For authors of power sensors: one const struct jm_sensor_ops, registered by
 * a line in src/sensors/registry.c or by a plug-in (plugin.h).
 *
 * Call order: probe (any number of times, no state kept), then open, info,
 * read until the logger ends, close. Structs may grow at their ends: abi and
 * size are checked where the sensor is registered.
 */
#ifndef JOULEMAP_SENSOR_H
#define JOULEMAP_SENSOR_H

#include "joulemap/joulemap.h"

#ifdef __cplusplus
extern "C" {
#endif

#define JM_SENSOR_ABI 2

enum jm_sensor_kind {
	JM_SENSOR_INSTANT = 1, /* value of the moment */
	JM_SENSOR_WINDOW = 2,  /* mean over a window that ends at a conversion */
	JM_SENSOR_COUNTER = 3  /* energy counter */
};

/* Properties of a sensor: what others ask instead of its name. */
enum jm_sensor_flag {
	JM_SENSOR_SIMULATED = 1 << 0, /* results are SIMULATED */
	/*
	 * The sensor stamps its values. A reading is then one conversion, before =
	 * after = its own moment, each delivered once and in order.
	 */
	JM_SENSOR_STAMPED = 1 << 1,
	JM_SENSOR_BLOCKING = 1 << 2,  /* a read waits for a conversion */
	JM_SENSOR_ON_REQUEST = 1 << 3 /* used only when it is asked for by name */
};

/* What is known of one rail. 0 or NaN: not known. */
struct jm_rail_info {
	char name[JM_NAME_MAX]; /* unique in its sensor */
	enum jm_quantity quantity;
	int parent;        /* index of the rail that contains this one, -1: none */
	double quantum[2]; /* step of value[] */
	/*
	 * Of a counter: where it wraps, in its own scale. Of others: what no value
	 * reaches (full scale, more than the rail can carry), of the current in
	 * mA, of the power in uW. A reading beyond it counts as one without a value.
	 */
	double range;
};

/* What is known of a sensor. 0, NaN or "": not known. */
struct jm_sensor_info {
	char id[JM_NAME_MAX]; /* unique on this machine: "ina3221:1-0040" */
	char path[256];       /* where it was found */
	char board[JM_NAME_MAX];
	char device[JM_NAME_MAX]; /* its vendor's name of what is measured: a GPU's UUID */
	enum jm_sensor_kind kind;
	enum jm_scope scope;
	unsigned flags;       /* enum jm_sensor_flag */
	double round_ms;      /* time between conversions of one rail */
	double window_ms;     /* averaging window */
	unsigned samples;     /* conversions in the sensor's own low-pass; 0, 1: none */
	double poll_ms;       /* how often it is worth reading */
	char provenance[256]; /* how round and window were found */
	const struct jm_rail_info *rails; /* [n_rails] */
	size_t n_rails;
};

/* What the caller asks for. */
struct jm_sensor_options {
	const char *argument;           /* text after "NAME:", NULL: none */
	const char *sysfs_root;         /* prefix of /sys and /proc, "": the real one */
	uint64_t seed;                  /* of simulated sensors */
	int64_t (*now_ns)(void *clock); /* monotonic, never NULL */
	void *clock;
};

/* Where what was found goes. Info and rails are borrowed for the call. */
struct jm_sensor_found {
	/* 0, or a negative code that `probe` returns at once. */
	int (*found)(void *context, const struct jm_sensor_info *info);
	void *context;
};

/* Where readings go; rail is an index of the sensor's rails. */
struct jm_reading_sink {
	/* 0, or a negative code that `read` returns at once. Does not block. */
	int (*reading)(void *context, size_t rail, const struct jm_reading *reading);
	void *context;
};

struct jm_sensor_ops {
	uint32_t abi;  /* JM_SENSOR_ABI */
	uint32_t size; /* sizeof(struct jm_sensor_ops) */
	const char *name;
	const char *summary;
	size_t state_size;

	/*
	 * Required. Tells `found` of every sensor of this kind, the best first,
	 * and returns their number; 0: none here. A failure means that one is
	 * here but cannot be used, and says why and what to do; JM_EUSAGE, that
	 * it needs an argument, and which: nobody has named a file or port.
	 */
	int (*probe)(const struct jm_sensor_options *options,
		const struct jm_sensor_found *found, struct jm_error *reterr);

	/*
	 * Required. Opens the sensor that `info` (as probe told it) describes in
	 * zeroed `state` of state_size bytes. Descriptors stay open until close.
	 */
	int (*open)(void *state, const struct jm_sensor_info *info,
		const struct jm_sensor_options *options, struct jm_error *reterr);

	/*
	 * Required. What is known now that it is open, which may be more than
	 * probe told; rails are the same. Borrowed until close.
	 */
	const struct jm_sensor_info *(*info)(const void *state);

	/*
	 * Required. Delivers what there is to read: of a sensor that is polled
	 * one reading of every rail, with the clock before and after each; of one
	 * that stamps its values every new one, or none. A rail that has no
	 * value now (channel off) has a reading of NaN. Fails when the sensor is
	 * gone.
	 */
	int (*read)(void *state, const struct jm_reading_sink *sink, struct jm_error *reterr);

	/*
	 * Optional. A descriptor that becomes readable when there is something
	 * to read, so that nobody polls; -1: there is none. Owned by the sensor.
	 */
	int (*descriptor)(const void *state);

	/* Required. Accepts a zeroed or half-opened state. */
	void (*close)(void *state);

	/*
	 * Required of simulated sensors, and of no others: computes the values
	 * of a log whose readings have times only, from the timeline that really
	 * happened, and writes the truth behind them as JSON into `truth_path`
	 * (NULL: nowhere). Called once after the run, in another process, with no
	 * state. `info` is that of the run, its path names what the sensor was
	 * asked for; a seed in there wins over `seed`.
	 */
	int (*complete)(const struct jm_sensor_info *info, uint64_t seed,
		struct jm_power_log *log, const struct jm_timeline *timeline,
		const char *truth_path, struct jm_error *reterr);
};

#ifdef __cplusplus
}
#endif

#endif
