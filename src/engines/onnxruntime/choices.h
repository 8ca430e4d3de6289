/* SPDX-License-Identifier: Apache-2.0 */
/* This engine's own options, and the environment that stands in for them. */
#ifndef JM_ENGINES_ONNXRUNTIME_CHOICES_H
#define JM_ENGINES_ONNXRUNTIME_CHOICES_H

#include "joulemap/engine.h"

#define JM_ORT_N_OPTIONS 3
extern const struct jm_engine_option jm_ort_options[JM_ORT_N_OPTIONS];

enum jm_ort_tracing {
	JM_ORT_TRACING_AUTO, /* markers where they can be used, else callbacks, else profile */
	JM_ORT_TRACING_MARKERS,
	JM_ORT_TRACING_CALLBACKS,
	JM_ORT_TRACING_PROFILE
};

struct jm_ort_choices {
	const char *library; /* NULL: search; borrowed from the options */
	enum jm_ort_tracing tracing;
	int spinning; /* waiting threads may spin */
};

/*
 * Options go before $JOULEMAP_ORT_TRACING and $JOULEMAP_ORT_SPINNING (the
 * library's variable is looked at where it is searched). JM_EUSAGE: a value
 * that does not exist.
 */
int jm_ort_choices_read(const struct jm_engine_options *options,
	struct jm_ort_choices *ret_choices, struct jm_error *reterr);

#endif
