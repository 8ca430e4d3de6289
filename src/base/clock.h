/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks, and the original's naive local time stamps. */
#ifndef JM_BASE_CLOCK_H
#define JM_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#define JM_NS_PER_US INT64_C(1000)
#define JM_NS_PER_MS INT64_C(1000000)
#define JM_NS_PER_S INT64_C(1000000000)

/* CLOCK_MONOTONIC in ns; `clock` is ignored. The default injected clock. */
int64_t jm_clock_monotonic_ns(void *clock);

/* CLOCK_REALTIME in ns since 1970. */
int64_t jm_clock_realtime_ns(void);

/* Sleeps until CLOCK_MONOTONIC reaches deadline_ns; a signal ends it early. */
void jm_clock_sleep_until(int64_t deadline_ns);

struct rusage;

/* Processor time of a usage, the system's work for it included. */
double jm_cpu_seconds(const struct rusage *usage);

/* A reading of both clocks, taken as close together as the machine allows. */
struct jm_clock_pair {
	int64_t monotonic_ns;
	int64_t realtime_ns;
	int64_t uncertainty_ns; /* half the width of the bracket */
};

void jm_clock_pair_read(struct jm_clock_pair *ret_pair);

/* Seconds east of UTC of local time at a moment (realtime ns). */
int32_t jm_clock_utc_offset_s(int64_t realtime_ns);

/*
 * Civil time: ns since 1970-01-01 00:00 of the *written* date and time, as if
 * it were UTC. Naive stamps of a log live on this axis.
 */
int64_t jm_civil_from_date_ns(int year, int month, int day);

/* Length of "YYYYmmdd-HH:MM:SS.ffffff". */
#define JM_STAMP_TEXT_LENGTH 24

/* Writes the stamp (us, rounded down) of a civil time; 25 bytes with '\0'. */
void jm_civil_format(int64_t civil_ns, char ret_text[JM_STAMP_TEXT_LENGTH + 1]);

/* Writes "YYYYmmdd-HHMMSS", 16 bytes with '\0', as in file names. */
void jm_civil_format_file(int64_t civil_ns, char ret_text[16]);

/* Reads such a stamp, whatever follows it; 0: there is none here. */
int jm_civil_scan_file(const char *text, int64_t *ret_civil_ns);

/* Keeps the last date seen, so that stamps of one day parse fast. */
struct jm_civil_cache {
	char date[8];
	int64_t date_ns;
	int valid;
};

/*
 * Reads "YYYYmmdd-HH:MM:SS[.f{1,9}]" of the years 1970 to 2199 at
 * text[0..length). Returns the number of bytes read, or 0 when there is no
 * valid stamp.
 */
size_t jm_civil_scan(
	const char *text, size_t length, struct jm_civil_cache *cache, int64_t *ret_civil_ns);

#endif
