/* SPDX-License-Identifier: Apache-2.0 */
/* Finds a layer by its name. */
#ifndef JM_DATA_NAME_INDEX_H
#define JM_DATA_NAME_INDEX_H

#include "joulemap/joulemap.h"

struct jm_named {
	const char *name; /* borrowed */
	size_t index;
};

/* Sorted by name, then by index. */
struct jm_name_index {
	struct jm_named *entries; /* [n_entries], owned */
	size_t n_entries;
};

/* Index of a timeline's layers, valid while none is added. JM_ENOMEM. */
int jm_name_index_init(struct jm_name_index *index, const struct jm_timeline *timeline,
	struct jm_error *reterr);
void jm_name_index_release(struct jm_name_index *index);

/* Lowest index of that name, or -1. */
long jm_name_index_find(const struct jm_name_index *index, const char *name);

#endif
