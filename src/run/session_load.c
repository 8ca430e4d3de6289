/* SPDX-License-Identifier: Apache-2.0 */
#include "run/session_load.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "formats/engine_info_file.h"
#include "run/spool.h"

/* A monotonic clock of a century: beyond it a spool is damaged. */
#define TIME_MAX_NS (INT64_C(100) * 366 * 86400 * JM_NS_PER_S)

/* The statistics with which a process ends: of any keys. */
static int parse_end(const char *what, const void *text, size_t size, json_t **ret_json,
	struct jm_error *reterr)
{
	json_decref(*ret_json);
	return jm_json_parse(what, text, size, ret_json, reterr);
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
	struct jm_session_data *data, int64_t begin_ns, int64_t end_ns, struct jm_error *reterr)
{
	void *cycles = jm_array_grow(
		data->cycles, &data->cycle_capacity, data->n_cycles + 1, sizeof(*data->cycles));

	if (!cycles)
		return jm_fail_memory(reterr, "the cycles of the run");
	data->cycles = cycles;
	data->cycles[data->n_cycles].begin_ns = begin_ns;
	data->cycles[data->n_cycles].end_ns = end_ns;
	data->n_cycles++;
	return 0;
}

static int check_span(int64_t begin_ns, int64_t end_ns, struct jm_error *reterr)
{
	if (begin_ns >= 0 && end_ns >= begin_ns && end_ns <= TIME_MAX_NS)
		return 0;
	return jm_fail(reterr, JM_EFORMAT,
		"the spool has a span from %lld to %lld ns, which cannot be",
		(long long)begin_ns, (long long)end_ns);
}

static int add_span(
	struct jm_session_data *data, const struct jm_spool_span *span, struct jm_error *reterr)
{
	int result = check_span(span->begin_ns, span->end_ns, reterr);

	if (result < 0)
		return result;
	if (span->layer == JM_WHOLE_CYCLE)
		return add_cycle(data, span->begin_ns, span->end_ns, reterr);
	return jm_timeline_append_span(&data->timeline, span->layer, span->cycle, span->lane,
		span->begin_ns, span->end_ns, reterr);
}

static int add_spans(
	struct jm_session_data *data, const void *payload, size_t size, struct jm_error *reterr)
{
	struct jm_spool_span span;
	int result = 0;

	for (size_t at = 0; at + sizeof(span) <= size && result == 0; at += sizeof(span)) {
		memcpy(&span, (const char *)payload + at, sizeof(span));
		result = add_span(data, &span, reterr);
	}
	return result;
}

/* Of earlier versions: cycles are counted by layer. */
static int add_spans_1(
	struct jm_session_data *data, const void *payload, size_t size, struct jm_error *reterr)
{
	struct jm_spool_span_1 old;
	int result = 0;

	for (size_t at = 0; at + sizeof(old) <= size && result == 0; at += sizeof(old)) {
		struct jm_spool_span span = {0};

		memcpy(&old, (const char *)payload + at, sizeof(old));
		span.begin_ns = old.begin_ns;
		span.end_ns = old.end_ns;
		span.layer = old.layer;
		if (old.layer < data->timeline.n_layers)
			span.cycle = (uint32_t)data->timeline.layers[old.layer].n_executions;
		result = add_span(data, &span, reterr);
	}
	return result;
}

static int timeline_block(void *context, enum jm_spool_type type, const void *payload,
	size_t size, struct jm_error *reterr)
{
	struct jm_session_data *data = context;

	switch (type) {
	case JM_SPOOL_META:
		return jm_run_engine_parse(&data->run, "timeline.spool", payload, size, reterr);
	case JM_SPOOL_GRAPH:
		return add_graph(data, payload, size, reterr);
	case JM_SPOOL_SPAN_1:
		return add_spans_1(data, payload, size, reterr);
	case JM_SPOOL_SPAN:
		return add_spans(data, payload, size, reterr);
	case JM_SPOOL_END:
		return parse_end("timeline.spool", payload, size, &data->run.inference, reterr);
	default:
		return 0; /* of a later version */
	}
}

static int add_rails(struct jm_session_data *data, const struct jm_run_sensor *sensor,
	struct jm_error *reterr)
{
	size_t first = data->log.n_rails;
	int *parents = realloc(data->parents, (first + sensor->n_rails + 1) * sizeof(*parents));

	if (!parents)
		return jm_fail_memory(reterr, "the rails of the run");
	data->parents = parents;
	for (size_t i = 0; i < sensor->n_rails; i++) {
		const struct jm_run_rail *rail = &sensor->rails[i];
		int result;

		if (!rail->name[0] || !rail->quantity || rail->parent >= (int)sensor->n_rails)
			return jm_fail(reterr, JM_EFORMAT,
				"the power spool describes rail %zu wrongly", i);
		result = jm_power_log_add_rail(&data->log, rail->name, rail->quantity, reterr);
		if (result < 0)
			return result;
		parents[result] = rail->parent < 0 ? -1 : (int)first + rail->parent;
	}
	return 0;
}

/* What the logger says of its sensors: rails of the first, of the second, ... */
static int add_sensors(
	struct jm_session_data *data, const void *text, size_t size, struct jm_error *reterr)
{
	struct jm_run logged;
	int result;

	jm_run_init(&logged);
	result = jm_run_sensors_parse(&logged, "power.spool", text, size, reterr);
	for (size_t i = 0; i < logged.n_sensors && result == 0; i++)
		result = add_rails(data, &logged.sensors[i], reterr);
	jm_run_release(&logged);
	return result;
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

	switch (type) {
	case JM_SPOOL_META:
		return add_sensors(data, payload, size, reterr);
	case JM_SPOOL_READING:
		return add_readings(data, payload, size, reterr);
	case JM_SPOOL_END:
		return parse_end("power.spool", payload, size, &data->run.logger, reterr);
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

int jm_session_load(const struct jm_session_paths *paths, struct jm_session_data *ret_data,
	struct jm_error *reterr)
{
	int result;

	memset(ret_data, 0, sizeof(*ret_data));
	jm_run_init(&ret_data->run);
	jm_timeline_init(&ret_data->timeline);
	jm_power_log_init(&ret_data->log);
	ret_data->timeline.stamp = JM_STAMP_END;
	result = jm_run_read(paths->session, &ret_data->run, reterr);
	if (result == 0)
		result = load_spool(paths->timeline, timeline_block, ret_data, reterr);
	if (result == 0)
		result = load_spool(paths->power, power_block, ret_data, reterr);
	return result;
}

void jm_session_data_release(struct jm_session_data *data)
{
	jm_run_release(&data->run);
	free(data->parents);
	free(data->graph);
	free(data->cycles);
	jm_timeline_release(&data->timeline);
	jm_power_log_release(&data->log);
	memset(data, 0, sizeof(*data));
}
