/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *jm_code_name(int code)
{
	switch (code) {
#define X(name, value, exit_status, text)                                                      \
	case value:                                                                            \
		return #name;
		JM_CODES(X)
#undef X
	default:
		return "?";
	}
}

const char *jm_code_text(int code)
{
	switch (code) {
#define X(name, value, exit_status, text)                                                      \
	case value:                                                                            \
		return text;
		JM_CODES(X)
#undef X
	default:
		return "?";
	}
}

int jm_code_exit_status(int code)
{
	if (code >= 0)
		return 0;
	switch (code) {
#define X(name, value, exit_status, text)                                                      \
	case value:                                                                            \
		return exit_status;
		JM_CODES(X)
#undef X
	default:
		return 1;
	}
}

#ifdef __clang_analyzer__
#undef jm_fail
#undef jm_fail_errno
#undef jm_fail_memory
#endif

static void JM_PRINTF(4, 0) fill(struct jm_error *reterr, enum jm_code code, int sys_errno,
	const char *format, va_list arguments)
{
	size_t used;

	reterr->code = code;
	reterr->sys_errno = sys_errno;
	vsnprintf(reterr->message, sizeof(reterr->message), format, arguments);
	if (!sys_errno)
		return;
	used = strlen(reterr->message);
	snprintf(reterr->message + used, sizeof(reterr->message) - used, ": %s",
		strerror(sys_errno));
}

int jm_fail(struct jm_error *reterr, enum jm_code code, const char *format, ...)
{
	va_list arguments;

	if (reterr) {
		va_start(arguments, format);
		fill(reterr, code, 0, format, arguments);
		va_end(arguments);
	}
	return code;
}

static enum jm_code code_of_errno(int sys_errno)
{
	switch (sys_errno) {
	case EPERM:
	case EACCES:
	case EROFS:
		return JM_EPERM;
	case ENOSPC:
	case EDQUOT:
		return JM_ENOSPC;
	case ENOENT:
	case ENOTDIR:
		return JM_ENOTFOUND;
	case ENOMEM:
		return JM_ENOMEM;
	default:
		return JM_EIO;
	}
}

int jm_fail_errno(struct jm_error *reterr, int sys_errno, const char *format, ...)
{
	enum jm_code code = code_of_errno(sys_errno);
	va_list arguments;

	if (reterr) {
		va_start(arguments, format);
		fill(reterr, code, sys_errno, format, arguments);
		va_end(arguments);
	}
	return code;
}

int jm_fail_memory(struct jm_error *reterr, const char *what)
{
	return jm_fail(reterr, JM_ENOMEM, "out of memory for %s", what);
}
