/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random weights, fast and the same on every machine: integer arithmetic,
 * then float32 products and sums in a fixed order. A compiler that fuses
 * them rounds differently, so CMakeLists.txt sets -ffp-contract=off.
 */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/random.h"
#include "catalog/catalog.h"

#define ALIGNMENT 64

/*
 * Four uniform 16-bit numbers a, b, c, d give four sums a +- b +- c +- d that
 * are uncorrelated. Such a sum, s in units of its own standard deviation, has
 * a kurtosis of 2.7. The cubic s * (A + B * s^2) has variance 1 and kurtosis 3
 * (A and B solve these two equations over the exact distribution of s); its
 * distribution function is within 0.0021 of the normal one, and no number is
 * further from the mean than 4.07.
 */
#define CUBIC_A 0.9490355f
#define CUBIC_B 0.018641510f
#define SUM_MEAN 131070         /* 4 * 65535 / 2 */
#define PER_STEP 2.64289979e-5f /* 1 / sqrt(4 * (65536^2 - 1) / 12) */
#define BLOCK ((size_t)256)

/* BLOCK sums less their mean; returns the counter to go on with. */
static inline uint64_t draw_sums(uint64_t counter, int32_t ret_sums[BLOCK])
{
	for (size_t i = 0; i < BLOCK; i += 4) {
		uint64_t bits = jm_splitmix64(&counter);
		int32_t a = (int32_t)(bits & 0xffff), b = (int32_t)(bits >> 16 & 0xffff);
		int32_t c = (int32_t)(bits >> 32 & 0xffff), d = (int32_t)(bits >> 48);

		ret_sums[i] = a + b + c + d - SUM_MEAN;
		ret_sums[i + 1] = a + b - c - d;
		ret_sums[i + 2] = a - b + c - d;
		ret_sums[i + 3] = a - b - c + d;
	}
	return counter;
}

static void fill_normal(
	float mean, float deviation, uint64_t counter, uint64_t count, float *ret_values)
{
	int32_t sums[BLOCK];
	float values[BLOCK];

	for (uint64_t at = 0; at < count; at += BLOCK) {
		counter = draw_sums(counter, sums);
		for (size_t i = 0; i < BLOCK; i++) {
			float s = (float)sums[i] * PER_STEP;
			float z = s * (CUBIC_A + CUBIC_B * (s * s));

			values[i] = z * deviation + mean;
		}
		memcpy(ret_values + at, values,
			sizeof(float) * (size_t)(count - at < BLOCK ? count - at : BLOCK));
	}
}

static void fill_uniform(
	float low, float high, uint64_t counter, uint64_t count, float *ret_values)
{
	float range = high - low;

	for (uint64_t i = 0; i < count; i++) {
		uint64_t bits = jm_splitmix64(&counter);

		ret_values[i] = (float)(int32_t)(bits >> 40) * 0x1p-24f * range + low;
	}
}

void jm_weights_fill(const struct jm_catalog_weight *weight, uint64_t seed, uint64_t stream,
	float *ret_values)
{
	uint64_t counter = jm_splitmix64_mix(jm_splitmix64_mix(seed) + stream);

	if (weight->kind == JM_WEIGHT_NORMAL)
		fill_normal(weight->a, weight->b, counter, weight->count, ret_values);
	else
		fill_uniform(weight->a, weight->b, counter, weight->count, ret_values);
}

uint64_t jm_weights_padded_bytes(uint64_t count)
{
	return (count * sizeof(float) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* Zeroes the padding behind a tensor. */
static void fill_padding(float *values, uint64_t count)
{
	size_t padded = (size_t)(jm_weights_padded_bytes(count) / sizeof(float));

	for (size_t i = (size_t)count; i < padded; i++)
		values[i] = 0;
}

int jm_catalog_make_weights(
	struct jm_catalog_network *network, uint64_t seed, struct jm_error *reterr)
{
	size_t bytes = (size_t)network->weights_bytes;
	uint64_t stream = 0;
	float *values = NULL;

	if (bytes == 0)
		return 0;
	if (!network->values)
		network->values = aligned_alloc(ALIGNMENT, bytes);
	values = network->values;
	if (!values)
		return jm_fail(reterr, JM_ENOMEM,
			"out of memory: the weights of '%s' take %zu MB", network->entry.name,
			bytes / 1000000);
	for (size_t i = 0; i < network->n_weights; i++) {
		const struct jm_catalog_weight *weight = &network->weights[i];

		for (uint32_t j = 0; j < weight->times; j++) {
			jm_weights_fill(weight, seed, stream++, values);
			fill_padding(values, weight->count);
			values += jm_weights_padded_bytes(weight->count) / sizeof(float);
		}
	}
	return 0;
}
