/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/idle_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

#define IDLE_FILE_MAX ((size_t)1 << 20)

static int write_text(const char *folder, const char *name, const char *text,
	struct jm_error *reterr)
{
	char path[JM_PATH_MAX];
	int result = jm_path_join(path, folder, name, reterr);

	return result < 0 ? result : jm_file_write(path, text, strlen(text), reterr);
}

int jm_idle_write(const char *folder, int seconds, double average_uw, int64_t civil_ns,
	struct jm_error *reterr)
{
	char value[JM_DOUBLE_TEXT_MAX], stamp[16], name[96], text[160];
	int result;

	if (!(average_uw >= 0) || isinf(average_uw))
		return jm_fail(reterr, JM_EINVAL, "%g uW is no idle power", average_uw);
	jm_text_format_double(average_uw, value);
	jm_civil_format_file(civil_ns, stamp);
	snprintf(name, sizeof(name), "%d_seconds_idling_power_log_%s.log", seconds, stamp);
	snprintf(text, sizeof(text), "The average idling power measured: %s muW", value);
	result = write_text(folder, name, text, reterr);
	if (result < 0)
		return result;
	snprintf(text, sizeof(text),
		"{\n    \"timestamp\": \"%s\",\n    \"avg_idle_power\": %s\n}", stamp, value);
	return write_text(folder, "idling_power.json", text, reterr);
}

static int parse_json(const char *name, const char *text, size_t size, double *ret_average_uw,
	struct jm_error *reterr)
{
	json_error_t problem;
	json_t *root = json_loadb(text, size, 0, &problem);
	const json_t *value = json_object_get(root, "avg_idle_power");

	if (!root)
		return jm_fail(reterr, JM_EFORMAT, "'%s' line %d: %s", name, problem.line,
			problem.text);
	*ret_average_uw = json_is_number(value) ? json_number_value(value) : (double)NAN;
	json_decref(root);
	if (isnan(*ret_average_uw))
		return jm_fail(reterr, JM_EFORMAT,
			"'%s' has no number \"avg_idle_power\"; run 'joulemap idle'", name);
	return 0;
}

/* The first number of the text, as the earlier scripts took it. */
static int parse_sentence(
	const char *name, const char *text, double *ret_average_uw, struct jm_error *reterr)
{
	const char *number = strpbrk(text, "0123456789");

	if (!number || !jm_text_scan_double(number, strlen(number), ret_average_uw))
		return jm_fail(reterr, JM_EFORMAT,
			"'%s' holds no idle power: expected 'The average idling power measured: "
			"... muW' or \"avg_idle_power\"; run 'joulemap idle'",
			name);
	if (number > text && number[-1] == '-')
		*ret_average_uw = -*ret_average_uw;
	return 0;
}

int jm_idle_parse(const char *name, const char *text, size_t size, double *ret_average_uw,
	struct jm_error *reterr)
{
	const char *begin = text + strspn(text, " \t\r\n");
	int result = *begin == '{' ? parse_json(name, text, size, ret_average_uw, reterr)
				   : parse_sentence(name, text, ret_average_uw, reterr);

	if (result < 0)
		return result;
	if (!(*ret_average_uw >= 0 && *ret_average_uw < 1e15))
		return jm_fail(reterr, JM_EFORMAT, "'%s': %g uW is no idle power", name,
			*ret_average_uw);
	return 0;
}

int jm_idle_read(const char *path, double *ret_average_uw, struct jm_error *reterr)
{
	char *text;
	size_t size;
	int result = jm_file_read(path, IDLE_FILE_MAX, &text, &size, reterr);

	if (result < 0)
		return result;
	result = jm_idle_parse(path, text, size, ret_average_uw, reterr);
	free(text);
	return result;
}
