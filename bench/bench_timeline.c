/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_timeline [CYCLES [LAYERS]]: the same run as timeline.jmt and as the
 * first scripts' JSON: size, and time to write and to read. Default: 30000
 * cycles of 53 layers. bench_timeline FOLDER/timeline.jmt: of a run that was
 * measured.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/random.h"
#include "formats/latency_file.h"
#include "formats/timeline_file.h"

enum { ROUNDS = 5 };

static void check(int result, const struct jm_error *error)
{
	if (result >= 0)
		return;
	fprintf(stderr, "bench_timeline: %s\n", error->message);
	exit(1);
}

static void make_timeline(struct jm_timeline *timeline, size_t cycles, size_t layers)
{
	int64_t now_ns = 123456789012345;
	struct jm_error error = {0};
	uint64_t seed = 1;

	jm_timeline_init(timeline);
	for (size_t i = 0; i < layers; i++) {
		char name[64];

		snprintf(name, sizeof(name), "/features/%zu/Conv_%zu", i / 3, i);
		check(jm_timeline_add_layer(timeline, name, "Conv", &error), &error);
	}
	for (size_t cycle = 0; cycle < cycles; cycle++) {
		for (size_t i = 0; i < layers; i++) {
			double mean_ns =
				12000 + 100000. * (double)(i * 7 % layers) / (double)layers;
			double share = (double)(jm_splitmix64(&seed) >> 11) * 0x1p-53;
			int64_t ns = (int64_t)(mean_ns * (0.97 + 0.06 * share));

			check(jm_timeline_append_span(
				      timeline, i, cycle, 0, now_ns, now_ns + ns, &error),
				&error);
			now_ns += ns + 200 + (int64_t)(2000 * share);
		}
		now_ns += (int64_t)(jm_splitmix64(&seed) % 400000);
	}
}

static double megabytes(const char *path)
{
	struct stat info;

	return stat(path, &info) == 0 ? (double)info.st_size * 1e-6 : 0;
}

static double best_of(
	int (*work)(const char *path, struct jm_timeline *timeline, struct jm_error *error),
	const char *path, struct jm_timeline *timeline)
{
	double best = HUGE_VAL;

	for (int i = 0; i < ROUNDS; i++) {
		int64_t begin_ns = jm_clock_monotonic_ns(NULL);
		struct jm_error error = {0};

		check(work(path, timeline, &error), &error);
		best = fmin(best, (double)(jm_clock_monotonic_ns(NULL) - begin_ns) * 1e-9);
	}
	return best;
}

static int write_own(const char *path, struct jm_timeline *timeline, struct jm_error *error)
{
	return jm_timeline_file_write(path, timeline, error);
}

static int write_json(const char *path, struct jm_timeline *timeline, struct jm_error *error)
{
	return jm_latency_write(path, timeline, INT64_C(1700000000000000000), error);
}

static int read_own(const char *path, struct jm_timeline *timeline, struct jm_error *error)
{
	struct jm_timeline back;
	int result = jm_timeline_file_read(path, &back, error);

	(void)timeline;
	jm_timeline_release(&back);
	return result;
}

static int read_json(const char *path, struct jm_timeline *timeline, struct jm_error *error)
{
	struct jm_timeline back;
	int result = jm_latency_read(path, &back, NULL, error);

	(void)timeline;
	jm_timeline_release(&back);
	return result;
}

int main(int argc, char **argv)
{
	const char *own = "bench_timeline.jmt", *json = "bench_timeline.json";
	struct jm_timeline timeline;
	struct jm_error error = {0};
	double seconds[4];

	if (argc > 1 && strchr(argv[1], '.'))
		check(jm_timeline_file_read(argv[1], &timeline, &error), &error);
	else
		make_timeline(&timeline, argc > 1 ? strtoul(argv[1], NULL, 10) : 30000,
			argc > 2 ? strtoul(argv[2], NULL, 10) : 53);
	seconds[0] = best_of(write_own, own, &timeline);
	seconds[1] = best_of(write_json, json, &timeline);
	seconds[2] = best_of(read_own, own, NULL);
	seconds[3] = best_of(read_json, json, NULL);
	printf("%zu layers, %zu cycles, best of %d\n", timeline.n_layers,
		jm_timeline_cycles(&timeline), ROUNDS);
	printf("%-13s %9s %9s %9s\n", "", "MB", "write s", "read s");
	printf("%-13s %9.3f %9.4f %9.4f\n", "timeline.jmt", megabytes(own), seconds[0],
		seconds[2]);
	printf("%-13s %9.3f %9.4f %9.4f\n", "JSON", megabytes(json), seconds[1], seconds[3]);
	unlink(own);
	unlink(json);
	jm_timeline_release(&timeline);
	return 0;
}
