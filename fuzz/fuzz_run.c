/* SPDX-License-Identifier: Apache-2.0 */
/* run.json, session.json and the first records of spools. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "run/run.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was read is written, and read and written again as the same. */
static void check_stable(const struct jm_run *run)
{
	char *first = jm_run_format(run), *second;
	struct jm_run again;
	struct jm_error error;

	if (!first || jm_run_parse("fuzz", first, strlen(first), &again, &error) < 0)
		abort();
	second = jm_run_format(&again);
	if (!second || strcmp(first, second) != 0)
		abort();
	jm_run_release(&again);
	free(first);
	free(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct jm_run run;
	struct jm_error error;
	int64_t shift;

	if (jm_run_parse("fuzz", text, size, &run, &error) == 0) {
		check_stable(&run);
		jm_run_clock_shift(&run.clock, &shift, &error);
	}
	if (jm_run_sensors_parse(&run, "fuzz", text, size, &error) == 0 &&
		jm_run_engine_parse(&run, "fuzz", text, size, &error) == 0 &&
		strchr(run.model.name, '/') == NULL)
		check_stable(&run);
	jm_run_release(&run);
	return 0;
}
