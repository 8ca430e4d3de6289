/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calibrations that are kept: what `joulemap calibrate` found out about a
 * board's sensor, for later runs on it. One JSON file, one entry per board,
 * sensor and rail: $JOULEMAP_CALIBRATION, else joulemap/calibration.json in
 * $XDG_STATE_HOME, $XDG_CONFIG_HOME or ~/.config, the first that is set.
 */
#ifndef JM_RUN_CALIBRATION_H
#define JM_RUN_CALIBRATION_H

#include <jansson.h>

#include "base/file.h"
#include "joulemap/sensor.h"

/* One rail. Times in ms; NaN: not known, and then the deviation is NaN too. */
struct jm_calibration {
	char board[128];
	char sensor[2 * JM_NAME_MAX]; /* see jm_calibration_key */
	char rail[JM_NAME_MAX];
	int simulated;
	char created[32];  /* "2025-01-31T12:00:00Z" */
	char joulemap[32]; /* the version that made it */
	char load[128];    /* "cpu, 5 threads" */
	/* What the sensor said of itself then; it holds at no other setting. */
	double sensor_round_ms;
	double sensor_window_ms;
	unsigned sensor_samples;
	/* What was found. */
	double round_ms;
	double window_ms, window_sd_ms;
	double delay_ms, delay_sd_ms;
	double tau_ms, tau_sd_ms;
	double shape;             /* of the supply, as jm_fit_response has it; 0: first order */
	int taps;                 /* above 1: delay, tau and shape do not tell the supply */
	double step_w, step_sd_w; /* what the load draws */
	double noise_w;           /* of one conversion */
	size_t conversions;
	size_t spans;
};

/*
 * What an entry is filed under: the sensor's id; of a simulated one its path
 * and seed, for its board is another with each of them.
 */
void jm_calibration_key(
	const struct jm_sensor_info *info, uint64_t seed, char *ret_key, size_t size);

/* JM_ENOTFOUND when the environment names no folder. */
int jm_calibration_path(char ret_path[JM_PATH_MAX], struct jm_error *reterr);

/*
 * Reads the file; without one *ret_file is NULL and all is well. JM_EFORMAT when it cannot be
 * understood: it is left as it is. The caller owns the reference.
 */
int jm_calibration_load(json_t **ret_file, struct jm_error *reterr);

/* Entries of a file (may be NULL); one that makes no sense is skipped. */
size_t jm_calibration_count(const json_t *file);
int jm_calibration_get(
	const json_t *file, size_t index, struct jm_calibration *ret_calibration);

/*
 * Looks for the entry of this board, sensor and rail at its present setting.
 * 1: found; 0: none; -1: there is one, made at another setting.
 */
int jm_calibration_find(const json_t *file, const char *board,
	const struct jm_sensor_info *info, uint64_t seed, const char *rail,
	struct jm_calibration *ret_calibration);

/* 0 when one can be stored, as far as permissions tell; else why not. Makes nothing. */
int jm_calibration_check_place(struct jm_error *reterr);

/*
 * Files n entries, each in the place of an earlier one of its board, sensor and
 * rail; what else is in the file stays. Written by temporary name and rename.
 * A file that cannot be understood is never overwritten: JM_EFORMAT.
 */
int jm_calibration_store(
	const struct jm_calibration *calibrations, size_t n, struct jm_error *reterr);

/* Removes the entries of a sensor (NULL: all). Returns how many there were. */
int jm_calibration_forget(const char *sensor, struct jm_error *reterr);

/* As in the file and in run.json. NULL when out of memory. */
json_t *jm_calibration_to_json(const struct jm_calibration *calibration);
/* 1, or 0 when it is no calibration. */
int jm_calibration_from_json(const json_t *json, struct jm_calibration *ret_calibration);

/*
 * What a fit may take from it: priors, no facts. Deviations grow by what can be
 * different in another run.
 */
void jm_calibration_prior(const struct jm_calibration *calibration, struct jm_fit_prior *prior);

#endif
