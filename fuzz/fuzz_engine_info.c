/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "formats/engine_info_file.h"
#include "formats/idle_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct jm_timeline timeline;
	struct jm_error error;
	size_t unknown = 0;
	struct jm_idle_record idle;
	char *text = malloc(size + 1);

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	jm_timeline_init(&timeline);
	/* Layers made from a text are all found in it again. */
	if (jm_engine_info_add_layers("fuzz", text, size, &timeline, &error) == 0 &&
		(jm_engine_info_apply("fuzz", text, size, &timeline, &unknown, &error) != 0))
		abort();
	jm_engine_info_apply("fuzz", text, size, &timeline, &unknown, &error);
	jm_timeline_release(&timeline);
	if (jm_idle_parse("fuzz", text, size, &idle, &error) == 0 &&
		!(fabs(idle.average_uw) < 1e12))
		abort();
	free(text);
	return 0;
}
