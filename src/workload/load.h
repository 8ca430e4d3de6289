/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The load process of a calibration: draws power in a square wave and spools
 * when it did. A worker as the inference process is one (seat.h); its spool
 * has one layer, "load", with one execution per span, so that everything
 * downstream reads it as it reads a network's.
 */
#ifndef JM_WORKLOAD_LOAD_H
#define JM_WORKLOAD_LOAD_H

#include "workload/load_pattern.h"
#include "workload/seat.h"

#define JM_LOAD_NAME_MAX 128

struct jm_load;

/* One way to draw power. */
struct jm_load_ops {
	const char *name; /* "cpu", "gpu" */
	/* Gets everything ready, at rest; sets load->text, load->state. */
	int (*open)(struct jm_load *load, struct jm_error *reterr);
	/* Runs the pattern, hands every span to jm_load_emit, heeds jm_load_stopped. */
	int (*run)(struct jm_load *load, struct jm_error *reterr);
	/* Accepts a half-opened one. */
	void (*close)(struct jm_load *load);
};

extern const struct jm_load_ops jm_load_cpu; /* spinning threads */
extern const struct jm_load_ops jm_load_gpu; /* a CUDA kernel, by libcuda.so.1 */

struct jm_load_config {
	const struct jm_load_ops *ops;
	const struct jm_load_span *spans; /* [n_spans] */
	size_t n_spans;
	int threads;        /* of the CPU; 0: all but one, which is left to the logger */
	const char *device; /* of the GPU: index, UUID, PCI address; NULL: the first */
};

struct jm_load {
	const struct jm_load_config *config;
	void *state;                 /* of the ops, owned by them */
	char text[JM_LOAD_NAME_MAX]; /* what it is: "cpu, 5 threads" */
	double edge_ms;              /* how well begins and ends are known */
	int64_t ended_ns;            /* the last span that was emitted */
	uint32_t n_spans;            /* emitted */
	struct jm_seat seat;
};

/* A worker (measure/children.h): `context` is a struct jm_load_config. */
int jm_load_run(struct jm_link *link, void *context, struct jm_error *reterr);

/* 1: end now, the rest of the pattern is not wanted. */
int jm_load_stopped(const struct jm_load *load);

/* Says so itself, to threads of a load that cannot go on. */
void jm_load_stop(const struct jm_load *load);

/* A span that was drawn, CLOCK_MONOTONIC, in order. Empty ones are left out. */
int jm_load_emit(
	struct jm_load *load, int64_t begin_ns, int64_t end_ns, struct jm_error *reterr);

/* Counts spans for the progress; emitting does not. */
void jm_load_progress(struct jm_load *load, size_t spans);

#endif
