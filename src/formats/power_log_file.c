/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/power_log_file.h"

#include <math.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"
#include "base/text_kind.h"
#include "data/clock_change.h"
#include "data/counter.h"
#include "data/possible.h"
#include "formats/stamp_text.h"

#define LINE_FORM "'YYYYmmdd-HH:MM:SS.ffffff,millivolts,milliamperes'"

/* ---- Reading --------------------------------------------------------------- */

struct scan {
	struct jm_reader *reader;
	struct jm_civil_cache cache;
	struct jm_clock_series clock;
	struct jm_clock_steps *steps; /* NULL: time that runs back is an error */
	size_t line;
};

struct line {
	int64_t stamp_ns;
	double mv, ma;
	int cut; /* only the first value has a decimal point: digits are missing */
};

static size_t skip_blanks(const char *text, size_t length)
{
	size_t i = 0;

	while (i < length && (text[i] == ' ' || text[i] == '\t'))
		i++;
	return i;
}

/* "nan" and "inf" as programs write them: there is no value. Returns bytes used. */
static size_t scan_no_value(const char *text, size_t length, double *ret_value)
{
	static const char *const words[] = {"nan", "infinity", "inf"};
	size_t sign = length && (text[0] == '-' || text[0] == '+');

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t n = strlen(words[i]);

		if (length - sign < n || strncasecmp(text + sign, words[i], n) != 0)
			continue;
		*ret_value = (double)NAN;
		return sign + n;
	}
	return 0;
}

/* Reads ",value" with blanks around the value; returns bytes used or 0. */
static size_t scan_value(const char *text, size_t length, double *ret_value)
{
	size_t used = 1, n;

	if (!length || text[0] != ',')
		return 0;
	used += skip_blanks(text + used, length - used);
	n = jm_text_scan_double(text + used, length - used, ret_value);
	if (!n)
		n = scan_no_value(text + used, length - used, ret_value);
	if (!n)
		return 0;
	used += n;
	return used + skip_blanks(text + used, length - used);
}

static int parse_line(struct scan *scan, const char *text, size_t length, struct line *ret_line)
{
	size_t used = skip_blanks(text, length), n;
	int point;

	n = jm_civil_scan(text + used, length - used, &scan->cache, &ret_line->stamp_ns);
	if (!n)
		return 0;
	used += n;
	used += skip_blanks(text + used, length - used);
	n = scan_value(text + used, length - used, &ret_line->mv);
	if (!n)
		return 0;
	point = memchr(text + used, '.', n) != NULL;
	used += n;
	n = scan_value(text + used, length - used, &ret_line->ma);
	ret_line->cut = point && !memchr(text + used, '.', n);
	return n && used + n == length;
}

static int is_blank(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (text[i] != ' ' && text[i] != '\t' && text[i] != '\0')
			return 0;
	return 1;
}

/* 1 when nothing but blank lines (and zeros after a power loss) follows. */
static int only_blanks_follow(struct scan *scan, struct jm_error *reterr)
{
	const char *text;
	size_t length;
	int result;

	while ((result = jm_reader_line(scan->reader, &text, &length, reterr)) > 0)
		if (!is_blank(text, length))
			return 0;
	return result < 0 ? result : 1;
}

/* Says what is wrong with a line that does not have the form of one. */
static int fail_line(
	struct scan *scan, const char *text, size_t length, struct jm_error *reterr)
{
	char shown[49];
	size_t n = 0;

	while (n < length && n < sizeof(shown) - 1) {
		char c = text[n];

		shown[n++] = c >= ' ' && c < 127 ? c : '?';
	}
	shown[n] = '\0';
	return jm_fail(reterr, JM_EFORMAT,
		"'%s' line %zu: '%s%s' is not of the form " LINE_FORM
		"; repair or remove the line, or give the right file",
		scan->reader->path, scan->line, shown, length > n ? "..." : "");
}

/* Whether the clock was set for the other log too is for others to tell. */
static int take_step(struct scan *scan, int64_t *stamp_ns, struct jm_error *reterr)
{
	struct jm_error error = {0};

	jm_fail(&error, JM_EFORMAT,
		"'%s' line %zu: time runs back by %.6f s; the clock was set during the "
		"run or lines were moved: sort the lines, or measure again",
		scan->reader->path, scan->line,
		(double)(scan->clock.previous_ns - *stamp_ns) * 1e-9);
	if (!scan->steps || scan->clock.stamps < 2) {
		if (reterr)
			*reterr = error;
		return JM_EFORMAT;
	}
	if (!scan->steps->n)
		scan->steps->first = error;
	return jm_clock_step_back(&scan->clock, scan->steps, 0, stamp_ns) < 0
		       ? jm_fail_memory(reterr, "the steps of a clock")
		       : 0;
}

