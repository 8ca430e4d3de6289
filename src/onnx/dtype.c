/* SPDX-License-Identifier: Apache-2.0 */
#include "onnx/dtype.h"

#include <string.h>
#include <strings.h>

#include "base/random.h"

enum {
	FLOAT32 = 1,
	UINT8,
	INT8,
	UINT16,
	INT16,
	INT32,
	INT64,
	STRING,
	BOOL,
	FLOAT16,
	FLOAT64,
	UINT32,
	UINT64,
	BFLOAT16 = 16
};

static const struct jm_dtype dtypes[] = {
	{FLOAT32, "float32", "float", 4, 1},
	{UINT8, "uint8", "uint8", 1, 0},
	{INT8, "int8", "int8", 1, 0},
	{UINT16, "uint16", "uint16", 2, 0},
	{INT16, "int16", "int16", 2, 0},
	{INT32, "int32", "int32", 4, 0},
	{INT64, "int64", "int64", 8, 0},
	{STRING, "string", "string", 0, 0},
	{BOOL, "bool", "bool", 1, 0},
	{FLOAT16, "float16", "float16", 2, 1},
	{FLOAT64, "float64", "double", 8, 1},
	{UINT32, "uint32", "uint32", 4, 0},
	{UINT64, "uint64", "uint64", 8, 0},
	{BFLOAT16, "bfloat16", "bfloat16", 2, 1},
};

static const struct {
	const char *name;
	int code;
} aliases[] = {{"fp32", FLOAT32}, {"single", FLOAT32}, {"fp16", FLOAT16}, {"half", FLOAT16},
	{"bf16", BFLOAT16}, {"fp64", FLOAT64}, {"boolean", BOOL}};

const struct jm_dtype *jm_dtype_of_code(int code)
{
	for (size_t i = 0; i < sizeof(dtypes) / sizeof(dtypes[0]); i++)
		if (dtypes[i].code == code)
			return &dtypes[i];
	return NULL;
}

const struct jm_dtype *jm_dtype_of_name(const char *name)
{
	if (strncmp(name, "torch.", 6) == 0)
		name += 6;
	for (size_t i = 0; i < sizeof(dtypes) / sizeof(dtypes[0]); i++)
		if (!strcasecmp(dtypes[i].name, name) ||
			!strcasecmp(dtypes[i].event_name, name))
			return &dtypes[i];
	for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++)
		if (!strcasecmp(aliases[i].name, name))
			return jm_dtype_of_code(aliases[i].code);
	return NULL;
}

int jm_dtype_is_index(const struct jm_dtype *dtype)
{
	return dtype->size > 1 && !dtype->is_float;
}

/* Bits of a half for a value in [-1, 1), rounded towards zero. */
static uint16_t half_bits(float value)
{
	uint32_t bits;
	int exponent;

	memcpy(&bits, &value, sizeof(bits));
	exponent = (int)(bits >> 23 & 255) - 127 + 15;
	if (exponent <= 0) /* below the smallest normal half */
		return (uint16_t)(bits >> 16 & 0x8000);
	return (uint16_t)((bits >> 16 & 0x8000) | (uint32_t)exponent << 10 |
			  (bits >> 13 & 0x3ff));
}

static void put(const struct jm_dtype *dtype, char *to, uint64_t random)
{
	double uniform = (double)(random >> 11) * 0x1p-52 - 1.0;
	float single = (float)(int32_t)(random >> 40) * 0x1p-23f - 1.0f;
	uint64_t integer =
		jm_dtype_is_index(dtype) ? 0 : random >> (dtype->code == BOOL ? 63 : 56);
	uint16_t half = half_bits(single);
	uint32_t bits;

	switch (dtype->code) {
	case FLOAT32:
		memcpy(to, &single, sizeof(single));
		break;
	case FLOAT64:
		memcpy(to, &uniform, sizeof(uniform));
		break;
	case FLOAT16:
		memcpy(to, &half, sizeof(half));
		break;
	case BFLOAT16:
		memcpy(&bits, &single, sizeof(bits));
		half = (uint16_t)(bits >> 16);
		memcpy(to, &half, sizeof(half));
		break;
	default:
		/* 0, 1 or a byte: the low end of an integer on any byte order. */
		memset(to, 0, dtype->size);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
		to += dtype->size - 1;
#endif
		*(unsigned char *)to = (unsigned char)integer;
	}
}

void jm_dtype_fill(const struct jm_dtype *dtype, void *data, size_t n, uint64_t *seed)
{
	char *to = data;

	for (size_t i = 0; i < n; i++, to += dtype->size)
		put(dtype, to, jm_splitmix64(seed));
}
