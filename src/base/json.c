/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/text.h"

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

	/* An embedded object without members has no text at all. */
	if (json_dump_callback(value, append, &text, flags) == 0 && append("", 0, &text) == 0 &&
		!text.lost)
		return text.data;
	free(text.data);
	return NULL;
}

json_t *jm_json_text(const char *text)
{
	size_t size;
	char *clean;
	json_t *value;

	if (!text)
		return json_null();
	size = jm_text_sanitize(NULL, 0, text) + 1;
	clean = malloc(size);
	if (!clean)
		return NULL;
	jm_text_sanitize(clean, size, text);
	value = json_string(clean);
	free(clean);
	return value;
}

json_t *jm_json_number(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}
