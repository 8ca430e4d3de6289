/* SPDX-License-Identifier: Apache-2.0 */
#include "data/name_index.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

static int compare_named(const void *a, const void *b)
{
	const struct jm_named *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : (x->index > y->index) - (x->index < y->index);
}

int jm_name_index_init(struct jm_name_index *index, const struct jm_timeline *timeline,
	struct jm_error *reterr)
{
	size_t n = timeline->n_layers;

	index->n_entries = 0;
	index->entries = malloc((n ? n : 1) * sizeof(*index->entries));
	if (!index->entries)
		return jm_fail_memory(reterr, "an index of layer names");
	for (size_t i = 0; i < n; i++)
		index->entries[i] = (struct jm_named){timeline->layers[i].name, i};
	index->n_entries = n;
	if (n)
		qsort(index->entries, n, sizeof(*index->entries), compare_named);
	return 0;
}

void jm_name_index_release(struct jm_name_index *index)
{
	free(index->entries);
	index->entries = NULL;
	index->n_entries = 0;
}

long jm_name_index_find(const struct jm_name_index *index, const char *name)
{
	size_t low = 0, high = index->n_entries;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(index->entries[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < index->n_entries && strcmp(index->entries[low].name, name) == 0)
		return (long)index->entries[low].index;
	return -1;
}
