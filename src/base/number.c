/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Doubles to and from decimal text. Both directions are exact: the fast path
 * works in 128-bit integers, everything outside it goes through the C library.
 * Latency files hold millions of such numbers, so this decides how fast a run
 * folder is read and its table written.
 */
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digits.h"

__extension__ typedef unsigned __int128 u128;

const uint64_t jm_powers_of_ten[20] = {1u, 10u, 100u, 1000u, 10000u, 100000u, 1000000u, 10000000u,
	100000000u, 1000000000u, 10000000000u, 100000000000u, 1000000000000u, 10000000000000u,
	100000000000000u, 1000000000000000u, 10000000000000000u, 100000000000000000u,
	1000000000000000000u, 10000000000000000000u};

/* factor * 10^exponent, exponent <= 38. */
static inline u128 times_power_of_ten(uint64_t factor, int exponent)
{
	if (exponent < 20)
		return (u128)factor * jm_powers_of_ten[exponent];
	return (u128)factor * jm_powers_of_ten[19] * jm_powers_of_ten[exponent - 19];
}

/* ---- decimal to double --------------------------------------------------- */

static double scan_slowly(const char *text, size_t length)
{
	char copy[1100]; /* longer numbers change nothing any more */
	size_t n = length < sizeof(copy) - 1 ? length : sizeof(copy) - 1;

	memcpy(copy, text, n);
	copy[n] = '\0';
	return strtod(copy, NULL);
}

/* Number of bits up to the highest one set; value > 0. */
static int bit_length(u128 value)
{
	uint64_t high = (uint64_t)(value >> 64);

	return high ? 128 - __builtin_clzll(high) : 64 - __builtin_clzll((uint64_t)value);
}

/* value * 2^exponent, for results that are normal numbers. */
static double scale_by_power_of_two(uint64_t value, int exponent)
{
	uint64_t bits = (uint64_t)(exponent + 1023) << 52;
	double power;

	memcpy(&power, &bits, sizeof(power));
	return (double)value * power;
}

/*
 * mantissa / 10^scale, rounded to nearest even; mantissa >= 2^53, scale <= 18.
 * The quotient has 56 bits or more; the remainder decides ties.
 */
static double divide_exactly(uint64_t mantissa, int scale)
{
	u128 numerator = (u128)mantissa << 63;
	u128 quotient = numerator / jm_powers_of_ten[scale];
	int inexact = quotient * jm_powers_of_ten[scale] != numerator;
	int drop = bit_length(quotient) - 53;
	uint64_t kept = (uint64_t)(quotient >> drop);
	u128 rest = quotient & (((u128)1 << drop) - 1);
	u128 half = (u128)1 << (drop - 1);

	if (rest > half || (rest == half && (inexact || (kept & 1))))
		kept++;
	return scale_by_power_of_two(kept, drop - 63);
}

/* floor(2^b / 10^k) for k = 1..18, with the b that gives 64 bits. */
static const uint64_t reciprocals[] = {0,
	UINT64_C(0xcccccccccccccccc), UINT64_C(0xa3d70a3d70a3d70a), UINT64_C(0x83126e978d4fdf3b),
	UINT64_C(0xd1b71758e219652b), UINT64_C(0xa7c5ac471b478423), UINT64_C(0x8637bd05af6c69b5),
	UINT64_C(0xd6bf94d5e57a42bc), UINT64_C(0xabcc77118461cefc), UINT64_C(0x89705f4136b4a597),
	UINT64_C(0xdbe6fecebdedd5be), UINT64_C(0xafebff0bcb24aafe), UINT64_C(0x8cbccc096f5088cb),
	UINT64_C(0xe12e13424bb40e13), UINT64_C(0xb424dc35095cd80f), UINT64_C(0x901d7cf73ab0acd9),
	UINT64_C(0xe69594bec44de15b), UINT64_C(0xb877aa3236a4b449), UINT64_C(0x9392ee8e921d5d07)};

/*
 * The same by multiplying: the reciprocal is too small by less than 1, so the
 * product's upper half is right or 1 too small. Where that could change the
 * rounding, division decides.
 */
static double divide(uint64_t mantissa, int scale)
{
	int shift = __builtin_clzll(mantissa);
	int bits = 127 - __builtin_clzll(jm_powers_of_ten[scale]); /* of the reciprocal: b */
	uint64_t high, rest, half;
	int drop;

	if (scale == 0)
		return (double)mantissa;
	high = (uint64_t)((u128)(mantissa << shift) * reciprocals[scale] >> 64);
	drop = 11 - __builtin_clzll(high);
	rest = high & ((UINT64_C(1) << drop) - 1);
	half = UINT64_C(1) << (drop - 1);
	if (rest == half || rest == half - 1)
		return divide_exactly(mantissa, scale);
	high = (high >> drop) + (rest > half);
	return scale_by_power_of_two(high, drop + 64 - shift - bits);
}

