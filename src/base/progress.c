/* SPDX-License-Identifier: Apache-2.0 */
#include "base/progress.h"

#include <stdio.h>

void jm_note(const struct jm_progress *progress, const char *format, ...)
{
	char text[JM_NOTE_MAX];
	va_list arguments;

	if (!progress || !progress->note)
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	progress->note(progress->context, text);
}

void jm_tell(const struct jm_progress *progress, const char *phase, double done, double total,
	const char *unit)
{
	if (progress && progress->update)
		progress->update(progress->context, phase, done, total, unit);
}
