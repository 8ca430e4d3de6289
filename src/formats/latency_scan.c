/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/latency_scan.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

#define DURATION_MAX_MS 3.6e6

int jm_latency_fail_at(const struct jm_latency_scan *scan, size_t position, const char *problem)
{
	return jm_fail(scan->reterr, JM_EFORMAT,
		"'%s' line %zu, byte %llu: %s; expected {\"layer\": [[milliseconds, "
		"\"YYYYmmdd-HH:MM:SS.ffffff\"], ...], ...}",
		scan->reader->path, scan->line,
		(unsigned long long)(scan->reader->offset + position + 1), problem);
}

int jm_latency_fail_truncated(const struct jm_latency_scan *scan)
{
	return jm_fail(scan->reterr, JM_ETRUNCATED,
		"'%s' ends too early, at line %zu, byte %llu: the file was cut while it was "
		"written or copied; copy it again or measure again",
		scan->reader->path, scan->line,
		(unsigned long long)(scan->reader->offset + scan->reader->end));
}

/* Skips white space. Returns the next character (not taken), JM_LATENCY_AT_END or < 0. */
int jm_latency_next(struct jm_latency_scan *scan)
{
	struct jm_reader *reader = scan->reader;

	for (;;) {
		while (reader->position < reader->end) {
			unsigned char c = (unsigned char)reader->data[reader->position];

			if (c != ' ' && c != '\n' && c != '\r' && c != '\t')
				return c;
			scan->line += c == '\n';
			reader->position++;
		}
		int result = jm_reader_fill(reader, scan->reterr);

		if (result < 0)
			return result;
		if (result == 0)
			return JM_LATENCY_AT_END;
	}
}

/* Takes the character `wanted` after white space. 0 or an error. */
int jm_latency_take(struct jm_latency_scan *scan, char wanted, const char *problem)
{
	int c = jm_latency_next(scan);

	if (c < 0)
		return c;
	if (c == JM_LATENCY_AT_END)
		return jm_latency_fail_truncated(scan);
	if (c != wanted)
		return jm_latency_fail_at(scan, scan->reader->position, problem);
	scan->reader->position++;
	return 0;
}

/*
 * Takes "]" or "}" (returns 0), or "," (returns 1) after white space.
 */
int jm_latency_take_separator(struct jm_latency_scan *scan, char closing, const char *problem)
{
	int c = jm_latency_next(scan);

	if (c < 0)
		return c;
	if (c == JM_LATENCY_AT_END)
		return jm_latency_fail_truncated(scan);
	if (c != closing && c != ',')
		return jm_latency_fail_at(scan, scan->reader->position, problem);
	scan->reader->position++;
	return c == ',';
}

/* ---- One pair ----------------------------------------------------------------- */

static const char *skip_white(const char *p, const char *end, size_t *lines)
{
	while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
		*lines += *p++ == '\n';
	return p;
}

/* Value of ".ffffff" at text, -1 where it has another form. */
static int64_t six_decimals_ns(const char *text)
{
	int64_t us = 0;

	if (text[0] != '.')
		return -1;
	for (int i = 1; i <= 6; i++) {
		if ((unsigned)(text[i] - '0') > 9)
			return -1;
		us = us * 10 + (text[i] - '0');
	}
	return us * JM_NS_PER_US;
}

/* jm_civil_scan() of stamps that mostly share their second. */
static size_t scan_stamp(
	struct jm_latency_scan *scan, const char *text, size_t length, int64_t *ret_ns)
{
	int64_t fraction_ns = -1;
	size_t n;

	if (length > JM_STAMP_TEXT_LENGTH && text[JM_STAMP_TEXT_LENGTH] == '"' &&
		memcmp(text, scan->second_text, JM_LATENCY_SECOND_LENGTH) == 0)
		fraction_ns = six_decimals_ns(text + JM_LATENCY_SECOND_LENGTH);
	if (fraction_ns >= 0) {
		*ret_ns = scan->second_ns + fraction_ns;
		return JM_STAMP_TEXT_LENGTH;
	}
	n = jm_civil_scan(text, length, &scan->cache, ret_ns);
	if (n && jm_civil_scan(text, JM_LATENCY_SECOND_LENGTH, &scan->cache, &scan->second_ns))
		memcpy(scan->second_text, text, JM_LATENCY_SECOND_LENGTH);
	return n;
}

/*
 * Scans "[milliseconds, "stamp"" at p[0..end), where *end is its ']'. Returns
 * NULL, or what is wrong at *ret_wrong.
 */
static const char *scan_pair(struct jm_latency_scan *scan, const char *p, const char *end,
	struct jm_execution *ret_execution, const char **ret_wrong)
{
	double ms = 0;
	size_t n;

