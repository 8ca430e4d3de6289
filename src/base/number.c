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

__extension__ typedef unsigned __int128 u128;

static const uint64_t powers[] = {1u, 10u, 100u, 1000u, 10000u, 100000u, 1000000u, 10000000u,
	100000000u, 1000000000u, 10000000000u, 100000000000u, 1000000000000u, 10000000000000u,
	100000000000000u, 1000000000000000u, 10000000000000000u, 100000000000000000u,
	1000000000000000000u, 10000000000000000000u};

/* 10^exponent for 0 <= exponent <= 38. */
static u128 power_of_ten(int exponent)
{
	if (exponent < 20)
		return powers[exponent];
	return (u128)powers[19] * powers[exponent - 19];
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

/*
 * mantissa / 10^scale, rounded to nearest even; mantissa >= 2^53, scale <= 18.
 * The quotient has 56 bits or more; the remainder decides ties.
 */
static double divide_exactly(uint64_t mantissa, int scale)
{
	u128 numerator = (u128)mantissa << 63;
	u128 quotient = numerator / powers[scale];
	int inexact = quotient * powers[scale] != numerator;
	int drop = bit_length(quotient) - 53;
	uint64_t kept = (uint64_t)(quotient >> drop);
	u128 rest = quotient & (((u128)1 << drop) - 1);
	u128 half = (u128)1 << (drop - 1);

	if (rest > half || (rest == half && (inexact || (kept & 1))))
		kept++;
	return ldexp((double)kept, drop - 63);
}

struct decimal {
	uint64_t mantissa;
	int digits; /* significant ones in mantissa */
	int scale;  /* value = mantissa / 10^scale */
	int exact;  /* 0: more digits than mantissa holds, or an exponent */
};

static size_t scan_digits(const char *text, size_t length, struct decimal *decimal)
{
	size_t i = 0;

	for (; i < length && (unsigned)(text[i] - '0') <= 9; i++) {
		if (decimal->digits == 19) {
			decimal->exact = 0;
			continue;
		}
		decimal->mantissa = decimal->mantissa * 10 + (uint64_t)(text[i] - '0');
		decimal->digits += decimal->mantissa != 0;
	}
	return i;
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

static double decimal_value(const struct decimal *decimal)
{
	if (!decimal->mantissa)
		return 0.0;
	/* Both exact in double: one correctly rounded division (Clinger). */
	if (decimal->mantissa < UINT64_C(1) << 53)
		return (double)decimal->mantissa / (double)powers[decimal->scale];
	return divide_exactly(decimal->mantissa, decimal->scale);
}

size_t jm_text_scan_double(const char *text, size_t length, double *ret_value)
{
	struct decimal decimal = {0, 0, 0, 1};
	size_t i = 0, n, exponent;

	if (length && text[0] == '-')
		i++;
	n = scan_digits(text + i, length - i, &decimal);
	if (!n)
		return 0;
	i += n;
	if (i + 1 < length && text[i] == '.' && (unsigned)(text[i + 1] - '0') <= 9) {
		n = scan_digits(text + i + 1, length - i - 1, &decimal);
		decimal.scale = (int)(n < 1000 ? n : 1000);
		i += n + 1;
	}
	exponent = scan_exponent(text + i, length - i);
	i += exponent;
	if (exponent || !decimal.exact || decimal.scale > 18) {
		*ret_value = scan_slowly(text, i);
		return i;
	}
	*ret_value = decimal_value(&decimal);
	if (text[0] == '-')
		*ret_value = -*ret_value;
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
	middle = (u128)fraction * 2 * power_of_ten(scale);
	half = power_of_ten(scale) - (fraction & 1);
	low = (uint64_t)((middle - half + (((u128)1 << shift) - 1)) >> shift);
	high = (uint64_t)((middle + half) >> shift);
	if (low > high)
		return 0;
	while (scale > 0 && (low + 9) / 10 <= high / 10) {
		low = (low + 9) / 10;
		high /= 10;
		scale--;
	}
	middle = (u128)fraction * 2 * power_of_ten(scale);
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

static size_t format_fixed(uint64_t mantissa, int scale, char *ret_text)
{
	char digits[20];
	size_t n = jm_text_format_unsigned(mantissa, digits);
	size_t used = 0, whole = n > (size_t)scale ? n - (size_t)scale : 0;

	if (!whole)
		ret_text[used++] = '0';
	memcpy(ret_text + used, digits, whole);
	used += whole;
	ret_text[used++] = '.';
	if (!scale)
		ret_text[used++] = '0';
	for (size_t i = n; i < (size_t)scale; i++)
		ret_text[used++] = '0';
	memcpy(ret_text + used, digits + whole, n - whole);
	used += n - whole;
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
