/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/benchmark_file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"

/* Writes an indented JSON text one level deeper. */
static int write_config(struct jm_writer *writer, const json_t *config, struct jm_error *reterr)
{
	char *text = config ? jm_json_dump(config, JSON_INDENT(4) | JSON_ENSURE_ASCII) : NULL;
	const char *line, *end;

	if (config && !text)
		return jm_fail_memory(reterr, "the options of a run");
	line = text ? text : "{}";
	while ((end = strchr(line, '\n')) != NULL) {
		jm_writer_put(writer, line, (size_t)(end + 1 - line));
		jm_writer_text(writer, "    ");
		line = end + 1;
	}
	jm_writer_text(writer, line);
	free(text);
	return 0;
}

/* What JSON has no number for becomes null. */
static void write_number(struct jm_writer *writer, double value)
{
	char text[JM_DOUBLE_TEXT_MAX];

	if (isfinite(value))
		jm_writer_put(writer, text, jm_text_format_double(value, text));
	else
		jm_writer_text(writer, "null");
}

static void write_member(struct jm_writer *writer, const char *name, double value)
{
	jm_writer_format(writer, ",\n    \"%s\": ", name);
	write_number(writer, value);
}

static void write_latencies(struct jm_writer *writer, const struct jm_benchmark *benchmark)
{
	jm_writer_text(writer, ",\n    \"latencies\": [");
	for (size_t i = 0; i < benchmark->n_latencies; i++) {
		jm_writer_text(writer, i ? ",\n        " : "\n        ");
		write_number(writer, benchmark->latencies_s[i]);
	}
	jm_writer_text(writer, benchmark->n_latencies ? "\n    ]" : "]");
}

int jm_benchmark_write(
	const char *path, const struct jm_benchmark *benchmark, struct jm_error *reterr)
{
	struct jm_writer writer;
	char stamp[16];
	double mean_s = 0;
	int result = jm_writer_open(&writer, path, reterr);

	if (result < 0)
		return result;
	jm_writer_text(&writer, "{\n    \"config\": ");
	result = write_config(&writer, benchmark->config, reterr);
	if (result < 0) {
		jm_writer_abandon(&writer);
		return result;
	}
	for (size_t i = 0; i < benchmark->n_latencies; i++)
		mean_s += benchmark->latencies_s[i];
	mean_s /= (double)benchmark->n_latencies; /* none: NaN, null in the file */
	jm_civil_format_file(benchmark->civil_ns, stamp);
	write_member(&writer, "total_time", benchmark->total_time_s);
	jm_writer_format(&writer, ",\n    \"timestamp\": \"%s\"", stamp);
	write_latencies(&writer, benchmark);
	write_member(&writer, "avg_latency", mean_s);
	write_member(&writer, "avg_throughput", benchmark->batch / mean_s);
	jm_writer_text(&writer, "\n}");
	return jm_writer_commit(&writer, reterr);
}

static int take_latencies(const char *path, const json_t *root, double **ret_latencies,
	size_t *ret_n, struct jm_error *reterr)
{
	const json_t *array = json_object_get(root, "latencies");
	size_t n = json_array_size(array);
	double *values;

	if (!json_is_array(array))
		return jm_fail(reterr, JM_EFORMAT, "'%s' has no array \"latencies\"", path);
	values = malloc((n ? n : 1) * sizeof(*values));
	if (!values)
		return jm_fail_memory(reterr, "the latencies of a run");
	for (size_t i = 0; i < n; i++) {
		const json_t *value = json_array_get(array, i);

		values[i] = json_is_number(value) ? json_number_value(value) : (double)NAN;
		if (values[i] >= 0)
			continue;
		free(values);
		return jm_fail(reterr, JM_EFORMAT, "'%s': latency %zu is no time in seconds",
			path, i + 1);
	}
	*ret_latencies = values;
	*ret_n = n;
	return 0;
}

int jm_benchmark_read(
	const char *path, double **ret_latencies, size_t *ret_n, struct jm_error *reterr)
{
	json_t *root;
	char *text;
	size_t size;
	int result = jm_file_read(path, (size_t)1 << 30, &text, &size, reterr);

	if (result < 0)
		return result;
	result = jm_json_load(path, text, size, &root, reterr);
	free(text);
	if (result < 0)
		return result;
	result = take_latencies(path, root, ret_latencies, ret_n, reterr);
	json_decref(root);
	return result;
}