/* Value of eight digits at text, or UINT64_MAX where they are not all digits. */
static uint64_t eight_digits(const char *text)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	const uint64_t high = UINT64_C(0xf0f0f0f0f0f0f0f0);
	uint64_t value;

	memcpy(&value, text, sizeof(value));
	/* '0'..'9' are 0x30..0x39: the upper halves are 3, also 6 further on. */
	if (((value & high) | ((value + UINT64_C(0x0606060606060606)) & high) >> 4)
		!= UINT64_C(0x3333333333333333))
		return UINT64_MAX;
	/* Neighbours are joined to pairs, those to fours, those to eight. */
	value = (value & UINT64_C(0x0f0f0f0f0f0f0f0f)) * (10 * 256 + 1) >> 8;
	value = (value & UINT64_C(0x00ff00ff00ff00ff)) * (100 * 65536 + 1) >> 16;
	return (value & UINT64_C(0x0000ffff0000ffff)) * (10000 * UINT64_C(4294967296) + 1) >> 32;
#else
	(void)text;
	return UINT64_MAX;
#endif
}

/* Appends the digits at text to *mantissa, modulo 2^64; returns their number. */
static inline size_t scan_digits(const char *text, size_t length, uint64_t *mantissa)
{
	size_t i = 0;

	for (; i < length && (unsigned)(text[i] - '0') <= 9; i++)
		*mantissa = *mantissa * 10 + (uint64_t)(text[i] - '0');
	return i;
}

/* The same for what is likely to be long. */
static inline size_t scan_decimals(const char *text, size_t length, uint64_t *mantissa)
{
	uint64_t value;
	size_t i = 0;

	while (i + 8 <= length && (value = eight_digits(text + i)) != UINT64_MAX) {
		*mantissa = *mantissa * 100000000 + value;
		i += 8;
		if (i < length && (unsigned)(text[i] - '0') > 9)
			return i;
	}
	return i + scan_digits(text + i, length - i, mantissa);
}

/* Length of "e[+-]digits" at text, 0 when there is none. */
static size_t scan_exponent(const char *text, size_t length)
{
	size_t i = 1;

	if (length < 2 || (text[0] != 'e' && text[0] != 'E'))
		return 0;
	if (text[i] == '+' || text[i] == '-')
		i++;
	if (i >= length || (unsigned)(text[i] - '0') > 9)
		return 0;
	while (i < length && (unsigned)(text[i] - '0') <= 9)
		i++;
	return i;
}

size_t jm_text_scan_double(const char *text, size_t length, double *ret_value)
{
	uint64_t mantissa = 0;
	size_t i = length && text[0] == '-', scale = 0, exponent, digits;
	double value;

	digits = scan_digits(text + i, length - i, &mantissa);
	if (!digits)
		return 0;
	i += digits;
	if (i + 1 < length && text[i] == '.' && (unsigned)(text[i + 1] - '0') <= 9) {
		scale = scan_decimals(text + i + 1, length - i - 1, &mantissa);
		i += scale + 1;
	}
	exponent = scan_exponent(text + i, length - i);
	i += exponent;
	if (exponent || digits + scale > 19 || scale > 18) {
		*ret_value = scan_slowly(text, i);
		return i;
	}
	/* Both exact in double: one correctly rounded division (Clinger). */
	value = mantissa < UINT64_C(1) << 53 ? (double)mantissa / (double)jm_powers_of_ten[scale]
					     : divide(mantissa, (int)scale);
	*ret_value = text[0] == '-' ? -value : value;
	return i;
}

/* ---- double to decimal --------------------------------------------------- */

/*
 * The shortest decimal m / 10^scale inside the interval of reals that round to
 * `value` (Steele and White's condition, here in exact integers), and of those
 * the closest. Works for 1e-5 <= value < 2^53; returns 0 where it does not.
 */
