/* SPDX-License-Identifier: Apache-2.0 */
/* The runtime's failures as one line of text, and its chatter kept off stderr. */
#ifndef JM_ENGINES_ONNXRUNTIME_STATUS_H
#define JM_ENGINES_ONNXRUNTIME_STATUS_H

#include "engines/onnxruntime/api.h"
#include "joulemap/joulemap.h"

/* Makes text one line: runs of white space become one blank. In place. */
void jm_ort_one_line(char *text);

/*
 * NULL status: 0. Otherwise releases it, writes "<formatted>: <its text>" into
 * reterr and returns the code that fits.
 */
int jm_ort_check(const struct jm_ort *ort, struct OrtStatus *status, struct jm_error *reterr,
	const char *format, ...) JM_PRINTF(4, 5);

/* The same for loading a model: says what is wrong with it and what to do. */
int jm_ort_check_model(const struct jm_ort *ort, struct OrtStatus *status,
	struct jm_error *reterr, const char *model);

/* Releases a status whose failure does not matter; returns 1 if it was NULL. */
int jm_ort_ignore(const struct jm_ort *ort, struct OrtStatus *status);

/* Logger for the environment: drops everything. */
jm_ort_log_fn jm_ort_log_nothing;

#endif
