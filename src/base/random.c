/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xoshiro256++ (Blackman and Vigna, 2019), seeded by splitmix64; normals by
 * Marsaglia's polar method.
 */
#include "base/random.h"

#include <math.h>

static uint64_t splitmix(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

void jm_random_init(struct jm_random *random, uint64_t seed, uint64_t stream)
{
	uint64_t state = seed;

	state = splitmix(&state) + stream;
	for (int i = 0; i < 4; i++)
		random->state[i] = splitmix(&state);
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
	return (double)(jm_random_next(random) >> 11) * 0x1p-53;
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
