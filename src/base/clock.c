/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static int64_t read_clock(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (int64_t)now.tv_sec * JM_NS_PER_S + now.tv_nsec;
}

int64_t jm_clock_monotonic_ns(void *clock)
{
	(void)clock;
	return read_clock(CLOCK_MONOTONIC);
}

int64_t jm_clock_realtime_ns(void)
{
	return read_clock(CLOCK_REALTIME);
}

void jm_clock_sleep_until(int64_t deadline_ns)
{
	struct timespec deadline;

	if (deadline_ns < 0)
		return;
	deadline.tv_sec = (time_t)(deadline_ns / JM_NS_PER_S);
	deadline.tv_nsec = (long)(deadline_ns % JM_NS_PER_S);
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &deadline, NULL);
}

double jm_cpu_seconds(const struct rusage *usage)
{
	return (double)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) +
	       (double)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) * 1e-6;
}

void jm_clock_pair_read(struct jm_clock_pair *ret_pair)
{
	int64_t narrowest = INT64_MAX;

	/* The narrowest of several brackets was not interrupted. */
	for (int i = 0; i < 9; i++) {
		int64_t before = read_clock(CLOCK_MONOTONIC);
		int64_t real = read_clock(CLOCK_REALTIME);
		int64_t after = read_clock(CLOCK_MONOTONIC);

		if (after - before >= narrowest)
			continue;
		narrowest = after - before;
		ret_pair->monotonic_ns = before + narrowest / 2;
		ret_pair->realtime_ns = real;
		ret_pair->uncertainty_ns = narrowest / 2 + 1;
	}
}

int32_t jm_clock_utc_offset_s(int64_t realtime_ns)
{
	time_t seconds = (time_t)(realtime_ns / JM_NS_PER_S);
	struct tm local;

	if (!localtime_r(&seconds, &local))
		return 0;
	return (int32_t)(timegm(&local) - seconds);
}

/* Days since 1970-01-01 in the proleptic Gregorian calendar. */
static int64_t days_from_date(int year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year; /* years begin in March */
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int64_t day_of_era =
		year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

	return era * 146097 + day_of_era - 719468;
}

int64_t jm_civil_from_date_ns(int year, int month, int day)
{
	return days_from_date(year, month, day) * 86400 * JM_NS_PER_S;
}

static void break_down(int64_t civil_ns, struct tm *ret_tm, int64_t *ret_fraction_ns)
{
	int64_t seconds = civil_ns / JM_NS_PER_S;
	int64_t fraction = civil_ns % JM_NS_PER_S;
	time_t clock_seconds;

	if (fraction < 0) {
		fraction += JM_NS_PER_S;
		seconds--;
	}
	clock_seconds = (time_t)seconds;
	gmtime_r(&clock_seconds, ret_tm);
	*ret_fraction_ns = fraction;
}

void jm_civil_format(int64_t civil_ns, char ret_text[JM_STAMP_TEXT_LENGTH + 1])
{
	struct tm tm;
	int64_t fraction;
	size_t used;

	break_down(civil_ns, &tm, &fraction);
	used = strftime(ret_text, JM_STAMP_TEXT_LENGTH + 1, "%Y%m%d-%H:%M:%S", &tm);
	snprintf(ret_text + used, JM_STAMP_TEXT_LENGTH + 1 - used, ".%06d",
		(int)(fraction / JM_NS_PER_US));
}

void jm_civil_format_file(int64_t civil_ns, char ret_text[16])
{
	struct tm tm;
	int64_t fraction;

	break_down(civil_ns, &tm, &fraction);
	strftime(ret_text, 16, "%Y%m%d-%H%M%S", &tm);
}

/* Value of two digits, or -1. */
static inline int two_digits(const char *text)
{
	unsigned high = (unsigned)(text[0] - '0');
	unsigned low = (unsigned)(text[1] - '0');

	return high <= 9 && low <= 9 ? (int)(high * 10 + low) : -1;
}

/*
 * Far from the ends of int64 nanoseconds, so that differences fit too. A machine
 * whose clock was never set is in 1970, and west of UTC in 1969.
 */
enum { YEAR_MIN = 1969, YEAR_MAX = 2199 };

static int scan_date(const char *text, int64_t *ret_ns)
{
	static const signed char days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int century = two_digits(text);
	int year = two_digits(text + 2);
	int month = two_digits(text + 4);
	int day = two_digits(text + 6);

	if (century < 0 || year < 0 || month < 1 || month > 12 || day < 1 ||
		day > days[month - 1])
		return 0;
	year += century * 100;
	if (year < YEAR_MIN || year > YEAR_MAX)
		return 0;
	if (month == 2 && day == 29 && (year % 4 || (year % 100 == 0 && year % 400)))
		return 0;
	*ret_ns = jm_civil_from_date_ns(year, month, day);
	return 1;
}

/* Reads ".f{1,9}" if it is there; returns bytes used. */
static size_t scan_fraction(const char *text, size_t length, int64_t *ret_ns)
{
	static const int64_t scale[] = {
		0, 100000000, 10000000, 1000000, 100000, 10000, 1000, 100, 10, 1};
	int64_t value = 0;
	size_t digits = 0;

	*ret_ns = 0;
	if (!length || text[0] != '.')
		return 0;
	while (digits < 9 && digits + 1 < length && (unsigned)(text[digits + 1] - '0') <= 9) {
		value = value * 10 + (text[digits + 1] - '0');
		digits++;
	}
	*ret_ns = value * scale[digits];
	return digits ? digits + 1 : 0;
}

size_t jm_civil_scan(
	const char *text, size_t length, struct jm_civil_cache *cache, int64_t *ret_civil_ns)
{
	int hour, minute, second;
	int64_t fraction;

	if (length < 17 || text[8] != '-' || text[11] != ':' || text[14] != ':')
		return 0;
	if (!cache->valid || memcmp(cache->date, text, 8) != 0) {
		cache->valid = scan_date(text, &cache->date_ns);
		if (!cache->valid)
			return 0;
		memcpy(cache->date, text, 8);
	}
	hour = two_digits(text + 9);
	minute = two_digits(text + 12);
	second = two_digits(text + 15);
	/* A leap second is written as 60 by some clocks. */
	if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60)
		return 0;
	length = 17 + scan_fraction(text + 17, length - 17, &fraction);
	*ret_civil_ns = cache->date_ns +
			((int64_t)hour * 3600 + minute * 60 + second) * JM_NS_PER_S + fraction;
	return length;
}

int jm_civil_scan_file(const char *text, int64_t *ret_civil_ns)
{
	struct jm_civil_cache cache = {.valid = 0};
	char stamp[18];

	/* "YYYYmmdd-HHMMSS" becomes what the scanner of stamps reads. */
	if (strnlen(text, 15) < 15)
		return 0;
	snprintf(stamp, sizeof(stamp), "%.11s:%.2s:%.2s", text, text + 11, text + 13);
	return jm_civil_scan(stamp, 17, &cache, ret_civil_ns) != 0;
}
