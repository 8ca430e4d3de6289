/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xoshiro256++ (Blackman and Vigna, 2019), seeded by splitmix64; normals by
 * Marsaglia's polar method.
 */
#include "base/random.h"

#include <math.h>

void jm_random_init(struct jm_random *random, uint64_t seed, uint64_t stream)
{
	uint64_t state = seed;

	state = jm_splitmix64(&state) + stream;
	for (int i = 0; i < 4; i++)
		random->state[i] = jm_splitmix64(&state);
	random->has_spare = 0;
}

static uint64_t rotate(uint64_t value, int by)
{
	return value << by | value >> (64 - by);
}

uint64_t jm_random_next(struct jm_random *random)
{
	uint64_t *s = random->state;
	uint64_t result = rotate(s[0] + s[3], 23) + s[0];
	uint64_t t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate(s[3], 45);
	return result;
}

double jm_random_uniform(struct jm_random *random)
{
	return jm_random_unit(jm_random_next(random));
}

double jm_random_normal(struct jm_random *random)
{
	double x, y, square, factor;

	if (random->has_spare) {
		random->has_spare = 0;
		return random->spare;
	}
	do {
		x = 2 * jm_random_uniform(random) - 1;
		y = 2 * jm_random_uniform(random) - 1;
		square = x * x + y * y;
	} while (square >= 1 || square <= 0);
	factor = sqrt(-2 * log(square) / square);
	random->spare = y * factor;
	random->has_spare = 1;
	return x * factor;
}

double jm_random_exponential(struct jm_random *random)
{
	return -log1p(-jm_random_uniform(random));
}

uint64_t jm_random_below(struct jm_random *random, uint64_t n)
{
	return (uint64_t)(jm_random_uniform(random) * (double)n);
}
