/* SPDX-License-Identifier: Apache-2.0 */
/* {model}_tensorrt.json: how long each inference of a run took. */
#ifndef JM_FORMATS_BENCHMARK_FILE_H
#define JM_FORMATS_BENCHMARK_FILE_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "joulemap/joulemap.h"

struct jm_benchmark {
	const json_t *config; /* an object: the options of the run; NULL: {} */
	double total_time_s;
	int64_t civil_ns;          /* when the run began */
	const double *latencies_s; /* [n_latencies] */
	size_t n_latencies;
	double batch; /* inputs per inference, for the throughput */
};

/* Writes the file; the means are made from the latencies. */
int jm_benchmark_write(
	const char *path, const struct jm_benchmark *benchmark, struct jm_error *reterr);

/* Reads the latencies (s); *ret_latencies is freed with free(). */
int jm_benchmark_read(
	const char *path, double **ret_latencies, size_t *ret_n, struct jm_error *reterr);

#endif
