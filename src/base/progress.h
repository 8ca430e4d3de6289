/* SPDX-License-Identifier: Apache-2.0 */
/* Telling the caller of a long job where it is. */
#ifndef JM_BASE_PROGRESS_H
#define JM_BASE_PROGRESS_H

#include <stdarg.h>

#include "joulemap/joulemap.h"

/* Room for a note; longer ones are cut. */
#define JM_NOTE_MAX 1024

/* Hands on a note; `progress` may be NULL. */
void jm_note(const struct jm_progress *progress, const char *format, ...) JM_PRINTF(2, 3);

/* Says how far a phase is; `progress` may be NULL. */
void jm_tell(const struct jm_progress *progress, const char *phase, double done, double total,
	const char *unit);

#endif
