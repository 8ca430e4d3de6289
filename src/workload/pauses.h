/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The jittered schedule: random pauses between cycles. A network whose cycle
 * lasts as long as the sensor's round, or a simple multiple or fraction of it,
 * shows the sensor the same few moments of its cycle again and again; pauses
 * of random length let conversions fall everywhere in it.
 */
#ifndef JM_WORKLOAD_PAUSES_H
#define JM_WORKLOAD_PAUSES_H

#include <stdint.h>

#include "base/random.h"

struct jm_pauses {
	struct jm_random random;
	int64_t max_ns; /* 0: there are none */
};

/*
 * The longest pause (ms) that a sensor of this round and a network of this
 * cycle need: at most an eighth of the shorter one. A round that is not known
 * (0, NaN) counts as 10 ms, a cycle that is not known as one round.
 */
double jm_pauses_max_ms(double round_ms, double cycle_ms);

/* The same seed makes the same pauses. max_ms 0, NaN or less: none. */
void jm_pauses_init(struct jm_pauses *pauses, double max_ms, uint64_t seed);

/* The next pause: uniform in [0, max_ns]. */
int64_t jm_pauses_next_ns(struct jm_pauses *pauses);

#endif
