/* SPDX-License-Identifier: Apache-2.0 */
/* From readings, polled at any moment, to the conversions of the sensor. */
#ifndef JM_ATTRIBUTE_CONVERSIONS_H
#define JM_ATTRIBUTE_CONVERSIONS_H

#include <stdint.h>

#include "joulemap/joulemap.h"

/* How the moment of a conversion is known. */
enum jm_moment {
	JM_MOMENT_TICK = 1,    /* the sensor's rhythm was found */
	JM_MOMENT_READING = 2, /* a reading of unknown age */
	JM_MOMENT_CHANGE = 3   /* between two reads, no rhythm; or told by the sensor */
};

struct jm_conversions {
	double *time_s;    /* [n], owned; when it became visible, after the origin */
	double *power_w;   /* [n], owned */
	double *width_s;   /* [n], owned: the window of each; NULL: common to all */
	double *voltage_v; /* [n], owned: as read, perhaps of another window than */
	double *current_a; /* [n], owned: the current; both NULL: power is read */
	size_t n;
	enum jm_moment moment;
	double round_s; /* 0: not known */
	double phase_s;
	double poll_s;    /* median time between reads */
	double quantum_w; /* step of the values */
	double hit_share;
	size_t n_readings;
	size_t n_changes; /* readings that differ from the one before */
};

/*
 * JM_EINVAL: too few readings, or readings that never change. `prior` narrows
 * the search; given_round_s > 0 sets the period.
 */
int jm_conversions_init(struct jm_conversions *conversions, const struct jm_rail *rail,
	const struct jm_fit_prior *prior, double given_round_s, int64_t origin_ns,
	struct jm_error *reterr);
void jm_conversions_release(struct jm_conversions *conversions);

#endif
