/* SPDX-License-Identifier: Apache-2.0 */
/*
 * INA3221 power monitors by hwmon, inside: chips as found in sysfs (scan.c),
 * what their rails mean on known boards (rails.c), their conversion schedule
 * (timing.c), the sensor itself (ina3221.c).
 */
#ifndef JM_SENSORS_INA3221_INA3221_H
#define JM_SENSORS_INA3221_INA3221_H

#include "joulemap/sensor.h"

#define JM_INA_CHIPS_MAX 8
#define JM_INA_CHANNELS 3
#define JM_INA_RAILS_MAX (JM_INA_CHIPS_MAX * JM_INA_CHANNELS)
#define JM_INA_SOURCES_MAX (JM_INA_CHIPS_MAX + 3) /* and sums over several chips */

/* A channel that measures a rail. */
struct jm_ina_channel {
	int number; /* 1..3 */
	char label[JM_NAME_MAX];
	double shunt_uohm; /* 0: not known */
};

/* A chip as sysfs shows it. */
struct jm_ina_chip {
	char address[JM_NAME_MAX]; /* "1-0040" */
	char path[256];            /* of its hwmon folder */
	struct jm_ina_channel channels[JM_INA_CHANNELS];
	size_t n_channels;
	int n_enabled;             /* channels that take part in the round */
	double update_interval_ms; /* 0: not known */
	double samples;            /* 0: not known */
};

/*
 * Finds the chips below options->sysfs_root, in order of address. Returns
 * their number, or why one of them cannot be looked at.
 */
int jm_ina_scan(const struct jm_sensor_options *options, struct jm_ina_chip *ret_chips,
	size_t max, struct jm_error *reterr);

/* What can be opened: one chip, or chips that only together see a whole module. */
struct jm_ina_source {
	struct jm_sensor_info info; /* its rails are set by jm_ina_info() */
	struct jm_rail_info rails[JM_INA_RAILS_MAX];
	int score;   /* how much it knows of the module's total: more is better */
	size_t chip; /* the first one: gives path and timing */
	struct {
		size_t chip;
		size_t channel; /* index into the chip's channels */
	} of_rail[JM_INA_RAILS_MAX];
};

/* Its info with its rails, borrowed until the source is moved. */
const struct jm_sensor_info *jm_ina_info(struct jm_ina_source *source);

/* Describes what the chips offer, the best first. Returns the number. */
size_t jm_ina_describe(const struct jm_sensor_options *options, const struct jm_ina_chip *chips,
	size_t n_chips, struct jm_ina_source ret_sources[JM_INA_SOURCES_MAX]);

/* Leaves only rails that no other one contains. */
void jm_ina_keep_roots(struct jm_ina_source *source);

/* Round, window and poll of `info` from what sysfs says. */
void jm_ina_timing_declared(const struct jm_ina_chip *chip, struct jm_sensor_info *info);

/*
 * The same once it is known how long one read of an attribute takes (median,
 * ms): tells drivers that wait for a conversion from those that answer at once.
 */
void jm_ina_timing_measured(
	const struct jm_ina_chip *chip, double read_ms, struct jm_sensor_info *info);

#endif
