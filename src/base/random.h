/* SPDX-License-Identifier: Apache-2.0 */
/* Seeded random numbers; the same on every machine. */
#ifndef JM_BASE_RANDOM_H
#define JM_BASE_RANDOM_H

#include <stdint.h>

struct jm_random {
	uint64_t state[4];
	double spare; /* second normal of a pair */
	int has_spare;
};

/* Streams of one seed are independent of each other. */
void jm_random_init(struct jm_random *random, uint64_t seed, uint64_t stream);

uint64_t jm_random_next(struct jm_random *random);

/* In [0, 1). */
double jm_random_uniform(struct jm_random *random);

/* Mean 0, deviation 1. */
double jm_random_normal(struct jm_random *random);

/* Mean 1. */
double jm_random_exponential(struct jm_random *random);

/* In [0, n), n > 0. */
uint64_t jm_random_below(struct jm_random *random, uint64_t n);

#endif
