/* SPDX-License-Identifier: Apache-2.0 */
/* Digits of whole numbers, for the makers of text in this folder. */
#ifndef JM_BASE_DIGITS_H
#define JM_BASE_DIGITS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* 10^0 .. 10^19 */
extern const uint64_t jm_powers_of_ten[20];

static inline size_t jm_digits_count(uint64_t value)
{
	/* log10(2) = 1233 / 4096: right, or one too few. */
	size_t n = (size_t)(64 - __builtin_clzll(value | 1)) * 1233 >> 12;

	return n + (value >= jm_powers_of_ten[n] || !n);
}

static inline void jm_digits_pair(uint32_t value, char *ret_text)
{
	static const char pairs[] = "00010203040506070809101112131415161718192021222324"
				    "25262728293031323334353637383940414243444546474849"
				    "50515253545556575859606162636465666768697071727374"
				    "75767778798081828384858687888990919293949596979899";

	memcpy(ret_text, pairs + 2 * value, 2);
}

/* Writes the last n digits of a number, with zeros in front. */
static inline void jm_digits_put(uint64_t value, size_t n, char *ret_text)
{
	char *end = ret_text + n;
	uint32_t rest;

	for (; n > 8; n -= 8) {
		uint32_t low = (uint32_t)(value % 100000000), high = low / 10000;

		value /= 100000000;
		low %= 10000;
		end -= 8;
		jm_digits_pair(high / 100, end);
		jm_digits_pair(high % 100, end + 2);
		jm_digits_pair(low / 100, end + 4);
		jm_digits_pair(low % 100, end + 6);
	}
	rest = (uint32_t)value;
	for (; n > 1; n -= 2) {
		end -= 2;
		jm_digits_pair(rest % 100, end);
		rest /= 100;
	}
	if (n)
		*--end = (char)('0' + rest % 10);
}

#endif
