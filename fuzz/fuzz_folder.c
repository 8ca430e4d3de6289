/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole run folder, mapped by both methods: its files stand one after the other in
 * the input, each behind a line "=== NAME". Numbers of one file meet those of others.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "map/map.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MARK "\n=== "

/* What a run folder may hold; what is written into it is removed too. */
static const char *const names[] = {"1_cycles_power_log_20241121-052000.log",
	"trt_profiling/trt_layer_latency.json", "trt_profiling/trt_engine_info.json",
	"idling_power.json", "run.json", "readings.csv", "timeline.jmt",
	"power_runtime_mapping_layerwise.csv", "layer_energy.csv", "layer_energy_by_rail.csv",
	"fit.json"};

enum { N_NAMES = sizeof(names) / sizeof(names[0]) };

static char folder[64];

static void path_of(const char *name, char ret_path[256])
{
	snprintf(ret_path, 256, "%s/%s", folder, name);
}

static void write_file(const char *text, const char *end)
{
	const char *line = memchr(text, '\n', (size_t)(end - text));
	char path[256];

	for (size_t i = 0; line && i < N_NAMES; i++) {
		size_t length = strlen(names[i]);
		FILE *stream;

		if ((size_t)(line - text) != length || memcmp(text, names[i], length) != 0)
			continue;
		path_of(names[i], path);
		stream = fopen(path, "wb");
		if (!stream)
			abort();
		fwrite(line + 1, 1, (size_t)(end - line - 1), stream);
		fclose(stream);
	}
}

/* Begins of files: behind each mark. */
static const char *find_mark(const char *text, const char *end)
{
	size_t length = strlen(MARK);

	for (; (size_t)(end - text) >= length; text++)
		if (memcmp(text, MARK, length) == 0)
			return text;
	return end;
}

static void write_files(const char *text, const char *end)
{
	const char *at = find_mark(text, end);

	while (at < end) {
		const char *next;

		at += strlen(MARK);
		next = find_mark(at, end);
		write_file(at, next);
		at = next;
	}
}

static void map(enum jm_map_method method)
{
	struct jm_map_config config = {.paths = {.folder = folder},
		.method = method,
		.method_chosen = method == JM_MAP_WINDOW,
		.rules = JM_WINDOW_LATER};
	struct jm_map_result result;
	struct jm_error error;

	jm_map_run(&config, &result, &error);
	jm_map_release(&result);
}

static void leave(void)
{
	char path[256];

	path_of("trt_profiling", path);
	rmdir(path);
	rmdir(folder);
}

static void enter(void)
{
	char path[256];

	strcpy(folder, "/tmp/joulemap-fuzz-XXXXXX");
	if (!mkdtemp(folder) || atexit(leave) != 0)
		abort();
	path_of("trt_profiling", path);
	if (jm_folder_make(path, NULL) < 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[256];

	if (!folder[0])
		enter();
	write_files((const char *)data, (const char *)data + size);
	map(JM_MAP_FIT);
	map(JM_MAP_WINDOW);
	for (size_t i = 0; i < N_NAMES; i++) {
		path_of(names[i], path);
		unlink(path);
	}
	return 0;
}
