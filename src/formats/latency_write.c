/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "formats/json_text.h"
#include "formats/latency_file.h"
#include "formats/stamp_text.h"

static void write_pair(struct jm_writer *writer, struct jm_stamp_text *stamps,
	const struct jm_execution *execution, int64_t civil_offset_ns)
{
	char *text = jm_writer_reserve(writer, JM_DOUBLE_TEXT_MAX + JM_STAMP_TEXT_LENGTH + 8);
	char *end = text;

	if (!text)
		return;
	*end++ = '[';
	end += jm_text_format_double(execution->duration_ms, end);
	memcpy(end, ", \"", 3);
	end += 3;
	memcpy(end, jm_stamp_text(stamps, execution->stamp_ns + civil_offset_ns),
		JM_STAMP_TEXT_LENGTH);
	end += JM_STAMP_TEXT_LENGTH;
	memcpy(end, "\"]", 2);
	end += 2;
	jm_writer_advance(writer, (size_t)(end - text));
}

static int write_layer(struct jm_writer *writer, struct jm_stamp_text *stamps,
	const struct jm_layer *layer, int64_t civil_offset_ns, struct jm_error *reterr)
{
	jm_json_write_string(writer, layer->name);
	jm_writer_text(writer, ": [");
	for (size_t i = 0; i < layer->n_executions; i++) {
		const struct jm_execution *execution = &layer->executions[i];

		if (!isfinite(execution->duration_ms))
			return jm_fail(reterr, JM_EINVAL,
				"layer '%.100s' has no valid duration in cycle %zu",
				layer->name, i + 1);
		if (i)
			jm_writer_put(writer, ", ", 2);
		write_pair(writer, stamps, execution, civil_offset_ns);
	}
	jm_writer_put(writer, "]", 1);
	return 0;
}

int jm_latency_write(const char *path, const struct jm_timeline *timeline,
	int64_t civil_offset_ns, struct jm_error *reterr)
{
	struct jm_stamp_text stamps = {0};
	struct jm_writer writer;
	int result = jm_writer_open(&writer, path, reterr);

	if (result < 0)
		return result;
	jm_writer_put(&writer, "{", 1);
	for (size_t i = 0; i < timeline->n_layers && result == 0; i++) {
		if (i)
			jm_writer_put(&writer, ", ", 2);
		result = write_layer(
			&writer, &stamps, &timeline->layers[i], civil_offset_ns, reterr);
	}
	if (result < 0) {
		jm_writer_abandon(&writer);
		return result;
	}
	jm_writer_put(&writer, "}", 1);
	return jm_writer_commit(&writer, reterr);
}
