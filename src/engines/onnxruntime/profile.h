/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The runtime's own profile, a Chrome trace in a file, read as a stream: the
 * way to spans with runtimes that have no callbacks (before 1.25).
 */
#ifndef JM_ENGINES_ONNXRUNTIME_PROFILE_H
#define JM_ENGINES_ONNXRUNTIME_PROFILE_H

#include <stddef.h>
#include <stdint.h>

#include "engines/onnxruntime/step.h"

/* One execution of a node; borrowed until the call that hands it out returns. */
struct jm_ort_profile_node {
	const char *name;              /* "<node>_kernel_time" */
	const char *line;              /* its JSON object; NULL but in the first runs */
	int64_t begin_us, duration_us; /* since profiling began */
};

/* Called for every run that the file has whole, from 0, outermost nodes only. */
typedef int jm_ort_profile_run_fn(void *context, size_t run,
	const struct jm_ort_profile_node *nodes, size_t n, struct jm_error *reterr);

/*
 * Reads the file at `path`; the first `n_described` runs come with what
 * jm_ort_profile_describe needs. A file that ends in the middle gives the runs that are whole.
 * *ret_n_events counts every event, as the runtime's own limit does.
 * Returns 0, an error, or what `run` returned when that was negative.
 */
int jm_ort_profile_read(const char *path, size_t n_described, jm_ort_profile_run_fn *run,
	void *context, size_t *ret_n_events, struct jm_error *reterr);

/* Appends what a node's line says. JM_ENOMEM, JM_EFORMAT. */
int jm_ort_profile_describe(const struct jm_ort_profile_node *node, struct jm_ort_steps *steps);

#endif
