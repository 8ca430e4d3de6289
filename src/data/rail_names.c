/* SPDX-License-Identifier: Apache-2.0 */
#include "data/rail_names.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

static int is_shared(const struct jm_rail_name *names, size_t n, size_t i)
{
	for (size_t j = 0; j < n; j++)
		if (names[j].number != names[i].number &&
			strcmp(names[j].rail, names[i].rail) == 0)
			return 1;
	return 0;
}

static void prefix(struct jm_rail_name *name, const char *sensor)
{
	size_t length = strlen(name->rail), size = sizeof(name->name);
	size_t room = length + 2 < size ? size - 2 - length : 0;
	size_t used = strlen(sensor);

	used = used < room ? used : room;
	memcpy(name->name, sensor, used);
	name->name[used] = '/';
	jm_text_copy(name->name + used + 1, size - used - 1, name->rail);
}

void jm_rail_names_set(struct jm_rail_name *names, size_t n)
{
	char number[24];

	for (size_t i = 0; i < n; i++) {
		if (!is_shared(names, n, i)) {
			jm_text_copy(names[i].name, sizeof(names[i].name), names[i].rail);
			continue;
		}
		prefix(&names[i], names[i].sensor);
		for (size_t j = 0; j < i; j++) {
			if (strcmp(names[j].name, names[i].name) != 0)
				continue;
			snprintf(number, sizeof(number), "%zu", names[i].number);
			prefix(&names[i], number);
		}
	}
}
