/* SPDX-License-Identifier: Apache-2.0 */
#include "run/session_load.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/error.h"
#include "formats/engine_info_file.h"
#include "run/spool.h"

/* A monotonic clock of a century: beyond it a spool is damaged. */
#define TIME_MAX_NS (INT64_C(100) * 366 * 86400 * JM_NS_PER_S)

static int parse_json(const char *what, const void *text, size_t size, json_t **ret_json,
	struct jm_error *reterr)
{
	json_error_t error;

	json_decref(*ret_json);
	*ret_json = json_loadb(text, size, 0, &error);
	if (!*ret_json)
		return jm_fail(
			reterr, JM_EFORMAT, "%s is not valid JSON: %s", what, error.text);
	if (!json_is_object(*ret_json))
		return jm_fail(reterr, JM_EFORMAT, "%s is no JSON object", what);
	return 0;
}

static int add_graph(
	struct jm_session_data *data, const void *text, size_t size, struct jm_error *reterr)
{
	if (data->graph)
		return jm_fail(reterr, JM_EFORMAT, "the spool describes its layers twice");
	data->graph = malloc(size + 1);
	if (!data->graph)
		return jm_fail_memory(reterr, "the description of the layers");
	memcpy(data->graph, text, size);
	data->graph[size] = '\0';
	return jm_engine_info_add_layers(
		"the spool", data->graph, size, &data->timeline, reterr);
}

static int add_cycle(
	struct jm_session_data *data, const struct jm_spool_span *span, struct jm_error *reterr)
{
	void *cycles = jm_array_grow(
		data->cycles, &data->cycle_capacity, data->n_cycles + 1, sizeof(*data->cycles));

	if (!cycles)
		return jm_fail_memory(reterr, "the cycles of the run");
	data->cycles = cycles;
	data->cycles[data->n_cycles].begin_ns = span->begin_ns;
	data->cycles[data->n_cycles].end_ns = span->end_ns;
	data->n_cycles++;
	return 0;
}

static int add_spans(
	struct jm_session_data *data, const void *payload, size_t size, struct jm_error *reterr)
{
	struct jm_spool_span span;

	for (size_t at = 0; at + sizeof(span) <= size; at += sizeof(span)) {
		struct jm_execution execution;
		int result;

		memcpy(&span, (const char *)payload + at, sizeof(span));
		if (span.begin_ns < 0 || span.end_ns < span.begin_ns ||
			span.end_ns > TIME_MAX_NS)
			return jm_fail(reterr, JM_EFORMAT,
				"the spool has a span from %lld to %lld ns, which cannot be",
				(long long)span.begin_ns, (long long)span.end_ns);
		execution.stamp_ns = span.end_ns;
		execution.duration_ms = (double)(span.end_ns - span.begin_ns) * 1e-6;
		if (span.layer == JM_WHOLE_CYCLE)
			result = add_cycle(data, &span, reterr);
		else
			result = jm_timeline_append(
				&data->timeline, span.layer, execution, reterr);
		if (result < 0)
			return result;
	}
	return 0;
}

static int timeline_block(void *context, enum jm_spool_type type, const void *payload,
	size_t size, struct jm_error *reterr)
{
	struct jm_session_data *data = context;

	switch (type) {
	case JM_SPOOL_META:
		return parse_json("the engine's description in the spool", payload, size,
			&data->engine, reterr);
	case JM_SPOOL_GRAPH:
		return add_graph(data, payload, size, reterr);
	case JM_SPOOL_SPAN:
		return add_spans(data, payload, size, reterr);
	case JM_SPOOL_END:
		return parse_json(
			"the end of the spool", payload, size, &data->engine_end, reterr);
	default:
		return 0; /* of a later version */
	}
}

