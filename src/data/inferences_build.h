/* SPDX-License-Identifier: Apache-2.0 */
/* From lists and the begins of inferences to a timeline by inference. */
#ifndef JM_DATA_INFERENCES_BUILD_H
#define JM_DATA_INFERENCES_BUILD_H

#include "data/inferences.h"

/* One execution, as it stands in the file. */
struct jm_entry {
	int64_t stamp_ns;
	double duration_us;
	uint32_t layer, index;
};

struct jm_entries {
	struct jm_entry *entry;
	size_t n;
};

/*
 * Fills ret->timeline and what counts it, and sets the cycles of as_read. Entries are
 * in order of time; layers [n] are theirs, begin[i] is 1 where an inference begins.
 */
int jm_inferences_build(struct jm_inferences *ret, struct jm_timeline *as_read,
	const struct jm_entries *entries, const uint32_t *layers, const unsigned char *begin,
	struct jm_error *reterr);

#endif
