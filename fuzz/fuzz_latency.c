/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "formats/latency_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int count(void *context, const struct jm_cycle_power *row)
{
	size_t *rows = context;

	(void)row;
	++*rows;
	return 0;
}

/* Everything that happens to a timeline that was let in. */
static void use(struct jm_timeline *timeline, size_t executions)
{
	struct jm_reading readings[2] = {{0, 0, {1, 1}}, {0, INT64_C(1) << 60, {1, 1}}};
	struct jm_rail rail = {"r", JM_QUANTITY_MV_MA, readings, 2, 2};
	size_t rows = 0;
	int certain;

	if (jm_attribute_window(&rail, timeline, JM_WINDOW_LATER, 1, count, &rows, NULL) != 0)
		abort();
	rows = 0;
	if (jm_attribute_window(&rail, timeline, JM_WINDOW_FIRST, 1, count, &rows, NULL) != 0 ||
		rows != executions)
		abort();
	timeline->stamp = jm_timeline_detect_stamp(timeline, &certain);
	if (jm_timeline_resolve(timeline, JM_STAMP_BEGIN, NULL) != 0)
		abort();
	timeline->stamp = JM_STAMP_CALLBACK;
	if (jm_timeline_resolve(timeline, JM_STAMP_BEGIN, NULL) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct jm_latency_notes notes;
	struct jm_timeline timeline;
	struct jm_reader reader;
	struct jm_error error;

	jm_reader_open_memory(&reader, "fuzz", data, size);
	if (jm_latency_read_from(&reader, &timeline, &notes, &error) == 0)
		use(&timeline, notes.executions);
	jm_timeline_release(&timeline);
	jm_reader_close(&reader);
	return 0;
}