	p = skip_white(p + 1, end, &scan->line);
	*ret_wrong = p;
	n = jm_text_scan_double(p, (size_t)(end - p), &ms);
	if (!n)
		return "the duration is not a number";
	if (!(ms >= 0 && ms <= DURATION_MAX_MS))
		return "the duration is not between 0 ms and an hour";
	ret_execution->duration_ms = ms;
	p = skip_white(p + n, end, &scan->line);
	*ret_wrong = p;
	if (p == end || *p != ',')
		return "a ',' is missing after the duration";
	p = skip_white(p + 1, end, &scan->line);
	*ret_wrong = p;
	if (p == end || *p != '"')
		return "the time stamp is missing";
	p++;
	n = scan_stamp(scan, p, (size_t)(end - p), &ret_execution->stamp_ns);
	if (!n || p + n == end || p[n] != '"')
		return "the time stamp is not of the form \"YYYYmmdd-HH:MM:SS.ffffff\"";
	p = skip_white(p + n + 1, end, &scan->line);
	*ret_wrong = p;
	return p == end ? NULL : "a ']' is missing after the time stamp";
}

/* Makes a whole pair visible: *ret_end is its ']'. 0 or an error. */
static int find_pair_end(struct jm_latency_scan *scan, const char **ret_end)
{
	struct jm_reader *reader = scan->reader;
	size_t seen = 0;

	for (;;) {
		size_t available = reader->end - reader->position;
		const char *begin = reader->data + reader->position;
		int result;

		*ret_end = memchr(begin + seen, ']', available - seen);
		if (*ret_end)
			return 0;
		seen = available;
		if (seen > JM_LATENCY_TOKEN_MAX)
			return jm_latency_fail_at(
				scan, reader->position, "a pair does not end");
		result = jm_reader_fill(reader, scan->reterr);
		if (result < 0)
			return result;
		if (result == 0)
			return jm_latency_fail_truncated(scan);
	}
}

static int take_step(struct jm_latency_scan *scan, int64_t *stamp_ns)
{
	struct jm_error error = {0};

	jm_fail(&error, JM_EFORMAT,
		"'%s' line %zu: time runs back by %.6f s in cycle %zu of layer '%.100s'; the "
		"clock was set during the run: measure again",
		scan->reader->path, scan->line,
		(double)(scan->clock.previous_ns - *stamp_ns) * 1e-9, scan->clock.stamps + 1,
		scan->timeline->layers[scan->layer].name);
	if (!scan->steps || scan->clock.stamps < 2) {
		if (scan->reterr)
			*scan->reterr = error;
		return JM_EFORMAT;
	}
	if (!scan->steps->n)
		scan->steps->first = error;
	return jm_clock_step_back(&scan->clock, scan->steps, scan->layer, stamp_ns) < 0
		       ? jm_fail_memory(scan->reterr, "the steps of a clock")
		       : 0;
}

/* Each layer is a series of its own, beginning beside the layer before. */
static int continue_clock(struct jm_latency_scan *scan, int64_t *stamp_ns)
{
	if (scan->clock.stamps)
		return jm_clock_continue(&scan->clock, stamp_ns);
	jm_clock_begin(&scan->clock, scan->has_first ? &scan->first_ns : NULL, stamp_ns);
	scan->first_ns = *stamp_ns;
	scan->has_first = 1;
	return 0;
}

static int take_pair(struct jm_latency_scan *scan)
{
	struct jm_reader *reader = scan->reader;
	struct jm_execution execution = {0, 0};
	const char *end, *wrong, *problem;
	int result = find_pair_end(scan, &end);

	if (result < 0)
		return result;
	problem = scan_pair(scan, reader->data + reader->position, end, &execution, &wrong);
	if (problem)
		return jm_latency_fail_at(scan, (size_t)(wrong - reader->data), problem);
	if (continue_clock(scan, &execution.stamp_ns) < 0) {
		result = take_step(scan, &execution.stamp_ns);
		if (result < 0)
			return result;
	}
	reader->position = (size_t)(end + 1 - reader->data);
	return jm_timeline_append(scan->timeline, scan->layer, execution, scan->reterr);
}

/* ---- All pairs of a layer ---------------------------------------------------- */

static void note_series(struct jm_latency_scan *scan)
{
	struct jm_latency_notes *notes = &scan->notes;

	if (!scan->clock.shift_ns)
		return;
	notes->clock_changes++;
	if (llabs(scan->clock.shift_ns) > llabs(notes->clock_shift_ns))
		notes->clock_shift_ns = scan->clock.shift_ns;
}

int jm_latency_take_pairs(struct jm_latency_scan *scan)
{
	int c, more = 1, result = jm_latency_take(scan, '[', "a '[' is missing after the name");

	if (result < 0)
		return result;
	c = jm_latency_next(scan);
	if (c == ']') {
		scan->reader->position++;
		return 0;
	}
	memset(&scan->clock, 0, sizeof(scan->clock));
	while (more > 0) {
		c = jm_latency_next(scan);
		if (c < 0)
			return c;
		if (c == JM_LATENCY_AT_END)
			return jm_latency_fail_truncated(scan);
		if (c != '[')
			return jm_latency_fail_at(scan, scan->reader->position,
				"a pair [milliseconds, \"stamp\"] is missing");
		result = take_pair(scan);
		if (result < 0)
			return result;
		more = jm_latency_take_separator(
			scan, ']', "a ',' or ']' is missing after a pair");
	}
	note_series(scan);
	return more;
}
