/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/output.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/error.h"
#include "base/file.h"
#include "cli/chat.h"

const char *const jm_format_choices[] = {"table", "json", "csv", NULL};

int jm_report_error(const struct jm_error *error)
{
	jm_chat_line("joulemap: ", error->message);
	return jm_code_exit_status(error->code);
}

void jm_cli_note(const char *format, ...)
{
	char text[2 * JM_PATH_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	jm_chat_line("", text);
}

int jm_finish_stdout(struct jm_error *reterr)
{
	if (fflush(stdout) != 0 || ferror(stdout))
		return jm_fail_errno(reterr, errno, "cannot write the output");
	return 0;
}
