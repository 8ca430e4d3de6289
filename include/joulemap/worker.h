/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For programs that want to be measured: `joulemap measure -- ./program` starts
 * the program, logs power beside it, and shows the power of what the program
 * itself calls its layers (docs/workers.md, examples/worker.c). Call order:
 *
 *     jm_worker_attach, jm_worker_describe
 *     cycles to warm up, if any: what they report is not kept
 *     jm_worker_ready
 *     while (!jm_worker_is_stopped):
 *         jm_worker_cycle_begin, jm_worker_layer..., jm_worker_cycle_end
 *     jm_worker_finish
 *
 * All from one thread at a time. Times are jm_worker_now_ns's: ns of
 * CLOCK_MONOTONIC. Spans are on disk within 40 ms, so that nothing older is
 * lost with the program.
 */
#ifndef JOULEMAP_WORKER_H
#define JOULEMAP_WORKER_H

#include "joulemap/joulemap.h"

#ifdef __cplusplus
extern "C" {
#endif

struct jm_worker;

/* A layer: a step of a cycle. Both texts are copied. */
struct jm_worker_layer {
	const char *name; /* repeated ones get "#2", "#3"; NULL: its type */
	const char *type; /* "Conv"; NULL: "Unknown" */
};

/*
 * Finds the joulemap that has started this program. *ret_worker ends with
 * jm_worker_finish or jm_worker_fail. JM_ENOTFOUND: nobody measures it, a
 * program may go on without; JM_EUNSUPPORTED: another version of the protocol;
 * JM_EFORMAT, JM_ENOMEM.
 */
JM_API int jm_worker_attach(struct jm_worker **ret_worker, struct jm_error *reterr);

/*
 * Who runs here, in what version (NULL: ""), and the layers [n_layers], in the
 * order in which they run. Once. JM_EINVAL, JM_ENOMEM.
 */
JM_API int jm_worker_describe(struct jm_worker *worker, const char *engine, const char *version,
	const struct jm_worker_layer *layers, size_t n_layers, struct jm_error *reterr);

/*
 * Says that everything is loaded and warm, and waits until power is being
 * logged. JM_EINTERRUPTED: there will be no measurement. JM_EINVAL (nothing is
 * described), JM_ENOSPC, JM_EIO, JM_ENOMEM.
 */
JM_API int jm_worker_ready(struct jm_worker *worker, struct jm_error *reterr);

/* The clock of all times here. */
JM_API int64_t jm_worker_now_ns(void);

/* A cycle begins. JM_EINVAL: the one before has not ended. */
JM_API int jm_worker_cycle_begin(struct jm_worker *worker, struct jm_error *reterr);

/*
 * It ends. Waits for a short random time if one is needed between cycles
 * (docs/how-it-works.md). JM_EINVAL: none had begun; JM_ENOSPC, JM_EIO.
 */
JM_API int jm_worker_cycle_end(struct jm_worker *worker, struct jm_error *reterr);

/*
 * One execution of layer `layer` (an index of the description) in this cycle:
 * [begin_ns, end_ns). A layer may run any number of times in a cycle. Does not
 * block longer than a write. JM_EINVAL: no such layer, no cycle, an end before
 * its begin; JM_ENOSPC, JM_EIO.
 */
JM_API int jm_worker_layer(struct jm_worker *worker, uint32_t layer, int64_t begin_ns,
	int64_t end_ns, struct jm_error *reterr);

/* The same where several run at a time: spans of one lane (below JM_LANES_MAX) do not overlap.
 */
JM_API int jm_worker_span(struct jm_worker *worker, uint32_t layer, uint32_t lane,
	int64_t begin_ns, int64_t end_ns, struct jm_error *reterr);

/* Cycles that are wanted. */
JM_API uint32_t jm_worker_runs(const struct jm_worker *worker);

/* 1: no more cycles are wanted: there are enough, the user's wish, or joulemap is gone. */
JM_API int jm_worker_is_stopped(const struct jm_worker *worker);

/*
 * The orderly end, also of `worker`, which is freed in every case; NULL is
 * accepted. The program then has 10 s to end. JM_ENOSPC, JM_EIO.
 */
JM_API int jm_worker_finish(struct jm_worker *worker, struct jm_error *reterr);

/* The other end: joulemap shows its user `why`. What was measured is kept. */
JM_API void jm_worker_fail(struct jm_worker *worker, const char *why);

#ifdef __cplusplus
}
#endif

#endif
