/* SPDX-License-Identifier: Apache-2.0 */
/* The caller's clock, as engine options hand it over. */
#ifndef JM_ENGINES_ONNXRUNTIME_CLOCK_H
#define JM_ENGINES_ONNXRUNTIME_CLOCK_H

#include <stdint.h>

struct jm_ort_clock {
	int64_t (*now_ns)(void *context); /* monotonic */
	void *context;
};

static inline int64_t jm_ort_now(const struct jm_ort_clock *clock)
{
	return clock->now_ns(clock->context);
}

#endif
