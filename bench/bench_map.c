/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_map [CYCLES [LAYERS [FOLDER]]]: makes a run folder of that size in the
 * original's format, then times what `joulemap map --method window` does with
 * it: read, walk, write. Default: 30000 cycles of 53 layers, in a folder that is
 * removed again; what is made in FOLDER stays, for the next time.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "formats/engine_info_file.h"
#include "formats/latency_file.h"
#include "formats/mapping_csv.h"
#include "formats/power_log_file.h"

enum { ROUNDS = 5, N_STEPS = 4 };

static const char *const steps[N_STEPS] = {
	"read latencies", "read power log", "map and write", "all"};

struct paths {
	char folder[JM_PATH_MAX], power[JM_PATH_MAX], latency[JM_PATH_MAX];
	char engine[JM_PATH_MAX], table[JM_PATH_MAX];
};

static void check(int result, const struct jm_error *error)
{
	if (result >= 0)
		return;
	fprintf(stderr, "bench_map: %s\n", error->message);
	exit(1);
}

/* ---- Making a folder ---------------------------------------------------------- */

static double uniform(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

static void add_layers(struct jm_timeline *timeline, size_t n, char *engine, size_t size)
{
	static const char *const types[] = {"CaskConvolution", "PointWiseV2", "Reformat"};
	struct jm_error error = {0};
	size_t used = (size_t)snprintf(engine, size, "{\"Layers\": [");

	for (size_t i = 0; i < n; i++) {
		const char *type = types[i % 3];
		char name[160];

		snprintf(name, sizeof(name),
			"[%s]-[aten_ops.convolution.default.%zu]-[/features/%zu/%s_%zu]", type,
			i, i / 3, type, i);
		check(jm_timeline_add_layer(timeline, name, type, &error), &error);
		used += (size_t)snprintf(engine + used, size - used,
			"%s{\"Name\": \"%s\", \"LayerType\": \"%s\"}", i ? ", " : "", name,
			type);
	}
	snprintf(engine + used, size - used, "], \"Bindings\": []}");
}

/* Stamps are ends, durations are float32 as TensorRT gives them. */
static int64_t add_cycles(struct jm_timeline *timeline, size_t cycles, int64_t now_ns)
{
	struct jm_error error = {0};
	uint64_t seed = 1;

	for (size_t cycle = 0; cycle < cycles; cycle++) {
		for (size_t i = 0; i < timeline->n_layers; i++) {
			double mean = 0.012 + 0.1 * (double)(i * 7 % timeline->n_layers) /
						      (double)timeline->n_layers;
			float ms = (float)(mean * (0.97 + 0.06 * uniform(&seed)));
			struct jm_execution execution = {0, (double)ms};

			now_ns += llround((double)ms * 1e6) + 2000;
			execution.stamp_ns = now_ns;
			check(jm_timeline_append(timeline, i, execution, &error), &error);
		}
		now_ns += (int64_t)(uniform(&seed) * 400e3);
	}
	return now_ns;
}

static void write_power(const char *path, int64_t begin_ns, int64_t end_ns)
{
	struct jm_error error = {0};
	struct jm_power_log log;
	uint64_t seed = 2;

	jm_power_log_init(&log);
	check(jm_power_log_add_rail(&log, "power", JM_QUANTITY_MV_MA, &error), &error);
	for (int64_t now_ns = begin_ns; now_ns < end_ns;
		now_ns += 1250000 + (int64_t)(160e3 * uniform(&seed))) {
		struct jm_reading reading = {now_ns, now_ns,
			{4992 + 8 * floor(8 * uniform(&seed)),
				800 + 8 * floor(90 * uniform(&seed))}};

		check(jm_power_log_append(&log, 0, &reading, &error), &error);
	}
	check(jm_power_log_write(path, &log.rails[0], 0, &error), &error);
	jm_power_log_release(&log);
}

static void make_folder(const struct paths *paths, size_t cycles, size_t layers)
{
	int64_t begin_ns = jm_civil_from_date_ns(2024, 11, 21) + 19204 * JM_NS_PER_S, end_ns;
	size_t size = 64 + layers * 400;
	char *engine = malloc(size);
	struct jm_error error = {0};
	struct jm_timeline timeline;

	if (!engine)
		exit(1);
	jm_timeline_init(&timeline);
	add_layers(&timeline, layers, engine, size);
	end_ns = add_cycles(&timeline, cycles, begin_ns);
	check(jm_folder_make(paths->folder, &error), &error);
	check(jm_latency_write(paths->latency, &timeline, 0, &error), &error);
	check(jm_file_write(paths->engine, engine, strlen(engine), &error), &error);
	write_power(paths->power, begin_ns - JM_NS_PER_S, end_ns + JM_NS_PER_S);
	jm_timeline_release(&timeline);
	free(engine);
}

/* ---- Timing ------------------------------------------------------------------- */

static double seconds_since(int64_t *since_ns)
{
	int64_t now_ns = jm_clock_monotonic_ns(NULL);
	double seconds = (double)(now_ns - *since_ns) * 1e-9;

	*since_ns = now_ns;
	return seconds;
}

static uint64_t map_once(const struct paths *paths, double ret_seconds[N_STEPS])
{
	int64_t since_ns = jm_clock_monotonic_ns(NULL);
	struct jm_mapping_writer writer;
	struct jm_error error = {0};
	struct jm_timeline timeline;
	struct jm_power_log log;
	uint64_t rows;

	check(jm_latency_read(paths->latency, &timeline, NULL, &error), &error);
	check(jm_engine_info_read(paths->engine, &timeline, NULL, &error), &error);
	ret_seconds[0] = seconds_since(&since_ns);
	check(jm_power_log_read(paths->power, &log, NULL, &error), &error);
	ret_seconds[1] = seconds_since(&since_ns);
	check(jm_mapping_writer_open(&writer, paths->table, &timeline, &error), &error);
	check(jm_attribute_window(&log.rails[0], &timeline, JM_WINDOW_LATER, 4234600.0,
		      jm_mapping_writer_row, &writer, &error),
		&error);
	rows = writer.rows;
	check(jm_mapping_writer_commit(&writer, &error), &error);
	ret_seconds[2] = seconds_since(&since_ns);
	jm_power_log_release(&log);
	jm_timeline_release(&timeline);
	ret_seconds[3] = ret_seconds[0] + ret_seconds[1] + ret_seconds[2];
	return rows;
}

static double megabytes(const char *path)
{
	struct stat info;

	return stat(path, &info) == 0 ? (double)info.st_size * 1e-6 : 0;
}

static void print_table(const struct paths *paths, const double *best, uint64_t rows)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	printf("%" PRIu64 " rows from %.1f MB, table of %.1f MB, best of %d\n", rows,
		megabytes(paths->latency) + megabytes(paths->power) + megabytes(paths->engine),
		megabytes(paths->table), ROUNDS);
	for (size_t i = 0; i < N_STEPS; i++)
		printf("%-16s %8.3f s %8.1f ns/row\n", steps[i], best[i],
			best[i] * 1e9 / (double)rows);
	printf("%-16s %8.1f MB\n", "peak memory", (double)usage.ru_maxrss * 1024e-6);
}

