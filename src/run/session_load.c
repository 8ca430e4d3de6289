/* SPDX-License-Identifier: Apache-2.0 */
#include "run/session_load.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "base/known.h"
#include "formats/engine_info_file.h"
#include "run/rails.h"
#include "run/spool.h"

/* A monotonic clock of a century: beyond it a spool is damaged. */
#define TIME_MAX_NS (INT64_C(100) * 366 * 86400 * JM_NS_PER_S)

/* Leaves out `size` bytes that cannot be, unless it is this machine that fails. */
static int drop(struct jm_session_data *data, size_t size, int result,
	const struct jm_error *why, struct jm_error *reterr)
{
	if (result != JM_EFORMAT && result != JM_EINVAL) {
		if (reterr)
			*reterr = *why;
		return result;
	}
	if (!data->damage.code)
		data->damage = *why;
	data->bytes_dropped += size;
	return 0;
}

static int drop_second(struct jm_session_data *data, size_t size, const char *what)
{
	struct jm_error why;

	jm_fail(&why, JM_EFORMAT, "the spool describes its %s twice", what);
	return drop(data, size, JM_EFORMAT, &why, NULL);
}

/* The statistics with which a process ends: of any keys. */
static int parse_end(struct jm_session_data *data, const char *what, const void *text,
	size_t size, json_t **ret_json, struct jm_error *reterr)
{
	struct jm_error why;
	int result;

	json_decref(*ret_json);
	*ret_json = NULL;
	result = jm_json_parse(what, text, size, ret_json, &why);
	return result < 0 ? drop(data, size, result, &why, reterr) : 0;
}

static int add_graph(
	struct jm_session_data *data, const void *text, size_t size, struct jm_error *reterr)
{
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

static int take_span(
	struct jm_session_data *data, const struct jm_spool_span *span, struct jm_error *reterr)
{
	int result = check_span(span->begin_ns, span->end_ns, reterr);
	struct jm_error error;

	if (result < 0)
		return result;
	if (span->layer == JM_WHOLE_CYCLE)
		return add_cycle(data, span->begin_ns, span->end_ns, reterr);
	result = jm_timeline_append_span(&data->timeline, span->layer, span->cycle, span->lane,
		span->begin_ns, span->end_ns, &error);
	/* A value that cannot be is the file's fault here, not the caller's. */
	if (result == JM_EINVAL)
		return jm_fail(reterr, JM_EFORMAT, "the spool has a span that cannot be: %s",
			error.message);
	if (result < 0 && reterr)
		*reterr = error;
	return result;
}

/* Adds one record, which need not be aligned. */
typedef int add_fn(struct jm_session_data *data, const char *record, struct jm_error *reterr);

static int add_span(struct jm_session_data *data, const char *record, struct jm_error *reterr)
{
	struct jm_spool_span span;

	memcpy(&span, record, sizeof(span));
	return take_span(data, &span, reterr);
}

/* Of earlier versions: cycles are counted by layer. */
static int add_span_1(struct jm_session_data *data, const char *record, struct jm_error *reterr)
{
	struct jm_spool_span span = {0};
	struct jm_spool_span_1 old;

	memcpy(&old, record, sizeof(old));
	span.begin_ns = old.begin_ns;
	span.end_ns = old.end_ns;
	span.layer = old.layer;
	if (old.layer < data->timeline.n_layers)
		span.cycle = (uint32_t)data->timeline.layers[old.layer].n_executions;
	return take_span(data, &span, reterr);
}

/* The records of a block; from one that cannot be on they are dropped. */
static int add_records(struct jm_session_data *data, const char *payload, size_t size,
	size_t record_size, add_fn *add, struct jm_error *reterr)
{
	struct jm_error why;
	int result;

	for (size_t at = 0; at + record_size <= size; at += record_size) {
		result = add(data, payload + at, &why);
		if (result < 0)
			return drop(data, size - at, result, &why, reterr);
	}
	return 0;
}

static int timeline_block(void *context, enum jm_spool_type type, const void *payload,
	size_t size, struct jm_error *reterr)
{
	struct jm_session_data *data = context;

	if (data->graph && (type == JM_SPOOL_META || type == JM_SPOOL_GRAPH))
		return drop_second(data, size, "layers");
	switch (type) {
	case JM_SPOOL_META:
		return jm_run_engine_parse(&data->run, "timeline.spool", payload, size, reterr);
	case JM_SPOOL_GRAPH:
		return add_graph(data, payload, size, reterr);
	case JM_SPOOL_SPAN_1:
		return add_records(data, payload, size, sizeof(struct jm_spool_span_1),
			add_span_1, reterr);
	case JM_SPOOL_SPAN:
		return add_records(
			data, payload, size, sizeof(struct jm_spool_span), add_span, reterr);
	case JM_SPOOL_END:
		return parse_end(
			data, "timeline.spool", payload, size, &data->run.inference, reterr);
	default:
		return 0; /* of a later version */
	}
}

/* ---- Sensors ------------------------------------------------------------------- */

static int same(double a, double b)
{
	return a == b || (isnan(a) && isnan(b));
}

/* A calibration holds at the setting it was made at only. */
static void take_calibrations(struct jm_run_sensor *to, const struct jm_run_sensor *from)
{
	if (to->samples != from->samples || !same(to->round_ms, from->round_ms) ||
		!same(to->window_ms, from->window_ms))
		return;
	for (size_t i = 0; i < to->n_rails; i++)
		for (size_t j = 0; j < from->n_rails; j++)
			if (from->rails[j].calibrated &&
				strcmp(to->rails[i].name, from->rails[j].name) == 0) {
				to->rails[i].calibrated = 1;
				to->rails[i].calibration = from->rails[j].calibration;
			}
}

/* The previous version's logger told its one sensor's rails only. */
static int is_nameless(const struct jm_run *logged, const struct jm_run *run)
{
	return logged->n_sensors == 1 && !logged->sensors[0].id[0] && run->n_sensors == 1 &&
	       run->sensors[0].n_rails == logged->sensors[0].n_rails;
}

static void take_sensors(struct jm_run *run, struct jm_run *logged)
{
	struct jm_run_sensor *sensors = run->sensors;
	size_t n = run->n_sensors;

	if (is_nameless(logged, run))
		return;
	for (size_t i = 0; i < logged->n_sensors; i++)
		for (size_t j = 0; j < n; j++)
			if (strcmp(logged->sensors[i].id, sensors[j].id) == 0)
				take_calibrations(&logged->sensors[i], &sensors[j]);
	run->sensors = logged->sensors;
	run->n_sensors = logged->n_sensors;
	logged->sensors = sensors;
	logged->n_sensors = n;
}

static int parse_sensors(
	struct jm_run *run, const void *text, size_t size, struct jm_error *reterr)
{
	struct jm_run *logged = malloc(sizeof(*logged));
	int result;

