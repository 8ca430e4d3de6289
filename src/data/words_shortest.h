/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JM_DATA_WORDS_SHORTEST_H
#define JM_DATA_WORDS_SHORTEST_H

#include "data/words.h"

/*
 * The cut that describes a sequence shortest: JM_WORDS_FOUND, or JM_WORDS_NONE
 * where no cut is much shorter than the plain sequence. JM_ENOMEM.
 */
int jm_words_find_shortest(const struct jm_sequence *sequence, unsigned char *begin);

/* An inference begins where a layer of the file comes before the one that ran last. */
void jm_words_cut_descents(const struct jm_sequence *sequence, unsigned char *begin);

#endif
