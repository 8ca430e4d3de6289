/* SPDX-License-Identifier: Apache-2.0 */
#include "engines/onnxruntime/status.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

/* enum OrtErrorCode */
enum {
	ORT_INVALID_ARGUMENT = 2,
	ORT_NO_SUCHFILE = 3,
	ORT_NO_MODEL = 4,
	ORT_INVALID_PROTOBUF = 7,
	ORT_NOT_IMPLEMENTED = 9,
	ORT_INVALID_GRAPH = 10
};

static enum jm_code code_of(int ort_code)
{
	switch (ort_code) {
	case ORT_INVALID_ARGUMENT:
		return JM_EINVAL;
	case ORT_NO_SUCHFILE:
		return JM_ENOTFOUND;
	case ORT_NO_MODEL:
	case ORT_INVALID_PROTOBUF:
	case ORT_INVALID_GRAPH:
		return JM_EFORMAT;
	case ORT_NOT_IMPLEMENTED:
		return JM_EUNSUPPORTED;
	default:
		return JM_EENGINE;
	}
}

void jm_ort_one_line(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++) {
		if (!isspace((unsigned char)*from))
			*to++ = *from;
		else if (to > text && to[-1] != ' ')
			*to++ = ' ';
	}
	while (to > text && to[-1] == ' ')
		to--;
	*to = '\0';
}

/* Takes `n` bytes at `at` out of a text. */
static void cut(char *at, size_t n)
{
	memmove(at, at + n, strlen(at + n) + 1);
}

/* Length of "file.cc:123 Function " at text, 0 when that is not there. */
static size_t source_length(const char *text)
{
	const char *at = strstr(text, ".cc:"), *blank = strchr(text, ' ');

	if (!at || !blank || blank < at)
		return 0;
	blank = strchr(blank + 1, ' ');
	return blank ? (size_t)(blank + 1 - text) : 0;
}

/*
 * Leaves out what only the runtime's authors need: codes, source lines and
 * functions. One line, lower case, no full stop, as all our messages.
 */
static void tidy(char *text)
{
	static const char *const noise[] = {"This is an invalid model. ",
		"Fatal error: ", "Error: ", "[ONNXRuntimeError] : "};
	char *found = strstr(text, " failed:");

	jm_ort_one_line(text);
	if (found && strncmp(text, "Load model from ", 16) == 0)
		cut(text, (size_t)(found - text) + strlen(" failed:"));
	for (size_t i = 0; i < sizeof(noise) / sizeof(noise[0]); i++)
		while ((found = strstr(text, noise[i])))
			cut(found, strlen(noise[i]));
	for (char *at = text; at; at = strchr(at, ' ')) {
		at += *at == ' ';
		cut(at, source_length(at));
	}
	if (isupper((unsigned char)text[0]) && islower((unsigned char)text[1]))
		text[0] = (char)tolower((unsigned char)text[0]);
	found = text + strlen(text);
	if (found > text && found[-1] == '.')
		found[-1] = '\0';
}

int jm_ort_check(const struct jm_ort *ort, struct OrtStatus *status, struct jm_error *reterr,
	const char *format, ...)
{
	char subject[256], text[JM_ERROR_MESSAGE_MAX];
	enum jm_code code;
	va_list arguments;

	if (!status)
		return 0;
	code = code_of(jm_ort_error_code_fn(ort)(status));
	jm_text_copy(text, sizeof(text), jm_ort_error_message_fn(ort)(status));
	jm_ort_release_status_fn(ort)(status);
	tidy(text);
	va_start(arguments, format);
	vsnprintf(subject, sizeof(subject), format, arguments);
	va_end(arguments);
	return jm_fail(reterr, code, "%s: %s", subject, text);
}

/* 1 if the runtime says that it does not know an operator or its version. */
static int is_unsupported(const char *text)
{
	static const char *const signs[] = {"is not a registered function/op",
		"Could not find an implementation", "No Op registered for", "NOT_IMPLEMENTED",
		"is under development", "is not supported", "Unsupported model IR version"};

	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
		if (strstr(text, signs[i]))
			return 1;
	return 0;
}

int jm_ort_check_model(const struct jm_ort *ort, struct OrtStatus *status,
	struct jm_error *reterr, const char *model)
{
	char text[JM_ERROR_MESSAGE_MAX];
	enum jm_code code;

	if (!status)
		return 0;
	code = code_of(jm_ort_error_code_fn(ort)(status));
	jm_text_copy(text, sizeof(text), jm_ort_error_message_fn(ort)(status));
	jm_ort_release_status_fn(ort)(status);
	if (code == JM_EINVAL || strstr(text, "invalid model"))
		code = JM_EFORMAT;
	tidy(text);
	if (strstr(text, "xternal data") || strstr(text, "filesystem error"))
		return jm_fail(reterr, JM_ENOTFOUND,
			"model '%.64s' keeps weights in a file of their own: %.300s; put that "
			"file "
			"beside the model",
			model, text);
	if (is_unsupported(text))
		return jm_fail(reterr, JM_EUNSUPPORTED,
			"ONNX Runtime %s cannot run model '%.64s': %.300s; use a newer one "
			"(--ort-library PATH) or export the model for an older opset",
			ort->version, model, text);
	return jm_fail(reterr, code,
		"ONNX Runtime %s cannot load model '%.64s': %.300s; "
		"check and export it again",
		ort->version, model, text);
}

int jm_ort_ignore(const struct jm_ort *ort, struct OrtStatus *status)
{
	if (!status)
		return 1;
	jm_ort_release_status_fn(ort)(status);
	return 0;
}

void jm_ort_log_nothing(void *context, int severity, const char *category, const char *id,
	const char *location, const char *message)
{
	(void)context;
	(void)severity;
	(void)category;
	(void)id;
	(void)location;
	(void)message;
}
