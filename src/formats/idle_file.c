/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/idle_file.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "base/text_kind.h"

#define IDLE_FILE_MAX ((size_t)1 << 20)
#define SENTENCE "average idling power measured:"
#define POWER_MAX_UW 1e12

static int write_text(
	const char *folder, const char *name, const char *text, struct jm_error *reterr)
{
	char path[JM_PATH_MAX];
	int result = jm_path_join(path, folder, name, reterr);

	return result < 0 ? result : jm_file_write(path, text, strlen(text), reterr);
}

/*
 * The text of idling_power.json, freed with free(); NULL when out of memory.
 * The original's two keys come first, the power in its shortest form.
 */
static char *format_json(
	const struct jm_idle_record *record, const char *stamp, const char *value)
{
	static const char form[] =
		"{\n    \"timestamp\": \"%s\",\n    \"avg_idle_power\": %s%s%s\n}";
	json_t *ours = json_object();
	char *more = NULL, *text = NULL;
	size_t size;

	if (!isnan(record->error_uw))
		json_object_set_new(ours, "error_uw", json_real(record->error_uw));
	if (record->seconds > 0)
		json_object_set_new(ours, "seconds", json_real(record->seconds));
	if (record->sensor[0])
		json_object_set_new(ours, "sensor", jm_json_text(record->sensor));
	if (record->simulated)
		json_object_set_new(ours, "simulated", json_true());
	more = ours ? jm_json_dump(ours, JSON_EMBED | JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
	if (more) {
		size = sizeof(form) + strlen(stamp) + strlen(value) + strlen(more) + 8;
		text = malloc(size);
		if (text)
			snprintf(text, size, form, stamp, value, *more ? ",\n    " : "", more);
	}
	free(more);
	json_decref(ours);
	return text;
}

int jm_idle_write(
	const char *folder, const struct jm_idle_record *record, struct jm_error *reterr)
{
	char value[JM_DOUBLE_TEXT_MAX], stamp[16], name[96], sentence[160], *json;
	int result;

	if (!isfinite(record->average_uw))
		return jm_fail(reterr, JM_EINVAL, "%g uW is no idle power", record->average_uw);
	jm_text_format_double(record->average_uw, value);
	jm_civil_format_file(record->civil_ns, stamp);
	snprintf(name, sizeof(name), "%.0f_seconds_idling_power_log_%s.log", record->seconds,
		stamp);
	snprintf(sentence, sizeof(sentence), "The " SENTENCE " %s muW", value);
	json = format_json(record, stamp, value);
	if (!json)
		return jm_fail_memory(reterr, "the idle power");
	result = write_text(folder, name, sentence, reterr);
	if (result == 0)
		result = write_text(folder, "idling_power.json", json, reterr);
	free(json);
	return result;
}

static int parse_json(const char *name, const char *text, size_t size,
	struct jm_idle_record *record, struct jm_error *reterr)
{
	const char *sensor, *stamp;
	json_t *root;
	int result = jm_json_load(name, text, size, &root, reterr);

	if (result < 0)
		return result;
	sensor = json_string_value(json_object_get(root, "sensor"));
	record->average_uw = jm_json_get_number(root, "avg_idle_power");
	record->error_uw = jm_json_get_number(root, "error_uw");
	record->seconds = json_number_value(json_object_get(root, "seconds"));
	record->simulated = json_is_true(json_object_get(root, "simulated"));
	if (sensor)
		jm_text_copy(record->sensor, sizeof(record->sensor), sensor);
	stamp = json_string_value(json_object_get(root, "timestamp"));
	if (!stamp || strlen(stamp) != 15 || !jm_civil_scan_file(stamp, &record->civil_ns))
		record->civil_ns = 0;
	json_decref(root);
	if (isnan(record->average_uw))
		return jm_fail(reterr, JM_EFORMAT,
			"'%s' has no number \"avg_idle_power\"; run 'joulemap idle'", name);
	return 0;
}

/* What an average may be in, and what makes uW of it. */
static const struct {
	const char *name;
	double to_uw;
} units[] = {
	{"muW", 1}, {"uW", 1}, {"\xc2\xb5W", 1}, {"\xce\xbcW", 1}, {"mW", 1e3}, {"W", 1e6}};

/* 0 where no unit, and nothing but it, stands here. */
static double scan_unit(const char *text)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		char after;

		if (!jm_text_starts_with(text, units[i].name))
			continue;
		after = text[strlen(units[i].name)];
		if (after != '/' && after != '_' && !isalnum((unsigned char)after))
			return units[i].to_uw;
	}
	return 0;
}

