/* SPDX-License-Identifier: Apache-2.0 */
/* fit.json: what is read is written, and reads back as the same. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "run/fit_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct jm_fit_file file, again;
	struct jm_error error;
	char *first, *second;

	if (jm_fit_file_parse("fuzz", (const char *)data, size, &file, &error) == 0) {
		first = jm_fit_file_format(&file);
		if (!first ||
			jm_fit_file_parse("fuzz", first, strlen(first), &again, &error) < 0)
			abort();
		second = jm_fit_file_format(&again);
		if (!second || strcmp(first, second) != 0)
			abort();
		jm_fit_file_release(&again);
		free(first);
		free(second);
	}
	jm_fit_file_release(&file);
	return 0;
}