static int take_stamp(struct scan *scan, int64_t *stamp_ns, struct jm_power_log_notes *notes,
	struct jm_error *reterr)
{
	int changed = jm_clock_continue(&scan->clock, stamp_ns);

	if (changed < 0)
		return take_step(scan, stamp_ns, reterr);
	if (changed && !notes->clock_changes++)
		notes->clock_change_line = scan->line;
	notes->clock_shift_ns = scan->clock.shift_ns;
	return 0;
}

/* 1 when the line read last had a line end. */
static int line_ended(const struct scan *scan)
{
	const struct jm_reader *reader = scan->reader;

	return reader->position && reader->data[reader->position - 1] ==
					   (reader->line_end ? reader->line_end : '\n');
}

/* A broken line is forgiven where a writer was stopped: at the very end. */
static int take_broken_line(struct scan *scan, const char *text, size_t length,
	struct jm_power_log_notes *notes, struct jm_error *reterr)
{
	struct jm_error problem;
	int result;

	/* Said first: reading on moves the text. */
	fail_line(scan, text, length, &problem);
	result = scan->line == 1 && line_ended(scan) ? 0 : only_blanks_follow(scan, &problem);
	notes->torn_last_line = result == 1;
	if (result == 1)
		return 0;
	if (reterr)
		*reterr = problem;
	return problem.code;
}

/* Handles one line. Returns 1 to go on, 0 at a torn last line, or an error. */
static int take_line(struct scan *scan, const char *text, size_t length,
	struct jm_power_log *log, struct jm_power_log_notes *notes, struct jm_error *reterr)
{
	struct line line = {0};
	struct jm_reading reading;
	int result, whole = parse_line(scan, text, length, &line);

	if (!whole || (line.cut && !line_ended(scan)))
		return take_broken_line(scan, text, length, notes, reterr);
	result = take_stamp(scan, &line.stamp_ns, notes, reterr);
	if (result < 0)
		return result;
	reading = (struct jm_reading){line.stamp_ns, line.stamp_ns, {line.mv, line.ma}};
	if (!jm_reading_is_possible(&reading, JM_QUANTITY_MV_MA, 0)) {
		if (!notes->impossible++)
			notes->impossible_line = scan->line;
		return 1;
	}
	result = jm_power_log_append(log, 0, &reading, reterr);
	return result < 0 ? result : 1;
}

static int read_lines(struct scan *scan, struct jm_power_log *log,
	struct jm_power_log_notes *notes, struct jm_error *reterr)
{
	const char *text;
	size_t length;
	int result = jm_reader_begin_text(scan->reader, reterr);

	if (result < 0)
		return result;
	while ((result = jm_reader_line(scan->reader, &text, &length, reterr)) > 0) {
		scan->line++;
		if (is_blank(text, length))
			continue;
		result = take_line(scan, text, length, log, notes, reterr);
		if (result <= 0)
			break;
	}
	if (result < 0)
		return result;
	notes->readings = log->rails[0].n_readings;
	if (!notes->readings && notes->impossible)
		return jm_fail(reterr, JM_EFORMAT,
			"'%s' holds no value that can be in %zu readings, beginning in line "
			"%zu: the sensor was not there, or the file is of something else",
			scan->reader->path, notes->impossible, notes->impossible_line);
	if (!notes->readings)
		return jm_fail(reterr, notes->torn_last_line ? JM_ETRUNCATED : JM_EFORMAT,
			"'%s' holds no reading: the power logger was stopped at once or could "
			"not read its sensor; measure again",
			scan->reader->path);
	return 0;
}

int jm_power_log_read_steps(struct jm_reader *reader, struct jm_power_log *log,
	struct jm_power_log_notes *ret_notes, struct jm_clock_steps *ret_steps,
	struct jm_error *reterr)
{
	struct jm_power_log_notes notes = {0};
	struct scan scan = {.reader = reader, .steps = ret_steps};
	int result;

	jm_power_log_init(log);
	result = jm_power_log_add_rail(log, "power", JM_QUANTITY_MV_MA, reterr);
	if (result >= 0)
		result = read_lines(&scan, log, &notes, reterr);
	if (result < 0)
		jm_power_log_release(log);
	else if (ret_notes)
		*ret_notes = notes;
	return result;
}