/* {"rails": [{"name", "quantity"}]} of the sensor, as session.json has it. */
static int add_rails(struct jm_session_data *data, json_t *meta, struct jm_error *reterr)
{
	json_t *rail;
	size_t i;

	json_array_foreach(json_object_get(meta, "rails"), i, rail)
	{
		const char *name = json_string_value(json_object_get(rail, "name"));
		json_int_t quantity = json_integer_value(json_object_get(rail, "quantity"));
		json_int_t parent = json_integer_value(json_object_get(rail, "parent"));
		int result;

		if (!name || quantity < JM_QUANTITY_MV_MA || quantity > JM_QUANTITY_UJ ||
			i >= JM_SENSOR_RAILS_MAX || parent < -1 ||
			parent >= JM_SENSOR_RAILS_MAX)
			return jm_fail(reterr, JM_EFORMAT,
				"the power spool describes rail %zu wrongly", i);
		result = jm_power_log_add_rail(
			&data->log, name, (enum jm_quantity)quantity, reterr);
		if (result < 0)
			return result;
		data->parents[i] = (int)parent;
	}
	return 0;
}

static int add_readings(
	struct jm_session_data *data, const void *payload, size_t size, struct jm_error *reterr)
{
	struct jm_spool_reading record;

	for (size_t at = 0; at + sizeof(record) <= size; at += sizeof(record)) {
		struct jm_reading reading;
		int result;

		memcpy(&record, (const char *)payload + at, sizeof(record));
		if (record.before_ns < 0 || record.after_ns < record.before_ns ||
			record.after_ns > TIME_MAX_NS)
			return jm_fail(reterr, JM_EFORMAT,
				"the spool has a reading from %lld to %lld ns, which cannot be",
				(long long)record.before_ns, (long long)record.after_ns);
		reading.before_ns = record.before_ns;
		reading.after_ns = record.after_ns;
		reading.value[0] = record.value[0];
		reading.value[1] = record.value[1];
		result = jm_power_log_append(&data->log, record.rail, &reading, reterr);
		if (result < 0)
			return result;
	}
	return 0;
}

static int power_block(void *context, enum jm_spool_type type, const void *payload, size_t size,
	struct jm_error *reterr)
{
	struct jm_session_data *data = context;
	json_t *meta = NULL;
	int result;

	switch (type) {
	case JM_SPOOL_META:
		result = parse_json(
			"the sensor's description in the spool", payload, size, &meta, reterr);
		if (result == 0)
			result = add_rails(data, meta, reterr);
		json_decref(meta);
		return result;
	case JM_SPOOL_READING:
		return add_readings(data, payload, size, reterr);
	case JM_SPOOL_END:
		return parse_json(
			"the end of the spool", payload, size, &data->logger_end, reterr);
	default:
		return 0; /* of a later version */
	}
}

static int load_spool(const char *path, jm_spool_block_fn *block, struct jm_session_data *data,
	struct jm_error *reterr)
{
	struct jm_spool_report report;
	int result;

	if (!jm_path_exists(path))
		return 0; /* killed before that process had begun */
	result = jm_spool_read(path, block, data, &report, reterr);
	if (result == 0)
		data->bytes_dropped += report.bytes_dropped;
	return result;
}

static int load_session(const char *path, json_t **ret_session, struct jm_error *reterr)
{
	char *text;
	size_t size;
	int result = jm_file_read(path, (size_t)1 << 24, &text, &size, reterr);

	if (result < 0)
		return result;
	result = parse_json(path, text, size, ret_session, reterr);
	free(text);
	return result;
}

int jm_session_load(const struct jm_session_paths *paths, struct jm_session_data *ret_data,
	struct jm_error *reterr)
{
	int result;

	memset(ret_data, 0, sizeof(*ret_data));
	jm_timeline_init(&ret_data->timeline);
	jm_power_log_init(&ret_data->log);
	ret_data->timeline.stamp = JM_STAMP_END;
	result = load_session(paths->session, &ret_data->session, reterr);
	if (result == 0)
		result = load_spool(paths->timeline, timeline_block, ret_data, reterr);
	if (result == 0)
		result = load_spool(paths->power, power_block, ret_data, reterr);
	return result;
}

void jm_session_data_release(struct jm_session_data *data)
{
	json_decref(data->session);
	json_decref(data->engine);
	json_decref(data->engine_end);
	json_decref(data->logger_end);
	free(data->graph);
	free(data->cycles);
	jm_timeline_release(&data->timeline);
	jm_power_log_release(&data->log);
	memset(data, 0, sizeof(*data));
}
