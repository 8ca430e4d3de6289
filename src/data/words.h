/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where, in the sequence of all layers that ran, one inference ends and the next
 * begins: told from how the order repeats, and from pauses where that alone
 * leaves a choice.
 */
#ifndef JM_DATA_WORDS_H
#define JM_DATA_WORDS_H

#include <stddef.h>
#include <stdint.h>

/* All executions of a run in order of time; arrays are borrowed. */
struct jm_sequence {
	const uint32_t *layer;     /* [n] */
	const double *gap_us;      /* [n], from the end of the one before to the begin */
	const double *duration_us; /* [n] */
	size_t n;
	size_t n_layers;
};

enum jm_words_found {
	JM_WORDS_NONE = 0, /* nothing repeats */
	JM_WORDS_FOUND = 1,
	JM_WORDS_AMBIGUOUS = 2, /* what repeats may be one inference or several */
	JM_WORDS_FEW = 3        /* too short to repeat: by the order of the layers */
};

/*
 * Sets begin[i] [n] to 1 where an inference begins, 0 elsewhere. Returns an enum
 * jm_words_found; *ret_length: executions of what repeats, where it is ambiguous.
 * JM_ENOMEM.
 */
int jm_words_find(const struct jm_sequence *sequence, unsigned char *begin, size_t *ret_length);

#endif