int jm_power_log_read_from(struct jm_reader *reader, struct jm_power_log *log,
	struct jm_power_log_notes *ret_notes, struct jm_error *reterr)
{
	return jm_power_log_read_steps(reader, log, ret_notes, NULL, reterr);
}

int jm_power_log_read_stepping(const char *path, struct jm_power_log *log,
	struct jm_power_log_notes *ret_notes, struct jm_clock_steps *ret_steps,
	struct jm_error *reterr)
{
	struct jm_reader reader;
	int result;

	jm_power_log_init(log);
	result = jm_reader_open(&reader, path, reterr);
	if (result < 0)
		return result;
	result = jm_power_log_read_steps(&reader, log, ret_notes, ret_steps, reterr);
	jm_reader_close(&reader);
	return result;
}

int jm_power_log_read(const char *path, struct jm_power_log *log,
	struct jm_power_log_notes *ret_notes, struct jm_error *reterr)
{
	return jm_power_log_read_stepping(path, log, ret_notes, NULL, reterr);
}

/* The stamp of the first line that is not blank. */
static int find_begin(struct jm_reader *reader, int64_t *ret_begin_ns, struct jm_error *reterr)
{
	struct jm_civil_cache cache = {.valid = 0};
	const char *text;
	size_t length, blanks;
	int result = jm_reader_begin_text(reader, reterr);

	if (result < 0)
		return result;
	while ((result = jm_reader_line(reader, &text, &length, reterr)) > 0)
		if (!is_blank(text, length))
			break;
	if (result < 0)
		return result;
	blanks = result > 0 ? skip_blanks(text, length) : 0;
	if (result > 0 && jm_civil_scan(text + blanks, length - blanks, &cache, ret_begin_ns))
		return 0;
	return jm_fail(reterr, JM_EFORMAT,
		"'%s' does not begin with a line of the form " LINE_FORM, reader->path);
}

int jm_power_log_begin(const char *path, int64_t *ret_begin_ns, struct jm_error *reterr)
{
	struct jm_reader reader;
	int result = jm_reader_open(&reader, path, reterr);

	if (result < 0)
		return result;
	result = find_begin(&reader, ret_begin_ns, reterr);
	jm_reader_close(&reader);
	return result;
}

/* ---- Writing --------------------------------------------------------------- */

/* Mean power since the last update in uW; NaN when there is no update. */
static double counter_power_uw(struct jm_counter *counter, const struct jm_reading *reading)
{
	double power_uw;

	jm_counter_put(counter, reading, &power_uw);
	return power_uw;
}

static void write_line(struct jm_writer *writer, struct jm_stamp_text *stamps, int64_t civil_ns,
	double mv, double ma)
{
	char *text =
		jm_writer_reserve(writer, JM_STAMP_TEXT_LENGTH + 2 * JM_DOUBLE_TEXT_MAX + 3);
	char *end = text;

	if (!text)
		return;
	memcpy(end, jm_stamp_text(stamps, civil_ns), JM_STAMP_TEXT_LENGTH);
	end += JM_STAMP_TEXT_LENGTH;
	*end++ = ',';
	end += jm_text_format_double(mv, end);
	*end++ = ',';
	end += jm_text_format_double(ma, end);
	*end++ = '\n';
	jm_writer_advance(writer, (size_t)(end - text));
}

int jm_power_log_write(const char *path, const struct jm_rail *rail, int64_t civil_offset_ns,
	struct jm_error *reterr)
{
	struct jm_stamp_text stamps = {0};
	struct jm_counter counter;
	struct jm_writer writer;
	int result = jm_writer_open(&writer, path, reterr);

	if (result < 0)
		return result;
	jm_counter_init(&counter, rail->range_uj);
	for (size_t i = 0; i < rail->n_readings; i++) {
		const struct jm_reading *reading = &rail->readings[i];
		double mv = reading->value[0], ma = reading->value[1];

		if (rail->quantity != JM_QUANTITY_MV_MA) {
			ma = rail->quantity == JM_QUANTITY_UJ
				     ? counter_power_uw(&counter, reading)
				     : reading->value[0];
			ma /= 1000.0;
			mv = 1000.0;
		}
		if (!isnan(mv) && !isnan(ma))
			write_line(
				&writer, &stamps, reading->after_ns + civil_offset_ns, mv, ma);
	}
	return jm_writer_commit(&writer, reterr);
}
