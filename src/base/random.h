/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Seeded random numbers; the same on every machine. splitmix64 is Steele, Lea,
 * Flood: Fast splittable pseudorandom number generators, 2014.
 */
#ifndef JM_BASE_RANDOM_H
#define JM_BASE_RANDOM_H

#include <stdint.h>

#define JM_SPLITMIX64_STEP UINT64_C(0x9e3779b97f4a7c15)

/* Its finaliser: a hash of 64 bits in which every bit depends on every one. */
static inline uint64_t jm_splitmix64_mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* The next number; any state is a seed. */
static inline uint64_t jm_splitmix64(uint64_t *state)
{
	return jm_splitmix64_mix(*state += JM_SPLITMIX64_STEP);
}

/* Of 64 random bits: uniform in [0, 1). */
static inline double jm_random_unit(uint64_t bits)
{
	return (double)(bits >> 11) * 0x1p-53;
}

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
