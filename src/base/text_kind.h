/* SPDX-License-Identifier: Apache-2.0 */
/* What a file really is that should be text in UTF-8. */
#ifndef JM_BASE_TEXT_KIND_H
#define JM_BASE_TEXT_KIND_H

#include "base/file.h"

/*
 * Looks at the first bytes of a text. Returns the length of a byte order mark of
 * UTF-8, which is to be skipped: 3, or 0. JM_EFORMAT says what else it is, and
 * what to do: another encoding, something compressed, the pointer that Git LFS or
 * DVC leave in a file's place, a page of the web, a program's last words.
 */
int jm_text_begin(const char *name, const char *text, size_t size, struct jm_error *reterr);

/*
 * The same for a reader at the begin of its file: skips the mark, and finds out
 * whether lines end with "\r" alone. 0 or an error.
 */
int jm_reader_begin_text(struct jm_reader *reader, struct jm_error *reterr);

#endif