	if (!logged)
		return jm_fail_memory(reterr, "the sensors of the run");
	jm_run_init(logged);
	result = jm_run_sensors_parse(logged, "power.spool", text, size, reterr);
	if (result == 0)
		take_sensors(run, logged);
	jm_run_release(logged);
	free(logged);
	return result;
}

/* Rails of the first sensor, of the second, ... */
static int add_rails(struct jm_session_data *data, struct jm_error *reterr)
{
	const struct jm_run *run = &data->run;
	struct jm_rail_name *names;
	size_t k = 0;
	int result = jm_run_rail_names(run, &names, reterr);

	for (size_t i = 0; i < run->n_sensors && result >= 0; i++) {
		const struct jm_run_sensor *sensor = &run->sensors[i];

		for (size_t j = 0; j < sensor->n_rails && result >= 0; j++, k++) {
			const struct jm_run_rail *rail = &sensor->rails[j];

			if (!rail->name[0] || !rail->quantity ||
				rail->parent >= (int)sensor->n_rails)
				result = jm_fail(reterr, JM_EFORMAT,
					"the power spool describes rail %zu wrongly", k);
			else
				result = jm_power_log_add_rail(
					&data->log, names[k].name, rail->quantity, reterr);
			if (result >= 0 && rail->quantity == JM_QUANTITY_UJ)
				data->log.rails[result].range_uj = jm_known_or(rail->range, 0);
		}
	}
	free(names);
	return result < 0 ? result : 0;
}

static int add_sensors(
	struct jm_session_data *data, const void *text, size_t size, struct jm_error *reterr)
{
	int result;

	if (data->log.n_rails)
		return drop_second(data, size, "sensors");
	result = parse_sensors(&data->run, text, size, reterr);
	return result < 0 ? result : add_rails(data, reterr);
}

/* The first record is all that is wanted: ends the reading with JM_EINTERRUPTED. */
static int sensors_block(void *context, enum jm_spool_type type, const void *payload,
	size_t size, struct jm_error *reterr)
{
	int result = type == JM_SPOOL_META ? parse_sensors(context, payload, size, reterr) : 0;

	return result < 0 ? result : JM_EINTERRUPTED;
}

int jm_session_load_sensors(
	const struct jm_session_paths *paths, struct jm_run *run, struct jm_error *reterr)
{
	struct jm_spool_report report;
	int result;

	if (!jm_path_exists(paths->power))
		return 0;
	result = jm_spool_read(paths->power, sensors_block, run, &report, reterr);
	return result == JM_EINTERRUPTED ? 1 : result;
}

/* ---- Readings ------------------------------------------------------------------ */

static int add_reading(struct jm_session_data *data, const char *at, struct jm_error *reterr)
{
	struct jm_spool_reading record;
	struct jm_reading reading;

	memcpy(&record, at, sizeof(record));
	if (record.before_ns < 0 || record.after_ns < record.before_ns ||
		record.after_ns > TIME_MAX_NS)
		return jm_fail(reterr, JM_EFORMAT,
			"the spool has a reading from %lld to %lld ns, which cannot be",
			(long long)record.before_ns, (long long)record.after_ns);
	reading = (struct jm_reading){.before_ns = record.before_ns,
		.after_ns = record.after_ns,
		.value = {record.value[0], record.value[1]}};
	return jm_power_log_append(&data->log, record.rail, &reading, reterr);
}

static int power_block(void *context, enum jm_spool_type type, const void *payload, size_t size,
	struct jm_error *reterr)
{
	struct jm_session_data *data = context;

	switch (type) {
	case JM_SPOOL_META:
		return add_sensors(data, payload, size, reterr);
	case JM_SPOOL_READING:
		return add_records(data, payload, size, sizeof(struct jm_spool_reading),
			add_reading, reterr);
	case JM_SPOOL_END:
		return parse_end(data, "power.spool", payload, size, &data->run.logger, reterr);
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
	free(data->graph);
	free(data->cycles);
	jm_timeline_release(&data->timeline);
	jm_power_log_release(&data->log);
	memset(data, 0, sizeof(*data));
}
