/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several sensors as one source, each read at its own rate, their rails
 * numbered through: those of the first sensor, of the second, ...
 *
 *     jm_sensor_set_select(&set, "ina3221+nvml:0", &options, &error);
 *     jm_sensor_set_open(&set, 0, &error);
 *     for (jm_sensor_set_start(&set, now); ...; wait until member->deadline_ns) {
 *             member = jm_sensor_set_next(&set);
 *             jm_sensor_set_read(member, &sink, &error);
 *             jm_sensor_member_advance(member, now);
 *     }
 *     jm_sensor_set_release(&set);
 *
 * A sensor with a descriptor has no deadlines: it is read when that is readable.
 */
#ifndef JM_SENSORS_SET_H
#define JM_SENSORS_SET_H

#include "data/total.h"
#include "joulemap/sensor.h"

struct jm_sensor_member {
	const struct jm_sensor_ops *ops;
	char *wanted;                     /* as it was asked for, else its id; owned */
	struct jm_sensor_options options; /* its argument points into `wanted` */
	struct jm_sensor_info info;       /* as probed; as opened, once it was; owned */
	void *state;                      /* owned; NULL: not open */
	size_t number;                    /* in the set, from 0 */
	size_t first_rail;                /* of the set's */
	int descriptor;                   /* to wait for; -1: it is polled */
	int64_t period_ns;                /* of a polled one, once it is open */
	int64_t deadline_ns;
	uint64_t *impossible; /* [n_rails], owned, once open: readings that cannot be */
};

struct jm_sensor_set {
	struct jm_sensor_member *members; /* [n_members], owned */
	size_t n_members;
	size_t n_rails;
};

void jm_sensor_set_init(struct jm_sensor_set *set);

/* Closes what is open. Accepts an initialised or released one. */
void jm_sensor_set_release(struct jm_sensor_set *set);

/*
 * Chooses sensors: "A+B+C", each part as jm_sensor_select() has it, NULL: the
 * best one. A '+' begins a new sensor only before a known sensor's name that is
 * followed by ':', '+' or the end: "ina3221:1-0040+1-0041" is one sensor.
 * `options` without argument is copied. JM_EUSAGE: the same sensor twice; else
 * as jm_sensor_select().
 */
int jm_sensor_set_select(struct jm_sensor_set *set, const char *wanted,
	const struct jm_sensor_options *options, struct jm_error *reterr);

/* Adds one that was chosen otherwise; info and argument are copied. */
int jm_sensor_set_add(struct jm_sensor_set *set, const struct jm_sensor_ops *ops,
	const struct jm_sensor_info *info, const struct jm_sensor_options *options,
	struct jm_error *reterr);

/*
 * Opens all. rate_hz 0: each sensor's own; else that of all that are polled.
 * On failure some are open, as on success: release closes them.
 */
int jm_sensor_set_open(struct jm_sensor_set *set, double rate_hz, struct jm_error *reterr);

/* Closes all; what is known of them stays. */
void jm_sensor_set_close(struct jm_sensor_set *set);

/* All polled members are due now. */
void jm_sensor_set_start(struct jm_sensor_set *set, int64_t now_ns);

/* The polled member that is due first; NULL: none is polled. */
struct jm_sensor_member *jm_sensor_set_next(struct jm_sensor_set *set);

/*
 * Reads one member into the sink, with the set's numbers of rails. What cannot be
 * (data/possible.h) comes as a reading without a value, and is counted.
 */
int jm_sensor_set_read(struct jm_sensor_member *member, const struct jm_reading_sink *sink,
	struct jm_error *reterr);

/* How many readings of a member, or of all, were none because they cannot be. */
uint64_t jm_sensor_member_impossible(const struct jm_sensor_member *member);
uint64_t jm_sensor_set_impossible(const struct jm_sensor_set *set);

/*
 * Sets the next deadline. Deadlines that have passed are not made up for:
 * returns their number.
 */
uint64_t jm_sensor_member_advance(struct jm_sensor_member *member, int64_t now_ns);

/* The total of the set's rails: jm_total_release(). */
int jm_sensor_set_total(
	const struct jm_sensor_set *set, struct jm_total *ret_total, struct jm_error *reterr);

/* Ids joined by '+'. */
void jm_sensor_set_id(const struct jm_sensor_set *set, char *ret_id, size_t size);

/* 1 when any of them has the flag. */
int jm_sensor_set_has(const struct jm_sensor_set *set, enum jm_sensor_flag flag);

#endif
