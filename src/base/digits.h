/* SPDX-License-Identifier: Apache-2.0 */
/* Digits of whole numbers, for the makers of text in this folder. */
#ifndef JM_BASE_DIGITS_H
#define JM_BASE_DIGITS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Most digits of a 64-bit number; room to copy that many from any of them. */
#define JM_DIGITS_MAX 20u
#define JM_DIGITS_ROOM (2 * JM_DIGITS_MAX)

static inline void jm_digits_pair(unsigned value, char *ret_text)
{
	static const char pairs[] = "00010203040506070809101112131415161718192021222324"
				    "25262728293031323334353637383940414243444546474849"
				    "50515253545556575859606162636465666768697071727374"
				    "75767778798081828384858687888990919293949596979899";

	memcpy(ret_text, pairs + 2 * value, 2);
}

/*
 * Writes the digits of a number so that they end at digits[JM_DIGITS_MAX), and
 * returns where they begin.
 */
static inline size_t jm_digits_fill(uint64_t value, char digits[JM_DIGITS_ROOM])
{
	size_t first = JM_DIGITS_MAX;
	unsigned rest;

	while (value >= 10000) {
		rest = (unsigned)(value % 10000);
		value /= 10000;
		first -= 4;
		jm_digits_pair(rest / 100, digits + first);
		jm_digits_pair(rest % 100, digits + first + 2);
	}
	rest = (unsigned)value;
	while (rest >= 10) {
		first -= 2;
		jm_digits_pair(rest % 100, digits + first);
		rest /= 100;
	}
	if (rest || first == JM_DIGITS_MAX)
		digits[--first] = (char)('0' + rest);
	return first;
}

#endif
