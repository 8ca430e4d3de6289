/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"

struct text {
	char *data;
	size_t used, capacity;
	int lost;
};

static int append(const char *piece, size_t size, void *context)
{
	struct text *text = context;
	char *data = jm_array_grow(text->data, &text->capacity, text->used + size + 1, 1);

	if (!data) {
		text->lost = 1;
		return -1;
	}
	text->data = data;
	memcpy(data + text->used, piece, size);
	text->used += size;
	data[text->used] = '\0';
	return 0;
}

char *jm_json_dump(const json_t *value, size_t flags)
{
	struct text text = {0};

	if (json_dump_callback(value, append, &text, flags) == 0 && !text.lost)
		return text.data;
	free(text.data);
	return NULL;
}
