/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the command says on stderr. It never waits for a reader while something is
 * going on: what a full pipe or a stopped terminal does not take is kept, and said
 * at the next occasion, at the latest by jm_chat_end.
 */
#ifndef JM_CLI_CHAT_H
#define JM_CLI_CHAT_H

#include "joulemap/joulemap.h"

/* Says a line: the texts after each other, made harmless for terminals (report/text.h). */
void jm_chat_line(const char *prefix, const char *text);

/* Says a text as it is, or leaves it out where something has not been read yet. */
void jm_chat_state(const char *text);

/*
 * Before the program ends: waits for a reader, though not for ever. A terminal is
 * waited for, as its user may have stopped it, and can end that by Ctrl-C.
 */
void jm_chat_end(void);

#endif