static void measure(const struct paths *paths)
{
	double best[N_STEPS] = {HUGE_VAL, HUGE_VAL, HUGE_VAL, HUGE_VAL};
	uint64_t rows = 0;

	for (int round = 0; round < ROUNDS; round++) {
		double seconds[N_STEPS];

		rows = map_once(paths, seconds);
		for (size_t i = 0; i < N_STEPS; i++)
			best[i] = fmin(best[i], seconds[i]);
	}
	print_table(paths, best, rows);
}

static void set_paths(struct paths *paths, const char *folder, size_t cycles, size_t layers)
{
	struct jm_error error = {0};
	char name[64];

	snprintf(name, sizeof(name), "%zux%zu", cycles, layers);
	check(jm_path_join(paths->folder, folder, name, &error), &error);
	check(jm_path_join(paths->power, paths->folder, "bench_power_log.log", &error), &error);
	check(jm_path_join(paths->latency, paths->folder, "trt_layer_latency.json", &error),
		&error);
	check(jm_path_join(paths->engine, paths->folder, "trt_engine_info.json", &error),
		&error);
	check(jm_path_join(paths->table, paths->folder, "mapping.csv", &error), &error);
}

/* In a child, so that its memory does not count. */
static int make_in_child(const struct paths *paths, size_t cycles, size_t layers)
{
	pid_t child = fork();
	int status = 1;

	if (child == 0) {
		make_folder(paths, cycles, layers);
		_exit(0);
	}
	return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

int main(int argc, char **argv)
{
	size_t cycles = argc > 1 ? strtoul(argv[1], NULL, 10) : 30000;
	size_t layers = argc > 2 ? strtoul(argv[2], NULL, 10) : 53;
	char scratch[] = "/tmp/bench_map.XXXXXX";
	static struct paths paths;
	const char *folder = argc > 3 ? argv[3] : mkdtemp(scratch);

	if (!folder || !cycles || !layers) {
		fprintf(stderr, "usage: bench_map [CYCLES [LAYERS [FOLDER]]]\n");
		return 2;
	}
	set_paths(&paths, folder, cycles, layers);
	if (!jm_path_exists(paths.latency) && !make_in_child(&paths, cycles, layers))
		return 1;
	measure(&paths);
	unlink(paths.table);
	if (argc > 3)
		return 0;
	unlink(paths.power);
	unlink(paths.latency);
	unlink(paths.engine);
	rmdir(paths.folder);
	rmdir(folder);
	return 0;
}
