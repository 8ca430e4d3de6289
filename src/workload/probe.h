/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Engines are probed in a process of their own: a program that has loaded a
 * runtime, or touched a GPU, must not fork any more, and a probe that crashes
 * or hangs is the fault of its engine only.
 */
#ifndef JM_WORKLOAD_PROBE_H
#define JM_WORKLOAD_PROBE_H

#include "joulemap/engine.h"

/* How long a probe may take. */
#define JM_PROBE_PATIENCE_S 30

/*
 * As ops->probe. JM_EENGINE where the probe crashed or took too long,
 * JM_EINTERRUPTED when the user wished to end it (base/wishes.h).
 */
int jm_probe_engine(const struct jm_engine_ops *ops, const struct jm_engine_options *options,
	struct jm_engine_info *ret_info, struct jm_error *reterr);

/* The same with another patience, for tests. */
int jm_probe_engine_within(const struct jm_engine_ops *ops,
	const struct jm_engine_options *options, double patience_s,
	struct jm_engine_info *ret_info, struct jm_error *reterr);

#endif
