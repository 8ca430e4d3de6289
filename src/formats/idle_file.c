/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/idle_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"

#define IDLE_FILE_MAX ((size_t)1 << 20)

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

	if (!(record->average_uw >= 0) || isinf(record->average_uw))
		return jm_fail(reterr, JM_EINVAL, "%g uW is no idle power", record->average_uw);
	jm_text_format_double(record->average_uw, value);
	jm_civil_format_file(record->civil_ns, stamp);
	snprintf(name, sizeof(name), "%.0f_seconds_idling_power_log_%s.log", record->seconds,
		stamp);
	snprintf(
		sentence, sizeof(sentence), "The average idling power measured: %s muW", value);
	json = format_json(record, stamp, value);
	if (!json)
		return jm_fail_memory(reterr, "the idle power");
	result = write_text(folder, name, sentence, reterr);
	if (result == 0)
		result = write_text(folder, "idling_power.json", json, reterr);
	free(json);
	return result;
}

static void read_stamp(const char *stamp, struct jm_idle_record *record)
{
	struct jm_civil_cache cache = {.valid = 0};
	char text[18];

	/* "YYYYmmdd-HHMMSS" becomes what the scanner of stamps reads. */
	if (!stamp || strlen(stamp) != 15)
		return;
	snprintf(text, sizeof(text), "%.11s:%.2s:%.2s", stamp, stamp + 11, stamp + 13);
	if (!jm_civil_scan(text, 17, &cache, &record->civil_ns))
		record->civil_ns = 0;
}

static int parse_json(const char *name, const char *text, size_t size,
	struct jm_idle_record *record, struct jm_error *reterr)
{
	json_error_t problem;
	json_t *root = json_loadb(text, size, 0, &problem);
	const json_t *value = json_object_get(root, "avg_idle_power");
	const json_t *error = json_object_get(root, "error_uw");
	const char *sensor = json_string_value(json_object_get(root, "sensor"));

	if (!root)
		return jm_fail(reterr, JM_EFORMAT, "'%s' line %d: %s", name, problem.line,
			problem.text);
	record->average_uw = json_is_number(value) ? json_number_value(value) : (double)NAN;
	record->error_uw = json_is_number(error) ? json_number_value(error) : (double)NAN;
	record->seconds = json_number_value(json_object_get(root, "seconds"));
	record->simulated = json_is_true(json_object_get(root, "simulated"));
	if (sensor)
		jm_text_copy(record->sensor, sizeof(record->sensor), sensor);
	read_stamp(json_string_value(json_object_get(root, "timestamp")), record);
	json_decref(root);
	if (isnan(record->average_uw))
		return jm_fail(reterr, JM_EFORMAT,
			"'%s' has no number \"avg_idle_power\"; run 'joulemap idle'", name);
	return 0;
}

/* The first number of the text, as the earlier scripts took it. */
static int parse_sentence(const char *name, const char *text, struct jm_idle_record *record,
	struct jm_error *reterr)
{
	const char *number = strpbrk(text, "0123456789");

	if (!number || !jm_text_scan_double(number, strlen(number), &record->average_uw))
		return jm_fail(reterr, JM_EFORMAT,
			"'%s' holds no idle power: expected 'The average idling power "
			"measured: "
			"... muW' or \"avg_idle_power\"; run 'joulemap idle'",
			name);
	if (number > text && number[-1] == '-')
		record->average_uw = -record->average_uw;
	return 0;
}

int jm_idle_parse(const char *name, const char *text, size_t size,
	struct jm_idle_record *ret_record, struct jm_error *reterr)
{
	const char *begin = text + strspn(text, " \t\r\n");
	int result;

	memset(ret_record, 0, sizeof(*ret_record));
	ret_record->error_uw = (double)NAN;
	result = *begin == '{' ? parse_json(name, text, size, ret_record, reterr)
			       : parse_sentence(name, text, ret_record, reterr);
	if (result < 0)
		return result;
	if (!(ret_record->average_uw >= 0 && ret_record->average_uw < 1e15))
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
