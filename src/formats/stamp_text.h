/* SPDX-License-Identifier: Apache-2.0 */
/* Stamps as text, fast for series of them. */
#ifndef JM_FORMATS_STAMP_TEXT_H
#define JM_FORMATS_STAMP_TEXT_H

#include "base/clock.h"

/* Keeps the last second written; all zero before the first one. */
struct jm_stamp_text {
	char text[JM_STAMP_TEXT_LENGTH + 1];
	int64_t second;
};

/*
 * "YYYYmmdd-HH:MM:SS.ffffff" of a civil time (us, rounded down), borrowed
 * until the next call.
 */
const char *jm_stamp_text(struct jm_stamp_text *stamps, int64_t civil_ns);

#endif
