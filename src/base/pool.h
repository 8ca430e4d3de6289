/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A few threads that share tasks. Which thread does a task, and when, says
 * nothing of its result: tasks write to places of their own, and whoever ran them
 * brings the results together in the order of their numbers.
 */
#ifndef JM_BASE_POOL_H
#define JM_BASE_POOL_H

#include <stddef.h>

struct jm_pool;

typedef void jm_pool_task_fn(void *context, size_t task);
/* On the thread that called jm_pool_run; `done` of its tasks are. */
typedef void jm_pool_done_fn(void *context, size_t done);

/* Processors that this process may run on, 1 where that is not known. */
unsigned jm_pool_processors(void);

/*
 * The caller is one of `threads`. Fewer where no more can be had. NULL, which is
 * a pool of the caller alone, without memory. Freed with jm_pool_free.
 */
struct jm_pool *jm_pool_new(unsigned threads);
void jm_pool_free(struct jm_pool *pool);

/* 1 for NULL. */
unsigned jm_pool_threads(const struct jm_pool *pool);

/*
 * Tasks 0 .. n - 1, begun in that order; returns when all are done. From one
 * thread at a time, and not from a task. `done` may be NULL.
 */
void jm_pool_run(struct jm_pool *pool, size_t n, jm_pool_task_fn *task, jm_pool_done_fn *done,
	void *context);

#endif