/* "4234600.0 muW": a plain number and its unit, or why it is none. */
static int parse_average(
	const char *name, const char *text, double *ret_uw, struct jm_error *reterr)
{
	const char *number = text + strspn(text, " \t");
	size_t n = jm_text_scan_double(number, strlen(number), ret_uw);
	const char *unit = number + n + strspn(number + n, " \t");
	double to_uw = n ? scan_unit(unit) : 0;

	*ret_uw *= to_uw;
	if (to_uw > 0)
		return 0;
	if (n && !*(unit + strspn(unit, " \t\r\n")))
		return jm_fail(reterr, JM_EFORMAT,
			"'%s': the idle power has no unit behind it, the file is cut off; run "
			"'joulemap idle'",
			name);
	return jm_fail(reterr, JM_EFORMAT,
		"'%s': '%.*s' is no idle power of the form '4234600.0 muW', without separators "
		"between thousands",
		name, (int)strcspn(number, "\r\n") < 40 ? (int)strcspn(number, "\r\n") : 40,
		number);
}

/* Says what stands there instead. */
static int fail_sentence(const char *name, const char *text, struct jm_error *reterr)
{
	char shown[41];
	size_t n = 0;

	text += strspn(text, " \t\r\n");
	for (; n < sizeof(shown) - 1 && text[n] && text[n] != '\n' && text[n] != '\r'; n++)
		shown[n] = text[n] >= ' ' && text[n] < 127 ? text[n] : '?';
	shown[n] = '\0';
	return jm_fail(reterr, JM_EFORMAT,
		"'%s' holds no idle power, but '%s%s': expected '" SENTENCE
		" ... muW' or \"avg_idle_power\"; run 'joulemap idle'",
		name, shown, n == sizeof(shown) - 1 ? "..." : "");
}

/* The sentence anywhere in what a program said; once, or always with one value. */
static int parse_sentence(const char *name, const char *text, struct jm_idle_record *record,
	struct jm_error *reterr)
{
	const char *found = strstr(text, SENTENCE);
	double average_uw;

	if (!found)
		return fail_sentence(name, text, reterr);
	for (int first = 1; found; found = strstr(found, SENTENCE), first = 0) {
		int result;

		found += strlen(SENTENCE);
		result = parse_average(name, found, &average_uw, reterr);
		if (result < 0)
			return result;
		if (!first && average_uw != record->average_uw)
			return jm_fail(reterr, JM_EFORMAT,
				"'%s' holds several idle powers, %.12g and %.12g uW: leave one",
				name, record->average_uw, average_uw);
		record->average_uw = average_uw;
	}
	return 0;
}

int jm_idle_parse(const char *name, const char *text, size_t size,
	struct jm_idle_record *ret_record, struct jm_error *reterr)
{
	int result = jm_text_begin(name, text, size, reterr);
	const char *begin;

	memset(ret_record, 0, sizeof(*ret_record));
	ret_record->error_uw = (double)NAN;
	if (result < 0)
		return result;
	begin = text + result;
	begin += strspn(begin, " \t\r\n");
	result = *begin == '{' ? parse_json(name, text, size, ret_record, reterr)
			       : parse_sentence(name, begin, ret_record, reterr);
	if (result < 0)
		return result;
	if (!(fabs(ret_record->average_uw) < POWER_MAX_UW))
		return jm_fail(reterr, JM_EFORMAT, "'%s': %g uW is no idle power", name,
			ret_record->average_uw);
	return 0;
}

int jm_idle_read(const char *path, struct jm_idle_record *ret_record, struct jm_error *reterr)
{
	char *text;
	size_t size;
	int result = jm_file_read(path, IDLE_FILE_MAX, &text, &size, reterr);

	if (result < 0)
		return result;
	result = jm_idle_parse(path, text, size, ret_record, reterr);
	free(text);
	return result;
}
