/* SPDX-License-Identifier: Apache-2.0 */
/* An operator of our own that notes when it begins and when it ends. */
#ifndef JM_ENGINES_ONNXRUNTIME_BIAS_PROBE_H
#define JM_ENGINES_ONNXRUNTIME_BIAS_PROBE_H

#include "engines/onnxruntime/api.h"
#include "engines/onnxruntime/clock.h"
#include "engines/onnxruntime/custom_op.h"
#include "joulemap/joulemap.h"

#define JM_ORT_PROBE_DOMAIN "joulemap"
#define JM_ORT_PROBE_OP "Probe"

struct jm_ort_probe {
	struct jm_ort_custom_op op; /* first: the runtime hands it back */
	const struct jm_ort *ort;
	struct OrtCustomOpDomain *domain;
	struct jm_ort_clock clock;
	size_t n_inputs;
	char *memory; /* [n_memory], walked through between begin and end; owned */
	size_t n_memory;
	int64_t (*spans_ns)[2]; /* [n]: begin and end of its own work; owned */
	size_t n, capacity;     /* past the capacity it only runs */
};

/*
 * An operator with `n_inputs` inputs and one output of one float; it touches
 * `n_memory` bytes while it runs, so that the caches are as cold behind it as
 * behind a layer of that size. The probe must stay where it is until close.
 */
int jm_ort_probe_open(struct jm_ort_probe *probe, const struct jm_ort *ort,
	struct jm_ort_clock clock, size_t n_inputs, size_t n_memory, size_t capacity,
	struct jm_error *reterr);

/* After the sessions that use it. Accepts a zeroed one. */
void jm_ort_probe_close(struct jm_ort_probe *probe);

#endif