static int shortest(double value, uint64_t *ret_mantissa, int *ret_scale)
{
	uint64_t bits, fraction, low, high, centre;
	int shift, scale;
	u128 middle, half;

	if (!(value >= 1e-5 && value < 9007199254740992.0))
		return 0;
	memcpy(&bits, &value, sizeof(bits));
	fraction = (bits & ((UINT64_C(1) << 52) - 1)) | UINT64_C(1) << 52;
	shift = 1075 - (int)(bits >> 52) + 1; /* value = 2 * fraction / 2^shift */
	if (fraction == UINT64_C(1) << 52)
		return 0; /* the interval below a power of two is narrower */
	/* log10(2) = 1233 / 4096: 10^16 <= value * 10^scale < 10^18. */
	scale = 16 - (((54 - shift) * 1233) >> 12);
	if (scale > 21 || scale < 0)
		return 0;
	/* The interval's ends belong to it when fraction is even. */
	middle = times_power_of_ten(fraction * 2, scale);
	half = times_power_of_ten(1, scale) - (fraction & 1);
	low = (uint64_t)((middle - half + (((u128)1 << shift) - 1)) >> shift);
	high = (uint64_t)((middle + half) >> shift);
	if (low > high)
		return 0;
	while (scale > 0 && (low + 9) / 10 <= high / 10) {
		low = (low + 9) / 10;
		high /= 10;
		scale--;
	}
	middle = times_power_of_ten(fraction * 2, scale);
	centre = (uint64_t)((middle + ((u128)1 << (shift - 1))) >> shift);
	/* Halfway between two: the even one, as Python and C have it. */
	if ((centre & 1) && (middle & (((u128)1 << shift) - 1)) == (u128)1 << (shift - 1))
		centre--;
	*ret_mantissa = centre < low ? low : centre > high ? high : centre;
	*ret_scale = scale;
	return 1;
}

/* Python's form of a decimal: point always, exponent outside 1e-4..1e16. */
static size_t format_slowly(double value, char *ret_text)
{
	char text[40], digits[24];
	int precision, exponent;
	size_t n = 0, used = 0;

	for (precision = 0; precision < 17; precision++) {
		snprintf(text, sizeof(text), "%.*e", precision, value);
		if (strtod(text, NULL) == value)
			break;
	}
	exponent = atoi(strchr(text, 'e') + 1);
	for (const char *c = text; *c != 'e'; c++)
		if (*c >= '0' && *c <= '9')
			digits[n++] = *c;
	while (n > 1 && digits[n - 1] == '0')
		n--;
	digits[n] = '\0';
	if (value < 0)
		ret_text[used++] = '-';
	if (exponent < -4 || exponent >= 16)
		used += (size_t)snprintf(ret_text + used, JM_DOUBLE_TEXT_MAX - used, "%c%s%se%c%02d",
			digits[0], n > 1 ? "." : "", digits + 1, exponent < 0 ? '-' : '+',
			abs(exponent));
	else if (exponent < 0)
		used += (size_t)snprintf(ret_text + used, JM_DOUBLE_TEXT_MAX - used, "0.%.*s%s",
			-exponent - 1, "0000", digits);
	else
		used += (size_t)snprintf(ret_text + used, JM_DOUBLE_TEXT_MAX - used, "%.*s%.*s.%s",
			exponent + 1, digits, (int)(exponent + 1 > (int)n ? exponent + 1 - (int)n : 0),
			"0000000000000000", exponent + 1 < (int)n ? digits + exponent + 1 : "0");
	return used;
}

/* Writes mantissa / 10^scale; at most 17 digits, three zeros behind the point. */
static size_t format_fixed(uint64_t mantissa, int scale, char *ret_text)
{
	size_t decimals = (size_t)scale, used;

	if (decimals > 19 || mantissa < jm_powers_of_ten[decimals]) {
		memcpy(ret_text, "0.", 2);
		jm_digits_put(mantissa, decimals, ret_text + 2);
		used = 2 + decimals;
	} else {
		uint64_t whole = mantissa / jm_powers_of_ten[decimals];

		used = jm_digits_count(whole);
		jm_digits_put(whole, used, ret_text);
		ret_text[used++] = '.';
		jm_digits_put(mantissa - whole * jm_powers_of_ten[decimals], decimals,
			ret_text + used);
		used += decimals;
		if (!decimals)
			ret_text[used++] = '0';
	}
	ret_text[used] = '\0';
	return used;
}

size_t jm_text_format_double(double value, char ret_text[JM_DOUBLE_TEXT_MAX])
{
	uint64_t mantissa;
	int scale;

	if (isnan(value))
		return (size_t)snprintf(ret_text, JM_DOUBLE_TEXT_MAX, "nan");
	if (isinf(value))
		return (size_t)snprintf(ret_text, JM_DOUBLE_TEXT_MAX, value < 0 ? "-inf" : "inf");
	if (value == 0.0)
		return (size_t)snprintf(ret_text, JM_DOUBLE_TEXT_MAX, signbit(value) ? "-0.0" : "0.0");
	if (value < 0 && shortest(-value, &mantissa, &scale) && -value >= 1e-4) {
		ret_text[0] = '-';
		return 1 + format_fixed(mantissa, scale, ret_text + 1);
	}
	if (value >= 1e-4 && shortest(value, &mantissa, &scale))
		return format_fixed(mantissa, scale, ret_text);
	return format_slowly(value, ret_text);
}
